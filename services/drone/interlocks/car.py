"""Interlocks of the car: what it is, whether it can be believed, where it stands (pure)."""

from itertools import pairwise

from internetcar.contract.drone import Interlock
from services.drone import leaps
from services.drone.geodesy import KMH_PER_MPS, distance_m
from services.drone.interlocks.situation import Situation, shown, told, worst
from services.drone.leaps import SeenFix

SPEED = "Vehicle.Speed"

FASTEST_MPS = 70.0
"""What a car may do between two fixes that say no speed."""

_SPEED_ERROR = 1.2
"""A car speeds up between two fixes."""


def origin(here: Situation) -> Interlock:
    """The car's frames come from where they must."""
    wanted = here.limits.origin
    presence = here.view.presence
    if presence is None:
        return told("origin", "the car has not said where its data come from", is_good=False)
    words = f"the car's data are {presence.origin}, the drone flies for {wanted} ones"
    return told(
        "origin",
        words,
        is_good=presence.origin == wanted,
        value=presence.origin,
        limit=wanted,
    )


def presence(here: Situation) -> Interlock:
    """The car's gateway is there."""
    is_online = here.view.presence is not None and here.view.presence.is_online
    words = "the car is online" if is_online else "the car is not online"
    return told("presence", words, is_good=is_online, value=is_online, limit=True)


def clock(here: Situation) -> Interlock:
    """The car's instants can be compared with ours."""
    if here.view.presence is None:
        return told("clock", "the car has not said whether its clock is right", is_good=False)
    if (set_s := here.view.clock.set_s) != 0.0:
        words = f"the service's own clock was set by {set_s:.1f} s in the air"
        return told("clock", words, is_good=False, value=set_s, limit=0.0)
    car = here.view.car
    if car is not None and car.fix.age_s < -here.limits.car_clock_s:
        words = f"the car's position lies {-car.fix.age_s:.1f} s in the future"
        return told("clock", words, is_good=False, value=car.fix.age_s, limit=0.0)
    found = here.view.presence.clock
    is_recorded = found == "recorded" and here.limits.origin == "recording"
    is_right = found == "synchronized" or is_recorded
    is_assumed = not is_right and found == "free" and here.assumed.clock_synchronized
    return told(
        "clock",
        f"the car's clock is {found}" + ("" if is_right else ", not synchronized"),
        is_good=is_right or is_assumed,
        value=found,
        limit="synchronized",
        is_assumed=is_assumed,
    )


def at_rest(here: Situation) -> Interlock:
    """Its speed by the wheels and by the satellites; both must be known."""
    wheels = here.signal(SPEED)
    car = here.view.car
    is_fixed = car is not None and here.is_fresh(car.at_s, here.limits.car_fix_s)
    satellites = car.fix.speed_kmh if car is not None and is_fixed else None
    limit = max(here.limits.at_rest_kmh, here.limits.moving_launch_kmh)
    if wheels is None or satellites is None:
        missing = SPEED if wheels is None else "the speed of its position"
        words = f"the car's speed is not known: no {missing}"
        return told("car_at_rest", words, is_good=False, limit=limit)
    speed = max(abs(wheels), abs(satellites))
    words = f"the car drives {shown(speed, limit)} km/h, at most {limit:g}"
    return told("car_at_rest", words, is_good=speed <= limit, value=speed, limit=limit)


def gnss_fresh(here: Situation) -> Interlock:
    """Its position is new."""
    limit = here.limits.car_fix_s
    car = here.view.car
    if car is None:
        words = "the car's position is not known"
        return told("car_gnss_fresh", words, is_good=False, limit=limit)
    age = here.now.s - car.at_s
    words = f"the car's position is {max(0.0, age):.1f} s old, at most {limit:g}"
    is_good = here.is_fresh(car.at_s, limit)
    return told("car_gnss_fresh", words, is_good=is_good, value=age, limit=limit)


def gnss_accurate(here: Situation) -> Interlock:
    """Its position says how wrong it may be."""
    limit = here.limits.car_accuracy_m
    car = here.view.car
    measured = car.fix.accuracy_m if car else None
    accuracy = here.assumed.car_accuracy_m if measured is None and car else measured
    if accuracy is None:
        words = "the accuracy of the car's position is not known"
        return told("car_gnss_accurate", words, is_good=False, limit=limit)
    return told(
        "car_gnss_accurate",
        f"the car's position is good to {accuracy:.1f} m, at most {limit:g}",
        is_good=accuracy <= limit,
        value=accuracy,
        limit=limit,
        is_assumed=measured is None,
    )


def gnss_steady(here: Situation) -> Interlock:
    """Its position does not jump."""
    limit = here.limits.car_jump_m
    doubt = here.view.doubt
    if doubt.named is not None and leaps.is_told(doubt, here.now.s):
        words, far = leaps.shown(doubt.named), doubt.named.way_m
        return told("car_gnss_steady", words, is_good=False, value=far, limit=limit)
    jump = worst([_unexplained_m(*pair) for pair in pairwise(here.view.fixes)])
    if jump is None:
        words = "the car has given fewer than two positions"
        return told("car_gnss_steady", words, is_good=False, limit=limit)
    words = f"the car's position jumped {jump:.1f} m, at most {limit:g}"
    return told("car_gnss_steady", words, is_good=jump <= limit, value=jump, limit=limit)


def covered(here: Situation) -> Interlock:
    """There is sky above the car."""
    car = here.view.car
    if car is None:
        return told("covered", "it is not known whether a roof is above the car", is_good=False)
    is_covered = here.airspace.is_covered(car.fix.place)
    words = "the car is below a roof" if is_covered else "there is no roof above the car"
    return told("covered", words, is_good=not is_covered, value=is_covered, limit=False)


def broker(here: Situation) -> Interlock:
    """Orders and the car's signals reach us."""
    is_there = here.view.is_broker_connected
    words = "the message broker is connected"
    if not is_there:
        words = "the message broker is not connected: the car is not heard"
    return told("broker", words, is_good=is_there, value=is_there, limit=True)


def twin(here: Situation) -> Interlock:
    """Nobody else speaks for the drone."""
    is_alone = not here.view.has_twin
    words = "no other service speaks for this drone"
    if not is_alone:
        words = "another service speaks for this drone: end one of them"
    return told("twin", words, is_good=is_alone, value=not is_alone, limit=False)


def _unexplained_m(before: SeenFix, after: SeenFix) -> float:
    """How much farther apart two fixes are than the car drove."""
    if before.fix.place == after.fix.place:
        return 0.0
    fastest = worst((_mps(before), _mps(after)))
    mps = FASTEST_MPS if fastest is None else fastest * _SPEED_ERROR
    driven = mps * (after.at_s - before.at_s)
    return max(0.0, distance_m(before.fix.place, after.fix.place) - driven)


def _mps(seen: SeenFix) -> float | None:
    return None if seen.fix.speed_kmh is None else abs(seen.fix.speed_kmh) / KMH_PER_MPS
