"""Along legal ways: around zones corner by corner, up before across, across before down (pure)."""

from services.drone.autopilot import GoTo, Track
from services.drone.flight.cockpit import Cockpit, Route
from services.drone.geodesy import Place, distance_m
from services.drone.tasks.task import Leg

EVERY_S = 0.2
"""A `Track` is said five times a second."""
IN_A_BEND_S = 0.1
"""Twice as often after a car that turns: what is told late there cannot be made good."""
CORNER_M = 2.0
CORNER_MPS = 1.5
"""So near and so slow a corner is reached; a faster one is cut."""
CLIMB_FIRST_M = 3.0
ACROSS_M = 20.0
"""Below it the way is too short to climb first."""
AGAIN_S = 2.0
"""Between two tries to tell it where to go, when it did not take it."""
SAME_M = 1.0
"""Two targets nearer than this are one."""


def is_turn(cockpit: Cockpit, every_s: float = EVERY_S) -> bool:
    """Whether guidance is to be said again."""
    return cockpit.stage.is_due("guide", every_s, cockpit.now)


def stay(cockpit: Cockpit) -> None:
    """Hover where it was when it was told to stay."""
    if cockpit.stay_at is None:
        cockpit.stay_at = Track(cockpit.here.place, cockpit.here.height_m)
    cockpit.route = None
    cockpit.perform(cockpit.stay_at)


def track(cockpit: Cockpit, target: Track) -> bool:
    """Be where the target is, if the straight way there is legal; else stay, and say so."""
    leg = Leg(cockpit.here.place, target.place, target.height_m)
    if cockpit.rooms.airspace.trouble([leg], cockpit.now):
        stay(cockpit)
        return False
    cockpit.route = cockpit.stay_at = None
    cockpit.perform(target)
    return True


def fly_to(
    cockpit: Cockpit,
    place: Place,
    height_m: float,
    speed_mps: float | None = None,
    near_m: float = SAME_M,
) -> bool:
    """Fly on towards a place; whether there is a legal way: else it stays.

    Each leg is told until the autopilot takes it.

    Args:
        cockpit: The flight.
        place: Where to; a target that moved less than `near_m` keeps the way.
        height_m: Above home, at the end of the way.
        speed_mps: Over the ground; `None`: the autopilot's own.
        near_m: See `place`.
    """
    route = cockpit.route
    is_same = route is not None and route.height_m == height_m
    if route is None or not is_same or distance_m(route.to, place) > near_m:
        route = _planned(cockpit, place, height_m)
    elif len(route.corners) > 1 and _is_reached(cockpit, route.corners[0]):
        leg = Leg(cockpit.here.place, route.corners[1], route.travel_m)
        if cockpit.rooms.airspace.trouble([leg], cockpit.now):
            route = _planned(cockpit, place, height_m)
        else:
            route.corners.pop(0)
    if route is None:
        stay(cockpit)
        return False
    cockpit.route, cockpit.stay_at = route, None
    goal = _goal(cockpit, route, speed_mps)
    if goal != route.told or _is_lost(cockpit, route):
        route.told, route.told_id = goal, cockpit.perform(goal)
    return True


def _planned(cockpit: Cockpit, place: Place, height_m: float) -> Route | None:
    """A way as high as it is now, if that is higher and legal; else at the height of its end."""
    here, airspace = cockpit.here, cockpit.rooms.airspace
    for travel_m in sorted({max(height_m, here.height_m), height_m}, reverse=True):
        way = airspace.way(here.place, place, travel_m, cockpit.now)
        if way is not None:
            is_low = travel_m - here.height_m > CLIMB_FIRST_M
            is_far = cockpit.apart_m(place) > ACROSS_M
            climb_at = here.place if is_low and is_far else None
            return Route(place, height_m, list(way[1:]) or [place], travel_m, climb_at)
    return None


def _is_reached(cockpit: Cockpit, corner: Place) -> bool:
    here = cockpit.here
    is_slow = abs(here.north_mps) + abs(here.east_mps) <= CORNER_MPS
    return is_slow and cockpit.apart_m(corner) <= CORNER_M


def _is_lost(cockpit: Cockpit, route: Route) -> bool:
    """Whether the autopilot did not take what it was told, and it is time to tell it again."""
    answer = cockpit.answers.get("GoTo")
    if answer is None or answer.id != route.told_id or answer.outcome == "accepted":
        return False
    return cockpit.stage.is_due("go again", AGAIN_S, cockpit.now)


def _goal(cockpit: Cockpit, route: Route, speed_mps: float | None) -> GoTo:
    """Up first; then across; down only at the end."""
    corner = route.corners[0]
    if route.climb_at is not None:
        if route.travel_m - cockpit.here.height_m > CLIMB_FIRST_M / 2:
            return GoTo(route.climb_at, route.travel_m, speed_mps)
        route.climb_at = None
    is_last = len(route.corners) == 1
    if is_last and cockpit.apart_m(corner) <= ACROSS_M:
        route.is_coming_down = True
    return GoTo(corner, route.height_m if route.is_coming_down else route.travel_m, speed_mps)
