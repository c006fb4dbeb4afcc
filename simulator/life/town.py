"""Where the driver goes: home and work on the simulated road, the rest beside it (pure)."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from simulator.chance import Draws
from simulator.route import METRES_PER_DEGREE, Route

WORK_M = 9_400.0
"""From home along the road."""
BESIDE = {
    "gym": (3_100.0, -900.0), "market": (-700.0, 1_300.0), "friend": (-2_400.0, 3_600.0),
    "park": (5_200.0, 4_300.0), "canteen": (5_900.0, -5_600.0),
}  # fmt: skip
"""Metres east and north of home."""
HOME, WORK = "home", "work"
NEW = "new-"
_STEP_M = 60.0
_TOWN_MPS = 50 / 3.6
_DETOUR = 0.35
_FARTHEST_NEW_M = 6_000.0


class Point(NamedTuple):
    """A place on Earth (WGS 84, degrees) and what a calm driver reaches there, in m/s."""

    lat_deg: float
    lon_deg: float
    calm_mps: float


class Town:
    """The places of one driver, and the ways between them.

    Args:
        route: The simulated road.
        home_m: Where along it home is.
        draws: Of where places are that are seen once.
    """

    def __init__(self, route: Route, home_m: float, draws: Draws) -> None:
        self._route = route
        self._home_m = home_m
        self._draws = draws
        home = route.at(home_m)
        self._home = home.lat_deg, home.lon_deg
        self._scale = METRES_PER_DEGREE * math.cos(math.radians(home.lat_deg))

    def place(self, name: str) -> Point:
        """Where a place is.

        Args:
            name: `home`, `work`, one of those beside, or `new-` and anything.
        """
        if name in (HOME, WORK):
            found = self._route.at(self._home_m + (WORK_M if name == WORK else 0.0))
            return Point(found.lat_deg, found.lon_deg, _TOWN_MPS)
        if name in BESIDE:
            return self._at(*BESIDE[name])
        chance = self._draws(f"place {name}")
        away, turn = chance.uniform(1_500.0, _FARTHEST_NEW_M), chance.uniform(0, 2 * math.pi)
        return self._at(away * math.cos(turn), away * math.sin(turn))

    def way(self, origin: str, destination: str) -> Sequence[Point]:
        """The way from one place to another, always the same, a point each 60 m or so."""
        if {origin, destination} == {HOME, WORK}:
            count = round(WORK_M / _STEP_M)
            road = [self._route.at(self._home_m + WORK_M * i / count) for i in range(count + 1)]
            points = [Point(each.lat_deg, each.lon_deg, each.speed_mps) for each in road]
            return points if origin == HOME else points[::-1]
        if origin > destination:
            return self.way(destination, origin)[::-1]
        first, last = self.place(origin), self.place(destination)
        chance = self._draws(f"way {origin} {destination}")
        part, aside = chance.uniform(0.3, 0.7), chance.uniform(-_DETOUR, _DETOUR)
        north, east = last.lat_deg - first.lat_deg, last.lon_deg - first.lon_deg
        corner = Point(
            first.lat_deg + north * part - east * aside,
            first.lon_deg + east * part + north * aside,
            _TOWN_MPS,
        )
        return [*self._straight(first, corner), *self._straight(corner, last), last]

    def metres(self, first: Point, second: Point) -> float:
        """From one point to another that is not far."""
        return math.hypot(
            (second.lat_deg - first.lat_deg) * METRES_PER_DEGREE,
            (second.lon_deg - first.lon_deg) * self._scale,
        )

    def _at(self, east_m: float, north_m: float) -> Point:
        lat_deg = self._home[0] + north_m / METRES_PER_DEGREE
        return Point(lat_deg, self._home[1] + east_m / self._scale, _TOWN_MPS)

    def _straight(self, first: Point, last: Point) -> list[Point]:
        """From one point up to, and without, another."""
        count = max(1, round(self.metres(first, last) / _STEP_M))
        return [
            Point(
                first.lat_deg + (last.lat_deg - first.lat_deg) * i / count,
                first.lon_deg + (last.lon_deg - first.lon_deg) * i / count,
                _TOWN_MPS,
            )
            for i in range(count)
        ]
