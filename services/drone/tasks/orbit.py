"""Once around a place, as a track with velocity (pure).

The point that is tracked runs along the circle as long as the drone keeps up with it, and waits
for one that does not.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.drone.autopilot import DronePosition, Track
from services.drone.geodesy import Place, distance_m, moved, offset, towards
from services.drone.tasks.memory import number
from services.drone.tasks.task import Leg
from services.drone.tasks.way import NEAR_M, Stop

ACROSS_MPS2 = 1.5
"""What a copter of 2.5 m/s² spends on the curve; the rest is for wind and for catching up."""
SPEED_UP_MPS2 = 1.0
BEHIND_M = 2.0
"""So far behind the tracked point it keeps its speed; 6 m further on it waits."""
WAITS_M = 8.0
CORNERS = 16
"""Of the polygon around the circle that stands for it in a plan."""


@dataclass(frozen=True, slots=True)
class Orbit:
    """A circle in the air, flown clockwise."""

    centre: Place
    radius_m: float
    height_m: float
    speed_mps: float
    pictures: int


@dataclass(frozen=True, slots=True)
class Turned:
    """A step along an orbit."""

    guidance: Track
    memory: dict[str, float]
    takes_picture: bool
    is_done: bool


def tangential_mps(orbit: Orbit) -> float:
    """How fast it is flown: v²/r stays below what the copter can do across."""
    return min(orbit.speed_mps, math.sqrt(ACROSS_MPS2 * orbit.radius_m))


def entry(orbit: Orbit, start: Place) -> Stop:
    """The nearest point of the circle."""
    out = offset(orbit.centre, start)
    bearing = out.bearing_deg if out.length_m >= 0.1 else 0.0
    return Stop(moved(orbit.centre, towards(bearing, orbit.radius_m)), orbit.height_m)


def orbit_legs(orbit: Orbit, start: Place) -> tuple[Leg, ...]:
    """The way onto the circle and a polygon outside of it, which a zone check may hold against."""
    first = entry(orbit, start)
    bearing = offset(orbit.centre, first.place).bearing_deg
    outside_m = orbit.radius_m / math.cos(math.pi / CORNERS)
    corners = [
        moved(orbit.centre, towards(bearing + 360.0 * corner / CORNERS, outside_m))
        for corner in range(CORNERS + 1)
    ]
    ways = zip([start, *corners[:-1]], corners, strict=True)
    return tuple(Leg(begin, end, orbit.height_m) for begin, end in ways)


def turn(orbit: Orbit, memory: Mapping[str, Any], drone: DronePosition, passed_s: float) -> Turned:
    """Go on along the circle; without a memory of it, from where the drone is.

    Args:
        orbit: The circle.
        memory: `orbit_from_deg`, `orbit_deg` flown of 360, `orbit_mps`, as the step before gave it.
        drone: Where it is.
        passed_s: Since the step before.
    """
    nearest = offset(orbit.centre, entry(orbit, drone.place).place).bearing_deg
    from_deg = number(memory, "orbit_from_deg", nearest)
    flown_deg = number(memory, "orbit_deg")
    at = moved(orbit.centre, towards(from_deg + flown_deg, orbit.radius_m))
    late_m = distance_m(drone.place, at)
    share = max(0.0, min(1.0, (WAITS_M - late_m) / (WAITS_M - BEHIND_M)))
    faster = number(memory, "orbit_mps") + SPEED_UP_MPS2 * passed_s
    speed = min(faster, tangential_mps(orbit)) * share
    later_deg = min(360.0, flown_deg + math.degrees(speed * passed_s / orbit.radius_m))
    bearing = from_deg + later_deg
    velocity = towards(bearing + 90.0, speed)
    track = Track(
        moved(orbit.centre, towards(bearing, orbit.radius_m)),
        orbit.height_m,
        (velocity.north_m, velocity.east_m, 0.0),
        (bearing + 180.0) % 360.0,
    )
    is_done = later_deg >= 360.0 and late_m <= NEAR_M
    kept = {"orbit_from_deg": from_deg, "orbit_deg": later_deg, "orbit_mps": speed}
    each_deg = 360.0 / orbit.pictures if orbit.pictures else math.inf
    is_next = math.floor(later_deg / each_deg) > math.floor(flown_deg / each_deg)
    return Turned(track, kept, is_next, is_done)
