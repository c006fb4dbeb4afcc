"""What is known when a destination is asked for (pure)."""

import math
from dataclasses import dataclass
from datetime import datetime

MINUTES_PER_DAY = 1440.0
_FIRST_WEEKDAY = 3
"""1970-01-01 was a Thursday; Monday is 0."""
_MOST_DAYS = 3_000_000.0
"""What `datetime` can hold is less than this from 1970."""
_FIRST = datetime(1970, 1, 1)  # noqa: DTZ001 - a wall clock has no zone


class MomentError(ValueError):
    """A moment that cannot be: not a finite number, or beyond every calendar."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A question: where to, at this time, from here?

    Attributes:
        day: Days since 1970-01-01 00:00 on the driver's own wall clock, with their fraction.
        origin: The place the trip starts from; empty where it is not known.
        before: The place before the origin; empty where it is not known.
        stayed_min: How long the car stood at the origin, in minutes.
        travelled_min: How long the trip has lasted already, in minutes; 0 at its start.
    """

    day: float
    origin: str = ""
    before: str = ""
    stayed_min: float = 0.0
    travelled_min: float = 0.0

    def __post_init__(self) -> None:
        for name in ("day", "stayed_min", "travelled_min"):
            if not math.isfinite(getattr(self, name)):
                raise MomentError(f"{name} is not a finite number")
        if abs(self.day) > _MOST_DAYS:
            raise MomentError(f"day {self.day:g} is beyond every calendar")

    @property
    def minute(self) -> float:
        """Minutes since midnight."""
        return self.day % 1.0 * MINUTES_PER_DAY

    @property
    def weekday(self) -> int:
        """0 is Monday."""
        return weekday_of(self.day)


def weekday_of(day: float) -> int:
    """The weekday, 0 is Monday, of days since 1970."""
    return (math.floor(day) + _FIRST_WEEKDAY) % 7


def day_of(wall_clock: datetime) -> float:
    """Days since 1970 of what a wall clock shows; a zone in it is not looked at."""
    return (wall_clock.replace(tzinfo=None) - _FIRST).total_seconds() / 86_400.0
