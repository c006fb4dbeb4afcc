"""Intents as MAVLink messages: the only place where its integers are written (pure)."""

import math
from collections.abc import Callable
from typing import Any

from services.drone.autopilot import FenceArea, OperatorAt, Track
from services.drone.geodesy import Place
from services.drone.mavlink.codec import mavlink
from services.drone.mavlink.mission import MissionItem

Target = tuple[int, int]
"""System and component id of the autopilot."""

REMOTE_ID_EPOCH_S = 1_546_300_800
"""Remote ID counts seconds since 2019-01-01 UTC."""
UNKNOWN_ALTITUDE_M = -1000.0

POSITION_AND_VELOCITY = (
    mavlink.POSITION_TARGET_TYPEMASK_AX_IGNORE
    | mavlink.POSITION_TARGET_TYPEMASK_AY_IGNORE
    | mavlink.POSITION_TARGET_TYPEMASK_AZ_IGNORE
    | mavlink.POSITION_TARGET_TYPEMASK_YAW_RATE_IGNORE
)
NO_YAW = mavlink.POSITION_TARGET_TYPEMASK_YAW_IGNORE


def degrees_e7(place: Place) -> tuple[int, int]:
    """Latitude and longitude in 1e-7 degrees."""
    return round(place.lat_deg * 1e7), round(place.lon_deg * 1e7)


def long_command(target: Target, command: int, *params: float) -> Callable[[int], Any]:
    """A COMMAND_LONG by the number of its try."""
    filled = (*params, *([0.0] * (7 - len(params))))
    return lambda sent: mavlink.MAVLink_command_long_message(*target, command, sent, *filled)


def place_command(
    target: Target, command: int, frame: int, place: Place, altitude_m: float, *params: float
) -> Callable[[int], Any]:
    """A COMMAND_INT, which keeps a place to the centimetre; every try is the same."""
    lat, lon = degrees_e7(place)
    message = mavlink.MAVLink_command_int_message(
        *target, frame, command, 0, 0, *params, lat, lon, altitude_m
    )
    return lambda _sent: message


def go_to(target: Target, place: Place, height_m: float) -> Callable[[int], Any]:
    """DO_REPOSITION without a change of mode: whoever took the sticks keeps them."""
    return place_command(
        target, mavlink.MAV_CMD_DO_REPOSITION, mavlink.MAV_FRAME_GLOBAL_RELATIVE_ALT_INT,
        place, height_m, -1.0, 0.0, 0.0, math.nan,
    )  # fmt: skip


def track(target: Target, intent: Track, time_ms: int) -> Any:
    """SET_POSITION_TARGET_GLOBAL_INT with position and velocity."""
    lat, lon = degrees_e7(intent.place)
    north, east, up = intent.velocity
    mask, yaw = POSITION_AND_VELOCITY, 0.0
    if intent.heading_deg is None:
        mask |= NO_YAW
    else:
        yaw = math.radians((intent.heading_deg + 180.0) % 360.0 - 180.0)
    zero = 0.0
    return mavlink.MAVLink_set_position_target_global_int_message(
        time_ms % (1 << 32), *target, mavlink.MAV_FRAME_GLOBAL_RELATIVE_ALT_INT, mask,
        lat, lon, intent.height_m, north, east, -up, zero, zero, zero, yaw, zero,
    )  # fmt: skip


def operator_at(target: Target, intent: OperatorAt, utc_ms: int) -> Any:
    """OPEN_DRONE_ID_SYSTEM_UPDATE."""
    lat, lon = degrees_e7(intent.place)
    altitude_m = UNKNOWN_ALTITUDE_M if intent.altitude_m is None else intent.altitude_m
    at_s = max(0, utc_ms // 1000 - REMOTE_ID_EPOCH_S)
    return mavlink.MAVLink_open_drone_id_system_update_message(
        *target, lat, lon, altitude_m, at_s
    )  # fmt: skip


def fence_items(areas: tuple[FenceArea, ...]) -> list[MissionItem]:
    """Polygons as mission items: each corner says how many its polygon has."""
    items = []
    for area in areas:
        command = (
            mavlink.MAV_CMD_NAV_FENCE_POLYGON_VERTEX_INCLUSION
            if area.is_inclusion
            else mavlink.MAV_CMD_NAV_FENCE_POLYGON_VERTEX_EXCLUSION
        )
        count = float(len(area.corners))
        items += [MissionItem(command, count, *degrees_e7(corner)) for corner in area.corners]
    return items
