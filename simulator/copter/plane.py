"""Places as metres north and east of a point of reference (pure)."""

import math
from typing import NamedTuple

from simulator.route import METRES_PER_DEGREE


class Plane(NamedTuple):
    """A flat piece of the earth around a point; within 0.1 % for 10 km up to 60° of latitude."""

    lat_deg: float
    lon_deg: float

    @property
    def _metres_per_degree_east(self) -> float:
        return METRES_PER_DEGREE * max(0.01, math.cos(math.radians(self.lat_deg)))

    def north_east(self, lat_deg: float, lon_deg: float) -> tuple[float, float]:
        """Metres north and east of the point of reference."""
        east_deg = (lon_deg - self.lon_deg + 180.0) % 360.0 - 180.0
        return (
            (lat_deg - self.lat_deg) * METRES_PER_DEGREE,
            east_deg * self._metres_per_degree_east,
        )

    def place(self, north_m: float, east_m: float) -> tuple[float, float]:
        """Latitude and longitude in degrees; the inverse of `north_east`."""
        lon_deg = self.lon_deg + east_m / self._metres_per_degree_east
        return (
            self.lat_deg + north_m / METRES_PER_DEGREE,
            (lon_deg + 180.0) % 360.0 - 180.0,
        )
