"""Interlocks of the way: zones, ceiling, and whether the battery lasts (pure)."""

from internetcar.contract.drone import Interlock
from services.drone.airspace.airspace import AHEAD_S
from services.drone.geodesy import KMH_PER_MPS, Offset, Place, offset, towards
from services.drone.interlocks.energy import Car, Drone, predicted_pct
from services.drone.interlocks.situation import Situation, shown, told
from services.drone.interlocks.weather import strongest_wind
from services.drone.tasks.task import Leg

FLIGHT_MARGIN = 0.5
"""Of the airspace's margin: a way is planned with all of it, and corners are cut in flight."""

_MOVES_MPS = 0.5


def zone(here: Situation) -> Interlock:
    """The planned way and the present place keep out of every zone."""
    if here.place is None:
        return told("zone", "without a position zones are not checked", is_good=False)
    found = here.airspace.trouble(
        (
            Leg(here.place, here.place, _lowest_height(here)),
            *here.remainder.legs,
            *here.remainder.back,
        ),
        here.now,
        margin_m=_margin(here),
        ground_m=here.ground_m,
        ahead_s=_ahead_s(here),
    )
    if found:
        ids = ", ".join(each.zone_id for each in found)
        return told("zone", found[0].words, is_good=False, value=ids[:200])
    return told("zone", "no zone is in the way", is_good=True, value="")


def ceiling(here: Situation) -> Interlock:
    """What is still flown, and the drone, stay below what is allowed."""
    limit = here.limits.ceiling_m
    highest = max(here.remainder.highest_m, here.height_m)
    if here.place is None:
        words = "without a position the ceiling is not known"
        return told("ceiling", words, is_good=False, value=highest, limit=limit)
    for place in _columns(here, here.place):
        allowed = here.airspace.ceiling_m(
            place,
            here.now,
            margin_m=_margin(here),
            ground_m=here.ground_m,
            ahead_s=_ahead_s(here),
        )
        limit = min(limit, allowed)
    words = f"height {shown(highest, limit)} m, at most {limit:.0f}"
    return told("ceiling", words, is_good=highest <= limit, value=highest, limit=round(limit, 1))


def battery(here: Situation) -> Interlock:
    """Enough is left at the landing."""
    limit = here.limits.battery_left_pct
    left = battery_left_pct(here)
    if left is None:
        is_charge = here.view.drone.battery_pct is not None and here.is_heard
        unknown = "the way back" if is_charge else "the drone's charge"
        return told("battery", f"{unknown} is not known", is_good=False, limit=limit)
    words = f"battery {shown(left, limit)} % at the landing, at least {limit:g}"
    if left <= 0:
        words = "it could not come back: the car drives away, or the battery does not last"
    return told("battery", words, is_good=left >= limit, value=left, limit=limit)


def battery_left_pct(here: Situation) -> float | None:
    """Predicted after all that is planned, the return to the car that drives on, and the landing.

    `None`: charge, drone or car is not known.
    """
    charge = here.view.drone.battery_pct
    if charge is None or here.place is None or here.view.car is None or not here.is_heard:
        return None
    blows, speed = strongest_wind(here)
    remainder = here.remainder
    back_m = remainder.return_height_m
    return predicted_pct(
        here.airframe,
        Drone(here.place, here.height_m, charge, here.steady.burn_pct_per_s),
        _car(here, here.view.car.fix.place, here.place),
        wind=blows,
        wind_mps=here.limits.wind_mps if speed is None else speed,
        legs=remainder.legs,
        height_m=max(back_m, here.height_m) if back_m is not None and here.is_flight else back_m,
    )


def _car(here: Situation, place: Place, drone: Place) -> Car:
    """A car that moves in an unknown direction drives away."""
    fix = here.view.fixes[-1].fix
    mps = abs(fix.speed_kmh or 0.0) / KMH_PER_MPS
    if mps < _MOVES_MPS:
        return Car(place, Offset(0.0, 0.0))
    away = offset(drone, place).bearing_deg
    return Car(place, towards(away if fix.heading_deg is None else fix.heading_deg, mps))


def _columns(here: Situation, place: Place) -> tuple[Place, ...]:
    """Where it climbs or comes down."""
    if here.is_flight:
        return (place,)
    return (place, *(leg.end for leg in here.remainder.legs))


def _lowest_height(here: Situation) -> float:
    return here.height_m if here.is_flight else here.remainder.highest_m


def _margin(here: Situation) -> float:
    return here.airspace.margin_m * (FLIGHT_MARGIN if here.is_flight else 1.0)


def _ahead_s(here: Situation) -> float:
    """In flight only what is in force now: what comes later was asked at the launch."""
    return 0.0 if here.is_flight else AHEAD_S
