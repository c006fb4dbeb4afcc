"""AUTO: the mission flies (pure)."""

import math

from simulator.copter import returning
from simulator.copter.guided import face
from simulator.copter.items import (
    ABSOLUTE_FRAMES,
    CHANGE_SPEED,
    LAND,
    LOITER,
    RETURN,
    TAKE_OFF,
    WAYPOINT,
    Item,
)
from simulator.copter.motors import lift_off
from simulator.copter.state import Auto, State

_HEIGHT_REACHED_M = 0.5
_NEEDS_NO_THROTTLE = 2
"""Of AUTO_OPTIONS: it takes off without MISSION_START."""


def may_start(state: State) -> str:
    """Why AUTO is refused; empty: it is not. The first item is home and does not count."""
    if len(state.mission) < 2:
        return "no mission"
    is_waiting = state.is_armed and state.is_landed
    if is_waiting and state.mission[1].command != TAKE_OFF:
        return "Missing Takeoff Cmd"
    return ""


def start(state: State) -> None:
    """Begin from the item that is current."""
    index = state.auto.index if not state.auto.is_done else 1
    options = int(state.parameters["AUTO_OPTIONS"])
    state.auto = Auto(
        index=min(index, max(1, len(state.mission) - 1)),
        is_started=not state.is_landed or bool(options & _NEEDS_NO_THROTTLE),
        speed_mps=state.parameters["WPNAV_SPEED"] / 100.0,
        place=state.body.stopping_point(),
        up_m=state.body.up_m,
    )


def run(state: State, dt_s: float) -> None:
    """One step of AUTO."""
    auto = state.auto
    if not auto.is_started or (state.is_landed and auto.is_done):
        return
    if not auto.is_entered:
        _enter(state)
    item = state.mission[auto.index] if auto.index < len(state.mission) else None
    if item is None or auto.is_done:
        _hover(state, dt_s)
    elif item.command == RETURN:
        returning.run(state, dt_s)
        auto.is_landing = state.rtl.phase == "land"
    elif auto.is_landing:
        returning.land(state, dt_s, auto.place)
    elif item.command != TAKE_OFF or lift_off(state):
        if state.is_landed:
            return
        _hover(state, dt_s)
        if item.command != LOITER and _is_reached(state, item):
            _next(state)


def _hover(state: State, dt_s: float) -> None:
    auto = state.auto
    parameters = state.parameters
    state.body.fly_to(dt_s, auto.place, (0.0, 0.0), auto.speed_mps)
    up_mps, down_mps = parameters["WPNAV_SPEED_UP"] / 100.0, parameters["WPNAV_SPEED_DN"] / 100.0
    state.body.climb_to(dt_s, auto.up_m, 0.0, up_mps, down_mps)
    face(state, dt_s, None)


def _enter(state: State) -> None:
    """Take the current item; those that are done at once are passed over."""
    auto = state.auto
    auto.is_entered = True
    auto.is_taking_off = False
    while auto.index < len(state.mission):
        item = state.mission[auto.index]
        if item.command in (WAYPOINT, LOITER, LAND, TAKE_OFF):
            _aim(state, item)
            auto.is_landing = item.command == LAND and _is_over(state)
            auto.is_taking_off = item.command == TAKE_OFF
            return
        if item.command == RETURN:
            returning.start(state)
            return
        if item.command == CHANGE_SPEED and item.parameters[1] > 0.0:
            auto.speed_mps = min(item.parameters[1], 20.0)
        auto.index += 1
    auto.is_done = True


def _aim(state: State, item: Item) -> None:
    auto = state.auto
    if item.command != TAKE_OFF and (item.lat_e7 or item.lon_e7):
        auto.place = state.plane.north_east(*item.place)
    elif item.command == TAKE_OFF:
        auto.place = (state.body.north_m, state.body.east_m)
    if item.command != LAND:
        is_absolute = item.frame in ABSOLUTE_FRAMES
        base_m = -state.ground_altitude_m if is_absolute else state.home_up_m
        auto.up_m = base_m + item.altitude_m


def _is_over(state: State) -> bool:
    body = state.body
    away_m = math.dist((body.north_m, body.east_m), state.auto.place)
    return away_m < state.parameters["WPNAV_RADIUS"] / 100.0


def _is_reached(state: State, item: Item) -> bool:
    auto = state.auto
    if item.command == LAND:
        auto.is_landing = _is_over(state)
        return False
    if not _is_over(state) or abs(auto.up_m - state.body.up_m) > _HEIGHT_REACHED_M:
        return False
    if auto.reached_s is None:
        auto.reached_s = state.now_s
    hold_s = item.parameters[0] if item.command == WAYPOINT else 0.0
    return not state.now_s - auto.reached_s < hold_s


def _next(state: State) -> None:
    auto = state.auto
    state.reached.append(auto.index)
    auto.index += 1
    auto.reached_s = None
    auto.is_entered = False
