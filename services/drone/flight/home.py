"""The home of the autopilot goes with the car, and so does its own return (pure)."""

from services.drone.autopilot import Landed, Mode, MoveHome, OperatorAt, SetMode
from services.drone.flight.cockpit import Cockpit
from services.drone.flight.states import FLYING
from services.drone.geodesy import distance_m

OPERATOR_S = 1.0
OPERATOR_FRESH_S = 1.0
"""An older position is none of the operator's, says remote ID."""
REBUILD_S = 10.0
REBUILD_M = 5.0
REST_M = 0.5
"""Once the car has come to rest its place is met so closely; once only, lest noise of its GNSS
sends the drone up again and again."""
LOWEST_M = 10.0
"""Below it the autopilot's own return is left alone."""
MODE_AGAIN_S = 2.0
SAME_M = 1.0
HOME_TAKES_S = 3.0
"""So long it waits until the autopilot says that its home has moved."""
GIVE_UP_S = 6.0
"""So long it waits for BRAKE before it lets the return go on as it is."""


def turn(cockpit: Cockpit) -> None:
    """Move home every so often; let the autopilot's return begin anew when home moved."""
    _tell_operator(cockpit)
    if cockpit.memory.state not in FLYING or cockpit.memory.state == "lost_link":
        cockpit.home_told = cockpit.rtl_home = None
        return
    if cockpit.drone.landed != Landed.ON_GROUND:
        _move_home(cockpit)
    if cockpit.memory.state == "failsafe":
        _rebuild(cockpit)
    else:
        cockpit.rtl_home = None


def _tell_operator(cockpit: Cockpit) -> None:
    car, age = cockpit.view.car, cockpit.car_age_s
    is_fresh = car is not None and age is not None and age <= OPERATOR_FRESH_S
    if car is None or not is_fresh or not cockpit.drone.is_armed:
        return
    if cockpit.beat.is_due("operator", OPERATOR_S, cockpit.now):
        cockpit.perform(OperatorAt(car.fix.place))


def _move_home(cockpit: Cockpit) -> None:
    place, settings = cockpit.car_place, cockpit.settings
    if place is None or not cockpit.is_car_fresh:
        return
    told = cockpit.home_told
    is_far = told is None or distance_m(told, place) >= settings.home_every_m
    if is_far:
        cockpit.beat.last.pop("home", None)
    if cockpit.beat.is_due("home", settings.home_every_s, cockpit.now):
        cockpit.home_told = place
        cockpit.perform(MoveHome(place))


def _rebuild(cockpit: Cockpit) -> None:
    """RTL flies the way it made when it began: BRAKE, then RTL again, makes a new one."""
    drone, memory = cockpit.drone, cockpit.memory
    if memory.is_rebuilding:
        _begin_anew(cockpit)
        return
    if drone.mode != Mode.RTL or drone.home is None:
        cockpit.rtl_home = None
        return
    if cockpit.rtl_home is None:
        cockpit.rtl_home = drone.home.place
    place = cockpit.car_place
    if place is None or not cockpit.is_car_fresh or cockpit.here.height_m < LOWEST_M:
        return
    rest = cockpit.rest
    is_new_rest = cockpit.is_car_at_rest and rest is not None and rest.since_s != cockpit.rtl_rest_s
    if distance_m(cockpit.rtl_home, place) <= (REST_M if is_new_rest else REBUILD_M):
        return
    if cockpit.beat.is_due("rebuild", REBUILD_S, cockpit.now):
        memory.is_rebuilding, cockpit.home_told = True, place
        if is_new_rest and rest is not None:
            cockpit.rtl_rest_s = rest.since_s
        cockpit.beat.last["braked"] = cockpit.now.s
        cockpit.perform(MoveHome(place))
        cockpit.perform(SetMode(Mode.BRAKE))


def _begin_anew(cockpit: Cockpit) -> None:
    drone, memory = cockpit.drone, cockpit.memory
    if drone.mode == Mode.BRAKE:
        memory.mode, cockpit.rtl_home = Mode.RTL, None
        is_moved = cockpit.home_told is None or (
            drone.home is not None and distance_m(drone.home.place, cockpit.home_told) <= SAME_M
        )
        if not is_moved and cockpit.beat.since("braked", cockpit.now) <= HOME_TAKES_S:
            return
        if cockpit.beat.is_due("rtl", MODE_AGAIN_S, cockpit.now):
            cockpit.perform(SetMode(Mode.RTL))
        return
    is_over = drone.mode == Mode.RTL and memory.mode == Mode.RTL
    is_somebody_elses = drone.mode != Mode.RTL
    if is_over or is_somebody_elses or cockpit.beat.since("braked", cockpit.now) > GIVE_UP_S:
        memory.is_rebuilding = False
        memory.mode = None
        cockpit.beat.last.pop("rtl", None)
