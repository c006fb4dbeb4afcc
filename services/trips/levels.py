"""How full battery or tank is, and how far that reaches, where the car tells (pure)."""

from collections.abc import Iterable

from pydantic import BaseModel

from services.trips import leaves
from services.trips.reading import Reading
from services.trips.travel import HOLD_MS

_MOST_PCT = 100.0
_MOST_RANGE_M = 5_000_000.0
"""No tank reaches further: more is a sensor's way of saying that it does not know."""
_SETTLE_MS = 2_000
"""A car that wakes says for a moment what was before."""


class Levels(BaseModel):
    """What a trip began and ended with.

    Attributes:
        first_pct: Soon after its start.
        last_pct: As it was last told; `None`: not validly.
        last_ms: When that was, UTC ms.
    """

    first_pct: float | None = None
    last_pct: float | None = None
    last_ms: int = 0

    def on_told(self, at_ms: int, started_ms: int, reading: Reading) -> None:
        """A level was told, or the trip begins."""
        self.last_pct, self.last_ms = level_pct(reading, at_ms), at_ms
        since_ms = at_ms - started_ms
        if since_ms <= _SETTLE_MS or (self.first_pct is None and since_ms <= HOLD_MS):
            self.first_pct = self.last_pct

    def at_end(self, ended_ms: int) -> float | None:
        """What it ended with; `None`: nothing had been told for too long."""
        return self.last_pct if ended_ms - self.last_ms <= HOLD_MS else None


def level_pct(reading: Reading, at_ms: int) -> float | None:
    """Of the battery, else of the tank, in %."""
    return _first(reading, at_ms, leaves.LEVELS, _MOST_PCT)


def range_m(reading: Reading, at_ms: int) -> float | None:
    """How far the car says it can still go: in all, else by battery and tank together, metres."""
    whole_m = _first(reading, at_ms, (leaves.RANGE,), _MOST_RANGE_M)
    if whole_m is not None:
        return whole_m
    parts_m = [_first(reading, at_ms, (leaf,), _MOST_RANGE_M) for leaf in leaves.PART_RANGES]
    told_m = [each for each in parts_m if each is not None]
    return sum(told_m) if told_m else None


def _first(reading: Reading, at_ms: int, names: Iterable[str], most: float) -> float | None:
    """The first number that is fresh, and can be."""
    for leaf in names:
        value = reading.number(leaf)
        is_fresh = at_ms - reading.at_ms.get(leaf, 0) <= HOLD_MS
        if value is not None and is_fresh and 0.0 <= value <= most:
            return value
    return None
