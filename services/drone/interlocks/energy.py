"""What will be left in the battery (pure)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from services.drone.autopilot import Wind
from services.drone.geodesy import Offset, Place, offset
from services.drone.interlocks.limits import Airframe
from services.drone.tasks.task import Leg

_ROUNDS = 30
"""Of meeting a moving car; each is nearer by the ratio of the speeds."""

_MET_S = 0.5
_SLOWEST_MPS = 0.5
"""A ground speed below it is no progress."""


@dataclass(frozen=True, slots=True)
class Drone:
    """Where the drone is, and what it has."""

    place: Place
    height_m: float
    battery_pct: float
    burn_pct_per_s: float | None = None
    """Measured in the air; `None`: the airframe's."""


@dataclass(frozen=True, slots=True)
class Car:
    """Where the car is, and its velocity over the ground in m/s."""

    place: Place
    velocity: Offset = Offset(0.0, 0.0)  # noqa: RUF009 - a tuple, immutable


def predicted_pct(
    airframe: Airframe,
    drone: Drone,
    car: Car,
    *,
    wind: Wind | None = None,
    wind_mps: float = 0.0,
    legs: Sequence[Leg] = (),
    height_m: float | None = None,
) -> float:
    """What is left of the battery after the legs, the return to the car and the landing.

    The car moves on as it does now until it is met. A wind of which the direction is not known
    (`wind` is `None`, `wind_mps` its speed) blows against every leg. A point-mass estimate, meant
    to promise too little: gusts, the approach, a wait and a share on top are in the airframe.

    Args:
        airframe: What it can and burns.
        drone: The drone now.
        car: The car now.
        wind: With its direction.
        wind_mps: Without.
        legs: Still to be flown before the return, one after another.
        height_m: At which it returns; `None`: the height of the last leg, or its own.

    Returns:
        Percent, 0…100; 0 also where the wind lets it not come back, or the car is too fast.
    """
    air = _Air(airframe, wind, wind_mps)
    burn = _Burn(airframe, drone.burn_pct_per_s)
    spent = _along(drone, legs, air, burn)
    place, height = (legs[-1].end, legs[-1].height_m) if legs else (drone.place, drone.height_m)
    back_m = height if height_m is None else height_m
    spent = _climbed(spent, airframe, burn, back_m - height)
    spent = _met(spent, airframe, air, burn, offset(place, car.place), car)
    spent = spent.plus(_landing_s(airframe, back_m, car), burn.at(air.speed_mps))
    left = drone.battery_pct - spent.pct * airframe.margin
    return min(100.0, left) if left > 0.0 else 0.0


@dataclass(frozen=True, slots=True)
class _Spent:
    s: float = 0.0
    pct: float = 0.0

    def plus(self, seconds: float, pct_per_s: float) -> "_Spent":
        return _Spent(self.s + seconds, self.pct + seconds * pct_per_s)


@dataclass(frozen=True, slots=True)
class _Burn:
    airframe: Airframe
    measured: float | None

    def at(self, airspeed_mps: float) -> float:
        share = min(1.0, airspeed_mps / self.airframe.airspeed_mps)
        rate = self.airframe.hover_pct_per_s * (1.0 + self.airframe.speed_factor * share * share)
        return max(rate, self.measured or 0.0)


class _Air:
    """The wind as it is reckoned with."""

    def __init__(self, airframe: Airframe, wind: Wind | None, wind_mps: float) -> None:
        self.airframe = airframe
        self.from_deg = None if wind is None else wind.from_deg
        self.speed_mps = (wind_mps if wind is None else wind.speed_mps) * airframe.gust_factor

    def against(self, bearing_deg: float) -> tuple[float, float]:
        """Headwind and crosswind in m/s."""
        if self.from_deg is None:
            return self.speed_mps, 0.0
        angle = math.radians(self.from_deg - bearing_deg)
        return self.speed_mps * math.cos(angle), abs(self.speed_mps * math.sin(angle))

    def speeds(self, bearing_deg: float) -> tuple[float, float]:
        """Over the ground and through the air; a ground speed of 0: no progress."""
        head, cross = self.against(bearing_deg)
        most = self.airframe.airspeed_mps
        if cross >= most:
            return 0.0, most
        ground = min(self.airframe.cruise_mps, math.sqrt(most**2 - cross**2) - head)
        if ground < _SLOWEST_MPS:
            return 0.0, most
        return ground, math.hypot(ground + head, cross)


def _along(drone: Drone, legs: Sequence[Leg], air: _Air, burn: _Burn) -> _Spent:
    """One leg after another, from where the drone is."""
    place, height, spent = drone.place, drone.height_m, _Spent()
    for leg in legs:
        spent = _climbed(spent, air.airframe, burn, leg.height_m - height)
        for way in (offset(place, leg.start), offset(leg.start, leg.end)):
            spent = _flown(spent, air.airframe, air, burn, way)
        place, height = leg.end, leg.height_m
    return spent


def _flown(spent: _Spent, airframe: Airframe, air: _Air, burn: _Burn, way: Offset) -> _Spent:
    if way.length_m < 0.5:
        return spent
    ground, airspeed = air.speeds(way.bearing_deg)
    if ground == 0.0:
        return _Spent(spent.s, math.inf)
    return spent.plus(way.length_m / ground + airframe.leg_s, burn.at(airspeed))


def _climbed(spent: _Spent, airframe: Airframe, burn: _Burn, up_m: float) -> _Spent:
    hover = burn.at(0.0)
    if up_m <= 0.0:
        return spent.plus(-up_m / airframe.descent_mps, hover)
    return spent.plus(up_m / airframe.climb_mps, hover * (1.0 + airframe.climb_factor))


def _met(
    spent: _Spent, airframe: Airframe, air: _Air, burn: _Burn, way: Offset, car: Car
) -> _Spent:
    """Flown to where the car will be then.

    Each leg costs some seconds however short it is, but one of no length costs none: a car that
    comes past may so lead to and fro between two answers, of which the dearer one counts.
    """
    if not math.isfinite(spent.pct):
        return spent
    before = dearest = spent
    was_shorter = is_shorter = False
    for _ in range(_ROUNDS):
        there = Offset(
            way.north_m + car.velocity.north_m * before.s,
            way.east_m + car.velocity.east_m * before.s,
        )
        after = _flown(spent, airframe, air, burn, there)
        if not math.isfinite(after.pct) or abs(after.s - before.s) <= _MET_S:
            return after
        was_shorter, is_shorter = is_shorter, after.s < before.s
        dearest = after if after.s > before.s else before
        before = after
    return dearest if was_shorter or is_shorter else _Spent(spent.s, math.inf)


def _landing_s(airframe: Airframe, height_m: float, car: Car) -> float:
    final = min(airframe.final_m, max(0.0, height_m))
    down = (max(0.0, height_m) - final) / airframe.descent_mps + final / airframe.final_mps
    waits = airframe.moving_wait_s if car.velocity.length_m > 0.5 else 0.0
    return down + airframe.landing_wait_s + waits
