"""Zones with their margin as solid ground, and the corners to fly around (pure)."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import Polygon
from shapely.geometry.polygon import orient

Corners = NDArray[np.float64]
"""East and north in metres: (n, 2)."""

MOST_CORNERS = 250
"""Shapes are made coarser, and larger, until there are no more corners than that."""

_SMOOTHING_M = 2.0
_SLACK_M = 0.5
_SLACK = 0.02
"""Beyond the margin, so that what is flown here is good on the plane of another cell too."""

_CLEARANCE_M = 0.3
"""How far a corner lies outside: a way along an edge does not touch it."""

_QUADRANT_STEPS = 2
_INSCRIBED = math.cos(math.pi / 4 / _QUADRANT_STEPS)
"""A buffer's arcs are drawn by chords, which come nearer than the radius."""


@dataclass(frozen=True, eq=False)
class Obstacles:
    """What is in the way at one height and time.

    Attributes:
        hard: The zones themselves.
        solid: With the margin.
        parts: The pieces of `solid`, none touching another.
        corners: Of each part.
    """

    hard: Any
    solid: Any
    parts: tuple[Polygon, ...]
    corners: tuple[Corners, ...]

    @classmethod
    def around(cls, shapes: list[Any], margin_m: float, reach_m: float) -> "Obstacles":
        """Blow the shapes up by the margin; corners beyond the reach are none."""
        hard = shapely.union_all(shapes)
        smoothing = _SMOOTHING_M
        while True:
            parts = _grown(shapes, margin_m * (1 + _SLACK) + _SLACK_M, smoothing)
            corners = tuple(_corners(part, reach_m) for part in parts)
            if sum(map(len, corners)) <= MOST_CORNERS:
                break
            smoothing *= 2.0
        solid = shapely.multipolygons(parts)
        shapely.prepare([hard, solid])
        return cls(hard, solid, parts, corners)


def _grown(shapes: list[Any], margin_m: float, smoothing_m: float) -> tuple[Polygon, ...]:
    radius = (margin_m + smoothing_m) / _INSCRIBED
    grown = shapely.union_all(shapely.buffer(shapes, radius, quad_segs=_QUADRANT_STEPS))
    smooth = shapely.union_all(shapely.simplify(grown, smoothing_m))
    return tuple(part for part in getattr(smooth, "geoms", (smooth,)) if not part.is_empty)


def _corners(part: Polygon, reach_m: float) -> Corners:
    outside = part.buffer(_CLEARANCE_M, join_style="mitre")
    found = [np.empty((0, 2))]
    for ring in (orient(outside).exterior, *orient(outside).interiors):
        points = np.asarray(ring.coords)[:-1]
        back, ahead = points - np.roll(points, 1, axis=0), np.roll(points, -1, axis=0) - points
        is_convex = back[:, 0] * ahead[:, 1] - back[:, 1] * ahead[:, 0] > 0.0
        found.append(points[is_convex & (np.hypot(points[:, 0], points[:, 1]) <= reach_m)])
    return np.concatenate(found)
