"""What is kept of a trip's climate, and the driver's past as columns (pure).

A setting is kept as it stood at some marks of the trip: what was set at first, and what after the
car was warm. What was changed in the first two minutes is what the driver wanted at the start.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from internetcar.contract.message import milliseconds
from internetcar.contract.trips import SettingChange, TripEnded
from services.recommendations.advising import Body, Evidence
from services.recommendations.climate.leaves import LEAVES, Leaf, number

MARKS_S = (120.0, 300.0, 600.0, 1_200.0)
"""After the start; up to the second one counts as the start."""
_WAKING_S = 5.0
"""What is set so soon the car has set itself, such as from a profile."""
OUTSIDE_C = (-100.0, 150.0)
_MOST_SECONDS = 1e9

Column = NDArray[np.float64]
Raw = bool | int | float


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting through all trips.

    Attributes:
        at: (n, marks), how it stood; NaN where the car had not told it by then.
        by_hand: (n), what it was set to last while the trip was on; NaN where it was not.
        raw: Each value as the car last told it.
    """

    at: Column
    by_hand: Column
    raw: Mapping[float, Raw]


@dataclass(frozen=True, slots=True)
class Past:
    """A driver's trips, the oldest first; all columns are of one length.

    Attributes:
        day: Days since 1970 on the driver's wall clock.
        outside_c: °C.
        lasted_s: How long each was.
        started_ms: UTC ms.
        settings: By the path of the leaf; those that were told at least once.
    """

    day: Column
    outside_c: Column
    lasted_s: Column
    started_ms: Column
    settings: Mapping[str, Setting] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.day)


def body_of(trip: TripEnded) -> Body | None:
    """What to keep of a trip; `None` where its weather or its settings are not known."""
    if trip.outside_c is None:
        return None
    lasted_s = (milliseconds(trip.ended_at) - milliseconds(trip.started_at)) / 1_000
    told: dict[str, object] = {}
    for leaf in LEAVES:
        changes = [each for each in trip.settings if each.path == leaf.path]
        kept = _kept(sorted(changes, key=lambda each: each.offset_s))
        if kept is not None:
            told[leaf.path] = kept
    if not told:
        return None
    return {"outside": round(trip.outside_c, 1), "lasted": round(max(lasted_s, 0.0)), "set": told}


def _kept(changes: Sequence[SettingChange]) -> dict[str, object] | None:
    """How a setting stood at the marks, and what it was set to by hand, if it was."""
    values = [(each.offset_s, each.value) for each in changes if number(each.value) is not None]
    if not values:
        return None
    at = [next((value for offset_s, value in reversed(values) if offset_s <= mark), None)
          for mark in MARKS_S]  # fmt: skip
    kept: dict[str, object] = {"at": at}
    before = number(values[0][1])
    for offset_s, value in values:
        if offset_s > _WAKING_S and number(value) != before:
            kept["hand"] = value
        before = number(value)
    return kept


def past_of(evidence: Sequence[Evidence]) -> Past:
    """The columns of what was kept; what cannot be read is left out."""
    rows = [row for each in evidence if (row := _row(each)) is not None]
    told = [row[4] for row in rows]
    settings = {leaf.path: _setting(leaf, told) for leaf in LEAVES}
    day, outside, lasted, started = (
        np.array([row[column] for row in rows], float) for column in range(4)
    )
    found = {path: each for path, each in settings.items() if each is not None}
    return Past(day, outside, lasted, started, found)


_Row = tuple[float, float, float, float, Mapping[object, object]]


def _row(evidence: Evidence) -> _Row | None:
    body = evidence.body
    outside, lasted, told = body.get("outside"), body.get("lasted"), body.get("set")
    if not (isinstance(outside, int | float) and isinstance(lasted, int | float)):
        return None
    is_sane = OUTSIDE_C[0] <= outside <= OUTSIDE_C[1] and 0.0 <= lasted <= _MOST_SECONDS
    if not is_sane or not math.isfinite(evidence.day) or not isinstance(told, Mapping):
        return None
    return evidence.day, float(outside), float(lasted), float(evidence.started_ms), told


def _setting(leaf: Leaf, told: Sequence[Mapping[object, object]]) -> Setting | None:
    at = np.full((len(told), len(MARKS_S)), np.nan)
    by_hand = np.full(len(told), np.nan)
    raw: dict[float, Raw] = {}
    for row, each in enumerate(told):
        kept = each.get(leaf.path)
        if not isinstance(kept, Mapping):
            continue
        values = kept.get("at")
        for mark, value in enumerate(values[: len(MARKS_S)] if isinstance(values, list) else ()):
            at[row, mark] = _noted(value, raw)
        by_hand[row] = _noted(kept.get("hand"), {})
    return Setting(at, by_hand, raw) if raw else None


def _noted(value: object, raw: dict[float, Raw]) -> float:
    """A value as a number, NaN where it is none; how the car told it is noted."""
    if not isinstance(value, bool | int | float) or (found := number(value)) is None:
        return math.nan
    raw[found] = value
    return found
