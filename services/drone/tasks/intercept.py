"""Where drone and car meet, if both go on straight (pure)."""

import math

from services.drone.geodesy import Offset, Place, moved, offset
from services.drone.tasks.car_motion import CarNow

LONGEST_S = 3_600.0
"""No copter flies longer: where it meets the car only later, it does not."""


def intercept(drone: Place, car: CarNow, ground_mps: float) -> Place | None:
    """The first place where the drone can be when the car is; `None`: it cannot reach the car.

    Args:
        drone: Where the drone is.
        car: Where the car is, and how it moves.
        ground_mps: The fastest it may be over the ground.
    """
    in_s = _first_s(offset(drone, car.place), car.velocity, ground_mps)
    if in_s is None or in_s > LONGEST_S:
        return None
    return moved(car.place, Offset(car.north_mps * in_s, car.east_mps * in_s))


def _first_s(way: Offset, speed: Offset, limit_mps: float) -> float | None:
    """When first |way + speed·t| ≤ limit·t; `None`: never.

    That is where a·t² + b·t + c ≥ 0, and c ≤ 0: from the first positive root on.
    """
    a = limit_mps**2 - (speed.north_m**2 + speed.east_m**2)
    b = -2 * (way.north_m * speed.north_m + way.east_m * speed.east_m)
    c = -(way.length_m**2)
    if c == 0.0:
        return 0.0
    if a == 0.0:
        return -c / b if b > 0.0 else None
    inside = b * b - 4 * a * c
    if inside < 0.0:
        return None
    # The stable form: no difference of nearly equal numbers.
    q = -(b + math.copysign(math.sqrt(inside), b)) / 2
    return min((root for root in (q / a, c / q) if root > 0.0), default=None)
