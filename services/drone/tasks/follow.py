"""Above or behind a car that moves: position and velocity together (pure)."""

import math

from services.drone.autopilot import Track
from services.drone.geodesy import Offset, moved, towards
from services.drone.tasks.car_motion import CarNow, advanced

FASTEST_MPS = 15.0
"""A velocity above it is not told to a copter: it only comes from a wrong heading or speed."""

LEAD_S = 0.7
"""The velocity is that of so much later: a copter takes about as long to follow one in a curve."""


def follow(car: CarNow, height_m: float, behind_m: float = 0.0, lead_s: float = LEAD_S) -> Track:
    """Where to be now, and how fast, to stay above the car or behind it.

    The place behind the car turns with it, so in a curve it moves with the car's own velocity and
    across with the turn rate.

    Args:
        car: The car now.
        height_m: Above home.
        behind_m: How far behind its position, along its heading; 0 is above it.
        lead_s: How long the copter takes to follow a velocity.
    """
    heading = car.heading_deg
    if heading is None:
        return Track(car.place, height_m)
    place = moved(car.place, towards(heading + 180.0, behind_m))
    later = advanced(car, lead_s)
    swing = towards(heading - 90.0, behind_m * math.radians(later.turn_dps))
    velocity = _limited(Offset(later.north_mps + swing.north_m, later.east_mps + swing.east_m))
    return Track(place, height_m, (velocity.north_m, velocity.east_m, 0.0), heading)


def _limited(speed: Offset) -> Offset:
    length = speed.length_m
    return speed if length <= FASTEST_MPS else towards(speed.bearing_deg, FASTEST_MPS)
