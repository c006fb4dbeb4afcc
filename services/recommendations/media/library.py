"""Everything a driver heard: what was first on trips, and what came after what (pure)."""

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.recommendations.advising import Evidence
from services.recommendations.destination.moment import weekday_of
from services.recommendations.media.kept import read

NOTHING = -1
Numbers = NDArray[np.int64]


class Trip(NamedTuple):
    """A trip of the past; items, and where it led, by their numbers.

    Attributes:
        day: As `Moment` has it.
        started_ms: UTC ms.
        place: Where it led.
        riders: How many rode along; `NOTHING`: not known.
        heard: Items that were heard, in order.
        skipped: Items that were skipped.
    """

    day: float
    started_ms: int
    place: int
    riders: int
    heard: tuple[int, ...]
    skipped: tuple[int, ...]


class Columns(NamedTuple):
    """The trips as columns.

    Attributes:
        day: (trips,): when each began.
        weekday: (trips,): 0 is Monday.
        place: (trips,).
        riders: (trips,).
        first: (trips,): the first item that was not skipped; `NOTHING`: all were.
    """

    day: NDArray[np.float64]
    weekday: Numbers
    place: Numbers
    riders: Numbers
    first: Numbers


class Library:
    """What one driver heard.

    Attributes:
        items: Names, by number.
        places: Numbers, by id.
        trips: On which something was heard or skipped, the oldest first.
    """

    def __init__(self, evidence: Iterable[Evidence] = ()) -> None:
        self.items: list[str] = []
        self.places: dict[str, int] = {}
        self.trips: list[Trip] = []
        self._numbers: dict[str, int] = {}
        self._with: dict[int, list[int]] = {}
        self._columns: Columns | None = None
        for each in evidence:
            self.add(each)

    def add(self, evidence: Evidence) -> None:
        """Take one trip more, newer than all others."""
        past = read(evidence.body)
        if not past.heard or not math.isfinite(evidence.day):
            return
        heard: list[int] = []
        skipped: list[int] = []
        for each in past.heard:
            number = self._numbers.setdefault(each.item, len(self.items))
            if number == len(self.items):
                self.items.append(each.item)
            (skipped if each.is_skipped else heard).append(number)
        for number in dict.fromkeys(heard):
            self._with.setdefault(number, []).append(len(self.trips))
        place = self.places.setdefault(evidence.place_id, len(self.places))
        riders = NOTHING if past.riders is None else past.riders
        self.trips.append(
            Trip(evidence.day, evidence.started_ms, place, riders, tuple(heard), tuple(skipped))
        )
        self._columns = None

    @property
    def columns(self) -> Columns:
        """The trips as columns."""
        if self._columns is None:
            trips = self.trips
            self._columns = Columns(
                np.array([trip.day for trip in trips], np.float64),
                np.array([weekday_of(trip.day) for trip in trips], np.int64),
                np.array([trip.place for trip in trips], np.int64),
                np.array([trip.riders for trip in trips], np.int64),
                np.array([trip.heard[0] if trip.heard else NOTHING for trip in trips], np.int64),
            )
        return self._columns

    def number(self, item: str) -> int:
        """Of an item; `NOTHING` where it was never heard."""
        return self._numbers.get(item, NOTHING)

    def trips_with(self, item: str) -> Sequence[int]:
        """Which trips an item was heard on, and not skipped, the oldest first."""
        return self._with.get(self.number(item), ())

    def heard_ms(self, item: str) -> list[int]:
        """When the trips began on which an item was heard, and not skipped, UTC ms."""
        return [self.trips[at].started_ms for at in self.trips_with(item)]
