"""Bring something to a place and wait until it is taken (pure)."""

from collections.abc import Mapping
from typing import Any

from internetcar.contract.drone_methods import MethodData
from services.drone.moment import Moment
from services.drone.tasks.memory import clocked, number
from services.drone.tasks.settings import TaskSettings
from services.drone.tasks.task import Plan, Step
from services.drone.tasks.way import (
    Stop,
    asked_duration_s,
    asked_points,
    begin,
    go,
    is_at,
    legs,
    stops,
)
from services.drone.view import View

CONFIRMED = "confirmed"
"""The key of the memory that the pilot sets to true: it was taken."""


def plan(data: MethodData, view: View, now: Moment, settings: TaskSettings) -> Plan:
    """The way to the place and down to the height where it is taken."""
    mine, start = settings.hand_over, begin(view, now)
    way = stops(asked_points(data), mine.height_m)
    if not way:
        return Plan((), mine.height_m, "a hand-over needs a point to fly to")
    if start.place is None:
        return Plan((), mine.height_m, "neither car nor drone says where it is")
    down = Stop(way[-1].place, mine.hover_m)
    return Plan(legs(start.place, [*way, down], mine.height_m), mine.height_m)


def step(
    data: MethodData, memory: Mapping[str, Any], view: View, now: Moment, settings: TaskSettings
) -> Step:
    """One step of it; it is over when it was taken, or after the time to wait."""
    mine = settings.hand_over
    elapsed_s, passed_s, clock = clocked(memory, now)
    is_late = elapsed_s >= asked_duration_s(data, mine.duration_s)
    way, drone = stops(asked_points(data), mine.height_m), view.drone.position
    if not way or drone is None:
        words = "has no place to fly to" if not way else "the drone does not say where it is"
        return Step(None, {**memory, **clock}, is_done=is_late or not way, words=words)
    way.append(Stop(way[-1].place, mine.hover_m))
    index = min(max(int(number(memory, "index")), 0), len(way) - 1)
    is_last = index == len(way) - 1
    has_arrived = memory.get("has_arrived") is True or (is_last and is_at(drone, way[index]))
    if not is_last and is_at(drone, way[index]):
        index += 1
    waited_s = number(memory, "waited_s") + (passed_s if has_arrived else 0.0)
    is_taken = has_arrived and memory.get(CONFIRMED) is True
    is_done = is_taken or is_late or waited_s >= mine.wait_s
    kept = {**clock, "index": index, "has_arrived": has_arrived, "waited_s": waited_s}
    if CONFIRMED in memory:
        kept[CONFIRMED] = memory[CONFIRMED] is True
    return Step(
        go(way[index], mine.speed_mps),
        kept,
        is_there=has_arrived,
        is_done=is_done,
        words=_words(has_arrived, is_taken, is_done),
    )


def _words(has_arrived: bool, is_taken: bool, is_done: bool) -> str:
    if is_taken:
        return "it was taken"
    if is_done:
        return "nobody took it in time"
    return "waits until it is taken" if has_arrived else "brings it"
