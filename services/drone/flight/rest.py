"""Whether the car stays where it is, for all that its receiver wanders (pure)."""

from services.drone.flight.cockpit import Cockpit, Rest
from services.drone.flight.standing import stood
from services.drone.geodesy import Place, distance_m
from services.drone.leaps import SeenFix
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


def watch(cockpit: Cockpit, car: SeenFix) -> None:
    """Take another position of the car."""
    said_kmh = car.fix.speed_kmh
    is_slow = said_kmh is not None and said_kmh <= STAYS_KMH
    is_standing = is_slow and _wheels_stand(cockpit)
    cockpit.standing = stood(cockpit.standing, car) if is_standing else None
    if cockpit.rest is None or is_away(cockpit, cockpit.rest.anchor, car):
        place = car.fix.place if cockpit.car_place is None else cockpit.car_place
        cockpit.rest = Rest(place, car.at_s)


def is_away(cockpit: Cockpit, anchor: Place, car: SeenFix) -> bool:
    """Whether the car drives, or is elsewhere than it was, as far as it says."""
    place = car.fix.place if cockpit.car_place is None else cockpit.car_place
    apart_m, said_kmh = distance_m(anchor, place), car.fix.speed_kmh
    if _wheels_stand(cockpit):
        return apart_m > max(STAYS_M, NOISE_SIGMAS * (car.fix.accuracy_m or 0.0))
    return apart_m > STAYS_M or (said_kmh is not None and said_kmh > STAYS_KMH)


def _wheels_stand(cockpit: Cockpit) -> bool:
    wheels_kmh = speed_kmh(cockpit.view, cockpit.now, WHEELS_S)
    return wheels_kmh is not None and wheels_kmh <= WHEELS_KMH
