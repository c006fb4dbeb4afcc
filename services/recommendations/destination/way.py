"""On the way: which places agree with the route so far (pure)."""

from collections import defaultdict, deque
from collections.abc import Sequence

import numpy as np

from services.recommendations.destination.ground import Floats, offsets_m
from services.recommendations.destination.places import Places
from services.recommendations.destination.predictor import Factors

Point = tuple[float, float]
"""Latitude and longitude in degrees."""

FIRST_KM = 1.0
"""Before it a route says nothing: every trip leaves by the same street."""
_ROUTES = 3
"""The newest of each place that are kept."""
_MOST_POINTS = 64
"""Of a route that is kept."""
_SAMPLES = 12
_SPACING_M = 200.0
"""Of the last stretch: so many points, so far apart."""
_ON_ROUTE_M = 150.0
_CIRCUITY = 1.35
"""A way along streets over the straight line: about a third more in towns (Newell 1980: 1.2)."""
_FLOOR = 0.02
_DIRECTION = 0.5
"""What a place counts at most towards which no route has led yet, but the car is going."""
_NEW = 0.3
"""What a place counts that nobody knows."""
_FAR_M = 100_000.0
"""What is farther apart than this within one route is not a road."""


class Ways:
    """The newest routes to each place, and which of them a trip may be on."""

    def __init__(self) -> None:
        self._routes: defaultdict[str, deque[Floats]] = defaultdict(lambda: deque(maxlen=_ROUTES))

    def add(self, place: str, route: Sequence[Point]) -> None:
        """Remember the route of a trip that ended at a place, as a simplified line."""
        points = _clean(route)
        if len(points) >= 2:
            step = -(-len(points) // _MOST_POINTS)
            self._routes[place].append(np.vstack([points[:-1:step], points[-1:]]))

    def forget(self, place: str) -> None:
        """Remove every route that led to a place."""
        self._routes.pop(place, None)

    def factors(self, so_far: Sequence[Point], places: Places) -> Factors | None:
        """How well places agree with the way so far.

        Args:
            so_far: From the start of the trip to where the car is.
            places: Where the places are.

        Returns:
            What to multiply their probabilities by; `None` within the first kilometre.
        """
        line = _clean(so_far)
        if len(line) < 2:
            return None
        north, east = offsets_m(line[:, 0], line[:, 1], *line[-1])
        steps = np.hypot(np.diff(north), np.diff(east))
        driven_m = float(steps.sum())
        if driven_m < FIRST_KM * 1000.0:
            return None
        samples = _last_stretch(np.column_stack([north, east]), steps)
        start = np.array([north[0], east[0]])

        def found(known: tuple[str, ...]) -> tuple[Floats, float]:
            centres = places.centres(known)
            to = np.column_stack(offsets_m(centres[0], centres[1], *line[-1]))
            towards = _direction(to, start, driven_m) * _DIRECTION
            fits = np.array([self._fit(place, samples, line[-1]) for place in known])
            agreed: Floats = np.maximum(np.nan_to_num(towards), fits) + _FLOOR
            return agreed, _NEW

        return found

    def _fit(self, place: str, samples: Floats, here: Floats) -> float:
        """The share, squared, of the last stretch that lies on a route to a place."""
        best = 0.0
        for route in self._routes.get(place, ()):
            line = np.column_stack(offsets_m(route[:, 0], route[:, 1], *here))
            on = _distances_m(samples, line) < _ON_ROUTE_M
            best = max(best, float(on.mean()) ** 2 if on[0] else 0.0)
        return best


def _clean(route: Sequence[Point]) -> Floats:
    """Points on the Earth, without jumps that no car makes."""
    points: Floats = np.asarray(route, float).reshape(-1, 2)
    points = points[np.isfinite(points).all(axis=1)]
    points = points[(np.abs(points[:, 0]) <= 90.0) & (np.abs(points[:, 1]) <= 180.0)]
    if len(points) < 2:
        return points
    north, east = offsets_m(points[1:, 0], points[1:, 1], *points[0])
    near = np.hypot(np.diff(north, prepend=0.0), np.diff(east, prepend=0.0)) < _FAR_M
    return points if bool(near.all()) else points[:0]


def _last_stretch(line: Floats, steps: Floats) -> Floats:
    """Points of the last stretch, the newest first, evenly apart."""
    along = np.concatenate([[0.0], np.cumsum(steps)])
    wanted = along[-1] - np.arange(_SAMPLES) * _SPACING_M
    wanted = wanted[wanted >= 0.0]
    return np.column_stack([np.interp(wanted, along, line[:, axis]) for axis in (0, 1)])


def _direction(to: Floats, start: Floats, driven_m: float) -> Floats:
    """1 while a place is on the way; less the longer the detour would be."""
    rest = np.hypot(to[:, 0], to[:, 1])
    direct = np.hypot(to[:, 0] - start[0], to[:, 1] - start[1])
    detour = np.maximum(0.0, driven_m + rest - _CIRCUITY * direct)
    found: Floats = np.exp(-detour / (0.3 * direct + 300.0))
    return found


def _distances_m(points: Floats, line: Floats) -> Floats:
    """How far points are from a line of at least two points; all in metres on the plane."""
    begin, along = line[:-1], np.diff(line, axis=0)
    length = np.maximum((along**2).sum(axis=1), 1e-9)
    to = points[:, None, :] - begin
    share = np.clip((to * along).sum(axis=2) / length, 0.0, 1.0)
    off = to - share[:, :, None] * along
    found: Floats = np.sqrt((off**2).sum(axis=2)).min(axis=1)
    return found
