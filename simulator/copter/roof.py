"""On a car: the copter travels along until it is armed, and again once it landed there (pure).

The roof is where the car says that it is; its height above the road is left out. What landed beside
that place stays as far beside it.
"""

import math
from typing import NamedTuple

from simulator.copter.copter import SimCopter
from simulator.copter.plane import Plane

ROOF_M = 3.0
"""So near to the car's place it has landed on it."""


class CarAt(NamedTuple):
    """Where the car is."""

    lat_deg: float
    lon_deg: float
    heading_deg: float | None = None


class Roof:
    """Remembers whether the copter stands on the car; at first it does."""

    def __init__(self) -> None:
        self.is_docked = True
        self._beside_m = (0.0, 0.0)

    def carry(self, copter: SimCopter, car: CarAt) -> None:
        """Move the copter with the car, if it stands on it; call it often."""
        truth = copter.truth
        if truth.is_armed or not truth.is_on_ground:
            self.is_docked = False
            return
        plane = Plane(car.lat_deg, car.lon_deg)
        if not self.is_docked:
            self._beside_m = plane.north_east(truth.lat_deg, truth.lon_deg)
            self.is_docked = math.hypot(*self._beside_m) <= ROOF_M
        if self.is_docked:
            copter.carry_to(*plane.place(*self._beside_m), car.heading_deg)
