"""What the car and the weather say in a world of tests, and how it gets there."""

import heapq
import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from internetcar.contract.drone import DroneWeather
from internetcar.contract.message import EPOCH, Message
from internetcar.contract.presence import Presence
from internetcar.contract.signals import Position, Signal
from services.drone.geodesy import Offset, Place, moved
from services.drone.moment import Moment
from services.drone.view import STEERING, YAW
from tests.drone_car import START, CarAt, Driver, Gnss

VEHICLE, DRONE, ASKER = "demo", "drone1", "phone"
SPEED = "Vehicle.Speed"
RAIN = "Vehicle.Body.Raindetection.Intensity"
TEMPERATURE = "Vehicle.Exterior.AirTemperature"
START_S = 100.0
YAW_NOISE_DPS, STEERING_NOISE_DEG = 0.3, 1.0
STEERING_RATIO, WHEELBASE_M = 14.0, 2.65


@dataclass
class CarLink:
    """How the car's messages reach the service."""

    loss: float = 0.0
    delay_s: float = 0.0
    jitter_s: float = 0.0
    every_s: float = 0.1


@dataclass
class Sky:
    """What the weather says and what it is."""

    wind_mps: float = 2.0
    from_deg: float = 270.0
    gust_mps: float | None = None
    rain_pct: float = 0.0
    temperature_c: float = 15.0


class Talk:
    """The car's part of a world."""

    now: Moment
    step_s: float

    def __init__(
        self, seed: int, driver: Driver, sky: Sky, car_link: CarLink, sigma_m: float
    ) -> None:
        self.driver, self.sky, self.car_link = driver, sky, car_link
        self.gnss = Gnss(random.Random(seed + 2), sigma_m)
        self.car_chance = random.Random(seed + 3)
        self.turn_chance = random.Random(seed + 4)
        """Of what it says of its turning: noise, loss, delay."""
        self._heading: float | None = None
        self.car: CarAt = driver.drive(0.0)
        self.is_car_silent = False
        self.says: dict[str, Any] = {}
        """What the car says otherwise than is so, by leaf; `None`: nothing."""
        self.change_position: Callable[[Position], Position | None] = lambda position: position
        self.change_weather: Callable[[DroneWeather], DroneWeather | None] = lambda told: told
        self.presence: dict[str, Any] = {}
        self.behind_ms = 0
        """How far the car's clock is behind the service's."""
        self._air: list[tuple[float, int, Message]] = []
        self._number = 0

    @property
    def car_true(self) -> Place:
        """Where the car is."""
        return moved(START, Offset(self.car.north_m, self.car.east_m))

    def arrived(self) -> list[Message]:
        """What of the car's messages has come by now."""
        out = []
        while self._air and self._air[0][0] <= self.now.s:
            out.append(heapq.heappop(self._air)[2])
        return out

    def talk(self) -> None:
        tick = round((self.now.s - START_S) / self.step_s)
        if self.is_car_silent:
            return
        at = EPOCH + timedelta(milliseconds=self.now.utc_ms - self.behind_ms)
        if tick % round(self.car_link.every_s / self.step_s) == 0:
            place = self.gnss.place(self.car_true, self.now.s)
            told = self.change_position(Position(
                vehicle_id=VEHICLE, latitude=place.lat_deg, longitude=place.lon_deg,
                accuracy_m=2.5, heading_deg=self.car.heading_deg,
                speed_kmh=self.car.speed_mps * 3.6, at=at,
            ))  # fmt: skip
            if told is not None:
                self._send(told)
        self._turn(tick, at)
        if tick % round(0.5 / self.step_s) == 0:
            self._leaf(SPEED, self.car.speed_mps * 3.6, at)
        if tick % round(20.0 / self.step_s) == 1:
            self._leaf(RAIN, self.sky.rain_pct, at)
            self._leaf(TEMPERATURE, self.sky.temperature_c, at)
            self._tell_surroundings(at)

    def _tell_surroundings(self, at: Any) -> None:
        presence = {
            "vehicle_id": VEHICLE, "online": True, "journal": "j", "since": at,
            "clock": "synchronized", "origin": "live", "software": "test", **self.presence,
        }  # fmt: skip
        if presence["online"] is not None:
            self._send(Presence.model_validate(presence), is_sure=True)
        told = self.change_weather(DroneWeather(
            vehicle_id=VEHICLE, drone_id=DRONE, at=at, wind_speed=self.sky.wind_mps,
            wind_gust=self.sky.gust_mps, wind_from=self.sky.from_deg,
        ))  # fmt: skip
        if told is not None:
            self._send(told, is_sure=True)

    def say_surroundings(self) -> None:
        """Presence, weather, rain and temperature now, not when they are due."""
        at = EPOCH + timedelta(milliseconds=self.now.utc_ms - self.behind_ms)
        self._leaf(RAIN, self.sky.rain_pct, at)
        self._leaf(TEMPERATURE, self.sky.temperature_c, at)
        self._tell_surroundings(at)

    def _turn(self, tick: int, at: Any) -> None:
        """Yaw rate and steering wheel, each in frames of its own, between two positions."""
        heading, mps, chance = self.car.heading_deg, self.car.speed_mps, self.turn_chance
        turned = (heading - (self._heading or heading) + 180.0) % 360.0 - 180.0
        rate, self._heading = -turned / self.step_s, heading
        apart = round(self.car_link.every_s / self.step_s)
        if not mps or tick % apart != apart // 2:
            return
        wheels = math.degrees(math.atan(math.radians(rate) * WHEELBASE_M / mps))
        steered = wheels * STEERING_RATIO + chance.gauss(0.0, STEERING_NOISE_DEG)
        for path, value in ((YAW, rate + chance.gauss(0.0, YAW_NOISE_DPS)), (STEERING, steered)):
            value = self.says.get(path, round(value, 2))
            if value is not None:
                told = Signal(vehicle_id=VEHICLE, path=path, value=value, at=at)
                self._send(told, chance=chance)

    def _leaf(self, path: str, value: Any, at: Any) -> None:
        value = self.says.get(path, value)
        if value is not None:
            told = Signal(vehicle_id=VEHICLE, path=path, value=value, at=at)
            self._send(told, is_sure=path != SPEED)

    def _send(
        self, message: Message, *, is_sure: bool = False, chance: random.Random | None = None
    ) -> None:
        link, chance = self.car_link, chance or self.car_chance
        if not is_sure and link.loss and chance.random() < link.loss:
            return
        late = chance.uniform(0.0, link.jitter_s) if link.jitter_s else 0.0
        self._number += 1
        heapq.heappush(self._air, (self.now.s + link.delay_s + late, self._number, message))
