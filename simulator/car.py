"""The whole virtual car: driver, motion, energy, cabin, body and receiver, advanced together."""

import math
from dataclasses import dataclass
from random import Random

from simulator import cabin, vehicle
from simulator.body import WIPER_FAST, WIPER_OFF, WIPER_SLOW, Body
from simulator.driver import Driver
from simulator.gnss import Fix, Receiver
from simulator.route import Place, Route
from simulator.vehicle import Parameters, VehicleState

POWER_ON = 4
IDLE_W = 350.0
"""Computers, pumps, screens while the car is on."""
CHARGER_W = 150_000.0
"""At home stands a fast charger: a pause gives back what a loop takes."""
BODY_STEP_S = 0.1
SEAT_MM = {1: 180.0, 2: 205.0, 3: 230.0, 4: 255.0}
"""Where the seat goes for each driver the car knows."""


@dataclass(frozen=True, slots=True)
class Truth:
    """Where the car really is; frames say only what its receiver believes."""

    at_s: float
    lat_deg: float
    lon_deg: float
    altitude_m: float
    heading_deg: float
    speed_mps: float
    distance_m: float
    in_tunnel: bool


@dataclass(frozen=True, slots=True)
class Weather:
    """Air temperature in °C, rain in percent, sun on the roof in W/m²."""

    outside_c: float
    rain_pct: float
    sun_w_per_m2: float


def weather_at(at_s: float, phase_s: float) -> Weather:
    """A tropical morning: it warms up, and showers pass every half hour or so."""
    rain = max(0.0, (math.sin(2 * math.pi * (at_s + phase_s) / 1_800.0) - 0.6) / 0.4)
    warmth = 27.0 + 5.0 * math.sin(math.pi * min(at_s / 18_000.0, 1.0))
    return Weather(warmth - 2.0 * rain, 100.0 * rain, 650.0 * (1 - 0.8 * rain))


class Car:
    """One simulated vehicle; the same seed gives the same life.

    Attributes:
        state: Motion and energy.
        body: Controllers and their signals.
        place: The road under the car.
        fix: What the receiver says, None without a fix.
    """

    def __init__(self, route: Route, seed: int, start_m: float = 0.0):
        random = Random(seed)
        self.parameters = Parameters()
        self.route = route
        self.body = Body()
        self.driver = Driver(route, Random(random.random()), start_m)
        self.receiver = Receiver(Random(random.random()))
        charge_kwh = self.parameters.capacity_kwh * random.uniform(0.6, 0.9)
        self.state = VehicleState(distance_m=start_m, battery_kwh=charge_kwh)
        self.odometer_m = random.uniform(8e6, 60e6) - start_m
        self.consumed_before_kwh = self.odometer_m / 1_000.0 * 0.17
        self.trip_from_m = start_m
        self._weather_phase_s = random.uniform(0.0, 900.0)
        self.weather = weather_at(0.0, self._weather_phase_s)
        self.cabin_c = self.weather.outside_c + 6.0
        self.tyre_kpa = [random.uniform(238.0, 252.0) for _ in range(4)]
        self.at_s = 0.0
        self.place: Place = route.at(start_m)
        self.fix: Fix | None = None
        self._auxiliary_w = 0.0
        self._body_due_s = 0.0

    @property
    def truth(self) -> Truth:
        """The true position and motion now."""
        place, state = self.place, self.state
        return Truth(
            self.at_s,
            place.lat_deg,
            place.lon_deg,
            place.altitude_m,
            place.heading_deg,
            state.speed_mps,
            state.distance_m,
            place.tunnel,
        )

    def advance(self, dt_s: float) -> None:
        """Live `dt_s` seconds, at most 0.2."""
        self.at_s += dt_s
        state = self.state
        was_driving = self.driver.is_driving
        wish = self.driver.advance(
            self.at_s, dt_s, state.distance_m, state.speed_mps, self.place, self.body
        )
        if self.driver.is_driving and not was_driving:
            self.trip_from_m = state.distance_m
        if self.body.signals["Charging_State"] == 1:
            self.state = vehicle.charge(state, CHARGER_W, dt_s)
        else:
            self.state = vehicle.step(
                state, self.parameters, wish, self.place.gradient, self._auxiliary_w, dt_s
            )
        self.place = self.route.at(self.state.distance_m)
        if self.at_s >= self._body_due_s:
            self._body_due_s += BODY_STEP_S
            self._advance_body()

    def observe(self) -> Fix | None:
        """Ask the receiver for a fix now."""
        place = self.place
        self.fix = self.receiver.observe(
            self.at_s,
            place.lat_deg,
            place.lon_deg,
            place.altitude_m,
            place.heading_deg,
            self.state.speed_mps,
            place.tunnel,
        )
        return self.fix

    def _advance_body(self) -> None:
        body, signals = self.body, self.body.signals
        self.weather = weather_at(self.at_s, self._weather_phase_s)
        is_on = signals["Power_Mode"] == POWER_ON
        climate = None
        if is_on:
            climate = cabin.Climate(
                (signals["HVAC_Temperature_Driver"] + signals["HVAC_Temperature_Passenger"]) / 2,
                (signals["HVAC_Fan_Driver"] + signals["HVAC_Fan_Passenger"]) / 2,
                bool(signals["HVAC_AC"]),
                bool(signals["HVAC_Recirculation"]),
            )
        self.cabin_c, climate_w = cabin.step(
            self.cabin_c, self.weather.outside_c, self.weather.sun_w_per_m2, climate, BODY_STEP_S
        )
        self._auxiliary_w = climate_w + (IDLE_W if is_on else 0.0)
        body.automatic(self._automatic(is_on))
        if signals["Charging_State"] == 1:
            level = vehicle.charge_level_pct(self.state, self.parameters)
            if level >= signals["Charging_Limit"]:
                body.set({"Charging_State": 2})
        body.advance(BODY_STEP_S)

    def _automatic(self, is_on: bool) -> dict[str, float]:
        rain = self.weather.rain_pct
        dark = self.place.tunnel or rain > 20.0
        wipers = WIPER_OFF if rain < 2.0 else WIPER_SLOW if rain < 60.0 else WIPER_FAST
        gap = self.cabin_c - self.body.signals["HVAC_Temperature_Driver"]
        fan = min(90, max(20, 20 + 10 * round(gap))) if is_on else 0
        braking = self.state.brake_force_n > 100.0 or self.state.acceleration_mps2 < -0.8
        identifier = int(self.body.signals["Occupant_Identifier_Driver"])
        seat = {"Seat_Driver_Position": SEAT_MM[identifier]} if identifier in SEAT_MM else {}
        return seat | {
            "Light_Low_Beam": float(is_on and dark),
            "Light_Brake": float(is_on and braking),
            "Wiper_Mode": wipers if is_on else WIPER_OFF,
            "HVAC_Recirculation": float(is_on and self.place.tunnel),
            "HVAC_Fan_Driver": fan,
            "HVAC_Fan_Passenger": fan,
            "HVAC_AC": float(is_on),
        }
