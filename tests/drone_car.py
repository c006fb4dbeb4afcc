"""A scripted car: parked, driving a path with stops, creeping in a jam; and what its GNSS says."""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from services.drone.geodesy import Offset, Place, moved

START = Place(52.52, 13.40)
ACCELERATION_MPS2 = 2.0


@dataclass(frozen=True, slots=True)
class CarAt:
    """Where the car truly is, as metres from its start, and how it moves."""

    north_m: float = 0.0
    east_m: float = 0.0
    heading_deg: float = 0.0
    speed_mps: float = 0.0


class Driver(Protocol):
    """Drives the car: asked at every step, in the order of time."""

    def drive(self, dt_s: float) -> CarAt:
        """Let time pass."""


@dataclass
class Parked:
    """It stands."""

    at: CarAt = field(default_factory=CarAt)

    def drive(self, dt_s: float) -> CarAt:
        return self.at


@dataclass
class Goes:
    """Drives straight on to wherever it is told, metre by metre, and stops there."""

    heading_deg: float = 0.0
    at: CarAt = field(default_factory=CarAt)
    left_m: float = 0.0
    cruise_mps: float = 5.0

    def go(self, way_m: float, cruise_mps: float) -> None:
        """From now on so far on, no faster than that."""
        self.left_m += way_m
        self.cruise_mps = cruise_mps

    def drive(self, dt_s: float) -> CarAt:
        stop_mps = math.sqrt(2.0 * ACCELERATION_MPS2 * max(self.left_m, 0.0))
        wanted = min(self.cruise_mps, stop_mps)
        change = max(-3 * dt_s, min(ACCELERATION_MPS2 * dt_s, wanted - self.at.speed_mps))
        speed = max(0.0, self.at.speed_mps + change)
        step = min(speed * dt_s, self.left_m)
        self.left_m -= step
        if self.left_m <= 1e-3:
            self.left_m, speed = 0.0, 0.0
        angle = math.radians(self.heading_deg)
        self.at = CarAt(
            self.at.north_m + step * math.cos(angle), self.at.east_m + step * math.sin(angle),
            self.heading_deg, speed,
        )  # fmt: skip
        return self.at


@dataclass
class Jam:
    """Stands and creeps by turns, until the jam is over for it and it stands for good.

    Args:
        chance: How far and how long.
        until_s: Then it stands.
    """

    chance: random.Random
    until_s: float
    heading_deg: float = 0.0
    now_s: float = 0.0
    next_s: float = 20.0
    car: Goes = field(init=False)

    def __post_init__(self) -> None:
        self.car = Goes(self.heading_deg)

    def drive(self, dt_s: float) -> CarAt:
        self.now_s += dt_s
        if self.now_s >= self.next_s and self.now_s < self.until_s:
            self.car.go(self.chance.uniform(4.0, 15.0), self.chance.uniform(0.8, 2.5))
            self.next_s = self.now_s + self.chance.uniform(8.0, 30.0)
        return self.car.drive(dt_s)


@dataclass
class Legs:
    """Straight legs with corners of a radius between them, right and left by turns, at one speed.

    Stands until `go_s`; the corners are turned at the same speed.
    """

    speed_mps: float = 20.0 / 3.6
    leg_m: float = 100.0
    radius_m: float = 8.0
    go_s: float = 1e9
    turns: Sequence[int] = (1, 1, -1, -1, 1, -1)
    now_s: float = 0.0
    at: CarAt = field(default_factory=CarAt)
    done_m: float = 0.0
    index: int = 0
    is_corner: bool = False

    def drive(self, dt_s: float) -> CarAt:
        self.now_s += dt_s
        if self.now_s < self.go_s:
            return self.at
        speed = min(self.speed_mps, self.at.speed_mps + ACCELERATION_MPS2 * dt_s)
        step, north, east, heading = (
            speed * dt_s,
            self.at.north_m,
            self.at.east_m,
            self.at.heading_deg,
        )
        if self.is_corner:
            turned = math.degrees(step / self.radius_m) * self.turns[self.index % len(self.turns)]
            middle = math.radians(heading + turned / 2)
            heading = (heading + turned) % 360.0
        else:
            middle = math.radians(heading)
        north, east = north + step * math.cos(middle), east + step * math.sin(middle)
        self.done_m += step
        most = self.radius_m * math.pi / 2 if self.is_corner else self.leg_m
        if self.done_m >= most:
            self.done_m, was, self.is_corner = 0.0, self.is_corner, not self.is_corner
            self.index += was
            if was:
                heading = round(heading / 90.0) * 90.0 % 360.0
        self.at = CarAt(north, east, heading, speed)
        return self.at


class Gnss:
    """What a receiver says: off by a correlated error, first-order Markov.

    Args:
        chance: Its errors.
        sigma_m: Of each axis; 0 is exact.
        tau_s: How long an error lasts.
    """

    def __init__(self, chance: random.Random, sigma_m: float = 0.0, tau_s: float = 30.0) -> None:
        self._chance, self._sigma_m, self._tau_s = chance, sigma_m, tau_s
        self._north_m = chance.gauss(0.0, sigma_m) if sigma_m else 0.0
        self._east_m = chance.gauss(0.0, sigma_m) if sigma_m else 0.0
        self._last_s: float | None = None

    def place(self, true: Place, now_s: float) -> Place:
        """Where it says that it is."""
        if not self._sigma_m:
            return true
        if self._last_s is not None:
            keep = math.exp(-(now_s - self._last_s) / self._tau_s)
            spread = self._sigma_m * math.sqrt(1.0 - keep * keep)
            self._north_m = self._north_m * keep + self._chance.gauss(0.0, spread)
            self._east_m = self._east_m * keep + self._chance.gauss(0.0, spread)
        self._last_s = now_s
        return moved(true, Offset(self._north_m, self._east_m))
