"""Positions of the car that no car can have: named, and not flown by until they last (pure).

A position farther away than a car can have driven is a leap. What is plausible after the position
before it ends the leap; if only positions that fit the leap come for `LASTS_S`, the car is there:
it came by ferry, or its receiver found back.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from services.drone.events import CarFix
from services.drone.geodesy import distance_m

FASTEST_MPS = 70.0
"""No car on a road is faster."""
WANDERS_M = 50.0
"""A receiver between houses is off so far without a leap; less is for the interlock of jumps."""
LASTS_S = 10.0


@dataclass(frozen=True, slots=True)
class SeenFix:
    """A car's position and when it was true, on the clock of `Moment.s`."""

    fix: CarFix
    at_s: float


class Fixes(NamedTuple):
    """The positions that are believed, and those of a leap, both oldest first."""

    believed: tuple[SeenFix, ...] = ()
    leap: tuple[SeenFix, ...] = ()


def taken(fixes: Fixes, fix: SeenFix, most: int) -> Fixes:
    """With another position, newer than all before it."""
    believed, leap = fixes
    if not believed or is_plausible(believed[-1], fix):
        return Fixes((*believed[1 - most :], fix))
    if not leap or not is_plausible(leap[-1], fix):
        return Fixes(believed, (fix,))
    leap = (leap[0], *leap[1:][2 - most :], fix)
    if fix.at_s - leap[0].at_s >= LASTS_S:
        return Fixes(leap[1:])
    return Fixes(believed, leap)


def is_plausible(before: SeenFix, after: SeenFix) -> bool:
    """Whether a car can have driven from one to the other."""
    return leapt_m(before, after) <= WANDERS_M + FASTEST_MPS * (after.at_s - before.at_s)


def leapt_m(before: SeenFix, after: SeenFix) -> float:
    """How far apart two positions are."""
    return distance_m(before.fix.place, after.fix.place)


def shown(fixes: Sequence[SeenFix], leap: Sequence[SeenFix]) -> str:
    """The leap in words."""
    way_m, lasted_s = leapt_m(fixes[-1], leap[0]), leap[0].at_s - fixes[-1].at_s
    return (
        f"the car's position leaps {way_m / 1000:.1f} km in {lasted_s:.1f} s, which no car can:"
        f" it is not believed until it has lasted for {LASTS_S:.0f} s"
    )
