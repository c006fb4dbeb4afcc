"""How much a past trip counts for one that begins now: its time of day, weekday and age (pure)."""

from collections.abc import Sequence

import numpy as np

from services.recommendations.advising import Answered
from services.recommendations.answers import DAY_MS, rejected_ms
from services.recommendations.destination.moment import MINUTES_PER_DAY, Moment
from services.recommendations.destination.votes import SINGLE, VOTES
from services.recommendations.journey import Journey
from services.recommendations.stops.past import Floats, Mask

_KERNEL = VOTES[SINGLE].kernel
_FIRST_WEEKDAY = 3
_FIRST_WEEKEND_DAY = 5


def weights(days: Floats, moment: Moment) -> Floats:
    """As the vote of time has it: 1 for a trip on the same weekday at this very time."""
    weekday = _weekdays(days)
    is_same_class = (weekday >= _FIRST_WEEKEND_DAY) == (moment.weekday >= _FIRST_WEEKEND_DAY)
    other = np.where(is_same_class, _KERNEL.same_class, _KERNEL.other_class)
    on_days = np.where(weekday == moment.weekday, 1.0, other)
    bell = np.exp(-(_minutes_apart(days, moment) ** 2) / (2 * _KERNEL.width_min**2))
    age_d = np.maximum(0.0, moment.day - days)
    found: Floats = (bell + _KERNEL.time_floor) * on_days * 0.5 ** (age_d / _KERNEL.half_life_d)
    return found


def against(answered: Sequence[Answered], key: str, journey: Journey) -> float:
    """What the rejections of an offer weigh, each as a trip at its moment."""
    since_ms = np.array(rejected_ms(answered, key), float) - journey.started_ms
    return float(weights(journey.day + since_ms / DAY_MS, journey.moment).sum())


def is_near(days: Floats, moment: Moment) -> Mask:
    """Whether it was on a day of the same class (workday or weekend) at about this time."""
    is_weekend = _weekdays(days) >= _FIRST_WEEKEND_DAY
    is_alike: Mask = is_weekend == (moment.weekday >= _FIRST_WEEKEND_DAY)
    near: Mask = is_alike & (_minutes_apart(days, moment) <= _KERNEL.width_min)
    return near


def _weekdays(days: Floats) -> Floats:
    found: Floats = (np.floor(days) + _FIRST_WEEKDAY) % 7
    return found


def _minutes_apart(days: Floats, moment: Moment) -> Floats:
    apart = np.abs(days % 1.0 * MINUTES_PER_DAY - moment.minute)
    found: Floats = np.minimum(apart, MINUTES_PER_DAY - apart)
    return found
