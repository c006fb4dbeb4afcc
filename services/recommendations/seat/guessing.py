"""Who may drive, where the car does not say (pure).

Naive Bayes over the drivers of the car: how often each drives, at which hour and on which kind of
day, who drove last and how long ago, and where the seat stands. Somebody whom nobody knows is one
more: who drives when others do, finds the seat as others do, and may leave it anywhere.
"""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from services.recommendations.destination.moment import MINUTES_PER_DAY, weekday_of
from services.recommendations.seat.habit import Habit
from services.recommendations.seat.settled import LEAVES, Number, is_same

_HALF_LIFE_D = 30.0
_STRANGER = 0.05
"""Of all trips somebody drives whom the car does not know."""
_WIDTH_MIN = 60.0
_HOUR_PRIOR = 2.0
"""Of trips that would be at any time of any day."""
_ANY_TIME = _WIDTH_MIN * math.sqrt(2.0 * math.pi) / MINUTES_PER_DAY
"""What the kernel over the time of the day has on the mean."""
_SEAT_PRIOR = 1.0
_ANY_SEAT = 0.05
"""That a seat which can be anywhere is just there."""
_STAYED, _STAY_HALF_LIFE_D = 0.4, 0.2
"""That it is whoever drove last, beyond what is known otherwise, and how fast that fades."""
_FIRST_WEEKEND_DAY = 5


class Signs(NamedTuple):
    """What tells who drives.

    Attributes:
        day: When the trip began, as `Moment` has it.
        at_ms: The same, UTC ms.
        seat: How seat, mirrors and wheel stand, by VSS leaf.
        is_moved: Somebody has moved the seat on this trip.
    """

    day: float
    at_ms: int
    seat: Mapping[str, Number]
    is_moved: bool


def shares(
    habits: Mapping[str, Habit], signs: Signs, rejected: Mapping[str, Sequence[int]]
) -> dict[str, float]:
    """How likely it is each driver; what is missing from 1 is somebody else.

    Args:
        habits: Of the drivers, by their names.
        signs: What is known now.
        rejected: When it was said that it was not this driver, UTC ms.
    """
    often = {name: _often(habit, signs.day) for name, habit in habits.items()}
    whole = sum(often.values())
    if not whole:
        return {}
    last, stays = _last(habits, signs)
    hours = {name: _hour(habit, signs.day) for name, habit in habits.items()}
    seats = {name: _seat(habit, signs) for name, habit in habits.items()}
    scores = {}
    for name in habits:
        share = often[name] / whole
        against = sum(_aged((signs.at_ms - at_ms) / 86_400_000) for at_ms in rejected.get(name, ()))
        share *= often[name] / (often[name] + against) if against else 1.0
        prior = (1.0 - stays) * share + stays * (name == last)
        scores[name] = (1.0 - _STRANGER) * prior * hours[name] * seats[name]
    found = _ANY_SEAT if signs.is_moved else max(_ANY_SEAT, *seats.values())
    stranger = _STRANGER * max(_ANY_TIME, *hours.values()) * found
    total = sum(scores.values()) + stranger
    return {name: score / total for name, score in scores.items()}


def _often(habit: Habit, day: float) -> float:
    return sum(_aged(day - trip.day) for trip in habit.newest)


def _aged(days: float) -> float:
    return float(0.5 ** (max(days, 0.0) / _HALF_LIFE_D))


def _last(habits: Mapping[str, Habit], signs: Signs) -> tuple[str, float]:
    """Who drove last, and how much that alone says."""
    trips = [(habit.newest[-1].started_ms, name) for name, habit in habits.items() if habit.newest]
    started_ms, name = max(trips)
    ago_d = max(0.0, (signs.at_ms - started_ms) / 86_400_000)
    return name, float(_STAYED * 0.5 ** (ago_d / _STAY_HALF_LIFE_D))


def _hour(habit: Habit, day: float) -> float:
    """How much of a driver's trips begin at such a time on such a day, as a density."""
    is_weekend = weekday_of(day) >= _FIRST_WEEKEND_DAY
    votes, whole = _HOUR_PRIOR * _ANY_TIME, _HOUR_PRIOR
    for trip in habit.newest:
        weight = _aged(day - trip.day)
        whole += weight
        if (weekday_of(trip.day) >= _FIRST_WEEKEND_DAY) == is_weekend:
            apart = abs(trip.day % 1.0 - day % 1.0) * MINUTES_PER_DAY
            apart = min(apart, MINUTES_PER_DAY - apart)
            votes += weight * math.exp(-(apart**2) / (2 * _WIDTH_MIN**2))
    return votes / whole


def _seat(habit: Habit, signs: Signs) -> float:
    """How often the seat stood there when the driver came, or was left there, once it is moved."""
    if not signs.seat:
        return _ANY_SEAT
    leaf, values = stood(habit, signs)
    votes, whole = _SEAT_PRIOR * _ANY_SEAT, _SEAT_PRIOR
    for value, weight in values:
        whole += weight
        votes += weight * is_same(value, signs.seat[leaf])
    return votes / whole


def stood(habit: Habit, signs: Signs) -> tuple[str, list[tuple[Number, float]]]:
    """Where the seat stood on a driver's trips, each with its weight.

    One leaf speaks, the first that the car tells (empty: it tells none): the others go with it.
    """
    leaf = next((leaf for leaf in LEAVES if leaf in signs.seat), "")
    found = []
    for trip in habit.newest:
        value = (trip.past.left if signs.is_moved else trip.past.began).get(leaf)
        if value is not None:
            found.append((value, _aged(signs.day - trip.day)))
    return leaf, found
