"""All that is known of car, drone and weather at one moment (pure)."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from internetcar.contract.message import Value
from internetcar.contract.signals import Quality
from services.drone.autopilot import DroneStatus, Landed
from services.drone.events import (
    BrokerLink,
    CarFix,
    CarPresence,
    CarSignal,
    Event,
    Heard,
    Twin,
    WeatherReport,
)
from services.drone.leaps import Doubt, SeenFix, Track, taken
from services.drone.moment import Moment
from services.drone.own_clock import OwnClock, true, watched

FIXES = 20
"""How many of the car's last positions are kept: two seconds at ten a second."""
YAW = "Vehicle.AngularVelocity.Yaw"
"""Degrees a second, counterclockwise: VSS after ISO 8855."""
STEERING = "Vehicle.Chassis.SteeringWheel.Angle"
"""Degrees, to the left."""
SERIES = frozenset({YAW, STEERING})
"""Leaves of which the last values are kept, not the last one alone."""
VALUES = 20
AHEAD_S = 0.5
"""So far ahead of our clock a stamp may lie; what lies further ahead is of a wrong clock."""


@dataclass(frozen=True, slots=True)
class SeenSignal:
    """A leaf's last value and when it was true."""

    value: Value
    quality: Quality
    at_s: float


@dataclass(frozen=True, slots=True)
class SeenWeather:
    """The last report, and when it was true."""

    report: WeatherReport
    at_s: float


@dataclass(frozen=True, slots=True)
class View:
    """What every rule, interlock and task looks at."""

    fixes: tuple[SeenFix, ...] = ()
    """Of the car, oldest first, in the order of their own time."""
    doubt: Doubt = field(default_factory=Doubt)
    """Newer ones, farther away than a car can be, are not believed yet."""
    clock: OwnClock = field(default_factory=OwnClock)
    signals: Mapping[str, SeenSignal] = field(default_factory=dict)
    series: Mapping[str, tuple[SeenSignal, ...]] = field(default_factory=dict)
    """The last values of `SERIES`, oldest first, in the order of their own time; numbers only."""
    presence: CarPresence | None = None
    weather: SeenWeather | None = None
    is_broker_connected: bool = False
    broker_lost_s: float | None = None
    """Since when it is away; `None` while it is there or if it never was."""
    drone: DroneStatus = field(default_factory=DroneStatus)
    has_twin: bool = False
    """Another service speaks for this drone, too."""

    @property
    def car(self) -> SeenFix | None:
        """The car's last position."""
        return self.fixes[-1] if self.fixes else None


def seen(view: View, event: Event, now: Moment) -> View:
    """The view after an event; what is older than what is known already changes nothing."""
    is_on_ground = view.drone.landed == Landed.ON_GROUND
    clock = watched(view.clock, event, now, is_armed=view.drone.is_armed, is_on_ground=is_on_ground)
    if clock is not view.clock:
        view = replace(view, clock=clock)
    return _seen(view, true(clock, event), now)


def _seen(view: View, event: Event, now: Moment) -> View:
    match event:
        case CarFix():
            return _with_fix(view, SeenFix(event, _true_s(event, now)), now)
        case CarSignal(path=path) if path in SERIES:
            return _with_value(view, event, now)
        case CarSignal():
            at_s = now.s - event.age_s
            known = view.signals.get(event.path)
            if known is not None and at_s < known.at_s <= now.s + AHEAD_S:
                return view
            heard = SeenSignal(event.value, event.quality, at_s)
            return replace(view, signals={**view.signals, event.path: heard})
        case CarPresence():
            return replace(view, presence=event)
        case WeatherReport():
            return replace(view, weather=SeenWeather(event, now.s - event.age_s))
        case BrokerLink():
            lost_s = None if event.is_connected else view.broker_lost_s or now.s
            return replace(view, is_broker_connected=event.is_connected, broker_lost_s=lost_s)
        case Twin():
            return replace(view, has_twin=event.is_heard)
        case Heard():
            return replace(view, drone=event.status)
    return view


def _true_s(fix: CarFix, now: Moment) -> float:
    """When it was true: one from the future is of a wrong clock, and as new as its arrival.

    Else one such stamp would hide where the car is for as long as it lies ahead.
    """
    return now.s if fix.age_s < -AHEAD_S else now.s - fix.age_s


def _with_fix(view: View, fix: SeenFix, now: Moment) -> View:
    before = Track(view.fixes, view.doubt)
    track = taken(before, fix, now.s, FIXES)
    return view if track is before else replace(view, fixes=track.fixes, doubt=track.doubt)


def _with_value(view: View, event: CarSignal, now: Moment) -> View:
    """With another value of a series, in its place; one that is not valid ends what was known."""
    value, at_s = event.value, now.s - event.age_s
    known = [each for each in view.series.get(event.path, ()) if each.at_s != at_s]
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if event.age_s < -AHEAD_S:
        return view
    if event.quality != "valid" or not is_number:
        known = []
    else:
        known = sorted([*known, SeenSignal(value, event.quality, at_s)], key=_at_s)[-VALUES:]
    return replace(view, series={**view.series, event.path: tuple(known)})


def _at_s(seen: SeenSignal) -> float:
    return seen.at_s
