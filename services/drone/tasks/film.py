"""Film: follow the car while it drives (pure)."""

from collections.abc import Mapping
from typing import Any

from internetcar.contract.drone_methods import MethodData
from services.drone.geodesy import distance_m
from services.drone.moment import Moment
from services.drone.tasks.anchor import beside
from services.drone.tasks.car_motion import where
from services.drone.tasks.follow import follow
from services.drone.tasks.memory import clocked, number
from services.drone.tasks.settings import TaskSettings
from services.drone.tasks.task import Plan, Step
from services.drone.tasks.turning import turns
from services.drone.tasks.way import Stop, asked_duration_s, begin, legs
from services.drone.view import View

NO_HEADING = -1.0


def plan(data: MethodData, view: View, now: Moment, settings: TaskSettings) -> Plan:
    """Only the way to its place by the car; where the car goes nobody knows."""
    mine, start = settings.follow, begin(view, now)
    if start.car is None or start.place is None:
        return Plan((), mine.height_m, "the car does not say where it is")
    way = [Stop(beside(start.car, mine.behind_m), mine.height_m)]
    return Plan(legs(start.place, way, mine.height_m), mine.height_m)


def step(
    data: MethodData, memory: Mapping[str, Any], view: View, now: Moment, settings: TaskSettings
) -> Step:
    """One step of it; without a position of the car it stays where it is."""
    mine = settings.follow
    elapsed_s, _, clock = clocked(memory, now)
    is_done = elapsed_s >= asked_duration_s(data, mine.duration_s)
    kept_deg = number(memory, "heading_deg", NO_HEADING)
    car = where(view.fixes, now.s, kept_deg if kept_deg >= 0.0 else None, turns(view))
    if car is None:
        return Step(
            None, {**memory, **clock}, is_done=is_done, words="does not know where the car is"
        )
    track = follow(car, mine.height_m, mine.behind_m)
    drone = view.drone.position
    is_near = drone is not None and distance_m(drone.place, track.place) <= mine.near_m
    has_arrived = memory.get("has_arrived") is True or is_near
    kept: dict[str, Any] = {**clock, "has_arrived": has_arrived}
    if car.heading_deg is not None:
        kept["heading_deg"] = car.heading_deg
    words = "follows the car" if has_arrived else "catches up with the car"
    return Step(track, kept, is_there=has_arrived, is_done=is_done, words=words)
