"""On the way: which places agree with the route so far (pure)."""

from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.recommendations.destination.ground import METRES_PER_DEGREE, Floats, offsets_m
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
_REACH_M = _ON_ROUTE_M + 1.0
"""Around a piece of a route: a point outside is not on it, however sums are rounded."""
_CIRCUITY = 1.35
"""A way along streets over the straight line: about a third more in towns (Newell 1980: 1.2)."""
_FLOOR = 0.02
_DIRECTION = 0.5
"""What a place counts at most towards which no route has led yet, but the car is going."""
_NEW = 0.3
"""What a place counts that nobody knows."""
_FAR_M = 100_000.0
"""What is farther apart than this within one route is not a road."""


@dataclass(frozen=True, slots=True)
class _Pieces:
    """All routes to all places as one, cut into straight pieces.

    Attributes:
        begin: (2, pieces): latitude and longitude of where each begins.
        end: The same of where it ends.
        south: (pieces,): the latitude of its southern end.
        north: And of its northern one.
        route: (pieces,), the number of its route.
        place: (routes,), the number of the place that a route leads to.
        places: The place of a number.
    """

    begin: Floats
    end: Floats
    south: Floats
    north: Floats
    route: NDArray[np.intp]
    place: NDArray[np.intp]
    places: tuple[str, ...]

    @classmethod
    def of(cls, routes: Mapping[str, Sequence[Floats]]) -> "_Pieces":
        """The pieces of the routes to each place; a route has two points at least."""
        lines = [line for of_place in routes.values() for line in of_place]
        nothing = np.zeros((0, 2))
        begin = np.vstack([nothing, *(line[:-1] for line in lines)]).T.copy()
        end = np.vstack([nothing, *(line[1:] for line in lines)]).T.copy()
        return cls(
            begin,
            end,
            np.minimum(begin[0], end[0]),
            np.maximum(begin[0], end[0]),
            np.repeat(np.arange(len(lines)), [len(line) - 1 for line in lines]),
            np.repeat(np.arange(len(routes)), [len(of_place) for of_place in routes.values()]),
            tuple(routes),
        )

    def fits(self, samples: Floats, here: Floats) -> dict[str, float]:
        """For each place the share, squared, of the last stretch on its best route.

        A route that the car is not on now has none.

        Args:
            samples: (samples, 2), metres north and east of here, the newest first.
            here: Latitude and longitude.
        """
        reach = samples.min(axis=0) - _REACH_M, samples.max(axis=0) + _REACH_M
        southern, northern = (here[0] + each[0] / METRES_PER_DEGREE for each in reach)
        near = np.flatnonzero((self.north >= southern) & (self.south <= northern))
        begin = np.array(offsets_m(self.begin[0, near], self.begin[1, near], *here))
        end = np.array(offsets_m(self.end[0, near], self.end[1, near], *here))
        least, most = np.minimum(begin, end) - _REACH_M, np.maximum(begin, end) + _REACH_M
        found = [
            np.flatnonzero((least[0] <= y) & (y <= most[0]) & (least[1] <= x) & (x <= most[1]))
            for y, x in samples.tolist()
        ]
        pieces = np.concatenate(found)
        which = np.repeat(np.arange(len(samples)), [len(each) for each in found])
        away_m = _distances_m(samples.T[:, which], begin[:, pieces], end[:, pieces])
        is_on = away_m < _ON_ROUTE_M
        on = np.zeros((len(self.place), len(samples)), bool)
        on[self.route[near[pieces[is_on]]], which[is_on]] = True
        best = np.zeros(len(self.places))
        np.maximum.at(best, self.place, on.mean(axis=1) ** 2 * on[:, 0])
        return dict(zip(self.places, best.tolist(), strict=True))


class Ways:
    """The newest routes to each place, and which of them a trip may be on."""

    def __init__(self) -> None:
        self._routes: defaultdict[str, deque[Floats]] = defaultdict(lambda: deque(maxlen=_ROUTES))
        self._pieces: _Pieces | None = None
        """Of these routes; made anew when it is asked for after they have changed."""

    def add(self, place: str, route: Sequence[Point]) -> None:
        """Remember the route of a trip that ended at a place, as a simplified line."""
        points = _clean(route)
        if len(points) >= 2:
            step = -(-len(points) // _MOST_POINTS)
            self._routes[place].append(np.vstack([points[:-1:step], points[-1:]]))
            self._pieces = None

    def forget(self, place: str) -> None:
        """Remove every route that led to a place."""
        self._routes.pop(place, None)
        self._pieces = None

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
            agreeing = self._fits(samples, line[-1])
            fits = np.array([agreeing.get(place, 0.0) for place in known])
            agreed: Floats = np.maximum(np.nan_to_num(towards), fits) + _FLOOR
            return agreed, _NEW

        return found

    def _fits(self, samples: Floats, here: Floats) -> dict[str, float]:
        if self._pieces is None:
            self._pieces = _Pieces.of(self._routes)
        return self._pieces.fits(samples, here)


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


def _distances_m(points: Floats, begin: Floats, end: Floats) -> Floats:
    """How far each point is from the straight piece beside it; all (2, n), metres on the plane."""
    (along_north, along_east), (to_north, to_east) = end - begin, points - begin
    length = np.maximum(along_north**2 + along_east**2, 1e-9)
    share = np.clip((to_north * along_north + to_east * along_east) / length, 0.0, 1.0)
    found: Floats = np.hypot(to_north - share * along_north, to_east - share * along_east)
    return found
