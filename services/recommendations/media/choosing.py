"""How likely each item is the one to hear first, or next (pure).

First: the trips of the past vote with their first item, by how alike they are. Next: what was heard
g items after the one that is on counts 1/g (sequential rules: Kamehkhosh, Jannach, Ludewig 2017).
What was skipped within 30 s, or rejected, counts against.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.recommendations.destination.moment import MINUTES_PER_DAY, weekday_of
from services.recommendations.media.library import NOTHING, Library

Floats = NDArray[np.float64]
LONGEST_GAP = 8
"""What came later than so many items after another did not come because of it."""
_FIRST_WEEKEND_DAY = 5
_DAY_MS = 86_400_000
MANY_RIDERS = 2


class Kernel(NamedTuple):
    """How much a trip of the past says of one that is asked about.

    Attributes:
        width_min: Of the kernel over the time of the day.
        time_floor: What is left of a trip at another time.
        same_class: Another weekday of the same class (workday or weekend), that very one being 1.
        other_class: A day of the other class.
        other_place: A trip that led elsewhere.
        other_riders: A trip with more or fewer passengers.
        half_life_d: In which an item is worn.
        age_floor: What is left of an old one.
        prior: Of trips that are wholly alike: for something else.
    """

    width_min: float
    time_floor: float
    same_class: float
    other_class: float
    other_place: float
    other_riders: float
    half_life_d: float
    age_floor: float
    prior: float


class Rules(NamedTuple):
    """How much is made of what came after what.

    Attributes:
        half_life_d: In which a rule is worn.
        age_floor: What is left of an old one.
        prior: For something else, in items that came next.
    """

    half_life_d: float
    age_floor: float
    prior: float


FIRST = Kernel(60.0, 0.03, 0.7, 0.03, 0.5, 0.1, 4.0, 0.01, 0.5)
NEXT = Rules(20.0, 0.02, 0.2)


class Situation(NamedTuple):
    """What is known when something to hear is asked for.

    Attributes:
        day: When the trip began, as `Moment` has it.
        at_ms: Now, UTC ms.
        places: How likely each place is its end, by id; empty where nothing is known.
        riders: How many ride along; `None`: that is not known.
    """

    day: float
    at_ms: int
    places: Mapping[str, float]
    riders: int | None


class Choice(NamedTuple):
    """An item by its name, and how likely it is the one."""

    item: str
    probability: float


def first(
    library: Library,
    asked: Situation,
    rejected: Mapping[str, Sequence[int]],
    kernel: Kernel = FIRST,
) -> list[Choice]:
    """What to hear first, the likeliest first.

    Args:
        library: What the driver heard.
        asked: What is known now.
        rejected: When items were rejected, UTC ms, by their names.
        kernel: How trips are compared.
    """
    weights = alike(library, asked, kernel)
    number = library.columns.first
    is_heard = number != NOTHING
    votes: Floats = np.bincount(number[is_heard], weights[is_heard], len(library.items)).astype(
        np.float64
    )
    against = np.zeros(len(library.items))
    for weight, trip in zip(weights.tolist(), library.trips, strict=True):
        for item in trip.skipped:
            against[item] += weight
    for name, at_ms in rejected.items():
        item = library.number(name)
        if item != NOTHING:
            ago_d = (asked.at_ms - np.array(at_ms, np.float64)) / _DAY_MS
            against[item] += near(asked.day - ago_d, asked.day, kernel).sum()
    return _choices(library, votes, float(votes.sum()), against, kernel.prior)


def following(library: Library, asked: Situation, on: str, rules: Rules = NEXT) -> list[Choice]:
    """What to hear after an item, the likeliest first; empty where nothing ever came after it."""
    this = library.number(on)
    votes, against = np.zeros(len(library.items)), np.zeros(len(library.items))
    times = library.trips_with(on)
    days = library.columns.day[list(times)]
    weights = aged(days, asked.day, rules.half_life_d, rules.age_floor).tolist()
    for at, weight in zip(times, weights, strict=True):
        trip = library.trips[at]
        where = trip.heard.index(this)
        for gap, item in enumerate(trip.heard[where + 1 : where + 1 + LONGEST_GAP], start=1):
            if item != this:
                votes[item] += weight / gap
        for item in trip.skipped:
            against[item] += weight
    return _choices(library, votes, sum(weights), against, rules.prior)


def alike(library: Library, asked: Situation, kernel: Kernel = FIRST) -> Floats:
    """(trips,): how much each trip of the past says of this one."""
    columns = library.columns
    found = near(columns.day, asked.day, kernel)
    if asked.places and library.places:
        there = np.array([asked.places.get(place, 0.0) for place in library.places])
        found *= kernel.other_place + (1.0 - kernel.other_place) * there[columns.place]
    if asked.riders is not None:
        same = np.minimum(columns.riders, MANY_RIDERS) == min(asked.riders, MANY_RIDERS)
        found *= np.where(same | (columns.riders == NOTHING), 1.0, kernel.other_riders)
    return found


def near(day: Floats, now: float, kernel: Kernel) -> Floats:
    """How near days are: in the time of the day, in the week, and in age."""
    apart = np.abs(day % 1.0 - now % 1.0) * MINUTES_PER_DAY
    apart = np.minimum(apart, MINUTES_PER_DAY - apart)
    found: Floats = np.exp(-(apart**2) / (2 * kernel.width_min**2)) + kernel.time_floor
    weekday = (np.floor(day) + weekday_of(0.0)) % 7
    is_weekend = weekday >= _FIRST_WEEKEND_DAY
    same_class = is_weekend == (weekday_of(now) >= _FIRST_WEEKEND_DAY)
    found *= np.where(
        weekday == weekday_of(now),
        1.0,
        np.where(same_class, kernel.same_class, kernel.other_class),
    )
    return found * aged(day, now, kernel.half_life_d, kernel.age_floor)


def aged(day: Floats, now: float, half_life_d: float, floor: float) -> Floats:
    """What is left of what happened on these days."""
    found: Floats = 0.5 ** (np.maximum(now - day, 0.0) / half_life_d) + floor
    return found


def _choices(
    library: Library, votes: Floats, total: float, against: Floats, prior: float
) -> list[Choice]:
    if total <= 0.0:
        return []
    shares = votes / (total + prior) * (total / (total + against))
    order = np.argsort(-shares, kind="stable")
    return [Choice(library.items[at], float(shares[at])) for at in order if shares[at] > 0.0]
