"""Will it reach where the trip may lead? If not: where the driver charges or fuels (pure)."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from services.recommendations.advising import Asked
from services.recommendations.destination.ground import distances_m
from services.recommendations.stops.past import Floats, Mask, Past, number_of

MARGIN = 1.15
RESERVE_M = 10_000.0
"""Not asked for where the driver charges or fuels anyway: it is arrived at to fill up."""
CONSIDERED = 0.8
"""Likely places up to this probability together are looked at."""
_MOST_PLACES = 20
_CIRCUITY = 1.35
"""A way along streets over the straight line, until the driver's own trips say it."""
_MOST_CIRCUITY = 4.0
_LEAST_DIRECT_M = 1_000.0
"""A shorter trip is a loop, or too much in it is by chance."""
_NEWEST = 50
_LEAST_WAYS = 3
_LEAST_DROPS = 5
_LEAST_DROP_PCT = 10.0
_PER_PCT_M = 200.0, 50_000.0
"""A full battery or tank reaches further than 20 km, and less far than 5,000."""
_RISE_PCT = 5.0
_LEAST_RISES = 2
_CHARGING_MS = 1_800_000
"""Who fuels does not stand so long."""
_MOST_RANGE_M = 5_000_000.0
_MOST_STOPS = 2
_ALIKE_M = 500.0
"""Detours that differ less are the same."""

Kind = Literal["charge", "fuel"]


@dataclass(frozen=True, slots=True)
class Filling:
    """A place where the driver charges or fuels, and how often that was seen."""

    place_id: str
    times: int


@dataclass(frozen=True, slots=True)
class Short:
    """It does not reach.

    Attributes:
        kind: What it would take.
        probability: Of the places that are not reached, together.
        place_id: The likeliest of them.
        range_m: How far it reaches.
        is_told: By the car; else by what the driver's trips have taken.
        trips: How many trips that was learned from.
        needed_m: For the way to the place, with a margin.
        stops: Where to charge or fuel, what is least out of the way first; may be none.
    """

    kind: Kind
    probability: float
    place_id: str
    range_m: float
    is_told: bool
    trips: int
    needed_m: float
    stops: tuple[Filling, ...]


@dataclass(frozen=True, slots=True)
class Reach:
    """How far it goes with what is left."""

    range_m: float
    is_told: bool
    trips: int


def rises(past: Past, follows: Mask) -> Mask:
    """After which trips the level rose while the car stood where they had ended."""
    found = np.zeros(len(past), bool)
    found[:-1] = follows[1:] & (past.first_pct[1:] - past.last_pct[:-1] >= _RISE_PCT)
    return found


def kind_of(past: Past, risen: Mask) -> Kind:
    """What fills it up: what the car tells of, else how long it stood while the level rose."""
    has_battery, has_fuel = past.has_battery[-_NEWEST:].any(), past.has_fuel[-_NEWEST:].any()
    if has_battery != has_fuel:
        return "charge" if has_battery else "fuel"
    is_long = risen.any() and np.median(past.stood_ms[risen]) > _CHARGING_MS
    return "charge" if is_long else "fuel"


def reach(asked: Asked, past: Past) -> Reach | None:
    """How far it goes: as the car says, else by what a percent was worth; `None`: not known."""
    told_m = number_of(asked.range_m, _MOST_RANGE_M)
    if np.isfinite(told_m):
        return Reach(told_m, is_told=True, trips=0)
    level_pct = number_of(asked.level_pct, 100.0)
    if not np.isfinite(level_pct) or (past.has_battery.any() and past.has_fuel.any()):
        return None  # a hybrid's battery says nothing of its tank
    drop_pct = past.first_pct - past.last_pct
    used = np.flatnonzero((drop_pct >= 0.0) & np.isfinite(past.driven_m))[-_NEWEST:]
    dropped_pct = float(drop_pct[used].sum())
    if (drop_pct[used] > 0.0).sum() < _LEAST_DROPS or dropped_pct < _LEAST_DROP_PCT:
        return None
    per_pct_m = float(past.driven_m[used].sum()) / dropped_pct
    if not _PER_PCT_M[0] <= per_pct_m <= _PER_PCT_M[1]:
        return None
    return Reach(per_pct_m * level_pct, is_told=False, trips=len(used))


def short(asked: Asked, past: Past, risen: Mask) -> Short | None:
    """Whether it may run short on the way to where the trip is likely to lead.

    Args:
        asked: The trip.
        past: The driver's trips.
        risen: After which of them the level rose.
    """
    reached, here = reach(asked, past), _here(asked)
    if reached is None or here is None or asked.forecast is None:
        return None
    fillings = _fillings(past, risen)
    filled = {each.place_id for each in fillings if each.times >= _LEAST_RISES}
    seen = probability = needed_m = 0.0
    first = ""
    likely = zip(asked.forecast.places[:_MOST_PLACES], asked.forecast.shares, strict=False)
    for place_id, share in likely:
        if seen >= CONSIDERED:
            break
        seen += share
        to_m = _away_m(asked, [place_id], here)[0]
        for_it_m = to_m * _circuity(past, place_id) * MARGIN
        for_it_m += 0.0 if place_id in filled else RESERVE_M
        if for_it_m > reached.range_m:
            probability += share
            if not first:
                first, needed_m = place_id, for_it_m
    if not first:
        return None
    stops = _on_way(asked, fillings, first, here, reached.range_m)
    return Short(
        kind_of(past, risen), min(probability, 1.0), first, reached.range_m, reached.is_told,
        reached.trips, needed_m, stops,
    )  # fmt: skip


def _here(asked: Asked) -> tuple[float, float] | None:
    """Where the car is."""
    if asked.journey.path:
        return asked.journey.path[-1]
    lat, lon = asked.places.centres([asked.journey.origin_id])[:, 0].tolist()
    return (lat, lon) if np.isfinite(lat) else None


def _away_m(asked: Asked, place_ids: list[str], here: tuple[float, float]) -> Floats:
    """How far places are, straight; NaN where one is not known."""
    lat, lon = asked.places.centres(place_ids)
    return distances_m(lat, lon, *here)


def _circuity(past: Past, place_id: str) -> float:
    """How much longer than the straight line the driver's ways to a place are."""
    there = past.place == past.number(place_id)
    known = np.flatnonzero(there & (past.direct_m >= _LEAST_DIRECT_M) & (past.driven_m > 0.0))
    if len(known) < _LEAST_WAYS or place_id not in past.names:
        return _CIRCUITY
    ways = known[-_NEWEST:]
    found = np.median(past.driven_m[ways] / past.direct_m[ways])
    return float(np.clip(found, 1.0, _MOST_CIRCUITY))


def _fillings(past: Past, risen: Mask) -> list[Filling]:
    """Where the level rose, the most often seen first."""
    counts = np.bincount(past.place[risen], minlength=len(past.names))
    order = np.argsort(-counts, kind="stable")
    return [Filling(past.names[each], int(counts[each])) for each in order if counts[each]]


def _on_way(
    asked: Asked, fillings: list[Filling], to: str, here: tuple[float, float], range_m: float
) -> tuple[Filling, ...]:
    """Those that can be reached, what is least out of the way first, then the most used."""
    ids = [each.place_id for each in fillings]
    lat, lon = asked.places.centres(ids)
    to_lat, to_lon = asked.places.centres([to])[:, 0].tolist()
    there_m, onward_m = _away_m(asked, ids, here), distances_m(lat, lon, to_lat, to_lon)
    is_reached = (there_m * _CIRCUITY <= range_m) & (np.array(ids, object) != to)
    order = np.argsort(np.round((there_m + onward_m) / _ALIKE_M), kind="stable")
    return tuple(fillings[each] for each in order if is_reached[each])[:_MOST_STOPS]
