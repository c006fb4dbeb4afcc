"""Why a destination is suggested: the heaviest terms of the vote, and one sentence (pure)."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from services.recommendations.destination.moment import Moment
from services.recommendations.destination.predictor import Predictor
from services.recommendations.destination.visits import NOWHERE, Mask, Rows, minutes_apart
from services.recommendations.destination.votes import weights_of

_NAMED = 5
"""So many of the heaviest visits are named."""
_NEAR_MIN = 60.0
_LEAST = 3
"""A share of fewer trips than this is no reason."""
_DOUBT = 0.15
"""How far a share is off that comes of one trip; of more, by the root of how many."""
_LATELY_D = 28.0
_RARE = 0.05
"""That nobody went there says no more than this."""
_NEARLY = 0.05
"""Shares are as good as each other that are no further apart."""
_LEAST_WAY = 0.1
"""A smaller part of the way in a probability is not said."""
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_FIRST_WEEKEND_DAY = 5


@dataclass(frozen=True, slots=True)
class Evidence:
    """One past visit that speaks for a place.

    Attributes:
        day: When it was asked about, in days since 1970 on the driver's wall clock.
        share: Its part of all that speaks for the place.
        same_weekday: Whether it was on the weekday of the question.
        same_origin: Whether the trip began where this one does.
        minutes_apart: Between the times of the day.
    """

    day: float
    share: float
    same_weekday: bool
    same_origin: bool
    minutes_apart: float


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a place is suggested, as facts that can be counted.

    Attributes:
        place: The place.
        visits: The heaviest terms of the vote for it, the heaviest first.
        times: How many of the alike trips led there.
        of: How many trips were alike: what the next attributes say was the same.
        same_origin: The origin.
        near_time: The time of the day, within an hour.
        days: `weekday` (that very one), `class` (workday or weekend), or `any`.
        lately: The last four weeks.
        origin: Where this trip begins; empty where it is not known.
        weekday: Of the question; 0 is Monday.
    """

    place: str
    visits: tuple[Evidence, ...]
    times: int
    of: int
    same_origin: bool
    near_time: bool
    days: str
    lately: bool
    origin: str
    weekday: int


Sense = tuple[int, int, bool, bool, str, bool]
"""Times, of, same origin, near in time, days and lately: as `Reason` has them."""


def reason(predictor: Predictor, moment: Moment, place: str, probability: float) -> Reason | None:
    """Why a place has a probability; `None` where no visit speaks for it."""
    visits = predictor.visits
    number = visits.number(place)
    if number == NOWHERE:
        return None
    rows = visits.rows
    of_place = np.flatnonzero(rows.place == number)
    origin, before = visits.number(moment.origin), visits.number(moment.before)
    weights = weights_of(rows.picked(of_place), moment, origin, before)
    spoken: NDArray[np.float64] = predictor.believed(moment) @ weights
    spoken /= spoken.sum()
    heaviest = np.argsort(-spoken, kind="stable")[:_NAMED]
    apart = minutes_apart(rows.minute, moment.minute)
    named = tuple(
        Evidence(
            day=float(rows.day[row]),
            share=float(share),
            same_weekday=bool(rows.weekday[row] == moment.weekday),
            same_origin=bool(rows.origin[row] == origin != NOWHERE),
            minutes_apart=float(apart[row]),
        )
        for row, share in zip(of_place[heaviest], spoken[heaviest], strict=True)
    )
    alike = _alike(rows, moment, origin, number, probability)
    return Reason(place, named, *alike, moment.origin if origin != NOWHERE else "", moment.weekday)


def _alike(rows: Rows, moment: Moment, origin: int, number: int, probability: float) -> Sense:
    """The sense of alike in which a share of the trips led there that says the probability best.

    A share of a few trips is in doubt; of two as good the narrower one is taken.
    """
    near = minutes_apart(rows.minute, moment.minute) <= _NEAR_MIN
    there = rows.place == number
    newest = rows.day > moment.day - _LATELY_D
    senses: list[tuple[float, Sense]] = []
    for same_origin, near_time, days, lately in product(
        (True, False) if origin != NOWHERE else (False,),
        (True, False),
        ("weekday", "class", "any"),
        (False, True),
    ):
        chosen = _on_days(rows, moment.weekday, days)
        chosen = chosen & near if near_time else chosen
        chosen = chosen & (rows.origin == origin) if same_origin else chosen
        chosen = chosen & newest if lately else chosen
        times, of = int((chosen & there).sum()), int(chosen.sum())
        if of >= _LEAST and (times or probability < _RARE):
            off = abs(times / of - probability) + _DOUBT / math.sqrt(of)
            senses.append((off, (times, of, same_origin, near_time, days, lately)))
    if not senses:
        return int(there.sum()), len(rows), False, False, "any", False
    least = min(off for off, _ in senses)
    return next(sense for off, sense in senses if off <= least + _NEARLY)


def _on_days(rows: Rows, weekday: int, days: str) -> Mask:
    if days == "weekday":
        found: Mask = rows.weekday == weekday
        return found
    if days == "class":
        alike: Mask = (rows.weekday >= _FIRST_WEEKEND_DAY) == (weekday >= _FIRST_WEEKEND_DAY)
        return alike
    return np.ones(len(rows), bool)


def sentence(why: Reason, name: Callable[[str], str], way: float = 0.0) -> str:
    """The reason as one English sentence.

    Args:
        why: The reason.
        name: What the driver calls a place, by its id.
        way: What the way so far has added to the probability, or taken from it.
    """
    when = []
    if why.days == "weekday":
        when.append(f"on {_WEEKDAYS[why.weekday]}s")
    elif why.days == "class":
        when.append("on weekends" if why.weekday >= _FIRST_WEEKEND_DAY else "on workdays")
    if why.near_time:
        when.append("at about this time")
    if why.lately:
        when.append("in the last four weeks")
    begun = [f"from {name(why.origin)}"] if why.same_origin else []
    of = f"{why.times or 'none'} of your {why.of} trips" if why.of > 1 else "your one trip"
    alike = " ".join([of, *begun, *when])
    led = ""
    if abs(way) >= _LEAST_WAY:
        led = ", and the way so far leads there" if way > 0 else ", but the way so far does not"
    return f"Because {alike} went to {name(why.place)}{led}."
