"""From point to point (pure)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from internetcar.contract.drone_methods import FlightTask, FlyToPoint, MethodData, Point
from services.drone.autopilot import DronePosition, GoTo
from services.drone.geodesy import Place, distance_m
from services.drone.moment import Moment
from services.drone.tasks.car_motion import CarNow, where
from services.drone.tasks.task import Leg
from services.drone.view import View

NEAR_M = 3.0
"""So near a point counts as reached; a hovering copter holds about a metre."""
LEVEL_M = 2.0


class Stop(NamedTuple):
    """A point of a way, and how high it is flown."""

    place: Place
    height_m: float


@dataclass(frozen=True, slots=True)
class Begin:
    """From where a task is planned."""

    car: CarNow | None
    place: Place | None
    """Of the drone; while that is not known, of the car that carries it."""


def begin(view: View, now: Moment) -> Begin:
    """From where a task that begins now would fly."""
    car = where(view.fixes, now.s)
    if view.drone.position is not None:
        return Begin(car, view.drone.position.place)
    return Begin(car, car.place if car is not None else None)


def asked_points(data: MethodData) -> tuple[Point, ...]:
    """The points in a request; none where its method has none."""
    return data.points if isinstance(data, FlightTask | FlyToPoint) else ()


def asked_duration_s(data: MethodData, otherwise: float) -> float:
    """How long a request wants it, at most as long as the settings let it."""
    asked = data.duration_s if isinstance(data, FlightTask) else None
    return min(asked, otherwise) if asked is not None else otherwise


def stops(points: Sequence[Point], height_m: float) -> list[Stop]:
    """Points of a request as a way; `height_m` where one has none."""
    return [
        Stop(Place(point.latitude, point.longitude), point.height or height_m) for point in points
    ]


def legs(start: Place, way: Sequence[Stop], height_m: float) -> tuple[Leg, ...]:
    """The stretches from a start through a way; each as high as the higher of its ends."""
    found, before = [], Stop(start, height_m)
    for stop in way:
        found.append(Leg(before.place, stop.place, max(before.height_m, stop.height_m)))
        before = stop
    return tuple(found)


def is_at(drone: DronePosition, stop: Stop) -> bool:
    """Whether the drone is there."""
    is_level = abs(drone.height_m - stop.height_m) <= LEVEL_M
    return is_level and distance_m(drone.place, stop.place) <= NEAR_M


def go(stop: Stop, speed_mps: float) -> GoTo:
    """Fly there."""
    return GoTo(stop.place, stop.height_m, speed_mps)
