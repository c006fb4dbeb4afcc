"""The fence: what it forbids, and what happens when it is breached (pure)."""

import math

from simulator.copter.items import is_breached
from simulator.copter.state import State

ALT_MAX, CIRCLE, POLYGON = 1, 2, 4
"""Bits of FENCE_TYPE."""
_NAMES = ((ALT_MAX, "Max Alt"), (CIRCLE, "Circle"), (POLYGON, "Polygon"))


def enabled(state: State) -> int:
    """The kinds of fence that are on."""
    return int(state.parameters["FENCE_TYPE"]) if state.parameters["FENCE_ENABLE"] else 0


def forbids(state: State, north_m: float, east_m: float, up_m: float) -> bool:
    """Whether a target there is refused; what lies between is not looked at."""
    return _broken(state, north_m, east_m, up_m, is_target=True) != 0


def breaches(state: State) -> int:
    """The kinds of fence that it breaches where it is."""
    body = state.body
    return _broken(state, body.north_m, body.east_m, body.up_m, is_target=False)


def _broken(state: State, north_m: float, east_m: float, up_m: float, *, is_target: bool) -> int:
    kinds = enabled(state)
    if not kinds or state.home is None:
        return 0
    broken = 0
    home_north_m, home_east_m, home_up_m = state.home
    if kinds & ALT_MAX:
        over_m = up_m - home_up_m - state.parameters["FENCE_ALT_MAX"]
        if over_m > 0.001 or (over_m >= -0.001 and not is_target):
            broken |= ALT_MAX
    if kinds & CIRCLE:
        away_m = math.hypot(north_m - home_north_m, east_m - home_east_m)
        if away_m > state.parameters["FENCE_RADIUS"]:
            broken |= CIRCLE
    if kinds & POLYGON and is_breached(state.fence, north_m, east_m):
        broken |= POLYGON
    return broken


def words(kinds: int) -> str:
    """The kinds of fence as the autopilot names them in its texts."""
    names = [name for bit, name in _NAMES if kinds & bit]
    joined = " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]
    return f"{joined} fence{'s' if len(names) > 1 else ''}"
