"""Whether the car stays where it is, for all that its receiver wanders (pure)."""

from services.drone.events import CarFix
from services.drone.flight.cockpit import Cockpit
from services.drone.geodesy import Place, distance_m
from services.drone.rules.signals import speed_kmh

STAYS_M = 2.0
STAYS_KMH = 1.8
"""A car that is faster, or further from where it was, does not rest."""
WHEELS_KMH = 0.5
"""Wheels that turn no faster stand; what its receiver says then is noise."""
NOISE_SIGMAS = 2.0
"""So many times its accuracy a receiver wanders while the wheels stand."""
WHEELS_S = 65.0
"""An unchanged speed is said again every 60 s."""


def is_away(cockpit: Cockpit, anchor: Place, fix: CarFix) -> bool:
    """Whether a position says that the car drives, or is elsewhere than it was."""
    apart_m = distance_m(anchor, fix.place)
    wheels_kmh = speed_kmh(cockpit.view, cockpit.now, WHEELS_S)
    if wheels_kmh is not None and wheels_kmh <= WHEELS_KMH:
        return apart_m > max(STAYS_M, NOISE_SIGMAS * (fix.accuracy_m or 0.0))
    is_fast = fix.speed_kmh is not None and fix.speed_kmh > STAYS_KMH
    return is_fast or apart_m > STAYS_M
