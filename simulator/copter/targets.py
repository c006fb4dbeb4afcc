"""SET_POSITION_TARGET_*: what GUIDED is told without an answer (pure)."""

import math
from typing import Any

from simulator.copter import guided
from simulator.copter.commands import is_place, up_of
from simulator.copter.state import Mode, State

_NO_PLACE = 0x007
_NO_VELOCITY = 0x038
_NO_ACCELERATION = 0x1C0
_FORCE = 0x200
_NO_YAW = 0x400
"""Bits of POSITION_TARGET_TYPEMASK; one bit of three is enough, as in ArduCopter."""
_LOCAL_NED, _LOCAL_OFFSET, _BODY, _BODY_OFFSET = 1, 7, 8, 9
_SANE_MPS = 1_000.0


def on_global(state: State, message: Any) -> None:
    """SET_POSITION_TARGET_GLOBAL_INT; nonsense stops it."""
    if state.mode is not Mode.GUIDED:
        return
    place, up_m = None, None
    if not message.type_mask & _NO_PLACE:
        up_m = up_of(state, message.coordinate_frame, message.alt)
        if up_m is None or not is_place(message.lat_int, message.lon_int):
            guided.enter(state)
            return
        place = state.plane.north_east(message.lat_int * 1e-7, message.lon_int * 1e-7)
    _apply(state, message, place, up_m, (message.vx, message.vy, message.vz))


def on_local(state: State, message: Any) -> None:
    """SET_POSITION_TARGET_LOCAL_NED; nonsense stops it."""
    if state.mode is not Mode.GUIDED:
        return
    frame = message.coordinate_frame
    point = (message.x, message.y, message.z)
    velocity = (message.vx, message.vy, message.vz)
    if frame not in (_LOCAL_NED, _LOCAL_OFFSET, _BODY, _BODY_OFFSET):
        guided.enter(state)
        return
    if frame in (_BODY, _BODY_OFFSET):
        point = _turned(state, point)
        velocity = _turned(state, velocity)
    place, up_m = None, None
    if not message.type_mask & _NO_PLACE:
        if not all(math.isfinite(way) for way in point):
            guided.enter(state)
            return
        body = state.body
        here = (body.north_m, body.east_m, body.up_m)
        base = state.origin if frame == _LOCAL_NED else here
        place, up_m = (base[0] + point[0], base[1] + point[1]), base[2] - point[2]
    _apply(state, message, place, up_m, velocity)


def _turned(state: State, vector: tuple[float, float, float]) -> tuple[float, float, float]:
    """From forward and right to north and east."""
    angle = math.radians(state.body.heading_deg)
    forward, right, down = vector
    return (
        forward * math.cos(angle) - right * math.sin(angle),
        forward * math.sin(angle) + right * math.cos(angle),
        down,
    )


def _apply(
    state: State,
    message: Any,
    place: tuple[float, float] | None,
    up_m: float | None,
    velocity: tuple[float, float, float],
) -> None:
    mask = message.type_mask
    has_velocity = not mask & _NO_VELOCITY
    is_forced = mask & _FORCE and not mask & _NO_ACCELERATION
    is_sane = all(abs(speed) <= _SANE_MPS for speed in velocity)
    if is_forced or (has_velocity and not is_sane):
        guided.enter(state)
        return
    north_mps, east_mps, down_mps = velocity
    if place is not None and up_m is not None:
        if has_velocity:
            guided.track(state, place, up_m, (north_mps, east_mps), -down_mps)
        elif mask & _NO_ACCELERATION:
            guided.go_to(state, place, up_m)
        else:
            guided.enter(state)
            return
    elif has_velocity:
        guided.move(state, (north_mps, east_mps), -down_mps)
    else:
        guided.enter(state)
        return
    is_yaw_told = not mask & _NO_YAW and math.isfinite(message.yaw)
    state.guided.heading_deg = math.degrees(message.yaw) % 360.0 if is_yaw_told else None
