"""Positions of the car that no car can have: named, and not flown by until only they come (pure).

What is believed is on a leash: its end follows the positions, never faster than a car, and a
position farther from it than a receiver errs is a leap. Both clocks count, the stamps' and that of
the arrivals, and what comes in one turn shares one way. Two believed positions are so never farther
apart than `WANDERS_M` and what a car drives between them, however many came, and in what steps.

A leap is a second track. A position that fits the believed one ends it, whatever stamps the leap
bears; if only such as fit the leap come for `LASTS_S`, the car is there: it came by ferry, or its
receiver found back.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

from services.drone.events import CarFix
from services.drone.geodesy import Offset, Place, distance_m, moved, offset

FASTEST_MPS = 70.0
"""No car on a road is faster."""
WANDERS_M = 50.0
"""Two positions of a receiver between houses are off by so much; half of it is each one's share."""
LASTS_S = 10.0
NAMED_S = 2.0
"""So long after its last position a leap that was ended is still told of."""


@dataclass(frozen=True, slots=True)
class SeenFix:
    """A car's position and when it was true, on the clock of `Moment.s`."""

    fix: CarFix
    at_s: float


@dataclass(frozen=True, slots=True)
class Leash:
    """Where a track has its hold: the positions pull it along, as fast as a car at most."""

    place: Place
    at_s: float
    """By the stamps."""
    heard_s: float
    """By their arrival."""
    left_m: float = 0.0
    """How far it may still move for what arrives at that same moment."""


@dataclass(frozen=True, slots=True)
class Leap:
    """Positions away from the believed ones, oldest first."""

    fixes: tuple[SeenFix, ...]
    leash: Leash
    since_s: float
    """When the first of them came."""


@dataclass(frozen=True, slots=True)
class Named:
    """The last leap that was seen, in numbers."""

    way_m: float
    within_s: float
    heard_s: float
    """When its last position came."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """What belongs to the believed positions, to tell the next one from a leap."""

    leash: Leash | None = None
    leap: Leap | None = None
    named: Named | None = None


class Track(NamedTuple):
    """The positions that are believed, oldest first, and what is doubted."""

    fixes: tuple[SeenFix, ...] = ()
    doubt: Doubt = Doubt()


def taken(track: Track, fix: SeenFix, now_s: float, most: int) -> Track:
    """With another position.

    Args:
        track: As it was.
        fix: Older than the last believed one it changes nothing.
        now_s: When it arrived.
        most: So many positions are kept.
    """
    fixes, doubt = track
    if not fixes:
        return Track((fix,), Doubt(_tied(fix, now_s)))
    if fix.at_s <= fixes[-1].at_s:
        return track
    if leash := _pulled(doubt.leash or _tied(fixes[-1], fixes[-1].at_s), fix, now_s):
        return Track((*fixes[1 - most :], fix), Doubt(leash, None, doubt.named))
    return _doubted(track, fix, now_s, most)


def _doubted(track: Track, fix: SeenFix, now_s: float, most: int) -> Track:
    """With a position that does not fit the believed ones."""
    doubt, leap = track.doubt, track.doubt.leap
    if leap is not None and fix.at_s <= leap.fixes[-1].at_s:
        return track
    leash = None if leap is None else _pulled(leap.leash, fix, now_s)
    if leap is None or leash is None:
        leap = Leap((fix,), _tied(fix, now_s), now_s)
        before = track.fixes[-1]
        way_m = distance_m(before.fix.place, fix.fix.place)
        found = Named(way_m, fix.at_s - before.at_s, now_s)
        return Track(track.fixes, Doubt(doubt.leash, leap, found))
    lasted_s = min(fix.at_s - leap.fixes[0].at_s, now_s - leap.since_s)
    if lasted_s >= LASTS_S:
        return Track((*leap.fixes[1:], fix), Doubt(leash))
    known = (leap.fixes[0], *leap.fixes[1:][2 - most :], fix)
    named = None if doubt.named is None else replace(doubt.named, heard_s=now_s)
    return Track(track.fixes, Doubt(doubt.leash, Leap(known, leash, leap.since_s), named))


def _tied(fix: SeenFix, now_s: float) -> Leash:
    return Leash(fix.fix.place, fix.at_s, now_s)


def _pulled(leash: Leash, fix: SeenFix, now_s: float) -> Leash | None:
    """The leash after a position; `None`: it is too far away for a car."""
    way = offset(leash.place, fix.fix.place)
    left_m = leash.left_m
    if now_s > leash.heard_s:
        left_m = FASTEST_MPS * (now_s - leash.heard_s)
    step_m = min(way.length_m, left_m, FASTEST_MPS * (fix.at_s - leash.at_s))
    if way.length_m - step_m > WANDERS_M / 2:
        return None
    share = step_m / way.length_m if way.length_m else 0.0
    place = moved(leash.place, Offset(way.north_m * share, way.east_m * share))
    return Leash(place, fix.at_s, max(now_s, leash.heard_s), left_m - step_m)


def is_told(doubt: Doubt, now_s: float) -> bool:
    """Whether positions leap, or did a moment ago: where two speak for one car, who is right?"""
    is_recent = doubt.named is not None and now_s - doubt.named.heard_s <= NAMED_S
    return doubt.leap is not None or is_recent


def shown(named: Named) -> str:
    """The leap in words."""
    return (
        f"the car's position leaps {named.way_m / 1000:.1f} km in {named.within_s:.1f} s, which no"
        f" car can: it is not believed until no other has come for {LASTS_S:.0f} s"
    )
