"""What the pilot needs of the rooms beside it: zones, interlocks, tasks and rules (pure)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from internetcar.contract.drone import Interlock
from services.drone.autopilot import FenceArea
from services.drone.geodesy import Place
from services.drone.interlocks.check import Reaction
from services.drone.interlocks.limits import Airframe, Limits
from services.drone.moment import Moment
from services.drone.rules.settings import RuleSettings
from services.drone.tasks.registry import TASKS, Task
from services.drone.tasks.settings import TaskSettings
from services.drone.tasks.task import Leg, Plan
from services.drone.view import View


@dataclass(frozen=True, slots=True)
class Finding:
    """An interlock in flight, and what is done when it is tripped."""

    interlock: Interlock
    then: Reaction = "none"


class Airspace(Protocol):
    """Where it may fly."""

    def way(
        self, start: Place, end: Place, height_m: float, now: Moment
    ) -> tuple[Place, ...] | None:
        """Start, corners and end of a legal way; `None`: there is none."""

    def trouble(self, legs: Sequence[Leg], now: Moment) -> Sequence[object]:
        """What is against flying these legs; empty: nothing."""

    def fence_areas(
        self, near: Place, radius_m: float, now: Moment, height_m: float
    ) -> tuple[FenceArea, ...]:
        """What the autopilot is to keep out of by itself, at all heights up to this one."""


class Checks(Protocol):
    """What must hold."""

    @property
    def limits(self) -> Limits:
        """What a flight is held to."""

    @property
    def airframe(self) -> Airframe:
        """What the copter can."""

    def look(self, view: View, now: Moment) -> None:
        """Watch what must be good for a while; at every turn."""

    def launch(self, view: View, plan: Plan, now: Moment) -> Sequence[Interlock]:
        """Everything that must hold for a launch, tripped or not."""

    def flying(self, view: View, back: Sequence[Place], now: Moment) -> Sequence[Finding]:
        """Everything that must hold in the air, if it returned now on this way."""

    def predicted_pct(
        self, view: View, way: Sequence[Place], height_m: float, now: Moment
    ) -> float | None:
        """The battery's charge after flying a way from here and landing; `None`: unknown."""


@dataclass(frozen=True, slots=True)
class Rooms:
    """All of them."""

    airspace: Airspace
    checks: Checks
    rules: Mapping[str, RuleSettings] = field(default_factory=dict)
    tasks: Mapping[str, Task] = field(default_factory=lambda: TASKS)
    task_settings: TaskSettings = field(default_factory=TaskSettings)
