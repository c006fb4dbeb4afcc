"""Where drone and car meet, if both go on straight (pure)."""

import math
from typing import NamedTuple

from services.drone.autopilot import Wind
from services.drone.geodesy import Offset, Place, moved, offset, towards
from services.drone.tasks.car_motion import CarNow

LONGEST_S = 3_600.0
"""No copter flies longer: where it meets the car only later, it does not."""


class Meeting(NamedTuple):
    """Where and when they meet, and how fast the drone is over the ground until then."""

    place: Place
    in_s: float
    ground_mps: float


def intercept(
    drone: Place,
    car: CarNow,
    ground_mps: float,
    air_mps: float = math.inf,
    wind: Wind | None = None,
) -> Meeting | None:
    """The first place where the drone can be when the car is; `None`: it cannot reach the car.

    The drone can be at the car after t seconds where |way + car·t| ≤ ground·t and, in the air
    that moves with the wind, |way + (car - wind)·t| ≤ air·t. Each holds for one interval, the
    ends of which are roots of a square equation.

    Args:
        drone: Where the drone is.
        car: Where the car is, and how it moves.
        ground_mps: The fastest it may be over the ground.
        air_mps: The fastest it can be through the air.
        wind: As the autopilot feels it; `None`: still air.
    """
    way = offset(drone, car.place)
    blows = towards(wind.from_deg + 180.0, wind.speed_mps) if wind is not None else Offset(0.0, 0.0)
    through_air = Offset(car.north_mps - blows.north_m, car.east_mps - blows.east_m)
    over_ground = _reach(way, car.velocity, ground_mps)
    in_air = _reach(way, through_air, air_mps)
    if over_ground is None or in_air is None:
        return None
    first_s, last_s = max(over_ground[0], in_air[0]), min(over_ground[1], in_air[1])
    if first_s > min(last_s, LONGEST_S):
        return None
    place = moved(car.place, Offset(car.north_mps * first_s, car.east_mps * first_s))
    flown = Offset(way.north_m + car.north_mps * first_s, way.east_m + car.east_mps * first_s)
    return Meeting(place, first_s, flown.length_m / first_s if first_s else 0.0)


def _reach(way: Offset, speed: Offset, limit_mps: float) -> tuple[float, float] | None:
    """From when to when |way + speed·t| ≤ limit·t; `None`: never."""
    if math.isinf(limit_mps):
        return 0.0, math.inf
    a = limit_mps**2 - (speed.north_m**2 + speed.east_m**2)
    b = -2 * (way.north_m * speed.north_m + way.east_m * speed.east_m)
    c = -(way.length_m**2)
    # It holds where a·t² + b·t + c ≥ 0, and c ≤ 0.
    if c == 0.0:
        return (0.0, math.inf) if a >= 0.0 else (0.0, 0.0)
    if a == 0.0:
        return (-c / b, math.inf) if b > 0.0 else None
    inside = b * b - 4 * a * c
    if inside < 0.0:
        return None
    # The stable form: no difference of nearly equal numbers.
    q = -(b + math.copysign(math.sqrt(inside), b)) / 2
    roots = sorted(root for root in (q / a, c / q) if root > 0.0)
    if a > 0.0:
        return roots[0], math.inf
    return (roots[0], roots[1]) if len(roots) == 2 else None
