"""The service in a world of tests: what it keeps, how it dies, how it landed."""

import math
from dataclasses import dataclass, field
from typing import Any

from services.drone.geodesy import Place, distance_m
from services.drone.moment import Moment
from services.drone.record.journal import line
from services.drone.settings import DroneSettings
from services.drone.store import DroneStore
from tests.drone_talk import ASKER, DRONE, VEHICLE


class KilledError(Exception):
    """The service is dead, here and now."""


@dataclass
class Landing:
    """One touch-down, and where the car was when it touched."""

    s: float
    place: Place
    car_said: Place | None
    car_true: Place
    car_later: Place
    """When the autopilot had noticed the ground, a second later."""
    speed_mps: float
    """Downwards, the fastest of the last metre."""
    battery_pct: float
    has_crashed: bool
    state: str

    @property
    def error_m(self) -> float:
        """Against the position that the car last reported."""
        return math.inf if self.car_said is None else distance_m(self.place, self.car_said)

    @property
    def later_error_m(self) -> float:
        """Once the autopilot had noticed the ground; until then no roof carries it along here."""
        return distance_m(self.place, self.car_later)

    @property
    def true_error_m(self) -> float:
        return distance_m(self.place, self.car_true)


@dataclass
class Recorder:
    """Keeps the lines of one life of the service."""

    memory: str | None
    lines: list[bytes] = field(default_factory=list)

    def write(self, event: Any, now: Moment, effects: Any) -> None:
        self.lines.append(line(event, now, effects))


class FragileStore(DroneStore):
    """A store in which the service may die: before a save reaches the disk, or just after it."""

    die_before = die_after = False

    def save(self, *given: Any) -> None:
        if self.die_before:
            raise KilledError
        super().save(*given)
        if self.die_after:
            raise KilledError


def settings(**changed: Any) -> DroneSettings:
    """Of the service; nothing from the environment or a file."""
    given = {
        "broker": "mqtt://127.0.0.1:1", "vehicle_id": VEHICLE, "drone_id": DRONE,
        "url": "udpin://127.0.0.1:1", "allow": {ASKER: ("launch", "follow", "return")},
    }  # fmt: skip
    return DroneSettings.model_validate({**given, **changed})
