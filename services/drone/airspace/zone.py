"""A geographical zone and when it is in force (pure)."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from shapely import MultiPolygon, Polygon

_WEEK_MIN = 7 * 24 * 60
_EPOCH_WEEKDAY = 3
"""1970-01-01 was a Thursday; Monday is 0."""


class Restriction(StrEnum):
    """What a zone demands, in ED-318's and ED-269's words."""

    PROHIBITED = "PROHIBITED"
    AUTHORISATION = "REQ_AUTHORISATION"
    CONDITIONAL = "CONDITIONAL"
    NONE = "NO_RESTRICTION"


class Weekly(NamedTuple):
    """Minutes after Monday 00:00 UTC; the end may lie in the week after, the start before it."""

    start_min: int
    end_min: int


@dataclass(frozen=True, slots=True)
class Window:
    """When a zone is in force; `None` is an open end, no `weekly` the whole time between."""

    start_ms: int | None = None
    end_ms: int | None = None
    weekly: tuple[Weekly, ...] = ()

    def overlaps(self, from_ms: int, until_ms: int) -> bool:
        """Whether any of the time from…until lies in it, both ends included."""
        start = from_ms if self.start_ms is None else max(from_ms, self.start_ms)
        end = until_ms if self.end_ms is None else min(until_ms, self.end_ms)
        if start > end:
            return False
        return not self.weekly or any(_meets(span, start, end) for span in self.weekly)


def _meets(span: Weekly, start_ms: int, end_ms: int) -> bool:
    since_monday = start_ms / 60_000 + _EPOCH_WEEKDAY * 24 * 60
    start = since_monday % _WEEK_MIN
    end = start + (end_ms - start_ms) / 60_000
    weeks = range(-2, 3 + int((end - start) // _WEEK_MIN))
    return any(
        span.start_min + week * _WEEK_MIN <= end and span.end_min + week * _WEEK_MIN >= start
        for week in weeks
    )


@dataclass(frozen=True, slots=True)
class Height:
    """A limit in metres above the ground or, `is_amsl`, above mean sea level."""

    m: float
    is_amsl: bool = False

    def above_ground_m(self, ground_m: float | None) -> float | None:
        """Above the take-off; `None` where that cannot be known without the ground's height."""
        if not self.is_amsl:
            return self.m
        return None if ground_m is None else self.m - ground_m


@dataclass(frozen=True, slots=True)
class Zone:
    """One volume of air, or (`is_covered`) ground below a roof or in a tunnel.

    Attributes:
        id: From the file.
        restriction: What it demands.
        shape: Longitude and latitude in degrees. Longitudes run on beyond 180 where it lies
            across the date line.
        lower: `None`: from the ground.
        upper: `None`: without end.
        windows: None at all: always in force.
        is_covered: No obstacle; a car there has no sky above it.
    """

    id: str
    restriction: Restriction
    shape: Polygon | MultiPolygon
    lower: Height | None = None
    upper: Height | None = None
    windows: tuple[Window, ...] = ()
    is_covered: bool = False

    def is_in_force(self, from_ms: int, until_ms: int) -> bool:
        """At any time from…until."""
        return not self.windows or any(each.overlaps(from_ms, until_ms) for each in self.windows)

    def lowest_m(self, ground_m: float | None) -> float:
        """Where it begins above the take-off; 0 where that is not known: the safe side."""
        low = self.lower.above_ground_m(ground_m) if self.lower else None
        return 0.0 if low is None else low

    def highest_m(self, ground_m: float | None) -> float:
        """Where it ends above the take-off; without end where that is not known."""
        high = self.upper.above_ground_m(ground_m) if self.upper else None
        return float("inf") if high is None else high
