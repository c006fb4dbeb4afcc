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
    is_still = _wheels_stand(cockpit)
    cockpit.standing = stood(cockpit.standing, car) if is_slow and is_still else None
    rest = cockpit.rest
    if rest is None or _is_away(cockpit, rest.anchor, car, is_still=is_still):
        place = car.fix.place if cockpit.car_place is None else cockpit.car_place
        cockpit.rest = Rest(place, car.at_s)


def is_away(cockpit: Cockpit, anchor: Place, car: SeenFix) -> bool:
    """Whether the car drives, or is elsewhere than it was, as far as it says."""
    return _is_away(cockpit, anchor, car, is_still=_wheels_stand(cockpit))


def _is_away(cockpit: Cockpit, anchor: Place, car: SeenFix, *, is_still: bool) -> bool:
    known = cockpit.car_place
    place = car.fix.place if known is None else known
    apart_m, said_kmh = distance_m(anchor, place), car.fix.speed_kmh
    if is_still:
        return apart_m > max(STAYS_M, NOISE_SIGMAS * (car.fix.accuracy_m or 0.0))
    return apart_m > STAYS_M or (said_kmh is not None and said_kmh > STAYS_KMH)


def _wheels_stand(cockpit: Cockpit) -> bool:
    wheels_kmh = speed_kmh(cockpit.view, cockpit.now, WHEELS_S)
    return wheels_kmh is not None and wheels_kmh <= WHEELS_KMH
