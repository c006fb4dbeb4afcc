"""Warn the traffic that comes: hover behind a car that broke down (pure)."""

from collections.abc import Mapping
from typing import Any

from internetcar.contract.drone_methods import MethodData
from services.drone.moment import Moment
from services.drone.tasks.anchor import anchored, beside
from services.drone.tasks.car_motion import where
from services.drone.tasks.memory import clocked, number
from services.drone.tasks.settings import TaskSettings
from services.drone.tasks.task import Plan, Step
from services.drone.tasks.way import Stop, asked_duration_s, begin, go, is_at, legs
from services.drone.view import View

HAZARD = "Vehicle.Body.Lights.Hazard.IsSignaling"


def plan(data: MethodData, view: View, now: Moment, settings: TaskSettings) -> Plan:
    """The way to its place behind the car."""
    mine, start = settings.beacon, begin(view, now)
    if start.car is None or start.place is None:
        return Plan((), mine.height_m, "the car does not say where it is")
    if start.car.heading_deg is None:
        return Plan((), mine.height_m, "the car does not say where its front points")
    way = [Stop(beside(start.car, mine.behind_m), mine.height_m)]
    return Plan(legs(start.place, way, mine.height_m), mine.height_m)


def step(
    data: MethodData, memory: Mapping[str, Any], view: View, now: Moment, settings: TaskSettings
) -> Step:
    """One step of it; it is over after its time, or when the hazard lights are off again."""
    mine = settings.beacon
    elapsed_s, passed_s, clock = clocked(memory, now)
    hazard = _hazard(memory, view, passed_s)
    is_off = hazard["hazard_off_s"] >= mine.hazard_off_s
    is_done = is_off or elapsed_s >= asked_duration_s(data, mine.duration_s)
    car, drone = where(view.fixes, now.s), view.drone.position
    anchor = anchored(memory, car, mine.behind_m, mine.pushed_m)
    if anchor is None or drone is None:
        words = "does not know where the car is"
        return Step(None, {**memory, **clock, **hazard}, is_done=is_done, words=words)
    stop = Stop(anchor, mine.height_m)
    has_arrived = memory.get("has_arrived") is True or is_at(drone, stop)
    return Step(
        go(stop, mine.speed_mps),
        {**clock, **hazard, "anchor": list(anchor), "has_arrived": has_arrived},
        is_there=has_arrived,
        is_done=is_done,
        words="the hazard lights are off" if is_off else "warns the traffic behind the car",
    )


def _hazard(memory: Mapping[str, Any], view: View, passed_s: float) -> dict[str, Any]:
    """Whether the hazard lights ever were on, and for how long they are off again.

    A beacon that was asked for without them stays its time: only lights that went off end it.
    """
    seen = view.signals.get(HAZARD)
    value = seen.value if seen is not None and seen.quality == "valid" else None
    was_on = memory.get("hazard_was_on") is True or value is True
    is_off = was_on and value is False
    off_s = number(memory, "hazard_off_s") + passed_s if is_off else 0.0
    return {"hazard_was_on": was_on, "hazard_off_s": off_s}
