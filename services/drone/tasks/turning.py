"""How the car turned since a moment, by its yaw rate and its steering wheel (pure).

Both are told beside its positions, each in messages of its own: one may come when another does
not. What does not fit how the heading of the positions changed, because of a wrong sign, unit or
mapping, is not believed.
"""

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from services.drone.geodesy import KMH_PER_MPS
from services.drone.leaps import SeenFix
from services.drone.view import STEERING, YAW, SeenSignal, View

CHANGES_S = 0.3
"""An unchanged value is not said again: a change happened at most so long before it was said."""
COMPARED_S = 1.0
OFF_DEG = 20.0
"""So far may a second's turn be off the change of heading: between two samples it is a guess."""
STEERING_RATIO, WHEELBASE_M = 15.5, 2.8
"""Of a passenger car; with another one the turn is a tenth or two off until a position comes."""


class Turn(NamedTuple):
    """How fast the car turned at a moment."""

    at_s: float
    rate_dps: float
    """Clockwise."""


class Turning(NamedTuple):
    """A constant turn rate for a time."""

    lasts_s: float
    rate_dps: float
    """Clockwise."""


def turns(view: View) -> tuple[Turn, ...]:
    """What the car said of its turning and is believed, oldest first."""
    if not view.fixes or not view.series:
        return ()
    mps = (view.fixes[-1].fix.speed_kmh or 0.0) / KMH_PER_MPS
    said = [Turn(seen.at_s, -_number(seen)) for seen in view.series.get(YAW, ())]
    said += [Turn(seen.at_s, _steered(seen, mps)) for seen in view.series.get(STEERING, ())]
    return believed(view.fixes, sorted(said))


def believed(fixes: Sequence[SeenFix], said: Sequence[Turn]) -> tuple[Turn, ...]:
    """The turns, if they tell more than the last position does and fit the headings; else none."""
    last = fixes[-1]
    if not said or said[-1].at_s <= last.at_s:
        return ()
    since_s = max(last.at_s - COMPARED_S, said[0].at_s)
    known = [fix for fix in fixes if fix.at_s >= since_s and fix.fix.heading_deg is not None]
    if len(known) >= 2:
        first, end = known[0], known[-1]
        told = sum(each.lasts_s * each.rate_dps for each in between(said, first.at_s, end.at_s))
        turned = (end.fix.heading_deg or 0.0) - (first.fix.heading_deg or 0.0)
        if abs((turned - told + 180.0) % 360.0 - 180.0) > OFF_DEG:
            return ()
    return tuple(said)


def between(said: Sequence[Turn], start_s: float, end_s: float) -> Iterator[Turning]:
    """How it turned from one moment to another, piece by piece; after the last turn as in it."""
    yield from _piece(said[0], said[0]._replace(at_s=-math.inf), start_s, end_s)
    for before, after in pairwise(said):
        bends_s = max(before.at_s, after.at_s - CHANGES_S)
        yield from _piece(before._replace(at_s=bends_s), before, start_s, end_s)
        yield from _piece(after, before._replace(at_s=bends_s), start_s, end_s)
    yield from _piece(said[-1]._replace(at_s=math.inf), said[-1], start_s, end_s)


def _piece(end: Turn, start: Turn, start_s: float, end_s: float) -> Iterator[Turning]:
    """From one turn evenly to another, as far as it lies within the time that is asked for."""
    from_s, to_s = max(start.at_s, start_s), min(end.at_s, end_s)
    if to_s <= from_s:
        return
    rate = start.rate_dps
    if end.rate_dps != start.rate_dps:
        share = ((from_s + to_s) / 2 - start.at_s) / (end.at_s - start.at_s)
        rate += (end.rate_dps - start.rate_dps) * share
    yield Turning(to_s - from_s, rate)


def _steered(seen: SeenSignal, mps: float) -> float:
    """The single-track model without slip; VSS counts the wheel's angle to the left."""
    wheels = math.radians(max(-60.0, min(60.0, _number(seen) / STEERING_RATIO)))
    return -math.degrees(mps / WHEELBASE_M * math.tan(wheels))


def _number(seen: SeenSignal) -> float:
    assert isinstance(seen.value, int | float), "the view keeps numbers only"
    return float(seen.value)
