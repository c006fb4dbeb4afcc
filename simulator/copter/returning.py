"""RTL and LAND: home by itself, and down (pure)."""

import math

from simulator.copter.body import approach_speed
from simulator.copter.fencing import ALT_MAX, enabled
from simulator.copter.guided import face
from simulator.copter.motors import disarm, feel_ground
from simulator.copter.state import Return, State

_REACHED_M = 0.3
_HEIGHT_LEAST_M = 0.3


def land(state: State, dt_s: float, place: tuple[float, float]) -> None:
    """One step down at a place; disarms on the ground."""
    parameters = state.parameters
    body = state.body
    if state.has_position:
        body.fly_to(dt_s, place, (0.0, 0.0), parameters["WPNAV_SPEED"] / 100.0)
    else:
        north_mps, east_mps = state.air
        body.fly(dt_s, DRIFT * north_mps, DRIFT * east_mps)
    slow_mps = parameters["LAND_SPEED"] / 100.0
    fast_mps = (parameters["LAND_SPEED_HIGH"] or parameters["WPNAV_SPEED_DN"]) / 100.0
    above_m = state.height_m - parameters["LAND_ALT_LOW"] / 100.0
    speed_mps = approach_speed(above_m, 1.0, 0.5) if above_m > 0.0 else 0.0
    body.climb(dt_s, -max(slow_mps, min(fast_mps, speed_mps)))
    feel_ground(state, is_descending=True)
    if state.is_landed:
        disarm(state)


DRIFT = 0.3
"""Share of the wind that it drifts with when it does not know where it is."""


def start(state: State) -> None:
    """Begin RTL; the way is built with the first step, and never again."""
    state.rtl = Return(since_s=state.now_s)


def build(state: State) -> None:
    """The way home from here, to the home of now."""
    parameters = state.parameters
    rtl = state.rtl
    place, up_m = _target(state)
    origin = state.body.stopping_point()
    here_m = state.height_m
    height_m = max(
        here_m + max(0.0, parameters["RTL_CLIMB_MIN"] / 100.0),
        parameters["RTL_ALT"] / 100.0,
        _HEIGHT_LEAST_M,
    )
    slope = parameters["RTL_CONE_SLOPE"]
    if slope >= 0.5:
        away_m = math.dist(origin, place)
        height_m = max(here_m, min(height_m, max(away_m * slope, here_m + 2.5)))
    if enabled(state) & ALT_MAX:
        ceiling_m = parameters["FENCE_ALT_MAX"] - parameters["FENCE_MARGIN"]
        height_m = min(height_m, ceiling_m)
    rtl.phase, rtl.origin, rtl.place = "climb", origin, place
    rtl.home_up_m = up_m
    rtl.height_m = up_m + height_m


def _target(state: State) -> tuple[tuple[float, float], float]:
    """Home, or a rally point that is nearer and within its limit: place and the height of home."""
    home = state.home or (state.body.north_m, state.body.east_m, 0.0)
    here = (state.body.north_m, state.body.east_m)
    best = (home[0], home[1])
    best_m = math.dist(here, best)
    limit_m = state.parameters["RALLY_LIMIT_KM"] * 1_000.0
    for item in state.rally:
        place = state.plane.north_east(*item.place)
        away_m = math.dist(here, place)
        if away_m < best_m and (limit_m <= 0.0 or away_m <= limit_m):
            best, best_m = place, away_m
    return best, home[2]


def run(state: State, dt_s: float) -> None:
    """One step of RTL."""
    if state.is_landed:
        return
    rtl = state.rtl
    if rtl.phase == "start":
        build(state)
    if rtl.phase == "land":
        land(state, dt_s, rtl.place)
        return
    parameters = state.parameters
    speed_mps = (parameters["RTL_SPEED"] or parameters["WPNAV_SPEED"]) / 100.0
    place = rtl.origin if rtl.phase == "climb" else rtl.place
    up_m = rtl.height_m
    if rtl.phase == "descent":
        up_m = rtl.home_up_m + parameters["RTL_ALT_FINAL"] / 100.0
    body = state.body
    body.fly_to(dt_s, place, (0.0, 0.0), speed_mps)
    body.climb_to(
        dt_s, up_m, 0.0, parameters["WPNAV_SPEED_UP"] / 100.0, parameters["WPNAV_SPEED_DN"] / 100.0
    )
    face(state, dt_s, None)
    _go_on(state, place, up_m)


def _go_on(state: State, place: tuple[float, float], up_m: float) -> None:
    """The next phase, where this one is done."""
    rtl = state.rtl
    body = state.body
    if rtl.phase == "climb" and abs(up_m - body.up_m) < _REACHED_M:
        rtl.phase = "return"
    elif rtl.phase == "return":
        away_m = math.dist((body.north_m, body.east_m), place)
        if away_m < state.parameters["WPNAV_RADIUS"] / 100.0:
            rtl.phase, rtl.since_s = "loiter", state.now_s
            rtl.wait_s = state.parameters["RTL_LOIT_TIME"] / 1_000.0
    elif rtl.phase == "loiter" and state.now_s - rtl.since_s >= rtl.wait_s:
        rtl.phase = "descent" if state.parameters["RTL_ALT_FINAL"] > 0.0 else "land"
