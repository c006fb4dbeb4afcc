"""Why a climate is suggested, in one sentence with the numbers that carry it (pure)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.recommendations.climate.leaves import Leaf
from services.recommendations.climate.past import MARKS_S, Past
from services.recommendations.climate.vote import LEAST_SIMILAR, SIMILAR_C, has_reached

_RANGES_C = (1.0, 2.0, SIMILAR_C)
_NEWEST = 20
"""So many trips are counted at most: what was long ago is no reason."""

WITHDRAWN = (
    "You rejected this twice in such weather: it is not offered until you have set it so yourself"
    f" on {LEAST_SIMILAR} trips."
)


@dataclass(frozen=True, slots=True)
class Wish:
    """A setting as the driver is likely to want it.

    Attributes:
        leaf: Which.
        value: What.
        same: Up to this another value is the same.
        stands: How it stands, where that matters; else `None`.
    """

    leaf: Leaf
    value: float
    same: float
    stands: float | None = None


def too_few(similar: int, outside_c: float) -> str:
    """Why nothing is suggested."""
    what = "None of your trips was" if not similar else f"Only {similar} of your trips"
    was = "" if not similar else " was" if similar == 1 else " were"
    return f"{what}{was} at {_range(outside_c, SIMILAR_C)} outside."


def sentence(past: Past, wishes: Sequence[Wish], outside_c: float, mark: int) -> str:
    """How often the driver had it so, on the newest trips in the narrowest weather that says so.

    Args:
        past: The driver's trips.
        wishes: What is suggested, the weightiest first; one at least.
        outside_c: °C, now.
        mark: Which of `MARKS_S` the trip has come to.
    """
    first = wishes[0]
    width_c, chosen = _alike(past, first, outside_c, mark)
    parts: list[str] = []
    for wish in wishes:
        times, of = _counted(past, wish, chosen, mark)
        if of:
            on = f"{times} of your last {of} trips" if not parts else f"{times} of {of}"
            parts.append(f"{wish.leaf.words.format(f'{wish.value:g}')} on {on}")
    when = f"{MARKS_S[mark] / 60:.0f} minutes after the start you" if mark else "You"
    weather = f"at {_range(outside_c, width_c)} outside"
    had = f"{when} had {parts[0]} {weather}" + "".join(f", {part}" for part in parts[1:])
    if first.stands is None:
        return f"{had}."
    return f"{had}; {first.leaf.stands.format(f'{first.stands:g}')}."


def _alike(past: Past, wish: Wish, outside_c: float, mark: int) -> tuple[float, NDArray[np.intp]]:
    """The narrowest weather with a few trips most of which had it so; else the widest."""
    values = past.settings[wish.leaf.path].at[:, mark]
    apart_c = np.abs(past.outside_c - outside_c)
    known = ~np.isnan(values) & has_reached(past, mark)
    for width_c in _RANGES_C:
        chosen = np.flatnonzero((apart_c <= width_c) & known)[-_NEWEST:]
        times, of = _counted(past, wish, chosen, mark)
        if of >= LEAST_SIMILAR and 2 * times > of:
            break
    return width_c, chosen


def _counted(past: Past, wish: Wish, chosen: NDArray[np.intp], mark: int) -> tuple[int, int]:
    """On how many of the trips it was so, and on how many it was told."""
    values = past.settings[wish.leaf.path].at[chosen, mark]
    return int((np.abs(values - wish.value) <= wish.same).sum()), int((~np.isnan(values)).sum())


def _range(outside_c: float, width_c: float) -> str:
    low, high = outside_c - width_c, outside_c + width_c
    return f"{low:.3g} to {high:.3g} °C"
