"""GUIDED: it goes where it is told (pure)."""

import math

from simulator.copter.fencing import forbids
from simulator.copter.motors import feel_ground, lift_off
from simulator.copter.state import Guided, State

_TAKE_OFF_REACHED_M = 0.3


def enter(state: State) -> None:
    """Begin: stop and hover until told otherwise."""
    parameters = state.parameters
    state.guided = Guided(
        told_s=state.now_s,
        speed_mps=parameters["WPNAV_SPEED"] / 100.0,
        climb_mps=parameters["WPNAV_SPEED_UP"] / 100.0,
        descent_mps=parameters["WPNAV_SPEED_DN"] / 100.0,
    )


def _change(state: State, kind: str) -> Guided:
    """The kind of target is another one: speeds set before are forgotten, as ArduCopter does."""
    if state.guided.kind != kind:
        enter(state)
        state.guided.kind = kind
    state.guided.told_s = state.now_s
    return state.guided


def take_off(state: State, height_m: float) -> bool:
    """Climb straight up to a height above home; false where it cannot."""
    if not state.is_armed or not state.is_landed or not height_m > state.height_m:
        return False
    guided = _change(state, "take_off")
    guided.is_complete = False
    guided.place = (state.body.north_m, state.body.east_m)
    guided.up_m = state.home_up_m + height_m
    return True


def go_to(state: State, place: tuple[float, float], up_m: float) -> bool:
    """Fly to a place and stay; false where the fence forbids the target."""
    if forbids(state, *place, up_m):
        return False
    guided = _change(state, "position")
    guided.place, guided.up_m = place, up_m
    guided.velocity, guided.up_mps = (0.0, 0.0), 0.0
    return True


def track(
    state: State,
    place: tuple[float, float],
    up_m: float,
    velocity: tuple[float, float],
    up_mps: float,
) -> bool:
    """Be at a place that moves; false where the fence forbids it."""
    if forbids(state, *place, up_m):
        return False
    guided = _change(state, "track")
    guided.place, guided.up_m = place, up_m
    guided.velocity, guided.up_mps = velocity, up_mps
    return True


def move(state: State, velocity: tuple[float, float], up_mps: float) -> None:
    """Fly with a velocity."""
    guided = _change(state, "velocity")
    guided.velocity, guided.up_mps = velocity, up_mps


def run(state: State, dt_s: float) -> None:
    """One step."""
    guided = state.guided
    body = state.body
    if guided.kind == "take_off":
        if lift_off(state):
            body.fly_to(dt_s, guided.place, (0.0, 0.0), guided.speed_mps)
            body.climb_to(dt_s, guided.up_m, 0.0, guided.climb_mps, guided.descent_mps)
            if abs(body.up_m - guided.up_m) < _TAKE_OFF_REACHED_M:
                guided.is_complete = True
        return
    if state.is_landed:
        return
    is_old = state.now_s - guided.told_s > state.parameters["GUID_TIMEOUT"]
    if is_old and guided.kind != "position":
        guided.velocity, guided.up_mps = (0.0, 0.0), 0.0
    north_mps, east_mps = guided.velocity
    if guided.kind == "velocity":
        speed_mps = (north_mps * north_mps + east_mps * east_mps) ** 0.5
        share = min(1.0, guided.speed_mps / speed_mps) if speed_mps else 1.0
        body.fly(dt_s, north_mps * share, east_mps * share)
        body.climb(dt_s, max(-guided.descent_mps, min(guided.climb_mps, guided.up_mps)))
        feel_ground(state, is_descending=guided.up_mps < 0.0)
    else:
        body.fly_to(dt_s, guided.place, guided.velocity, guided.speed_mps)
        body.climb_to(dt_s, guided.up_m, guided.up_mps, guided.climb_mps, guided.descent_mps)
        feel_ground(state, is_descending=guided.up_m <= 0.0)
        if guided.kind == "track":
            guided.place = (
                guided.place[0] + north_mps * dt_s,
                guided.place[1] + east_mps * dt_s,
            )
            guided.up_m += guided.up_mps * dt_s
    face(state, dt_s, guided.heading_deg)


def face(state: State, dt_s: float, heading_deg: float | None) -> None:
    """Turn to a heading, or (`None`) to where it flies."""
    body = state.body
    if heading_deg is None:
        if body.ground_speed_mps < 1.0:
            return
        heading_deg = _course_deg(body.north_mps, body.east_mps)
    body.turn(dt_s, heading_deg)


def _course_deg(north_mps: float, east_mps: float) -> float:
    return math.degrees(math.atan2(east_mps, north_mps))
