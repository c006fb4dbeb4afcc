"""Short ways on the ground, many at a time (pure)."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

METRES_PER_DEGREE = 111_195.0
"""One degree of latitude on a sphere of 6,371 km radius."""
_LEAST_SCALE = 0.01
"""Of a degree of longitude at the poles, where nobody drives."""


def offsets_m(
    lat: Floats, lon: Floats, lat_deg: float | Floats, lon_deg: float | Floats
) -> tuple[Floats, Floats]:
    """How far north and east points lie of one (or each of its own), across the date line too.

    Equirectangular with the mean latitude; below 0.1 % for ways up to 10 km and 70° of latitude.
    """
    north = (lat - lat_deg) * METRES_PER_DEGREE
    scale = np.maximum(np.cos(np.radians((lat + lat_deg) / 2)), _LEAST_SCALE)
    east = ((lon - lon_deg + 180.0) % 360.0 - 180.0) * METRES_PER_DEGREE * scale
    return north, east


def distances_m(
    lat: Floats, lon: Floats, lat_deg: float | Floats, lon_deg: float | Floats
) -> Floats:
    """How far points are from one, or each from its own."""
    return np.hypot(*offsets_m(lat, lon, lat_deg, lon_deg))
