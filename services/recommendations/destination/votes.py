"""How past visits vote for the next one: each kernel looks at other things (pure)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.recommendations.destination.moment import Moment
from services.recommendations.destination.visits import Floats, Rows, logarithm, minutes_apart

_AGE_FLOOR = 0.02
"""What a visit weighs that is older than everything."""
_SPAN_FLOOR = 0.05
"""What a visit weighs after quite another stay or way."""
_FIRST_WEEKEND_DAY = 5
_EVER = 1e5
"""A half-life in days that makes all visits equal."""


@dataclass(frozen=True, slots=True)
class Kernel:
    """What makes two visits alike, without their origin.

    Attributes:
        half_life_d: After so many days a visit counts half.
        width_min: Of the bell around the time of day; 0: time and weekday are not looked at.
        time_floor: What a visit at quite another time still counts.
        same_class: What a visit counts on another day of the same class (workday or weekend).
        other_class: And on a day of the other class; on the same weekday it counts 1.
        other_before: What a visit counts that did not come by the same two places.
        stay: Width of the bell around ln(1 + minutes stood at the origin); 0: not looked at.
        travel: The same of the minutes that the trip has lasted already.
    """

    half_life_d: float
    width_min: float = 0.0
    time_floor: float = 0.0
    same_class: float = 1.0
    other_class: float = 1.0
    other_before: float = 1.0
    stay: float = 0.0
    travel: float = 0.0


@dataclass(frozen=True, slots=True)
class Vote:
    """A kernel, and what a visit counts that began elsewhere (1: the same)."""

    name: str
    kernel: Kernel
    other_origin: float


_WEEK = Kernel(7, 90, 0.03, 0.7, 0.4)
_MONTH = Kernel(30, 90, 0.03, 0.7, 0.4)
_ALWAYS = Kernel(_EVER)
VOTES = (
    Vote("time and origin, a week, strict", _WEEK, 0.01),
    Vote("time and origin, a month, strict", _MONTH, 0.01),
    Vote("time and origin, a week", _WEEK, 0.05),
    Vote("time and origin, a month", _MONTH, 0.05),
    Vote("time and origin, a week, loose", _WEEK, 0.3),
    Vote("time and origin, a month, loose", _MONTH, 0.3),
    Vote("origin, a month", Kernel(30), 0.002),
    Vote("origin, a week", Kernel(7), 0.002),
    Vote("recency", Kernel(14), 1.0),
    Vote("time", Kernel(20, 60, 0.01, 0.7, 0.1), 1.0),
    Vote("weekday", Kernel(20, 90, 0.01, 0.9, 0.05), 0.2),
    Vote("frequency", _ALWAYS, 1.0),
    Vote("origin, ever", _ALWAYS, 0.002),
    Vote("two places before", Kernel(30, other_before=0.05), 0.02),
    Vote("time and two places", Kernel(30, 90, 0.05, 0.7, 0.4, other_before=0.15), 0.05),
    Vote("exact time", Kernel(30, 30, 0.03, 0.7, 0.4), 0.05),
    Vote("exact weekday, a quarter", Kernel(90, 60, 0.02, 0.5, 0.1), 0.05),
    Vote("stay", Kernel(30, stay=0.5), 0.05),
    Vote("time and stay", Kernel(60, 90, 0.03, 0.7, 0.4, stay=0.7), 0.05),
    Vote("way", Kernel(60, travel=0.35), 0.1),
    Vote("time and way", Kernel(60, 60, 0.03, 0.7, 0.3, travel=0.35), 0.1),
    Vote("everything", Kernel(60, 45, 0.05, 0.6, 0.2, 0.5, 0.8, 0.5), 0.1),
)
"""The first eleven are as they were measured on real people; the others look at more."""
NAMES = tuple(vote.name for vote in VOTES)
SINGLE = NAMES.index("time and origin, a month")
"""The one that is best alone where nothing is known of the driver."""

_KERNELS = tuple(dict.fromkeys(vote.kernel for vote in VOTES))
_KERNEL_OF = np.array([_KERNELS.index(vote.kernel) for vote in VOTES])
_OTHER_ORIGIN = np.array([vote.other_origin for vote in VOTES])[:, None]


@dataclass(frozen=True, slots=True)
class Ballot:
    """What all votes say.

    Attributes:
        shares: (votes, places), each row sums to 1.
        new: (votes,), the share of visits that led somewhere new when they were made.
        totals: (votes,), what a row summed to before.
    """

    shares: NDArray[np.float64]
    new: NDArray[np.float64]
    totals: NDArray[np.float64]


def count(rows: Rows, moment: Moment, origin: int, before: int, places: int) -> Ballot:
    """Count the votes of all visits.

    Args:
        rows: At least one.
        moment: What is asked.
        origin: The number of the moment's origin.
        before: The number of the place before it.
        places: How many places there are.
    """
    same_origin = rows.origin == origin
    slots = rows.place + np.int32(places) * same_origin
    new = np.flatnonzero(rows.is_new)
    new_same = same_origin[new].astype(np.float64)
    sums = np.empty((len(_KERNELS), 2, places))
    news = np.empty((len(_KERNELS), 2))
    for number, weights in enumerate(_weights(rows, moment, same_origin, before)):
        sums[number] = np.bincount(slots, weights, 2 * places).reshape(2, places)
        of_new = weights[new]
        same = of_new @ new_same
        news[number] = of_new.sum() - same, same
    shares = sums[_KERNEL_OF, 1] + _OTHER_ORIGIN * sums[_KERNEL_OF, 0]
    totals = shares.sum(axis=1)
    from_new = news[_KERNEL_OF, 1] + _OTHER_ORIGIN[:, 0] * news[_KERNEL_OF, 0]
    return Ballot(shares / totals[:, None], np.clip(from_new / totals, 0.0, 1.0), totals)


def weights_of(rows: Rows, moment: Moment, origin: int, before: int) -> NDArray[np.float64]:
    """What each visit weighs in each vote: (votes, visits), not divided by the total."""
    same_origin = rows.origin == origin
    kernels = np.array(_weights(rows, moment, same_origin, before))
    found: NDArray[np.float64] = kernels[_KERNEL_OF] * np.where(same_origin, 1.0, _OTHER_ORIGIN)
    return found


def _weights(
    rows: Rows, moment: Moment, same_origin: NDArray[np.bool_], before: int
) -> list[Floats]:
    """The weights of each kernel; what several look at is reckoned once."""
    parts = _Parts(rows, moment, same_origin, before)
    return [parts.weights(kernel) for kernel in _KERNELS]


class _Parts:
    """The factors of the kernels for one question."""

    def __init__(
        self, rows: Rows, moment: Moment, same_origin: NDArray[np.bool_], before: int
    ) -> None:
        self._age = np.maximum(0.0, moment.day - rows.day).astype(np.float32)
        self._apart = minutes_apart(rows.minute, moment.minute) ** 2
        self._weekday = moment.weekday
        self._weekdays = rows.weekday
        self._of_days: dict[tuple[float, float], Floats] = {}
        self._is_same_before = same_origin & (rows.before == before)
        self._stay = (rows.stayed - np.float32(logarithm(moment.stayed_min))) ** 2
        self._travel = (rows.travelled - np.float32(logarithm(moment.travelled_min))) ** 2
        self._known: dict[tuple[str, float], Floats] = {}

    def weights(self, kernel: Kernel) -> Floats:
        found = self._recency(kernel.half_life_d)
        if kernel.width_min:
            time = self._bell("time", self._apart, kernel.width_min)
            found = found * (time + np.float32(kernel.time_floor)) * self._days(kernel)
        if kernel.other_before != 1.0:
            found = found * np.where(
                self._is_same_before, np.float32(1.0), np.float32(kernel.other_before)
            )
        if kernel.stay:
            stay = self._bell("stay", self._stay, kernel.stay)
            found = found * (stay + np.float32(_SPAN_FLOOR))
        if kernel.travel:
            way = self._bell("travel", self._travel, kernel.travel)
            found = found * (way + np.float32(_SPAN_FLOOR))
        return found

    def _days(self, kernel: Kernel) -> Floats:
        key = kernel.same_class, kernel.other_class
        if key not in self._of_days:
            is_weekend = np.arange(7) >= _FIRST_WEEKEND_DAY
            is_same = is_weekend == (self._weekday >= _FIRST_WEEKEND_DAY)
            table = np.where(is_same, *key).astype(np.float32)
            table[self._weekday] = 1.0
            self._of_days[key] = table[self._weekdays]
        return self._of_days[key]

    def _recency(self, half_life_d: float) -> Floats:
        key = ("age", half_life_d)
        if key not in self._known:
            halved = np.exp2(self._age * np.float32(-1.0 / half_life_d))
            self._known[key] = halved + np.float32(_AGE_FLOOR)
        return self._known[key]

    def _bell(self, what: str, squares: Floats, width: float) -> Floats:
        key = (what, width)
        if key not in self._known:
            self._known[key] = np.exp(squares * np.float32(-0.5 / (width * width)))
        return self._known[key]
