"""Cars that do not exist and how they are driven: what they take is not linear in any sums.

Three cars: the reference car's own physics (`simulator/vehicle.py`), a petrol car with gears, a
cold engine and fuel cut, and an electric one whose motor, brakes and heating have maps and limits.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from internetcar.contract.trips import Driving
from services.recommendations.eco.drive import Drive, Unit
from services.trips.driving import Motion
from services.trips.reading import Reading
from simulator import cabin, vehicle
from tests.drivers.dice import Dice

STEP_S = 1.0
_G = 9.81


class Segment(NamedTuple):
    """A piece of road: its limit in m/s, length in m, and how likely one has to stop at its end."""

    limit_mps: float
    length_m: float
    stop: float


@dataclass(frozen=True)
class Route:
    """A road, the wave of its hills (m, m), and how much higher it ends, in m."""

    segments: tuple[Segment, ...]
    hill_m: float
    wave_m: float
    climb_m: float


class Habits(NamedTuple):
    """How somebody drives: a share of the limit, m/s² up and down, how unsteady in m/s."""

    name: str
    pace: float
    faster_mps2: float
    slower_mps2: float
    unsteady_mps: float


HABITS = (
    Habits("anna", 0.95, 1.2, 1.2, 0.4),
    Habits("bela", 1.10, 2.4, 2.6, 1.6),
    Habits("cleo", 1.02, 1.7, 1.8, 0.9),
)


class Trip(NamedTuple):
    """A trip as it was: speed in m/s and gradient each `STEP_S`, °C outside, hours stood before."""

    habits: Habits
    speeds: list[float]
    gradients: list[float]
    outside_c: float
    stood_h: float


def route(dice: Dice) -> Route:
    """A way through a town, over land or on a motorway."""
    town = [Segment(dice.between(8, 14), dice.between(150, 700), 0.55)
            for _ in range(int(dice.between(4, 14)))]  # fmt: skip
    land = [Segment(dice.between(18, 28), dice.between(800, 5_000), 0.25)
            for _ in range(int(dice.between(0, 5)))]  # fmt: skip
    fast = [Segment(dice.between(28, 36), dice.between(4_000, 20_000), 0.0)
            for _ in range(int(dice.between(0, 2.2)))]  # fmt: skip
    after = [Segment(dice.between(8, 14), dice.between(150, 700), 0.55)
             for _ in range(int(dice.between(2, 8)))]  # fmt: skip
    return Route((*town, *land, *fast, *after), dice.between(0, 12), dice.between(800, 4_000),
                 dice.normal(0, 12))  # fmt: skip


def driven(road: Route, habits: Habits, dice: Dice, day: int) -> Trip:
    """One trip on a road."""
    speeds, gradients, gone_m = [0.0] * int(dice.late(20)), [], 0.0
    gradients += [0.0] * len(speeds)
    traffic, mood, speed, wave = dice.between(0.8, 1.02), dice.between(0.96, 1.04), 0.0, 0.0
    whole_m = sum(segment.length_m for segment in road.segments)
    for segment, after in pairwise((*road.segments, Segment(0.0, 0.0, 1.0))):
        stops = after.length_m == 0 or dice.chance(segment.stop)
        end_m, beyond = gone_m + segment.length_m, 0.0 if stops else after.limit_mps * 0.95
        while gone_m < end_m and (speed > 0.3 or end_m - gone_m > 3):
            wave = 0.9 * wave + (dice.unit() - 0.5) * habits.unsteady_mps
            room = max(0.0, end_m - gone_m - speed * STEP_S)
            brake = math.sqrt(beyond**2 + 2 * habits.slower_mps2 * room)
            wish = min(segment.limit_mps * habits.pace * traffic * mood + wave, brake)
            change = min(max(wish - speed, -1.3 * habits.slower_mps2 * STEP_S),
                         habits.faster_mps2 * STEP_S)  # fmt: skip
            if change > 0:
                change *= 1 - 0.6 * min(1.0, speed / 45)
            speed = max(0.5 if room > 3 else 0.0, speed + change)
            gone_m += speed * STEP_S
            speeds.append(speed)
            hill = road.hill_m * math.tau / road.wave_m * math.cos(math.tau * gone_m / road.wave_m)
            gradients.append(hill + road.climb_m / whole_m)
        if stops and after.length_m:
            waits = int(dice.late(18) / STEP_S)
            speed = 0.0
            speeds += [0.0] * waits
            gradients += [0.0] * waits
    season = 11 - 12 * math.cos(math.tau * (day - 20) / 365)
    stood_h = dice.pick((0.3, 1.0, 2.5, 9.0, 9.0, 14.0))
    idle = int(dice.late(10) / STEP_S) if dice.chance(0.8) else int(dice.between(60, 500) / STEP_S)
    return Trip(habits, [*speeds, *[0.0] * idle], [*gradients, *[0.0] * idle],
                season + dice.normal(0, 4), stood_h)  # fmt: skip


def _forces(trip: Trip, mass_kg: float, drag: float, rolling: float) -> Iterator[tuple[float, ...]]:
    """Speed in m/s, and the force at the wheels in N."""
    air = 1.29 * 273 / (273 + trip.outside_c) / 2 * drag
    for (before, speed), gradient in zip(
        pairwise([0.0, *trip.speeds]), trip.gradients, strict=True
    ):
        mean, rate = (before + speed) / 2, (speed - before) / STEP_S
        resists = rolling * (1 + (mean / 60) ** 2) * mass_kg * _G if mean else 0.0
        climbs = mass_kg * _G * gradient if mean else 0.0
        yield mean, mass_kg * rate + air * mean**2 + resists + climbs


def reference_wh(trip: Trip) -> float:
    """Of the reference car, by the simulator's own physics and cabin."""
    car, state = vehicle.Parameters(), vehicle.VehicleState()
    climate = cabin.Climate(21.5, 40.0, True, False)
    cabin_c = trip.outside_c if trip.stood_h > 1 else 20.0
    start_kwh, steps = state.battery_kwh, 5
    for target, gradient in zip(trip.speeds, trip.gradients, strict=True):
        cabin_c, climate_w = cabin.step(cabin_c, trip.outside_c, 150.0, climate, STEP_S)
        wish = (target - state.speed_mps) / STEP_S if target or state.speed_mps else -1.0
        for _ in range(steps):
            state = vehicle.step(state, car, wish, gradient, climate_w + 350.0, STEP_S / steps)
    return (start_kwh - state.battery_kwh) * 1_000


def electric_wh(trip: Trip) -> float:
    """Of an electric car with a map of its motor, limits of what it gives back, and a heat pump."""
    used_j, warm_c = 0.0, trip.outside_c if trip.stood_h > 1 else 20.0
    most_back_w = 60_000 * min(1.0, max(0.15, (trip.outside_c + 5) / 20))
    for speed, force in _forces(trip, 1_950, 0.68, 0.0095):
        power = force * speed
        load = min(1.0, abs(power) / 120_000)
        efficiency = 0.93 - 0.22 * math.exp(-load * 25) - 0.06 * load**2
        loss = 180 + 9 * speed
        fade = min(1.0, max(0.0, speed - 2) / 4)
        drive = power / efficiency if power > 0 else -min(-power, most_back_w) * efficiency * fade
        gap = 21.5 - warm_c
        pump = 2.6 if trip.outside_c > 0 else 1.5
        heat = min(5_000.0, max(-4_000.0, gap * 900))
        warm_c += (heat + 70 * (trip.outside_c - warm_c) + 200) / 90_000 * STEP_S
        used_j += (drive + loss + abs(heat) / pump + 320) * STEP_S
    return used_j / 3_600


_GEARS = ((4.5, 170.0), (9.0, 100.0), (14.0, 68.0), (20.0, 51.0), (27.0, 41.0), (1e9, 33.0))
"""Up to which speed, and revolutions of the engine per metre (a sixth of a minute's) in a gear."""


def petrol_ml(trip: Trip) -> float:
    """Of a petrol car: friction by revolutions, rich at full load, cut when it pushes, cold."""
    used_ml, warm = 0.0, max(0.0, 1 - trip.stood_h / 6)
    for speed, force in _forces(trip, 1_430, 0.66, 0.0105):
        power = force * speed / 0.92 if force > 0 else force * speed
        per_metre = next(each for below, each in _GEARS if speed < below)
        rpm = max(780.0, speed * per_metre * 1.9) if speed else 780.0
        cold = 1 + 0.8 * (1 - warm) * max(0.2, (45 - trip.outside_c) / 35)
        friction_w = (rpm / 1_000) ** 1.4 * 1_900 * cold
        cooled_w = 140 * max(0.0, trip.outside_c - 20)
        needed_w = power + friction_w + 450 + cooled_w
        rich = 1.12 if power > 55_000 else 1.0
        is_cut = power < -1_500 and rpm > 1_150
        burnt_w = rich * max(0.4 * friction_w, needed_w) / 0.41
        used_ml += 0.0 if is_cut else burnt_w / 32_000 * STEP_S
        warm += (max(0.0, needed_w) / 0.41 / 9e6 + 2e-5) * STEP_S * (1 - warm)
    return used_ml


def measured(trip: Trip, dice: Dice, each_s: float, noise_mps: float) -> Driving | None:
    """What the trip service makes of it: noisy, in steps of 1 km/h, said every so many seconds."""
    motion, nothing, at_ms, every = Motion(), Reading(), 0, max(1, round(each_s / STEP_S))
    motion.stood_ms = round(trip.stood_h * 3_600_000)
    for number, speed in enumerate(trip.speeds):
        now_ms = round((number + 1) * STEP_S * 1_000)
        if number % every == 0:
            motion.pass_time(at_ms, now_ms, nothing)
            at_ms = now_ms
            noisy = speed + (dice.normal(0, noise_mps) if speed else 0.0)
            motion.on_speed(now_ms, max(0, round(noisy * 3.6)) / 3.6)
    whole_ms = round(len(trip.speeds) * STEP_S * 1_000)
    motion.pass_time(at_ms, whole_ms, nothing)
    return motion.total(whole_ms)


Use = Callable[[Trip], float]


def drives(
    uses: Mapping[Unit, Use], seed: object, trips: int, each_s: float = 1.0
) -> Iterator[tuple[str, Drive]]:
    """Who drove, and what is kept of each trip: a year of three drivers on known and new ways.

    Args:
        uses: What the trips take in each unit that is told.
        seed: The same seed is the same year.
        trips: How many.
        each_s: How often the speed is told.
    """
    dice = Dice("eco", seed)
    roads = [route(dice) for _ in range(9)]
    for number in range(trips):
        road = route(dice) if dice.chance(0.25) else dice.pick(roads)
        trip = driven(road, dice.pick(HABITS), dice, number * 365 // trips)
        driving = measured(trip, dice, each_s, 0.15)
        assert driving is not None
        used = {unit: use(trip) * dice.normal(1.0, 0.01) for unit, use in uses.items()}
        yield trip.habits.name, Drive(
            driving.known_s, driving.speed_m, driving.speed2_m2_per_s, driving.speed3_m3_per_s2,
            driving.faster_m2_per_s2, driving.slower_m2_per_s2, driving.idle_s,
            float(bool(driving.is_cold_start)), trip.outside_c,
            used.get("Wh"), used.get("ml"),
        )  # fmt: skip
