"""The simulated copter: bytes and time in, bytes out, and the truth beside them (pure)."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from simulator.chance import Chance
from simulator.copter import failsafes, modes, motors
from simulator.copter.battery import Battery
from simulator.copter.items import zones
from simulator.copter.parameters import Parameters
from simulator.copter.plane import Plane
from simulator.copter.protocol import Protocol
from simulator.copter.state import INFO, Landed, Mode, State
from simulator.copter.telemetry import Telemetry
from simulator.copter.wind import Wind

STEP_S = 0.02
_CHECK_STEPS = 5
_COMPLAINT_S = 30.0
_NEW_PLANE_M = 1_000.0
"""Carried further than this, it reckons from a new point of reference."""
PREARM_TOO_EARLY_S = 18.0
"""SYS_STATUS says that it would arm so long before it does, as observed."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What is simulated. The defaults are a copter just switched on, as ArduPilot delivers it."""

    lat_deg: float = 52.0
    lon_deg: float = 13.0
    altitude_m: float = 40.0
    """Of the ground, above sea level."""
    heading_deg: float = 0.0
    ready_after_s: float = 43.0
    battery_mah: float = 5_000.0
    """What the battery holds, and what BATT_CAPACITY says."""
    wind_from_deg: float = 0.0
    wind_mps: float = 0.0
    gusts_mps: float = 0.0
    system_id: int = 1
    start_unix_s: float = 1_767_225_600.0
    """UTC at boot, in seconds since 1970."""
    signing_key: bytes | None = None
    """32 bytes: only signed messages are heard then."""
    new_names: bool = False
    """Firmware 4.7: parameters by its names."""
    parameters: Mapping[str, float] = field(default_factory=dict)
    """What is set before boot, by the names and units of 4.6."""


class Truth(NamedTuple):
    """What is so, whatever the copter tells."""

    lat_deg: float
    lon_deg: float
    height_m: float
    """Above the ground."""
    north_mps: float
    east_mps: float
    up_mps: float
    is_armed: bool
    is_on_ground: bool
    mode: Mode
    landed: Landed
    battery_pct: float
    battery_mah: float
    """Taken from it."""
    landed_at: tuple[float, float] | None
    """Latitude and longitude of the last touch-down."""
    take_offs: int
    breaches: int
    """Fence breaches since boot."""
    home: tuple[float, float] | None
    """Latitude and longitude of the home it has now."""
    has_crashed: bool
    pictures: int
    operator: tuple[float, float, float] | None


class SimCopter:
    """One copter. `receive`, `advance`, `outgoing`; it reads no clock and does no I/O."""

    def __init__(self, settings: Settings, chance: Chance) -> None:
        parameters = Parameters(new_names=settings.new_names)
        parameters["BATT_CAPACITY"] = settings.battery_mah
        parameters["SYSID_THISMAV"] = settings.system_id
        for name, value in settings.parameters.items():
            parameters[name] = value
        self.state = State(
            plane=Plane(settings.lat_deg, settings.lon_deg),
            ground_altitude_m=settings.altitude_m,
            parameters=parameters,
            battery=Battery(settings.battery_mah),
            wind=Wind(settings.wind_from_deg, settings.wind_mps, settings.gusts_mps, chance),
            ready_s=settings.ready_after_s,
            prearm_bit_s=max(0.0, settings.ready_after_s - PREARM_TOO_EARLY_S),
        )
        self.state.body.heading_deg = settings.heading_deg % 360.0
        telemetry = Telemetry(self.state, settings.start_unix_s, is_newer=settings.new_names)
        self._protocol = Protocol(self.state, telemetry, settings.system_id, settings.signing_key)
        self._owed_s = 0.0
        self._steps = 0
        self._complained_s = -math.inf
        self.is_hung = False
        """It flies on, but hears and says nothing."""

    def receive(self, data: bytes) -> None:
        """Take what the link brought: any bytes at all."""
        if not self.is_hung:
            self._protocol.receive(data)

    def advance(self, dt_s: float) -> None:
        """Let time pass, in steps of a fiftieth of a second; what is left over is kept."""
        self._owed_s += dt_s
        while self._owed_s >= STEP_S - 1e-9:
            self._owed_s -= STEP_S
            self._step()

    def outgoing(self) -> Sequence[bytes]:
        """What goes out, one item a datagram; each is given once."""
        return self._protocol.take()

    @property
    def junk(self) -> int:
        """How many messages were none, or not signed as they must be."""
        return self._protocol.junk

    @property
    def now_s(self) -> float:
        """Since boot."""
        return self.state.now_s

    @property
    def truth(self) -> Truth:
        """What is so now."""
        state, body = self.state, self.state.body
        home = state.plane.place(*state.home[:2]) if state.home else None
        return Truth(
            *state.plane.place(body.north_m, body.east_m), body.up_m, body.north_mps,
            body.east_mps, body.up_mps, state.is_armed, state.is_landed, state.mode, state.landed,
            state.battery.left_pct, state.battery.consumed_mah, state.landed_at, state.take_offs,
            state.breach_count, home, state.has_crashed, state.pictures, state.operator,
        )  # fmt: skip

    def lose_gnss(self) -> None:
        """The receiver sees no satellites any more."""
        if self.state.has_gnss:
            self.state.has_gnss = False
            self.state.gnss_lost_s = self.state.now_s

    def restore_gnss(self) -> None:
        """The receiver sees them again."""
        self.state.has_gnss = True

    def drain(self, left_pct: float) -> None:
        """The battery holds only so much any more."""
        battery = self.state.battery
        battery.consumed_mah = battery.capacity_mah * (1.0 - left_pct / 100.0)

    def set_wind(self, from_deg: float, speed_mps: float, gusts_mps: float = 0.0) -> None:
        """The wind is another one from now on."""
        wind = self.state.wind
        wind.from_deg, wind.speed_mps, wind.gusts_mps = from_deg, speed_mps, gusts_mps

    def carry_to(self, lat_deg: float, lon_deg: float, heading_deg: float | None = None) -> None:
        """Be set down elsewhere, as on the roof of a car; not in the air, and not when armed."""
        state = self.state
        if not state.is_landed or state.is_armed:
            return
        north_m, east_m = state.plane.north_east(lat_deg, lon_deg)
        if math.hypot(north_m, east_m) > _NEW_PLANE_M:
            self._reckon_from(Plane(lat_deg, lon_deg))
            north_m = east_m = 0.0
        state.body.north_m, state.body.east_m = north_m, east_m
        if heading_deg is not None:
            state.body.heading_deg = heading_deg % 360.0

    def _reckon_from(self, plane: Plane) -> None:
        state = self.state
        old, state.plane = state.plane, plane
        if state.home is not None:
            place = plane.north_east(*old.place(*state.home[:2]))
            state.home = (*place, state.home[2])
        state.origin = (*plane.north_east(*old.place(*state.origin[:2])), state.origin[2])
        state.fence = zones(state.fence_items, plane)

    def _step(self) -> None:
        state = self.state
        self._steps += 1
        state.now_s = self._steps * STEP_S
        state.air = state.wind.blow(STEP_S)
        if state.is_armed and not state.battery.is_empty:
            modes.run(state, STEP_S)
            if not state.is_landed:
                state.body.blow(STEP_S, *state.air)
        elif not state.is_landed:
            motors.fall(state, STEP_S)
        self._draw()
        if self._steps % _CHECK_STEPS == 0:
            self._check()
        elif self._steps % 2 == 0 and not state.is_landed:
            failsafes.check_fence(state)
        if not self.is_hung:
            self._protocol.turn()

    def _draw(self) -> None:
        state, body = self.state, self.state.body
        is_flying = state.is_armed and not state.is_landed
        airspeed_mps = 0.0
        if is_flying:
            airspeed_mps = math.hypot(body.north_mps - state.air[0], body.east_mps - state.air[1])
        state.battery.draw(STEP_S, state.is_armed, is_flying, airspeed_mps, body.up_mps)

    def _check(self) -> None:
        state = self.state
        if state.home is None and state.has_position:
            body = state.body
            state.origin = (body.north_m, body.east_m, body.up_m)
            state.set_home(*state.origin, is_locked=False)
        failsafes.check_fence(state)
        failsafes.check(state)
        motors.disarm_idle(state)
        if not state.is_armed and state.now_s - self._complained_s >= _COMPLAINT_S:
            complaint = motors.prearm_complaint(state)
            if complaint:
                self._complained_s = state.now_s
                state.say(INFO, f"PreArm: {complaint}")
