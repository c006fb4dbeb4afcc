"""Ways through and beside a gate: known lines, and the frame they span."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from services.tolls.detection.plane import Place

BEYOND_M = 10_000.0
"""So far a way goes on straight beyond its ends."""


@dataclass(frozen=True, slots=True)
class Way:
    """A line in a gate's straight frame, measured from the gate.

    Attributes:
        points: In the direction of travel, metres along the bearing and to the right of it.
        run_m: How far along the line each point is; 0 abreast of the gate.
    """

    points: tuple[Place, ...]
    run_m: tuple[float, ...]

    @classmethod
    def through(cls, points: Sequence[Place]) -> "Way | None":
        """The way along these points; turned round where it runs against the bearing.

        `None` where it has no length.
        """
        kept = [points[0]]
        kept += [b for a, b in pairwise(points) if math.dist(a, b) > 1e-3]
        if len(kept) < 2:
            return None
        whole = [_beyond(kept[1], kept[0]), *kept, _beyond(kept[-2], kept[-1])]
        run = [0.0]
        for a, b in pairwise(whole):
            run.append(run[-1] + math.dist(a, b))
        way = cls(tuple(whole), tuple(run))
        zero, _, _ = way.place(0.0, 0.0)
        return cls(way.points, tuple(at - zero for at in run))

    def place(self, along_m: float, right_m: float) -> tuple[float, float, float]:
        """Along the way, to its right, and its direction there (rad right of the bearing)."""
        best = (math.inf, 0.0, 0.0, 0.0)
        for index, (a, b) in enumerate(pairwise(self.points)):
            along, right = b[0] - a[0], b[1] - a[1]
            length = math.hypot(along, right)
            part = ((along_m - a[0]) * along + (right_m - a[1]) * right) / (length * length)
            part = max(0.0, min(1.0, part))
            off_along, off_right = along_m - a[0] - part * along, right_m - a[1] - part * right
            distance = math.hypot(off_along, off_right)
            if distance < best[0]:
                side = 1.0 if along * off_right - right * off_along >= 0 else -1.0
                run = self.run_m[index] + part * length
                best = (distance, run, side * distance, math.atan2(right, along))
        return best[1], best[2], best[3]

    def at(self, run_m: float) -> tuple[float, float, float]:
        """The place so far along the way, and its direction there (rad right of the bearing)."""
        index = 0
        while index < len(self.points) - 2 and self.run_m[index + 1] < run_m:
            index += 1
        a, b = self.points[index], self.points[index + 1]
        part = (run_m - self.run_m[index]) / (self.run_m[index + 1] - self.run_m[index])
        along, right = b[0] - a[0], b[1] - a[1]
        return a[0] + part * along, a[1] + part * right, math.atan2(right, along)


def _beyond(before: Place, end: Place) -> Place:
    length = math.dist(before, end)
    factor = BEYOND_M / length
    return end[0] + (end[0] - before[0]) * factor, end[1] + (end[1] - before[1]) * factor
