"""Places as metres north and east of a point of reference (pure)."""

import math
from functools import lru_cache
from typing import NamedTuple

from simulator.route import METRES_PER_DEGREE


class Plane(NamedTuple):
    """A flat piece of the earth around a point; within 0.1 % for 10 km up to 60° of latitude."""

    lat_deg: float
    lon_deg: float

    def north_east(self, lat_deg: float, lon_deg: float) -> tuple[float, float]:
        """Metres north and east of the point of reference."""
        east_deg = (lon_deg - self.lon_deg + 180.0) % 360.0 - 180.0
        return (
            (lat_deg - self.lat_deg) * METRES_PER_DEGREE,
            east_deg * _metres_per_degree_east(self.lat_deg),
        )

    def place(self, north_m: float, east_m: float) -> tuple[float, float]:
        """Latitude and longitude in degrees; the inverse of `north_east`."""
        lon_deg = self.lon_deg + east_m / _metres_per_degree_east(self.lat_deg)
        return (
            self.lat_deg + north_m / METRES_PER_DEGREE,
            (lon_deg + 180.0) % 360.0 - 180.0,
        )


@lru_cache  # asked for at every step, of the same few planes
def _metres_per_degree_east(lat_deg: float) -> float:
    return METRES_PER_DEGREE * max(0.01, math.cos(math.radians(lat_deg)))
