"""How long something has been good (pure)."""

from dataclasses import dataclass
from math import exp

from services.drone.interlocks.limits import Limits
from services.drone.moment import Moment
from services.drone.view import View

MOST_GAP_S = 2.0
"""Not looked for so long, nobody knows what was between: it begins anew."""

BURN_S = 15.0
"""Time constant of the burn's average: a gust or a climb alone does not end a flight."""


@dataclass(frozen=True, slots=True)
class Steady:
    """What is remembered from turn to turn; a restart begins with the default."""

    looked_s: float | None = None
    position_s: float | None = None
    """Since when the drone's position is good; `None`: it is not."""
    lost_s: float | None = None
    """Since when that is not good; `None`: it is, or nothing is heard of the drone."""
    prearm_s: float | None = None
    """Since when it says that it would arm."""
    burn_pct_per_s: float | None = None
    """In the air, averaged."""


def steadied(steady: Steady, view: View, limits: Limits, now: Moment) -> Steady:
    """What is remembered after another look; call it at every turn."""
    drone = view.drone
    gap_s = None if steady.looked_s is None else now.s - steady.looked_s
    before = steady if gap_s is not None and 0.0 <= gap_s <= MOST_GAP_S else Steady()
    is_heard = drone.heard_s is not None and now.s - drone.heard_s <= limits.heartbeat_s
    fix = drone.position
    is_fresh = fix is not None and now.s - fix.at_s <= limits.drone_fix_s
    is_position = is_heard and is_fresh and drone.has_fix and drone.is_position_good
    return Steady(
        looked_s=now.s,
        position_s=_since(before.position_s, is_position, now),
        lost_s=_since(before.lost_s, is_heard and not is_position, now),
        prearm_s=_since(before.prearm_s, is_heard and drone.is_prearm_good, now),
        burn_pct_per_s=_averaged(before.burn_pct_per_s, _burn(view), gap_s or 0.0),
    )


def _since(before_s: float | None, is_good: bool, now: Moment) -> float | None:
    if not is_good:
        return None
    return now.s if before_s is None else before_s


def _burn(view: View) -> float | None:
    position, burn = view.drone.position, view.drone.burn_pct_per_s
    is_up = view.drone.is_armed and position is not None and position.height_m > 1.0
    return burn if is_up else None


def _averaged(before: float | None, measured: float | None, gap_s: float) -> float | None:
    if measured is None or measured < 0.0:
        return before
    if before is None:
        return measured
    return measured + (before - measured) * exp(-gap_s / BURN_S)
