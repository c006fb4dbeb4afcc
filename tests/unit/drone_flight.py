"""Flies a task with the copter that is a point: every memory goes through JSON."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from internetcar.contract.drone_methods import MethodData
from services.drone.autopilot import DroneStatus, Track
from services.drone.events import CarFix
from services.drone.geodesy import Place
from services.drone.leaps import SeenFix
from services.drone.moment import Moment
from services.drone.tasks.registry import TASKS, task_of
from services.drone.tasks.settings import TaskSettings
from services.drone.tasks.task import Step
from services.drone.view import View
from tests.unit.drone_model import ORIGIN, Copter

UTC_MS = 1_750_000_000_000
STEP_S = 0.2


def moment(at_s: float) -> Moment:
    return Moment(at_s, UTC_MS + round(at_s * 1000))


def car_fix(at_s: float, place: Place = ORIGIN, heading: float | None = 0.0) -> SeenFix:
    return SeenFix(CarFix(place, 1.0, heading, 0.0, 0.0), at_s)


def view_of(copter: Copter | None, at_s: float, place: Place = ORIGIN) -> View:
    drone = DroneStatus(position=copter.position(at_s) if copter is not None else None)
    return View(fixes=(car_fix(at_s, place),), drone=drone)


@dataclass
class Flown:
    steps: list[Step] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)
    heights: list[float] = field(default_factory=list)
    speeds: list[tuple[float, float]] = field(default_factory=list)

    @property
    def last(self) -> Step:
        return self.steps[-1]

    @property
    def pictures(self) -> int:
        return sum(step.picture is not None for step in self.steps)


Change = Callable[[View, float], View]
Remember = Callable[[Step, float], Mapping[str, Any]]


def fly(
    data: MethodData,
    settings: TaskSettings | None = None,
    change: Change | None = None,
    remember: Remember | None = None,
    most_s: float = 2_000.0,
) -> Flown:
    """Fly a task from above the car until it is done, or for `most_s`."""
    copter, flown = Copter(ORIGIN, height_m=10.0), Flown()
    memory: Mapping[str, Any] = {}
    for tick in range(int(most_s / STEP_S)):
        at_s = tick * STEP_S
        view = view_of(copter, at_s)
        view = change(view, at_s) if change is not None else view
        task = TASKS[task_of(data)]
        step = task.step(data, memory, view, moment(at_s), settings or TaskSettings())
        flown.steps.append(step)
        flown.places.append(copter.place)
        flown.heights.append(copter.height_m)
        flown.speeds.append((copter.north_mps, copter.east_mps))
        if step.is_done:
            break
        kept = remember(step, at_s) if remember is not None else step.memory
        memory = orjson.loads(orjson.dumps(kept))
        for part in range(4):
            since_s = part * STEP_S / 4 if isinstance(step.guidance, Track) else 0.0
            copter.fly(step.guidance, since_s, STEP_S / 4)
    return flown


def drone_lost(view: View, at_s: float) -> View:
    del at_s
    return replace(view, drone=DroneStatus())
