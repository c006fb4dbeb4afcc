"""The ground: places with coordinates, and the way a car takes between two of them."""

import math
from dataclasses import dataclass, field

from tests.drivers.dice import Dice

METRES_PER_DEGREE = 111_195.0
Point = tuple[float, float]
"""Latitude and longitude in degrees."""


@dataclass
class Town:
    """Every place by its name, drawn when it is first heard of."""

    dice: Dice
    centre: Point = (52.0, 10.0)
    places: dict[str, Point] = field(default_factory=dict)

    def place(self, name: str, reach_km: float = 6.0, around: Point | None = None) -> str:
        """The name, once the place exists; at least 400 m from every other."""
        while name not in self.places:
            north_m = self.dice.between(-1.0, 1.0) * reach_km * 1000
            east_m = self.dice.between(-1.0, 1.0) * reach_km * 1000
            point = moved(around or self.centre, north_m, east_m)
            if all(
                abs(point[0] - other[0]) > 0.004 or distance_m(point, other) > 400.0
                for other in self.places.values()
            ):
                self.places[name] = point
        return name

    def way_m(self, origin: str, place: str) -> float:
        """Along the streets, which run north and east."""
        start, end = self.places[origin], self.places[place]
        corner = (start[0], end[1])
        return distance_m(start, corner) + distance_m(corner, end)

    def parked(self, name: str, dice: Dice) -> Point:
        """Where the receiver says that the car was left: within a street of the place."""
        point = self.places[name]
        return moved(point, dice.normal(0.0, 22.0), dice.normal(0.0, 22.0))

    def route(self, origin: str, place: str, dice: Dice) -> tuple[Point, ...]:
        """The simplified line: out to the main road, along it, and in; now and then another."""
        start, end = self.places[origin], self.places[place]
        turn = 0.5 if dice.chance(0.85) else dice.between(0.1, 0.9)
        middle = start[1] + (end[1] - start[1]) * turn
        corners = [start, (start[0], middle), (end[0], middle), end]
        return tuple(
            _rounded(moved(point, dice.normal(0.0, 6.0), dice.normal(0.0, 6.0)))
            for point in corners
        )


def moved(point: Point, north_m: float, east_m: float) -> Point:
    scale = METRES_PER_DEGREE * math.cos(math.radians(point[0]))
    return _rounded((point[0] + north_m / METRES_PER_DEGREE, point[1] + east_m / scale))


def distance_m(one: Point, other: Point) -> float:
    """On the plane; good within a town."""
    scale = math.cos(math.radians((one[0] + other[0]) / 2))
    return METRES_PER_DEGREE * math.hypot(other[0] - one[0], (other[1] - one[1]) * scale)


def _rounded(point: Point) -> Point:
    return round(point[0], 6), round(point[1], 6)
