"""Zones with their margin as solid ground, and the corners to fly around (pure)."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import MultiPolygon, Polygon
from shapely.geometry.polygon import orient

Corners = NDArray[np.float64]
"""East and north in metres: (n, 3, 2), each with the corner before and the one after it."""

MOST_CORNERS = 800
"""Shapes are made coarser, and larger, until there are no more corners than that."""

_SMOOTHING_M = 2.0
_SLACK_M = 0.5
_SLACK = 0.02
"""Beyond the margin, so that what is flown here is good on the plane of another cell too."""

_CLEARANCE_M = 0.3
"""How far a corner lies outside: a way along an edge does not touch it."""

_MITRE = 1.5
"""A right angle keeps its corner; a sharper one is cut off at so many margins."""


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
        solid = MultiPolygon(parts)
        shapely.prepare([hard, solid, *parts])
        return cls(hard, solid, parts, corners)

    def is_near(self, start: tuple[float, float], end: tuple[float, float], far_m: float) -> bool:
        """Whether a straight way comes as near to a zone as that; 0: whether it touches one."""
        if self.hard.is_empty:
            return False
        line = shapely.points(start) if start == end else shapely.linestrings([start, end])
        return bool(shapely.dwithin(self.hard, line, far_m))


def _grown(shapes: list[Any], margin_m: float, smoothing_m: float) -> tuple[Polygon, ...]:
    radius = margin_m + smoothing_m
    grown = shapely.union_all(
        shapely.buffer(shapes, radius, join_style="mitre", mitre_limit=_MITRE)
    )
    smooth = shapely.union_all(shapely.simplify(grown, smoothing_m))
    return tuple(part for part in getattr(smooth, "geoms", (smooth,)) if not part.is_empty)


def _corners(part: Polygon, reach_m: float) -> Corners:
    outside = part.buffer(_CLEARANCE_M, join_style="mitre")
    found = [np.empty((0, 3, 2))]
    for ring in (orient(outside).exterior, *orient(outside).interiors):
        points = np.asarray(ring.coords)[:-1]
        before, after = np.roll(points, 1, axis=0), np.roll(points, -1, axis=0)
        is_convex = cross(points - before, after - points) > 0.0
        is_near = np.hypot(points[:, 0], points[:, 1]) <= reach_m
        found.append(np.stack([points, before, after], axis=1)[is_convex & is_near])
    return np.concatenate(found)


def cross(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """Above zero where the second points to the left of the first."""
    return first[..., 0] * second[..., 1] - first[..., 1] * second[..., 0]
