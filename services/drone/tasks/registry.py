"""Every task by its name (pure)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from internetcar.contract.drone_methods import FlightTask, MethodData
from services.drone.moment import Moment
from services.drone.tasks import beacon, film, hand_over, hover, inspection, scout
from services.drone.tasks.settings import TaskSettings
from services.drone.tasks.task import Plan, Step
from services.drone.view import View

CONFIRMED = hand_over.CONFIRMED
"""The pilot sets this key of the memory to true when `hand_over_confirm` came."""


@dataclass(frozen=True, slots=True)
class Task:
    """What the pilot asks of a task. Neither function raises."""

    plan: Callable[[MethodData, View, Moment, TaskSettings], Plan]
    """What it would fly: for zones and battery before the launch, and how high to climb."""
    step: Callable[[MethodData, Mapping[str, Any], View, Moment, TaskSettings], Step]
    """What to do now; the first memory of a flight is empty, then that of the step before."""


TASKS: Mapping[str, Task] = {
    "scout": Task(scout.plan, scout.step),
    "beacon": Task(beacon.plan, beacon.step),
    "hand_over": Task(hand_over.plan, hand_over.step),
    "follow": Task(film.plan, film.step),
    "inspect": Task(inspection.plan, inspection.step),
    "hover": Task(hover.plan, hover.step),
}


def task_of(data: MethodData) -> str:
    """Which task flies what a request asks for; the key of `TASKS`."""
    return data.task if isinstance(data, FlightTask) else "hover"
