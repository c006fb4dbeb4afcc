"""What most projects do instead, on the same drives: a circle around the gate, or a bare line.

Both get the fixes in order and once each: both products drop what is older than what they have.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from services.tolls.facts import Sample
from tests.tolls_site import Plane, crossings

Floats = NDArray[np.float64]

RADIUS_M = 25.0
"""Traccar's default distance around what is not an area (`geofence.polylineDistance`)."""


def fixes(samples: Iterable[Sample], plane: Plane) -> Floats:
    """Shape (n, 2), east and north in m."""
    found = {
        sample.at_ms: (sample.lat_deg, sample.lon_deg)
        for sample in samples
        if sample.lat_deg is not None
    }
    return plane.metres([found[at_ms] for at_ms in sorted(found)])


def circle_events(points: Floats, line: Floats) -> int:
    """How often the geofence is entered: Traccar's rule, any direction."""
    if not len(points):
        return 0
    is_in = np.hypot(*(points - line.mean(axis=0)).T) <= RADIUS_M
    return int(is_in[0]) + int((is_in[1:] & ~is_in[:-1]).sum())


def line_events(points: Floats, line: Floats) -> int:
    """How often the chord between two fixes crosses the line: Tile38's rule, any direction."""
    return len(crossings(points, line)) if len(points) > 1 else 0
