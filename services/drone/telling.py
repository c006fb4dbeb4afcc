"""What is said of the drone's service: whether it is there, and its health (pure)."""

from dataclasses import dataclass
from datetime import timedelta

from internetcar.contract.drone import (
    DroneEvent,
    DronePresence,
)
from internetcar.contract.message import EPOCH, Instant
from services.drone.moment import Moment


@dataclass(frozen=True, slots=True)
class Identity:
    """Which drone it is, and since when its service runs."""

    vehicle_id: str
    drone_id: str
    since_utc_ms: int = 0
    software: str = ""


def instant(utc_ms: int) -> Instant:
    """A moment as messages have it."""
    return EPOCH + timedelta(milliseconds=utc_ms)


def presence(of: Identity, firmware: str, *, online: bool) -> DronePresence:
    """Whether the drone's service is there."""
    return DronePresence(
        vehicle_id=of.vehicle_id,
        drone_id=of.drone_id,
        online=online,
        since=instant(of.since_utc_ms),
        autopilot=firmware[:200],
        software=of.software[:60],
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
