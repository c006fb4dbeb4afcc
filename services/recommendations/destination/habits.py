"""How often each place is visited, and how long ago it was (pure)."""

import numpy as np
from numpy.typing import NDArray

from services.recommendations.destination.visits import Rows

_PRIOR_D = 7.0
"""A place that was seen for a while only is taken to be rarer than it was seen."""
_UNKNOWN_D = 14.0
"""Between visits of a place that was visited once."""
_HOUR_D = 1.0 / 24.0
_MOST = 3.0
_TODAY_D = 0.6
FEATURES = 4


class Habits:
    """First and last day and number of visits, by the number of the place."""

    def __init__(self) -> None:
        self._first: NDArray[np.float64] = np.zeros(0)
        self._last: NDArray[np.float64] = np.zeros(0)
        self._count: NDArray[np.float64] = np.zeros(0)

    def add(self, number: int, day: float) -> None:
        """A place was visited; numbers may only grow by one."""
        if number >= len(self._count):
            more = max(64, len(self._count))
            self._first = np.concatenate([self._first, np.full(more, np.inf)])
            self._last = np.concatenate([self._last, np.full(more, -np.inf)])
            self._count = np.concatenate([self._count, np.zeros(more)])
        self._first[number] = min(self._first[number], day)
        self._last[number] = max(self._last[number], day)
        self._count[number] += 1.0

    @classmethod
    def of(cls, rows: Rows) -> "Habits":
        """The habits that some visits show."""
        habits = cls()
        size = int(rows.place.max()) + 1 if len(rows) else 0
        habits._first = np.full(size, np.inf)
        habits._last = np.full(size, -np.inf)
        np.minimum.at(habits._first, rows.place, rows.day)
        np.maximum.at(habits._last, rows.place, rows.day)
        habits._count = np.bincount(rows.place, minlength=size).astype(np.float64)
        return habits

    def features(self, day: float, origin: int, places: int) -> NDArray[np.float64]:
        """(4, places): is it here, was it visited today, is it due, is it not yet due."""
        first, last = self._first[:places], self._last[:places]
        count = self._count[:places]
        gap = np.maximum(0.0, day - last)
        usual = np.where(count > 1, (last - first + _PRIOR_D) / count, _UNKNOWN_D)
        due = np.clip(np.log((gap + _HOUR_D) / (usual + _HOUR_D)), -_MOST, _MOST) / _MOST
        is_here = np.arange(places) == origin
        return np.array([is_here, (gap < _TODAY_D) & ~is_here, due, np.minimum(due, 0.0)], float)
