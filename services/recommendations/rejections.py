"""What was rejected: each counts as a trip that led elsewhere, and is not offered for a day (pure).

A pseudo-trip weighs what a trip at that moment would weigh in the vote of time and origin.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from services.recommendations.destination.moment import MINUTES_PER_DAY, Moment, weekday_of
from services.recommendations.destination.predictor import Forecast, Predictor
from services.recommendations.destination.votes import SINGLE, VOTES

MOST = 200
"""Of one driver; older ones count no more."""
_DAY_MS = 86_400_000
_FIRST_WEEKEND_DAY = 5
_AGE_FLOOR = 0.02


@dataclass(frozen=True, slots=True)
class Rejection:
    """An offer that was rejected.

    Attributes:
        place_id: What was offered.
        at_ms: When, UTC ms by the trip's clock.
        day: Of the question, as in `Moment`.
        origin_id: Where the trip had begun; empty where it is not known.
    """

    place_id: str
    at_ms: int
    day: float
    origin_id: str


def is_silent(rejections: Sequence[Rejection], place_id: str, at_ms: int) -> bool:
    """Whether a place was rejected within the day before (or after, if a clock was set back)."""
    return any(
        each.place_id == place_id and abs(at_ms - each.at_ms) < _DAY_MS for each in rejections
    )


def weight(rejection: Rejection, moment: Moment) -> float:
    """What a trip at the moment of the rejection weighs for the question that is asked now."""
    vote = VOTES[SINGLE]
    kernel = vote.kernel
    apart = abs(rejection.day % 1.0 - moment.day % 1.0) * MINUTES_PER_DAY
    apart = min(apart, MINUTES_PER_DAY - apart)
    weighs = math.exp(-(apart**2) / (2 * kernel.width_min**2)) + kernel.time_floor
    then, now = weekday_of(rejection.day), moment.weekday
    if then != now:
        is_alike = (then >= _FIRST_WEEKEND_DAY) == (now >= _FIRST_WEEKEND_DAY)
        weighs *= kernel.same_class if is_alike else kernel.other_class
    if rejection.origin_id != moment.origin:
        weighs *= vote.other_origin
    age_d = max(0.0, moment.day - rejection.day)
    return float(weighs * (0.5 ** (age_d / kernel.half_life_d) + _AGE_FLOOR))


def weighed(
    forecast: Forecast, rejections: Sequence[Rejection], moment: Moment, predictor: Predictor
) -> Forecast:
    """The forecast with each rejection as one trip against its place.

    Args:
        forecast: At least one place is known.
        rejections: The driver's.
        moment: What is asked.
        predictor: Whose forecast it is.
    """
    against: dict[str, float] = {}
    for each in rejections:
        against[each.place_id] = against.get(each.place_id, 0.0) + weight(each, moment)
    named = against.keys() & set(forecast.places)
    if not named:
        return forecast
    total = float(predictor.weights[SINGLE] / predictor.believed(moment)[SINGLE])
    shares = [
        share * total / (total + against[place]) if place in named else share
        for place, share in zip(forecast.places, forecast.shares, strict=True)
    ]
    return _whole(forecast, shares, named)


def _whole(forecast: Forecast, shares: Sequence[float], named: set[str]) -> Forecast:
    """What was taken from some goes to the others, and to somewhere new, by what they have."""
    lost = sum(forecast.shares) - sum(shares)
    others = sum(
        share for place, share in zip(forecast.places, shares, strict=True) if place not in named
    )
    rest = others + forecast.somewhere_new
    grown = 1.0 + lost / rest if rest > 0.0 else 1.0
    found = {
        place: share if place in named else share * grown
        for place, share in zip(forecast.places, shares, strict=True)
    }
    order = sorted(found, key=lambda place: -found[place])
    new = max(0.0, 1.0 - sum(found.values()))
    return Forecast(tuple(order), tuple(found[place] for place in order), new)
