"""What is said of a drone unasked: where it is, its service's presence and health (pure)."""

from dataclasses import dataclass

from internetcar.contract.drone import (
    Battery,
    DroneEvent,
    DroneOsd,
    DronePresence,
    State,
)
from internetcar.contract.message import instant
from services.drone.autopilot import DronePosition, DroneStatus
from services.drone.geodesy import Place, distance_m
from services.drone.moment import Moment

MODE_CODES: dict[State, int] = {
    "offline": 14, "docked": 0, "preflight": 1, "armed": 2, "takeoff": 4, "enroute": 5,
    "on_task": 5, "returning": 9, "rendezvous": 9, "landing": 10, "hold": 3,
    "divert_landing": 11, "failsafe": 9, "lost_link": 9, "fault": 14,
}  # fmt: skip
"""DJI's `mode_code` (Cloud API, OSD of an aircraft): 0 standby, 1 preparing, 2 ready, 3 manual,
4 automatic take-off, 5 wayline flight, 9 automatic return, 10 automatic landing, 11 forced landing,
14 not connected."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Which drone it is, and since when its service runs."""

    vehicle_id: str
    drone_id: str
    since_utc_ms: int = 0
    software: str = ""
    instance: str = ""
    """Of this start: by it a service knows its own words from those of another one."""


def presence(of: Identity, firmware: str, *, online: bool) -> DronePresence:
    """Whether the drone's service is there."""
    return DronePresence(
        vehicle_id=of.vehicle_id,
        drone_id=of.drone_id,
        online=online,
        since=instant(of.since_utc_ms),
        autopilot=firmware[:200],
        software=of.software[:60],
        instance=of.instance[:36],
    )


def health(of: Identity, now: Moment, code: str, level: int, detail: str) -> DroneEvent:
    """Something about the service's own health; level 0 is well, 2 is bad."""
    one = {"code": code, "level": level, "detail": detail[:200]}
    return DroneEvent(
        vehicle_id=of.vehicle_id,
        drone_id=of.drone_id,
        timestamp=now.utc_ms,
        method="hms",
        data={"list": [one]},
    )


def osd(
    of: Identity,
    status: DroneStatus,
    state: State,
    car: Place | None,
    predicted_pct: float | None,
    now: Moment,
) -> DroneOsd:
    """Where the drone is now.

    Args:
        of: Whose.
        status: All the autopilot last said.
        state: What the drone does.
        car: Where the car last was.
        predicted_pct: What will be left in the battery after the way back and the landing.
        now: When.
    """
    battery = Battery(
        capacity_percent=status.battery_pct,
        voltage=status.voltage_v,
        predicted_percent=None if predicted_pct is None else round(predicted_pct, 1),
    )
    said = DroneOsd(
        vehicle_id=of.vehicle_id,
        drone_id=of.drone_id,
        at=instant(now.utc_ms),
        mode_code=MODE_CODES[state],
        mode=status.mode_name[:40],
        armed=status.is_armed,
        gps_number=status.satellites,
        wind_speed=None if status.wind is None else round(status.wind.speed_mps, 2),
        battery=battery,
    )
    if status.position is None:
        return said
    return said.model_copy(update=_place(status.position, car))


def _place(at: DronePosition, car: Place | None) -> dict[str, float | None]:
    """Where it is and how it moves, as `DroneOsd` names it."""
    return {
        "latitude": at.place.lat_deg,
        "longitude": at.place.lon_deg,
        "height": round(at.altitude_m, 2),
        "elevation": round(at.height_m, 2),
        "horizontal_speed": round((at.north_mps**2 + at.east_mps**2) ** 0.5, 2),
        "vertical_speed": round(at.up_mps, 2),
        "attitude_head": round(at.heading_deg, 1),
        "home_distance": None if car is None else round(distance_m(car, at.place), 2),
    }
