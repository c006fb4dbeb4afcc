"""What is kept of each trip about stops, and a driver's trips as columns (pure)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from internetcar.contract.message import milliseconds
from internetcar.contract.trips import TripEnded
from services.recommendations.advising import Body, Evidence
from services.recommendations.destination.ground import distances_m
from services.recommendations.destination.places import Places

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

MOST = 1_000
"""Trips that are looked at, the newest."""
NOWHERE = -1
_MOST_M = 1e7
_MOST_S = 1e7
_MOST_DAYS = 3e6
_MOST_MS = 1 << 43
_SAME_M = 600.0
"""So far may what a trip spans differ from what lies between its places: both have a radius."""
_OVERLAP_MS = 60_000
_DIGITS = -2


@dataclass(frozen=True, slots=True)
class Past:
    """A driver's trips as columns of one length, the oldest first; NaN: not told.

    Attributes:
        names: The ids of the places.
        place: Where each trip led, by number in `names`; `NOWHERE` where that is not known.
        day: As in `Moment`.
        started_ms: UTC ms.
        ended_ms: UTC ms.
        first_pct: The level soon after its start.
        last_pct: And at its end.
        driven_m: How far it went.
        direct_m: From its start to its end, straight.
        has_battery: The car tells of energy out of a traction battery.
        has_fuel: And of fuel.
    """

    names: tuple[str, ...]
    place: NDArray[np.intp]
    day: Floats
    started_ms: Floats
    ended_ms: Floats
    first_pct: Floats
    last_pct: Floats
    driven_m: Floats
    direct_m: Floats
    has_battery: Mask
    has_fuel: Mask

    def __len__(self) -> int:
        return len(self.place)

    def number(self, place_id: str) -> int:
        """The number of a place; `NOWHERE` where no trip led there."""
        return self.names.index(place_id) if place_id in self.names else NOWHERE

    def follows(self, places: Places) -> Mask:
        """Which trips began where the one before had ended: nothing is missing in between."""
        found = np.zeros(len(self), bool)
        if len(self) < 2:
            return found
        centres = np.column_stack([places.centres(self.names), np.full(2, np.nan)])
        before, after = centres[:, self.place[:-1]], centres[:, self.place[1:]]
        apart_m = distances_m(before[0], before[1], after[0], after[1])
        off_m = np.nan_to_num(np.abs(apart_m - self.direct_m[1:]), nan=0.0)
        is_known = np.isfinite(before[0]) & np.isfinite(after[0])
        in_order = self.started_ms[1:] >= self.ended_ms[:-1] - _OVERLAP_MS
        found[1:] = is_known & in_order & (off_m <= _SAME_M)
        return found

    @property
    def stood_ms(self) -> Floats:
        """How long the car stood after each trip; NaN after the last."""
        found = np.full(len(self), np.nan)
        found[:-1] = self.started_ms[1:] - self.ended_ms[:-1]
        return found


def body_of(trip: TripEnded) -> dict[str, Any]:
    """What is kept of a trip: no place, no coordinates, but how far apart its ends are."""
    direct_m = None
    if trip.start is not None and trip.end is not None:
        ends = np.array([[each.latitude, each.longitude] for each in (trip.start, trip.end)]).T
        direct_m = round(float(distances_m(ends[0, :1], ends[1, :1], *ends[:, 1])[0]), _DIGITS)
    lasted_ms = milliseconds(trip.ended_at) - milliseconds(trip.started_at)
    return {
        "lasted_s": round(max(0, lasted_ms) / 1_000),
        "first_pct": trip.level_start_pct,
        "last_pct": trip.level_pct,
        "driven_m": round(trip.distance_m, _DIGITS),
        "direct_m": direct_m,
        "battery": trip.energy_wh is not None,
        "fuel": trip.fuel_ml is not None,
    }


def past_of(evidence: Sequence[Evidence]) -> Past:
    """The newest trips of the evidence, without what cannot be."""
    kept = [each for each in evidence[-MOST:] if _can_be(each)]
    numbers: dict[str, int] = {}
    for each in kept:
        if each.place_id:
            numbers.setdefault(each.place_id, len(numbers))
    bodies = [each.body for each in kept]
    started_ms = np.array([each.started_ms for each in kept], float)
    lasted_s = np.nan_to_num(_column(bodies, "lasted_s", _MOST_S), nan=0.0)
    return Past(
        tuple(numbers),
        np.array([numbers.get(each.place_id, NOWHERE) for each in kept], np.intp),
        np.array([each.day for each in kept], float),
        started_ms,
        started_ms + lasted_s * 1_000,
        _column(bodies, "first_pct", 100.0),
        _column(bodies, "last_pct", 100.0),
        _column(bodies, "driven_m", _MOST_M),
        _column(bodies, "direct_m", _MOST_M),
        np.array([body.get("battery") is True for body in bodies], bool),
        np.array([body.get("fuel") is True for body in bodies], bool),
    )


def number_of(value: object, most: float) -> float:
    """A number from 0 to the most there can be, else NaN."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return math.nan
    return float(value) if 0 <= value <= most else math.nan


def _column(bodies: Sequence[Body], name: str, most: float) -> Floats:
    return np.array([number_of(body.get(name), most) for body in bodies], float)


def _can_be(each: Evidence) -> bool:
    return 0 <= each.started_ms <= _MOST_MS and abs(each.day) <= _MOST_DAYS
