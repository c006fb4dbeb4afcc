"""Places, short ways and speeds on the ground (pure)."""

import math
from typing import NamedTuple

METRES_PER_DEGREE = 111_195.0
"""One degree of latitude on a sphere of 6,371 km radius."""
KMH_PER_MPS = 3.6


class Place(NamedTuple):
    """A point in WGS 84 degrees."""

    lat_deg: float
    lon_deg: float


class Offset(NamedTuple):
    """A way, or a speed, on the ground: metres, or metres a second."""

    north_m: float
    east_m: float

    @property
    def length_m(self) -> float:
        """How far it is."""
        return math.hypot(self.north_m, self.east_m)

    @property
    def bearing_deg(self) -> float:
        """Where it leads: 0 is north, clockwise, below 360."""
        return math.degrees(math.atan2(self.east_m, self.north_m)) % 360.0


def offset(start: Place, end: Place) -> Offset:
    """The way from one place to another, across the date line too.

    Equirectangular with the mean latitude; below 0.1 % for ways up to 10 km and 70° of latitude.
    """
    lon = (end.lon_deg - start.lon_deg + 180.0) % 360.0 - 180.0
    scale = math.cos(math.radians((start.lat_deg + end.lat_deg) / 2))
    return Offset(
        (end.lat_deg - start.lat_deg) * METRES_PER_DEGREE, lon * METRES_PER_DEGREE * scale
    )


def moved(start: Place, way: Offset) -> Place:
    """The place at the end of a way; the inverse of `offset`."""
    lat = start.lat_deg + way.north_m / METRES_PER_DEGREE
    scale = math.cos(math.radians((start.lat_deg + lat) / 2))
    lon = start.lon_deg + way.east_m / (METRES_PER_DEGREE * scale)
    return Place(lat, (lon + 180.0) % 360.0 - 180.0)


def towards(bearing_deg: float, length_m: float) -> Offset:
    """A way of a length in a direction; of a speed, the velocity."""
    angle = math.radians(bearing_deg)
    return Offset(length_m * math.cos(angle), length_m * math.sin(angle))


def distance_m(start: Place, end: Place) -> float:
    """How far apart two places are on the ground."""
    return offset(start, end).length_m
