"""Places on the ground, and a route with as few points as its tolerance allows (pure)."""

import math
from collections.abc import Sequence

from pydantic import BaseModel, Field

EARTH_RADIUS_M = 6_371_000.0
"""Mean radius of the Earth (IUGG)."""

Fix = tuple[float, float, float]
"""Latitude, longitude (degrees) and seconds after the start of the trip."""

WINDOW_TOLERANCE_M = 8.0
NEAR_M = 2.0
"""A fix so near to the last one is left out."""
MOST_POINTS = 6_000
_COARSER_EACH = 1_500
_WINDOW = 32
_DEGREE_M = math.pi / 180 * EARTH_RADIUS_M


def distance_m(lat1_deg: float, lon1_deg: float, lat2_deg: float, lon2_deg: float) -> float:
    """Great-circle distance in metres. Sinnott 1984 (haversine), below about 0.5 %."""
    lat1, lat2 = math.radians(lat1_deg), math.radians(lat2_deg)
    dlat, dlon = lat2 - lat1, math.radians(lon2_deg - lon1_deg)
    a = math.sin(dlat / 2) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin(dlon / 2) ** 2
    return 2 * EARTH_RADIUS_M * math.asin(min(1.0, math.sqrt(a)))


def from_line_m(point: Fix, start: Fix, end: Fix) -> float:
    """How far a point is from the straight line between two others, in metres.

    On a plane that touches the Earth at `start`: for lines of up to some ten kilometres.
    """
    x_m, y_m = _plane(point, start)
    end_x_m, end_y_m = _plane(end, start)
    length2 = end_x_m**2 + end_y_m**2
    along = 0.0 if length2 == 0 else (x_m * end_x_m + y_m * end_y_m) / length2
    along = min(1.0, max(0.0, along))
    return math.hypot(x_m - along * end_x_m, y_m - along * end_y_m)


def _plane(point: Fix, origin: Fix) -> tuple[float, float]:
    """East and north of an origin, in metres."""
    dlon = (point[1] - origin[1] + 180) % 360 - 180
    return (
        dlon * _DEGREE_M * math.cos(math.radians(origin[0])),
        (point[0] - origin[0]) * _DEGREE_M,
    )


class Route(BaseModel):
    """A route while it is driven: an opening window (Meratnia and de By 2004), of bounded size.

    Attributes:
        anchor: The last point that is part of the route.
        window: Fixes since then, all near the line from the anchor to the last of them.
        points: How many points the route has so far; each 1,500 of them it grows coarser.
        within_m: How far a fix may be from its line.
    """

    anchor: Fix | None = None
    window: list[Fix] = Field(default_factory=list)
    points: int = 0
    within_m: float = WINDOW_TOLERANCE_M

    @property
    def tolerance_m(self) -> float:
        """No fix lies further from the route."""
        return self.within_m + NEAR_M

    def add(self, fix: Fix) -> Fix | None:
        """Go on to a fix; the point that is now part of the route, if there is one."""
        if self.anchor is None:
            return self._take(fix)
        last = self.window[-1] if self.window else self.anchor
        if self.points >= MOST_POINTS or distance_m(*last[:2], *fix[:2]) < NEAR_M:
            return None
        is_straight = all(
            from_line_m(each, self.anchor, fix) <= self.within_m for each in self.window
        )
        if is_straight and len(self.window) < _WINDOW:
            self.window.append(fix)
            return None
        self.window = [fix]
        return self._take(last)

    def end(self) -> Fix | None:
        """The last point, which is not yet part of the route; nothing is changed."""
        return self.window[-1] if self.window else None

    def _take(self, point: Fix) -> Fix:
        self.anchor = point
        self.points += 1
        if self.points % _COARSER_EACH == 0:
            self.within_m *= 2
        return point


def simplified(points: Sequence[Fix], most: int, tolerance_m: float) -> tuple[list[Fix], float]:
    """At most so many of the points, and the tolerance it took.

    Args:
        points: A route, of at most `MOST_POINTS` and its end.
        most: At least a thirtieth of them.
        tolerance_m: That the route already has; it stays so where nothing has to go.
    """
    kept, added_m = list(points), 0.0
    while len(kept) > most:
        added_m = added_m * 2 or WINDOW_TOLERANCE_M
        route = Route(within_m=added_m)
        taken = [route.add(point) for point in points]
        kept = [point for point in (*taken, route.end()) if point is not None]
        added_m = route.within_m
    return kept, tolerance_m + added_m + (NEAR_M if added_m else 0.0)
