"""Fly through points and hover at the last one; without any, above the car (pure)."""

from collections.abc import Mapping
from typing import Any

from internetcar.contract.drone_methods import FlyToPoint, MethodData, TakeoffToPoint
from services.drone.geodesy import Place
from services.drone.moment import Moment
from services.drone.tasks.anchor import anchored
from services.drone.tasks.car_motion import where
from services.drone.tasks.memory import clocked, number
from services.drone.tasks.settings import TaskSettings
from services.drone.tasks.task import Plan, Step
from services.drone.tasks.way import Stop, asked_points, begin, go, is_at, legs, stops
from services.drone.view import View

MOVED_M = 3.0


def plan(data: MethodData, view: View, now: Moment, settings: TaskSettings) -> Plan:
    """The way through the points that were asked for."""
    height_m = _height(data, settings)
    start = begin(view, now)
    if start.place is None:
        return Plan((), height_m, "neither car nor drone says where it is")
    way = _asked(data, settings)
    if not way and start.car is not None:
        way = [Stop(start.car.place, height_m)]
    return Plan(legs(start.place, way, height_m), height_m)


def step(
    data: MethodData, memory: Mapping[str, Any], view: View, now: Moment, settings: TaskSettings
) -> Step:
    """One step of it."""
    elapsed_s, _, clock = clocked(memory, now)
    drone = view.drone.position
    is_done = elapsed_s >= settings.hover.duration_s
    if drone is None:
        words = "the drone does not say where it is"
        return Step(None, {**memory, **clock}, is_done=is_done, words=words)
    way, anchor = _asked(data, settings), None
    if not way:
        anchor = anchored(memory, where(view.fixes, now.s), 0.0, MOVED_M) or drone.place
        way = [Stop(anchor, _height(data, settings))]
    index = min(max(int(number(memory, "index")), 0), len(way) - 1)
    is_there = is_at(drone, way[index])
    is_last = index == len(way) - 1
    if is_there and not is_last:
        index += 1
    kept = {**clock, "index": index, **({"anchor": list(anchor)} if anchor else {})}
    has_arrived = bool(memory.get("has_arrived") is True or (is_there and is_last))
    return Step(
        go(way[index], _speed(data, settings)),
        {**kept, "has_arrived": has_arrived},
        is_there=has_arrived,
        is_done=is_done,
        words="hovers until it is recalled" if has_arrived else f"flies to point {index + 1}",
    )


def _asked(data: MethodData, settings: TaskSettings) -> list[Stop]:
    if isinstance(data, TakeoffToPoint):
        if data.target_latitude is None or data.target_longitude is None:
            return []
        place = Place(data.target_latitude, data.target_longitude)
        return [Stop(place, _height(data, settings))]
    return stops(asked_points(data), settings.hover.height_m)


def _height(data: MethodData, settings: TaskSettings) -> float:
    asked = data.target_height if isinstance(data, TakeoffToPoint) else None
    return asked if asked is not None else settings.hover.height_m


def _speed(data: MethodData, settings: TaskSettings) -> float:
    asked = data.max_speed if isinstance(data, TakeoffToPoint | FlyToPoint) else None
    return asked if asked is not None else settings.hover.speed_mps
