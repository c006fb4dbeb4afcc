"""Where one driver has everything, and how constant that was (pure).

The last position counts, and how sure it is by the newest trips: a trip weighs half of what the one
two trips later does, and half a trip speaks for anything else.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

from services.recommendations.advising import Evidence
from services.recommendations.seat.settled import LEAVES, Number, Past, is_same, read

_HALF_LIFE_TRIPS = 2.0
_PRIOR = 0.5
MOST_TRIPS = 60
"""Older ones weigh nothing for a position, and little for who drives."""


class Trip(NamedTuple):
    """A trip, and when it began: as `Moment` has it, and UTC ms."""

    day: float
    started_ms: int
    past: Past


class Wanted(NamedTuple):
    """A position that the driver wants.

    Attributes:
        leaf: The VSS leaf.
        value: In its unit.
        probability: That it is still wanted.
        times: On so many of the newest trips it was left so.
        of: And so many trips tell of it.
    """

    leaf: str
    value: Number
    probability: float
    times: int
    of: int


class Habit:
    """One driver, or those whom the car does not know.

    Attributes:
        trips: How many are known.
        newest: The newest, the oldest of them first.
    """

    def __init__(self, evidence: Sequence[Evidence]) -> None:
        self.trips = len(evidence)
        self.newest = [
            Trip(each.day, each.started_ms, read(each.body))
            for each in evidence[-MOST_TRIPS:]
            if math.isfinite(each.day)
        ]

    def wanted(self, rejected_ms: Sequence[int] = ()) -> list[Wanted]:
        """Where everything is wanted.

        Args:
            rejected_ms: When it was rejected, UTC ms: each is one trip against all of it.
        """
        found = (self._wanted(leaf, rejected_ms) for leaf in LEAVES)
        return [each for each in found if each is not None]

    def moved_ms(self) -> list[int]:
        """When the trips began on which the driver moved something, UTC ms."""
        return [each.started_ms for each in self.newest if each.past.is_moved]

    def _wanted(self, leaf: str, rejected_ms: Sequence[int]) -> Wanted | None:
        told = [each for each in reversed(self.newest) if leaf in each.past.left]
        if not told:
            return None
        value = told[0].past.left[leaf]
        votes = whole = 0.0
        times = 0
        for back, each in enumerate(told):
            weight = _weight(back)
            whole += weight
            if is_same(each.past.left[leaf], value):
                votes += weight
                times += 1
        for at_ms in rejected_ms:
            whole += _weight(sum(each.started_ms > at_ms for each in told))
        return Wanted(leaf, value, votes / (whole + _PRIOR), times, len(told))


def _weight(back: int) -> float:
    """Of a trip after which there were so many."""
    return float(0.5 ** (back / _HALF_LIFE_TRIPS))
