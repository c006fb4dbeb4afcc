"""What the autopilot measures: its messages as the fields of a `DroneStatus` (pure)."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from services.drone.autopilot import DronePosition, Home, Landed, Wind
from services.drone.geodesy import Place
from services.drone.mavlink.codec import mavlink

FRESH_S = 5.0
"""After that long without its message a value is not known any more."""
SECONDS_PER_HOUR = 3600.0

LANDED = {
    mavlink.MAV_LANDED_STATE_ON_GROUND: Landed.ON_GROUND,
    mavlink.MAV_LANDED_STATE_IN_AIR: Landed.IN_AIR,
    mavlink.MAV_LANDED_STATE_TAKEOFF: Landed.TAKING_OFF,
    mavlink.MAV_LANDED_STATE_LANDING: Landed.LANDING,
}
_GROUND = "EXTENDED_SYS_STATE"
PREARM = mavlink.MAV_SYS_STATUS_PREARM_CHECK
EKF_GOOD = mavlink.EKF_POS_HORIZ_ABS | mavlink.EKF_VELOCITY_HORIZ
EKF_BAD = mavlink.EKF_CONST_POS_MODE | mavlink.EKF_UNINITIALIZED | 32768
"""It stands still in its mind, never began, or takes its GNSS for a glitch (EKF_GPS_GLITCHING)."""


@dataclass(frozen=True, slots=True)
class Battery:
    """The flight battery as it is now."""

    pct: float | None = None
    voltage_v: float | None = None
    burn_pct_per_s: float | None = None


class Telemetry:
    """The last message of each kind, and when it came."""

    def __init__(self) -> None:
        self.position: DronePosition | None = None
        self.home: Home | None = None
        self._last: dict[str, tuple[float, Any]] = {}
        self._take: dict[str, Callable[[Any, float], None]] = {
            "GLOBAL_POSITION_INT": self._on_position,
            "HOME_POSITION": self._on_home,
        }

    def forget(self) -> None:
        """The autopilot started anew: nothing that it said is true any more."""
        self.position = self.home = None
        self._last.clear()

    def heard(self, message: Any, now_s: float) -> None:
        """Any message of the target."""
        name = message.get_type()
        if name == "BATTERY_STATUS" and message.id != 0:
            return
        self._last[name] = (now_s, message)
        if take := self._take.get(name):
            take(message, now_s)

    def age_s(self, name: str, now_s: float) -> float:
        """How long ago a message came; infinite: never."""
        last = self._last.get(name)
        return math.inf if last is None else now_s - last[0]

    @property
    def landed_s(self) -> float | None:
        """When it last said so; `None`: never."""
        last = self._last.get(_GROUND)
        return None if last is None else last[0]

    def landed(self, now_s: float) -> Landed:
        """What it says of the ground."""
        message = self._fresh(_GROUND, now_s)
        return Landed.UNKNOWN if message is None else LANDED.get(
            message.landed_state, Landed.UNKNOWN
        )  # fmt: skip

    def has_fix(self, now_s: float) -> bool:
        """A three-dimensional fix, or better."""
        gps = self._fresh("GPS_RAW_INT", now_s)
        return gps is not None and gps.fix_type >= mavlink.GPS_FIX_TYPE_3D_FIX

    def satellites(self, now_s: float) -> int:
        """How many it sees; 0 where it does not say."""
        gps = self._fresh("GPS_RAW_INT", now_s)
        return 0 if gps is None or gps.satellites_visible == 255 else int(gps.satellites_visible)

    def is_position_good(self, now_s: float) -> bool:
        """Its estimator holds an absolute horizontal position, from a fix that it has."""
        ekf = self._fresh("EKF_STATUS_REPORT", now_s)
        return (
            ekf is not None
            and ekf.flags & EKF_GOOD == EKF_GOOD
            and not ekf.flags & EKF_BAD
            and self.has_fix(now_s)
        )

    def is_prearm_good(self, now_s: float) -> bool:
        """It says that it would arm."""
        status = self._fresh("SYS_STATUS", now_s)
        if status is None:
            return False
        enabled = status.onboard_control_sensors_enabled & PREARM
        return bool(enabled and status.onboard_control_sensors_health & PREARM)

    def wind(self, now_s: float) -> Wind | None:
        """Its own estimate."""
        wind = self._fresh("WIND", now_s)
        if wind is None or not math.isfinite(wind.direction + wind.speed):
            return None
        return Wind(wind.direction % 360.0, wind.speed)

    def battery(self, capacity_mah: float | None, now_s: float) -> Battery:
        """Charge in percent, finer than the whole percents it says where the capacity is known."""
        status = self._fresh("SYS_STATUS", now_s)
        more = self._fresh("BATTERY_STATUS", now_s)
        whole = _first(lambda m: m.battery_remaining, -1, status, more)
        consumed = _first(lambda m: m.current_consumed, -1, more)
        current_ca = _first(lambda m: m.current_battery, -1, status, more)
        voltage_mv = _first(lambda m: m.voltage_battery, 65_535, status)
        pct = None if whole is None else float(whole)
        burn = None
        if capacity_mah:
            if consumed is not None:
                pct = _finer(pct, 100.0 * (1.0 - consumed / capacity_mah))
            if current_ca is not None and current_ca >= 0:
                burn = current_ca * 10.0 / SECONDS_PER_HOUR / capacity_mah * 100.0
        return Battery(pct, None if voltage_mv is None else voltage_mv / 1000.0, burn)

    def _fresh(self, name: str, now_s: float) -> Any:
        last = self._last.get(name)
        return None if last is None or now_s - last[0] > FRESH_S else last[1]

    def _on_position(self, message: Any, now_s: float) -> None:
        place = _place(message.lat, message.lon)
        if place is None:
            return
        known = self.position.heading_deg if self.position else 0.0
        self.position = DronePosition(
            place=place,
            altitude_m=message.alt / 1000.0,
            height_m=message.relative_alt / 1000.0,
            north_mps=message.vx / 100.0,
            east_mps=message.vy / 100.0,
            up_mps=-message.vz / 100.0,
            heading_deg=known if message.hdg == 65_535 else message.hdg / 100.0 % 360.0,
            at_s=now_s,
        )

    def _on_home(self, message: Any, now_s: float) -> None:
        place = _place(message.latitude, message.longitude)
        if place is not None:
            self.home = Home(place, message.altitude / 1000.0)


def _first(read: Callable[[Any], int], absent: int, *messages: Any) -> int | None:
    for message in messages:
        if message is not None and (value := read(message)) != absent:
            return value
    return None


def _finer(whole: float | None, fine: float) -> float:
    """The fine one, unless the autopilot itself reckons otherwise, as a smart battery does."""
    fine = min(max(fine, 0.0), 100.0)
    return whole if whole is not None and abs(whole - fine) > 2.0 else fine


def _place(lat: int, lon: int) -> Place | None:
    """A place from 1e-7 degrees; `None`: zeros, which stand for none, or none on earth."""
    if (lat == 0 and lon == 0) or abs(lat) > 900_000_000 or abs(lon) > 1_800_000_000:
        return None
    return Place(lat / 1e7, lon / 1e7)
