"""What the copter tells of itself, each message at the rate that was asked for (pure)."""

import math
from collections.abc import Callable
from typing import Any

from pymavlink.dialects.v20 import ardupilotmega as dialect

from simulator.copter.motors import prearm_complaint
from simulator.copter.state import Mode, State

_NEVER = math.inf
_ESTIMATE_GOOD = 0x33F
_ESTIMATE_POOR = 0x0A7
"""Of EKF_STATUS_REPORT: with an absolute horizontal position, and in constant position mode."""
_SENSORS = 0x0300_FC2F
"""Of MAV_SYS_STATUS_SENSOR: what a copter has; the pre-arm bit comes on top."""
_GPS, _BATTERY, _FENCE = 0x20, 0x0200_0000, 0x0010_0000
_PREARM = 0x1000_0000
_BASE_MODE = (
    dialect.MAV_MODE_FLAG_CUSTOM_MODE_ENABLED
    | dialect.MAV_MODE_FLAG_STABILIZE_ENABLED
    | dialect.MAV_MODE_FLAG_MANUAL_INPUT_ENABLED
)
_GUIDED_MODES = frozenset({Mode.AUTO, Mode.GUIDED, Mode.LOITER, Mode.RTL, Mode.BRAKE})
_FIRMWARE = (4 << 24) | (6 << 16) | (3 << 8) | 255
_NEWER_FIRMWARE = (4 << 24) | (7 << 16) | (0 << 8) | 255
_CAPABILITIES = 0xE98F
"""Of MAV_PROTOCOL_CAPABILITY: lists, commands and targets in integers, MAVLink 2."""
_FIX_S = 8.0
"""How long after boot the receiver has a fix, where the copter is not ready before."""


class Telemetry:
    """Which messages are due; ArduPilot sends only heartbeats until it is asked for more."""

    def __init__(self, state: State, start_unix_s: float, *, is_newer: bool) -> None:
        self._state = state
        self._start_unix_s = start_unix_s
        self._is_newer = is_newer
        self._makers: dict[int, Callable[[], Any]] = {
            dialect.MAVLINK_MSG_ID_HEARTBEAT: self._heartbeat,
            dialect.MAVLINK_MSG_ID_SYS_STATUS: self._sys_status,
            dialect.MAVLINK_MSG_ID_SYSTEM_TIME: self._system_time,
            dialect.MAVLINK_MSG_ID_GPS_RAW_INT: self._gps_raw,
            dialect.MAVLINK_MSG_ID_ATTITUDE: self._attitude,
            dialect.MAVLINK_MSG_ID_GLOBAL_POSITION_INT: self._global_position,
            dialect.MAVLINK_MSG_ID_MISSION_CURRENT: self._mission_current,
            dialect.MAVLINK_MSG_ID_VFR_HUD: self._vfr_hud,
            dialect.MAVLINK_MSG_ID_BATTERY_STATUS: self._battery_status,
            dialect.MAVLINK_MSG_ID_AUTOPILOT_VERSION: self._autopilot_version,
            dialect.MAVLINK_MSG_ID_FENCE_STATUS: self._fence_status,
            dialect.MAVLINK_MSG_ID_WIND: self._wind,
            dialect.MAVLINK_MSG_ID_EKF_STATUS_REPORT: self._estimator,
            dialect.MAVLINK_MSG_ID_HOME_POSITION: self._home_position,
            dialect.MAVLINK_MSG_ID_EXTENDED_SYS_STATE: self._extended_state,
        }
        self._interval_s: dict[int, float] = {dialect.MAVLINK_MSG_ID_HEARTBEAT: 1.0}
        self._due_s: dict[int, float] = {dialect.MAVLINK_MSG_ID_HEARTBEAT: 0.0}
        self._next_s = 0.0

    def knows(self, message_id: int) -> bool:
        """Whether a message can be asked for."""
        return message_id in self._makers

    def interval_us(self, message_id: int) -> int:
        """As MESSAGE_INTERVAL tells it: -1 is off, 0 is not known."""
        if not self.knows(message_id):
            return 0
        interval_s = self._interval_s.get(message_id)
        return -1 if interval_s is None else round(interval_s * 1e6)

    def set_interval(self, message_id: int, interval_us: float) -> None:
        """Send it so often from now on; -1: not at all, 0: as by default."""
        if interval_us == 0.0:
            interval_us = 1e6 if message_id == dialect.MAVLINK_MSG_ID_HEARTBEAT else -1.0
        if interval_us < 0.0:
            self._interval_s.pop(message_id, None)
            self._due_s.pop(message_id, None)
        else:
            self._interval_s[message_id] = max(0.02, interval_us * 1e-6)
            self._due_s[message_id] = self._state.now_s + self._interval_s[message_id]
        self._next_s = min(self._due_s.values(), default=_NEVER)

    def due(self) -> list[Any]:
        """The messages whose time has come."""
        now_s = self._state.now_s + 1e-6
        if now_s < self._next_s:
            return []
        messages = []
        for message_id, due_s in self._due_s.items():
            if due_s <= now_s:
                interval_s = self._interval_s[message_id]
                self._due_s[message_id] = max(due_s + interval_s, now_s - interval_s)
                message = self.make(message_id)
                if message is not None:
                    messages.append(message)
        self._next_s = min(self._due_s.values())
        return messages

    def make(self, message_id: int) -> Any:
        """One message as it is now; `None`: there is nothing to tell yet."""
        return self._makers[message_id]()

    @property
    def unix_us(self) -> int:
        """The time it tells, microseconds since 1970."""
        return round((self._start_unix_s + self._state.now_s) * 1e6)

    def _boot_ms(self) -> int:
        return round(self._state.now_s * 1e3) & 0xFFFF_FFFF

    def _has_fix(self) -> bool:
        state = self._state
        return state.has_gnss and state.now_s >= min(_FIX_S, state.ready_s)

    def _place(self) -> tuple[int, int]:
        state = self._state
        lat_deg, lon_deg = state.plane.place(state.body.north_m, state.body.east_m)
        return round(lat_deg * 1e7), round(lon_deg * 1e7)

    def _heartbeat(self) -> Any:
        state = self._state
        base_mode = _BASE_MODE | (dialect.MAV_MODE_FLAG_SAFETY_ARMED if state.is_armed else 0)
        if state.mode in _GUIDED_MODES:
            base_mode |= dialect.MAV_MODE_FLAG_GUIDED_ENABLED
        status = dialect.MAV_STATE_STANDBY if state.is_landed else dialect.MAV_STATE_ACTIVE
        if state.is_failsafe:
            status = dialect.MAV_STATE_CRITICAL
        return dialect.MAVLink_heartbeat_message(
            dialect.MAV_TYPE_QUADROTOR, dialect.MAV_AUTOPILOT_ARDUPILOTMEGA, base_mode,
            int(state.mode), status, 3,
        )  # fmt: skip

    def _sys_status(self) -> Any:
        state = self._state
        present = _SENSORS | _FENCE | _BATTERY | _PREARM
        enabled = present if state.parameters["FENCE_ENABLE"] else present & ~_FENCE
        health = present
        if not self._has_fix():
            health &= ~_GPS
        if state.battery_failsafe:
            health &= ~_BATTERY
        if state.breaches:
            health &= ~_FENCE
        if not state.is_armed and prearm_complaint(state):
            health &= ~_PREARM
        return dialect.MAVLink_sys_status_message(
            present, enabled, health, 200, round(state.battery.voltage_v * 1e3),
            min(32_767, round(state.battery.current_a * 100)), self._left_pct(),
            0, 0, 0, 0, 0, 0,
        )  # fmt: skip

    def _left_pct(self) -> int:
        """As the autopilot reckons: from the capacity that it was told."""
        capacity_mah = self._state.parameters["BATT_CAPACITY"]
        if capacity_mah <= 0.0:
            return -1
        left = 1.0 - self._state.battery.consumed_mah / capacity_mah
        return max(0, min(100, int(100.0 * left)))

    def _system_time(self) -> Any:
        return dialect.MAVLink_system_time_message(self.unix_us, self._boot_ms())

    def _gps_raw(self) -> Any:
        state = self._state
        if not self._has_fix():
            return dialect.MAVLink_gps_raw_int_message(
                self.unix_us, 1, 0, 0, 0, 65_535, 65_535, 0, 0, 0
            )
        body = state.body
        course_deg = math.degrees(math.atan2(body.east_mps, body.north_mps)) % 360.0
        return dialect.MAVLink_gps_raw_int_message(
            self.unix_us, 6, *self._place(), self._altitude_mm(), 121, 200,
            min(65_534, round(body.ground_speed_mps * 100)), round(course_deg * 100) % 36_000, 10,
            self._altitude_mm(), 300, 300, 40,
        )  # fmt: skip

    def _altitude_mm(self) -> int:
        return round((self._state.ground_altitude_m + self._state.body.up_m) * 1e3)

    def _attitude(self) -> Any:
        yaw = math.radians((self._state.body.heading_deg + 180.0) % 360.0 - 180.0)
        return dialect.MAVLink_attitude_message(self._boot_ms(), 0.0, 0.0, yaw, 0.0, 0.0, 0.0)

    def _global_position(self) -> Any:
        state, body = self._state, self._state.body
        lat, lon = self._place() if state.has_position or self._has_fix() else (0, 0)
        return dialect.MAVLink_global_position_int_message(
            self._boot_ms(), lat, lon, self._altitude_mm(), round(state.height_m * 1e3),
            _cm(body.north_mps), _cm(body.east_mps), _cm(-body.up_mps),
            round(body.heading_deg * 100) % 36_000,
        )  # fmt: skip

    def _mission_current(self) -> Any:
        state = self._state
        index = state.auto.index if state.mission else 0
        return dialect.MAVLink_mission_current_message(index, max(0, len(state.mission) - 1))

    def _vfr_hud(self) -> Any:
        state, body = self._state, self._state.body
        airspeed_mps = math.hypot(body.north_mps - state.air[0], body.east_mps - state.air[1])
        return dialect.MAVLink_vfr_hud_message(
            airspeed_mps, body.ground_speed_mps, int(body.heading_deg),
            0 if state.is_landed else 40, state.ground_altitude_m + body.up_m, body.up_mps,
        )  # fmt: skip

    def _battery_status(self) -> Any:
        battery = self._state.battery
        voltages = [round(battery.voltage_v * 1e3)] + [65_535] * 9
        return dialect.MAVLink_battery_status_message(
            0, 0, 0, 32_767, voltages, min(32_767, round(battery.current_a * 100)),
            round(battery.consumed_mah), round(battery.consumed_mah * battery.voltage_v * 0.036),
            self._left_pct(), 0, 1,
        )  # fmt: skip

    def _autopilot_version(self) -> Any:
        firmware = _NEWER_FIRMWARE if self._is_newer else _FIRMWARE
        nothing = [0] * 8
        return dialect.MAVLink_autopilot_version_message(
            _CAPABILITIES, firmware, 0, 0, 0, nothing, nothing, nothing, 0, 0, 0
        )

    def _fence_status(self) -> Any:
        state = self._state
        kind = 2 if state.breaches & 1 else 3 if state.breaches else 0
        return dialect.MAVLink_fence_status_message(
            int(state.breaches != 0), min(65_535, state.breach_count), kind,
            round(state.breached_s * 1e3),
        )  # fmt: skip

    def _wind(self) -> Any:
        north_mps, east_mps = self._state.air
        from_deg = math.degrees(math.atan2(-east_mps, -north_mps))
        return dialect.MAVLink_wind_message(from_deg, math.hypot(north_mps, east_mps), 0.0)

    def _estimator(self) -> Any:
        flags = _ESTIMATE_GOOD if self._state.has_position else _ESTIMATE_POOR
        return dialect.MAVLink_ekf_status_report_message(flags, 0.05, 0.02, 0.02, 0.05, 0.0)

    def _home_position(self) -> Any:
        state = self._state
        if state.home is None:
            return None
        north_m, east_m, up_m = state.home
        lat_deg, lon_deg = state.plane.place(north_m, east_m)
        altitude_mm = round((state.ground_altitude_m + up_m) * 1e3)
        return dialect.MAVLink_home_position_message(
            round(lat_deg * 1e7), round(lon_deg * 1e7), altitude_mm,
            north_m - state.origin[0], east_m - state.origin[1], state.origin[2] - up_m,
            (1.0, 0.0, 0.0, 0.0), 0.0, 0.0, 0.0, self.unix_us,
        )  # fmt: skip

    def _extended_state(self) -> Any:
        return dialect.MAVLink_extended_sys_state_message(0, int(self._state.landed))


def _cm(metres: float) -> int:
    return max(-32_768, min(32_767, round(metres * 100.0)))
