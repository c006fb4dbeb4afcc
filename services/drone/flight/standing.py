"""Where a car stands, from all that its receiver has said since it came to rest (pure).

A receiver's error wanders by metres within a minute. While the wheels stand the mean of its
positions wanders less; a step that is no wandering begins it anew.
"""

from dataclasses import dataclass

from services.drone.geodesy import Offset, Place, moved, offset
from services.drone.leaps import SeenFix

LONGEST_S = 300.0
"""So far back the mean reaches."""
MOST_WEIGHT_S = 1.0
"""One position after a silence stands for no more."""
STEP_M = 0.3
STEP_SIGMAS = 4.0
"""A position further from the mean, and by so much more than they scatter, is a step."""


@dataclass(frozen=True, slots=True)
class Standing:
    """The mean of the positions of a car at rest."""

    place: Place
    at_s: float
    """When the last of them was true."""
    lasts_s: float = 0.0
    spread_m2: float = 0.0
    """How far they scatter: the mean square of one axis."""


def stood(before: Standing | None, seen: SeenFix) -> Standing:
    """The mean with one more position of a car whose wheels stand."""
    place = seen.fix.place
    if before is None:
        return Standing(place, seen.at_s)
    apart = offset(before.place, place)
    if apart.length_m > max(STEP_M, STEP_SIGMAS * before.spread_m2**0.5):
        return Standing(place, seen.at_s)
    weight_s = min(max(seen.at_s - before.at_s, 0.0), MOST_WEIGHT_S)
    lasts_s = min(before.lasts_s + weight_s, LONGEST_S)
    share = weight_s / lasts_s if lasts_s > 0.0 else 0.0
    way = Offset(apart.north_m * share, apart.east_m * share)
    spread_m2 = (1.0 - share) * (before.spread_m2 + share * apart.length_m**2 / 2)
    return Standing(moved(before.place, way), seen.at_s, lasts_s, spread_m2)
