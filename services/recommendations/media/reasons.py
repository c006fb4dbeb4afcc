"""Why something to hear is suggested, in one sentence (pure)."""

import math

import numpy as np
from numpy.typing import NDArray

from services.recommendations.destination.moment import MINUTES_PER_DAY, weekday_of
from services.recommendations.media.choosing import MANY_RIDERS, Situation
from services.recommendations.media.library import NOTHING, Library

_LEAST = 3
"""A share of fewer trips than this is no reason."""
_NEAR_MIN = 60.0
_FIRST_WEEKEND_DAY = 5
_MOST_LETTERS = 120
"""Of an item's name in a sentence."""

Mask = NDArray[np.bool_]


def why_first(library: Library, asked: Situation, item: str) -> str:
    """Why an item may be the one to hear first.

    It tells the narrowest sense of alike in which half of a few trips began with it; where there is
    none, how many of all trips did.
    """
    first = library.columns.first
    it = first == library.number(item)
    whole = np.array(first != NOTHING)
    for words, chosen in _senses(library, asked):
        times, of = int((it & chosen).sum()), int((whole & chosen).sum())
        if of >= _LEAST and 2 * times >= of:
            return _sentence(times, of, words, item)
    return _sentence(int(it.sum()), int(whole.sum()), "", item)


def why_next(library: Library, on: str, item: str) -> str:
    """Why an item may be the one to hear after another."""
    this, it = library.number(on), library.number(item)
    trips = [library.trips[at].heard for at in library.trips_with(on)]
    times = sum(it in heard[heard.index(this) + 1 :] for heard in trips)
    of = "your one trip" if len(trips) == 1 else f"{times} of your {len(trips)} trips"
    return f"Because {_short(item)} came after {_short(on)} on {of} with it."


def _senses(library: Library, asked: Situation) -> list[tuple[str, Mask]]:
    """How trips can be alike, in words, the narrowest first; and which are."""
    columns = library.columns
    apart = np.abs(columns.day % 1.0 - asked.day % 1.0) * MINUTES_PER_DAY
    near: Mask = np.minimum(apart, MINUTES_PER_DAY - apart) <= _NEAR_MIN
    is_weekend = weekday_of(math.floor(asked.day)) >= _FIRST_WEEKEND_DAY
    days: Mask = (columns.weekday >= _FIRST_WEEKEND_DAY) == is_weekend
    kind = " on weekends" if is_weekend else " on workdays"
    found = [(f"{kind} at about this time", days & near), (kind, days)]
    if asked.riders is not None:
        riding = " alone" if not asked.riders else " with so many in the car"
        same: Mask = np.minimum(columns.riders, MANY_RIDERS) == min(asked.riders, MANY_RIDERS)
        found = [(riding + words, same & chosen) for words, chosen in found] + found
        found.append((riding, same))
    return found


def _sentence(times: int, of: int, words: str, item: str) -> str:
    trips = "your one trip" if of == 1 else f"{times} of your {of} trips"
    return f"Because {trips}{words} began with {_short(item)}."


def _short(item: str) -> str:
    return item if len(item) <= _MOST_LETTERS else item[: _MOST_LETTERS - 1] + "…"
