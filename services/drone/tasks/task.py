"""What every task gives the pilot (pure)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from services.drone.autopilot import GoTo, TakePicture, Track
from services.drone.geodesy import Place


@dataclass(frozen=True, slots=True)
class Step:
    """Where to fly now, and whether the task is over.

    `memory` is what the task wants to have again at the next step, also after a restart: JSON
    values only. The pilot sends `guidance` as often as its kind needs: a `GoTo` once for each new
    one, a `Track` at 5 Hz.
    """

    guidance: GoTo | Track | None
    memory: Mapping[str, Any] = field(default_factory=dict)
    is_there: bool = False
    """It has arrived where the task is done: the state is then `on_task`, before `enroute`."""
    is_done: bool = False
    picture: TakePicture | None = None
    report: Mapping[str, Any] | None = None
    """Of a task that is done: the `data` of its report event."""
    words: str = ""
    """What it does now, for a person."""
    wants_landing: bool = False
    """It should come down where `guidance` is, and stay there until a step no longer wants it. The
    pilot does not do so yet: from there it would have to take off a second time."""


@dataclass(frozen=True, slots=True)
class Leg:
    """A stretch of a planned way; checked against zones before it is flown."""

    start: Place
    end: Place
    height_m: float


@dataclass(frozen=True, slots=True)
class Plan:
    """What a task would fly, from where the car is now; a follow's way is known only as it goes."""

    legs: tuple[Leg, ...]
    take_off_m: float
    """Above home: how high to climb before the first leg."""
    problem: str = ""
    """Why it cannot be flown, in words; then there are no legs."""
