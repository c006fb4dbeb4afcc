"""A driver's past visits as columns that only grow, by doubling, and can be forgotten (pure)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.recommendations.destination.moment import MINUTES_PER_DAY, Moment

Mask = NDArray[np.bool_]
Floats = NDArray[np.float32]
Days = NDArray[np.float64]
Numbers = NDArray[np.int32]

NOWHERE = -1
"""The number of a place that is not known."""
_FIRST_SIZE = 64
_COLUMNS: dict[str, type[np.generic]] = {
    "day": np.float64,
    "minute": np.float32,
    "weekday": np.int8,
    "origin": np.int32,
    "before": np.int32,
    "stayed": np.float32,
    "travelled": np.float32,
    "place": np.int32,
    "is_new": np.bool_,
}


@dataclass(frozen=True, slots=True)
class Rows:
    """Visits as columns of one length, oldest first; places by their numbers.

    `stayed` and `travelled` are ln(1 + minutes), for what matters in them is the ratio.
    """

    day: Days
    minute: Floats
    weekday: NDArray[np.int8]
    origin: Numbers
    before: Numbers
    stayed: Floats
    travelled: Floats
    place: Numbers
    is_new: Mask

    def __len__(self) -> int:
        return len(self.day)

    def picked(self, which: NDArray[np.intp]) -> "Rows":
        """Some of them, by their positions."""
        return Rows(**{name: getattr(self, name)[which] for name in _COLUMNS})


class Visits:
    """All visits of one driver that are remembered, and the numbers of their places."""

    def __init__(self) -> None:
        self._columns: dict[str, NDArray[Any]] = {
            name: np.zeros(_FIRST_SIZE, kind) for name, kind in _COLUMNS.items()
        }
        self._count = 0
        self._numbers: dict[str, int] = {}
        self.places: list[str] = []
        """Every place that was the end of a visit, by its number."""

    def __len__(self) -> int:
        return self._count

    @property
    def rows(self) -> Rows:
        """All of them; a view, valid until the next change."""
        return Rows(**{name: column[: self._count] for name, column in self._columns.items()})

    @property
    def stored_bytes(self) -> int:
        """What the columns take."""
        return sum(column.nbytes for column in self._columns.values())

    def number(self, place: str) -> int:
        """The number of a place; `NOWHERE` where it was never visited."""
        return self._numbers.get(place, NOWHERE)

    def append(self, moment: Moment, place: str) -> None:
        """Remember where a trip ended."""
        is_new = place not in self._numbers
        origin, before = self.number(moment.origin), self.number(moment.before)
        if is_new:
            self._numbers[place] = len(self.places)
            self.places.append(place)
        if self._count == len(self._columns["day"]):
            for name, column in self._columns.items():
                self._columns[name] = np.concatenate([column, np.zeros_like(column)])
        values = {
            "day": moment.day,
            "minute": moment.minute,
            "weekday": moment.weekday,
            "origin": origin,
            "before": before,
            "stayed": logarithm(moment.stayed_min),
            "travelled": logarithm(moment.travelled_min),
            "place": self._numbers[place],
            "is_new": is_new,
        }
        for name, value in values.items():
            self._columns[name][self._count] = value
        self._count += 1

    def keep(self, wanted: Callable[[Rows], Mask]) -> int:
        """Forget every visit that is not wanted, and every place that no visit is left of.

        Returns:
            How many are forgotten; nothing of them stays in memory that is still referred to.
        """
        rows = self.rows
        kept = rows.picked(np.flatnonzero(wanted(rows)))
        forgotten = len(rows) - len(kept)
        left = np.unique(kept.place)
        renumbered = np.full(len(self.places) + 1, NOWHERE, np.int32)
        renumbered[left] = np.arange(len(left), dtype=np.int32)
        self.places = [self.places[number] for number in left]
        self._numbers = {place: number for number, place in enumerate(self.places)}
        size = max(_FIRST_SIZE, 1 << len(kept).bit_length())
        for name, kind in _COLUMNS.items():
            column: NDArray[Any] = np.zeros(size, kind)
            old = getattr(kept, name)
            # NOWHERE is the last one's position, which stays NOWHERE
            column[: len(kept)] = renumbered[old] if name in ("origin", "before", "place") else old
            self._columns[name] = column
        self._count = len(kept)
        return forgotten

    def question(self, number: int) -> tuple[Moment, str]:
        """What was asked before a visit, and where it led."""
        row = {name: column[number].item() for name, column in self._columns.items()}
        moment = Moment(
            row["day"],
            self._name(row["origin"]),
            self._name(row["before"]),
            float(np.expm1(row["stayed"])),
            float(np.expm1(row["travelled"])),
        )
        return moment, self.places[row["place"]]

    def _name(self, number: int) -> str:
        return "" if number == NOWHERE else self.places[number]


def logarithm(minutes: float) -> float:
    """ln(1 + minutes); what is below 0 counts as 0."""
    return float(np.log1p(max(0.0, minutes)))


def minutes_apart(one: Floats, minute: float) -> Floats:
    """How far times of the day are apart, around midnight too; at most 720."""
    apart = np.abs(one - np.float32(minute))
    found: Floats = np.minimum(apart, np.float32(MINUTES_PER_DAY) - apart)
    return found
