"""What a command does, and the answer to it: ArduCopter's own (pure)."""

import math
from collections.abc import Callable
from typing import NamedTuple

from pymavlink.dialects.v20 import ardupilotmega as dialect

from simulator.copter import guided, modes, motors
from simulator.copter.items import ABSOLUTE_FRAMES, RELATIVE_FRAMES
from simulator.copter.state import INFO, Guided, Mode, Result, State

FORCE_DISARM = 21196
FORCE_ARM = 2989
_CUSTOM_MODE = 1
_CHANGE_MODE = 1
_SPEED_MOST_MPS = 1_000.0


class Request(NamedTuple):
    """A command in the words of COMMAND_INT: its place in 1e-7 degrees."""

    command: int
    frame: int
    p1: float
    p2: float
    p3: float
    p4: float
    x: int
    y: int
    z: float


def up_of(state: State, frame: int, altitude_m: float) -> float | None:
    """Height above the ground of the plane; `None`: this frame is not known here."""
    if not math.isfinite(altitude_m):
        return None
    if frame in ABSOLUTE_FRAMES:
        return altitude_m - state.ground_altitude_m
    if frame in RELATIVE_FRAMES:
        return altitude_m + state.home_up_m
    return None


def is_place(x: int, y: int) -> bool:
    """Whether 1e-7 degrees are on the earth."""
    return abs(x) <= 900_000_000 and abs(y) <= 1_800_000_000


def _arm_or_disarm(state: State, request: Request) -> Result:
    if request.p1 == 1.0:
        done = motors.arm(state, is_forced=request.p2 == FORCE_ARM)
        return Result.ACCEPTED if done else Result.FAILED
    if request.p1 == 0.0:
        if not state.is_armed:
            return Result.ACCEPTED
        if not state.is_landed and request.p2 != FORCE_DISARM:
            return Result.FAILED
        motors.disarm(state)
        return Result.ACCEPTED
    return Result.UNSUPPORTED


def _take_off(state: State, request: Request) -> Result:
    if request.frame not in RELATIVE_FRAMES:
        return Result.DENIED
    if state.mode is not Mode.GUIDED or not guided.take_off(state, request.z):
        return Result.FAILED
    return Result.ACCEPTED


def _to_mode(mode: Mode) -> Callable[[State, Request], Result]:
    def change(state: State, request: Request) -> Result:
        return Result.ACCEPTED if modes.set_mode(state, mode) else Result.FAILED

    return change


def set_mode(state: State, base_mode: float, custom_mode: float) -> Result:
    """DO_SET_MODE, and the message SET_MODE: only the copter's own numbers are taken."""
    if not math.isfinite(base_mode) or not int(base_mode) & _CUSTOM_MODE:
        return Result.DENIED
    if not math.isfinite(custom_mode) or not modes.set_mode(state, int(custom_mode)):
        return Result.FAILED
    return Result.ACCEPTED


def _set_home(state: State, request: Request) -> Result:
    if request.p1 == 1.0 or (request.x == 0 and request.y == 0):
        if not state.has_position:
            return Result.FAILED
        body = state.body
        state.set_home(body.north_m, body.east_m, body.up_m, is_locked=True)
        return Result.ACCEPTED
    up_m = up_of(state, request.frame, request.z)
    if up_m is None or not is_place(request.x, request.y):
        return Result.DENIED
    if state.home is None:
        return Result.FAILED
    place = state.plane.north_east(request.x * 1e-7, request.y * 1e-7)
    state.set_home(*place, up_m, is_locked=True)
    return Result.ACCEPTED


def _reposition(state: State, request: Request) -> Result:
    may_change = math.isfinite(request.p2) and bool(int(request.p2) & _CHANGE_MODE)
    if state.mode is not Mode.GUIDED and not may_change:
        return Result.DENIED
    up_m = up_of(state, request.frame, request.z)
    if up_m is None or not is_place(request.x, request.y):
        return Result.DENIED
    place = state.plane.north_east(request.x * 1e-7, request.y * 1e-7)
    if not guided.go_to(state, place, up_m):
        return Result.FAILED
    if state.mode is not Mode.GUIDED:
        if not modes.set_mode(state, Mode.GUIDED):
            return Result.FAILED
        guided.go_to(state, place, up_m)
    return Result.ACCEPTED


def _change_speed(state: State, request: Request) -> Result:
    if not 0.0 < request.p2 < _SPEED_MOST_MPS or request.p1 not in (0.0, 1.0, 2.0, 3.0):
        return Result.DENIED
    if state.mode is Mode.AUTO and request.p1 < 2.0:
        state.auto.speed_mps = request.p2
        return Result.ACCEPTED
    if state.mode is not Mode.GUIDED:
        return Result.FAILED
    told: Guided = state.guided
    if request.p1 == 2.0:
        told.climb_mps = request.p2
    elif request.p1 == 3.0:
        told.descent_mps = request.p2
    else:
        told.speed_mps = request.p2
    return Result.ACCEPTED


def _yaw(state: State, request: Request) -> Result:
    if not 0.0 <= request.p1 <= 360.0 or request.p4 not in (0.0, 1.0):
        return Result.FAILED
    way_deg = request.p1 if request.p3 >= 0.0 else -request.p1
    base_deg = state.body.heading_deg + way_deg if request.p4 else request.p1
    state.guided.heading_deg = base_deg % 360.0
    return Result.ACCEPTED


def _start_mission(state: State, request: Request) -> Result:
    if request.p1 or request.p2:
        return Result.DENIED
    if not modes.set_mode(state, Mode.AUTO):
        return Result.FAILED
    state.auto.is_started = True
    return Result.ACCEPTED


def _set_current(state: State, request: Request) -> Result:
    if not math.isfinite(request.p1) or not 0 <= int(request.p1) < len(state.mission):
        return Result.FAILED
    set_current(state, int(request.p1))
    return Result.ACCEPTED


def set_current(state: State, index: int) -> None:
    """The mission goes on from an item that there is."""
    auto = state.auto
    auto.index, auto.is_entered, auto.is_done = max(1, index), False, False
    auto.reached_s, auto.is_landing = None, False


def _enable_fence(state: State, request: Request) -> Result:
    if request.p1 not in (0.0, 1.0):
        return Result.FAILED
    state.parameters["FENCE_ENABLE"] = request.p1
    return Result.ACCEPTED


def _take_picture(state: State, request: Request) -> Result:
    state.pictures += 1
    return Result.ACCEPTED


def _terminate(state: State, request: Request) -> Result:
    if not request.p1 > 0.5:
        return Result.FAILED
    motors.disarm(state)
    return Result.ACCEPTED


def _check_before_arming(state: State, request: Request) -> Result:
    if state.is_armed:
        return Result.TEMPORARILY_REJECTED
    complaint = motors.prearm_complaint(state)
    if complaint:
        state.say(INFO, f"PreArm: {complaint}")
    return Result.ACCEPTED


_ANSWERS: dict[int, Callable[[State, Request], Result]] = {
    dialect.MAV_CMD_NAV_LOITER_UNLIM: _to_mode(Mode.LOITER),
    dialect.MAV_CMD_NAV_RETURN_TO_LAUNCH: _to_mode(Mode.RTL),
    dialect.MAV_CMD_NAV_LAND: _to_mode(Mode.LAND),
    dialect.MAV_CMD_NAV_TAKEOFF: _take_off,
    dialect.MAV_CMD_NAV_VTOL_TAKEOFF: _take_off,
    dialect.MAV_CMD_NAV_VTOL_LAND: _to_mode(Mode.LAND),
    dialect.MAV_CMD_CONDITION_YAW: _yaw,
    dialect.MAV_CMD_DO_SET_MODE: lambda state, request: set_mode(state, request.p1, request.p2),
    dialect.MAV_CMD_DO_CHANGE_SPEED: _change_speed,
    dialect.MAV_CMD_DO_SET_HOME: _set_home,
    dialect.MAV_CMD_DO_FLIGHTTERMINATION: _terminate,
    dialect.MAV_CMD_DO_REPOSITION: _reposition,
    dialect.MAV_CMD_DO_DIGICAM_CONTROL: _take_picture,
    dialect.MAV_CMD_DO_FENCE_ENABLE: _enable_fence,
    dialect.MAV_CMD_DO_SET_MISSION_CURRENT: _set_current,
    dialect.MAV_CMD_MISSION_START: _start_mission,
    dialect.MAV_CMD_COMPONENT_ARM_DISARM: _arm_or_disarm,
    dialect.MAV_CMD_RUN_PREARM_CHECKS: _check_before_arming,
    dialect.MAV_CMD_IMAGE_START_CAPTURE: _take_picture,
}

PLACED = frozenset(
    {
        dialect.MAV_CMD_DO_SET_HOME,
        dialect.MAV_CMD_DO_REPOSITION,
        dialect.MAV_CMD_DO_SET_ROI_LOCATION,
        dialect.MAV_CMD_DO_SET_ROI,
    }
)
"""Commands whose fifth and sixth parameters are a place; others' are not scaled."""
FRAMES_OF_LONG = {
    dialect.MAV_CMD_NAV_TAKEOFF: dialect.MAV_FRAME_GLOBAL_RELATIVE_ALT,
    dialect.MAV_CMD_NAV_VTOL_TAKEOFF: dialect.MAV_FRAME_GLOBAL_RELATIVE_ALT,
    dialect.MAV_CMD_DO_REPOSITION: dialect.MAV_FRAME_GLOBAL_RELATIVE_ALT,
}
"""MAV_FRAME of what comes as COMMAND_LONG, which has none; any other is absolute."""


def perform(state: State, request: Request) -> Result:
    """Do it, or say why not."""
    answer = _ANSWERS.get(request.command)
    return answer(state, request) if answer else Result.UNSUPPORTED
