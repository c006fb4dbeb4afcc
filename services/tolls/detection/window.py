"""The fixes around a crossing that belong to one approach and one run-out."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from services.tolls.detection.network import GateFrame
from services.tolls.detection.plane import turn_rad
from services.tolls.detection.position import Spot
from services.tolls.detection.rows import Seen

STRETCH_M = 1_000.0
"""On each side, from the fix nearest to the gate on."""
BLIND_STRETCH_M = 5_000.0
"""The same where nearer ones are few: a tunnel may begin or end at the gate."""
LONGEST_MS = 43_200_000
MOST_TURN_RAD = math.radians(35.0)
"""A vehicle that goes in another direction is not on the gate's way any more."""
MOST_ASIDE_M = 300.0
MOST_FIXES = 18
"""On each side; more of them say little more, for their errors are alike."""
_NEAREST_FIXES = 9
"""All of these are used: they tell jumps."""
_LEAST_FIXES = 4
_CHORD_M = 15.0
"""Between two fixes that are nearer nothing is said of the direction."""
_SLACK_SIGMAS = 3.0
"""In a jam two fixes are minutes apart, and their errors are not alike any more."""


class Fix(NamedTuple):
    """A fix of the window.

    Attributes:
        spot: As the vehicle said it.
        along_m: Along the gate's way, 0 at the gate.
        right_m: To the right of that way.
        course_rad: To the right of the way's direction there.
    """

    spot: Spot
    along_m: float
    right_m: float
    course_rad: float | None


@dataclass(frozen=True, slots=True)
class Window:
    """The fixes around a crossing, in order.

    Attributes:
        fixes: All of them.
        chosen: Which of them are weighed; of the others the courses are.
        first_net_m: Where the approach begins, by the wheels.
        last_net_m: Where the run-out ends.
    """

    fixes: tuple[Fix, ...]
    chosen: tuple[int, ...]
    first_net_m: float
    last_net_m: float

    def about(self, net_m: float) -> list[Seen]:
        """The fixes as seen from where the gate is by the wheels."""
        begin = self.fixes[0].spot.at_ms
        return [
            Seen(
                (fix.spot.at_ms - begin) / 1000.0, fix.spot.net_m - net_m,
                fix.right_m, fix.spot.sigma_m, fix.course_rad,
            )
            for fix in self.fixes
        ]  # fmt: skip

    def told(self) -> tuple[tuple[int, float, float, float], ...]:
        """The fixes as evidence."""
        return tuple(
            (fix.spot.at_ms, fix.spot.lat_deg or 0.0, fix.spot.lon_deg or 0.0, fix.spot.sigma_m)
            for fix in (self.fixes[index] for index in self.chosen)
        )


def window(frame: GateFrame, spots: Sequence[Spot], net_m: float) -> Window:
    """The approach to a gate and the run-out, as far as they go in its direction.

    Args:
        frame: The gate.
        spots: The last places, in order.
        net_m: Where about it was crossed, by the wheels.
    """
    split = len(spots)
    while split and spots[split - 1].net_m > net_m:
        split -= 1
    before = _side(frame, [spots[i] for i in range(split - 1, -1, -1)], -1.0)
    after = _side(frame, [spots[i] for i in range(split, len(spots))], 1.0)
    first = before[-1].spot.net_m if before else net_m
    last = max((fix.spot.net_m for fix in after), default=net_m)
    count = len(before)
    chosen = [count - 1 - index for index in reversed(_thinned(count))]
    chosen += [count + index for index in _thinned(len(after))]
    return Window((*reversed(before), *after), tuple(chosen), first, last)


def _side(frame: GateFrame, outward: Sequence[Spot], sign: float) -> list[Fix]:
    """The fixes of one side from the gate outwards, until the vehicle goes elsewhere."""
    found: list[Fix] = []
    for spot in outward:
        if spot.lat_deg is None or spot.lon_deg is None:
            continue
        fix = _fix(frame, spot)
        if found and not _goes_on(found, fix, sign):
            break
        if fix.course_rad is not None and abs(fix.course_rad) > MOST_TURN_RAD:
            break
        found.append(fix)
    return found


def _fix(frame: GateFrame, spot: Spot) -> Fix:
    straight = frame.straight(spot.lat_deg or 0.0, spot.lon_deg or 0.0)
    along, right, direction = (*straight, 0.0) if frame.way is None else frame.way.place(*straight)
    course = None
    if spot.course_rad is not None:
        course = turn_rad(frame.bearing_rad + direction, spot.course_rad)
    return Fix(spot, along, right, course)


def _goes_on(found: Sequence[Fix], fix: Fix, sign: float) -> bool:
    nearest, last = found[0], found[-1]
    reach = STRETCH_M if len(found) >= _LEAST_FIXES else BLIND_STRETCH_M
    if abs(fix.spot.net_m - nearest.spot.net_m) > reach:
        return False
    if abs(fix.spot.at_ms - nearest.spot.at_ms) > LONGEST_MS:
        return False
    if abs(fix.right_m - last.right_m) > MOST_ASIDE_M:
        return False
    if fix.course_rad is not None or abs(fix.spot.net_m - last.spot.net_m) < _CHORD_M:
        return True
    slack = _SLACK_SIGMAS * fix.spot.sigma_m
    ahead = sign * (fix.along_m - last.along_m) + slack
    aside = max(0.0, abs(fix.right_m - last.right_m) - slack)
    return ahead > 0.0 and math.atan2(aside, ahead) < 2.0 * MOST_TURN_RAD


def _thinned(count: int) -> list[int]:
    """Which of the fixes of a side are weighed, from the gate outwards."""
    if count <= MOST_FIXES:
        return list(range(count))
    last, more = count - 1 - _NEAREST_FIXES, MOST_FIXES - _NEAREST_FIXES
    far = [_NEAREST_FIXES + round(index * last / (more - 1)) for index in range(more)]
    return [*range(_NEAREST_FIXES), *far]
