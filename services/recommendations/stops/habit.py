"""A stop that the driver mostly makes on this way (pure)."""

from dataclasses import dataclass

import numpy as np

from services.recommendations.advising import Asked
from services.recommendations.stops.alike import against, is_near, weights
from services.recommendations.stops.past import NOWHERE, Floats, Mask, Past

MOST_STAY_MS = 1_800_000
"""Who stays longer was going there."""
_PSEUDO_TRIPS = 1.0
"""That went straight on, before anything is known."""
_LEAST = 3
"""Stops that make a habit."""
_ON_WAY_POINTS = 11
"""Of a path, at least 100 m apart: from the first kilometre on the way says where it leads."""
_LEAST_SHARE = 0.1


@dataclass(frozen=True, slots=True)
class Habit:
    """A stop that is likely.

    Attributes:
        place_id: Where.
        probability: That it is made.
        onward_id: Where the trips mostly went after it.
        times: How many of the alike trips made it.
        of: How many were alike.
        is_near: They were at about this time, on such days; else they only began here.
    """

    place_id: str
    probability: float
    onward_id: str
    times: int
    of: int
    is_near: bool


def key_of(place_id: str) -> str:
    """Of its offers."""
    return f"habit {place_id}"


def passes(past: Past, follows: Mask) -> Mask:
    """Which trips led to a place from which the driver soon drove on, and not back."""
    found = np.zeros(len(past), bool)
    stop, before, after = past.place[1:-1], past.place[:-2], past.place[2:]
    is_soon = past.stood_ms[1:-1] < MOST_STAY_MS
    is_on_way = (after != before) & (after != stop)
    found[1:-1] = follows[1:-1] & follows[2:] & is_soon & is_on_way
    return found


def done_ms(past: Past, passing: Mask, place_id: str) -> Floats:
    """When the driver stopped at a place, UTC ms."""
    found: Floats = past.started_ms[passing & (past.place == past.number(place_id))]
    return found


def habits(asked: Asked, past: Past, follows: Mask, passing: Mask) -> list[Habit]:
    """The stops that the driver has made on trips from here; one at most is likelier than not.

    Args:
        asked: The trip.
        past: The driver's trips.
        follows: Which began where the one before had ended.
        passing: Which led to a stop on a way.
    """
    origin = past.number(asked.journey.origin_id)
    if origin == NOWHERE:
        return []
    begun = np.zeros(len(past), bool)
    begun[1:] = follows[1:] & (past.place[:-1] == origin)
    weighs = weights(past.day, asked.journey.moment)
    found = []
    for stop in np.unique(past.place[begun & passing]).tolist():
        made = begun & passing & (past.place == stop)
        if made.sum() < _LEAST or not _may_lead(asked, past.names[stop]):
            continue
        straight = _PSEUDO_TRIPS + against(asked.answered, key_of(past.names[stop]), asked.journey)
        share = weighs[made].sum() / (weighs[begun].sum() + straight)
        onward = np.bincount(past.place[np.flatnonzero(made) + 1], minlength=len(past.names))
        times, of, near = _counted(begun, made, is_near(past.day, asked.journey.moment))
        onward_id = past.names[int(onward.argmax())]
        found.append(Habit(past.names[stop], float(share), onward_id, times, of, near))
    return found


def _may_lead(asked: Asked, place_id: str) -> bool:
    """Whether the way so far leaves the place possible."""
    if asked.forecast is None or len(asked.journey.path) < _ON_WAY_POINTS:
        return True
    rank = asked.forecast.rank(place_id)
    return rank is not None and asked.forecast.shares[rank - 1] >= _LEAST_SHARE


def _counted(begun: Mask, made: Mask, near: Mask) -> tuple[int, int, bool]:
    """How many of how many alike trips, and whether alike means the time, too."""
    of = int((begun & near).sum())
    if of >= _LEAST:
        return int((made & near).sum()), of, True
    return int(made.sum()), int(begun.sum()), False
