"""How a way is driven: speed, lights, and what the battery gives, second by second (pure)."""

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from simulator.chance import Chance
from simulator.vehicle import AIR_DENSITY_KG_M3, GRAVITY_MPS2, Parameters

BRAKING_MPS2 = 1.4
ACCELERATION_MPS2 = 1.5
RED_SHARE = 0.45
LIGHTS_M = (500.0, 1_300.0)
"""Between one light and the next."""
RED_S = (8, 35)
COMPUTERS_W = 350.0
_REACTION_S = 1.5
_CREEP_MPS = 0.8
_STANDS_MPS = 0.3
_LONGEST_S = 7_200


class Second(NamedTuple):
    """How the car moves at one second: metres so far, m/s, m/s², and W out of the battery."""

    distance_m: float
    speed_mps: float
    acceleration_mps2: float
    power_w: float


def drive(
    chance: Chance, length_m: float, calm_mps: Sequence[float], climate_w: float
) -> Iterator[Second]:
    """A way from standing to standing.

    Args:
        chance: Of traffic and lights.
        length_m: Of the way.
        calm_mps: What a calm driver reaches, at points evenly along it.
        climate_w: What the climate control takes.
    """
    parameters, traffic = Parameters(), chance.uniform(0.82, 1.0)
    stops = _red_lights(chance, length_m)
    distance_m = speed_mps = 0.0
    waits_s = 0
    for _ in range(_LONGEST_S):
        room_m = (stops[0][0] if stops else length_m) - distance_m
        if room_m < 2.0 and speed_mps <= _CREEP_MPS:
            if not stops:
                break
            waits_s, speed_mps = stops.pop(0)[1], 0.0
        if waits_s > 0:
            waits_s -= 1
            yield Second(distance_m, 0.0, 0.0, COMPUTERS_W + climate_w)
            continue
        calm = calm_mps[min(len(calm_mps) - 1, int(distance_m / length_m * len(calm_mps)))]
        target = min(calm * traffic, math.sqrt(2 * BRAKING_MPS2 * max(0.0, room_m)))
        target = max(_CREEP_MPS, target)
        wish = (target - speed_mps) / _REACTION_S + chance.gauss(0.0, 0.08)
        wish = max(-2 * BRAKING_MPS2, min(ACCELERATION_MPS2, wish))
        after_mps = max(0.0, speed_mps + wish)
        power_w = _power_w(parameters, (speed_mps + after_mps) / 2, after_mps - speed_mps)
        distance_m += min(room_m, (speed_mps + after_mps) / 2)
        yield Second(distance_m, after_mps, after_mps - speed_mps,
                     power_w + COMPUTERS_W + climate_w)  # fmt: skip
        speed_mps = after_mps
    yield Second(distance_m, 0.0, 0.0, COMPUTERS_W + climate_w)


def _red_lights(chance: Chance, length_m: float) -> list[tuple[float, int]]:
    """Where it has to stand, and for how many seconds."""
    found, at_m = [], chance.uniform(*LIGHTS_M)
    while at_m < length_m - 150.0:
        if chance.random() < RED_SHARE:
            found.append((at_m, chance.randint(*RED_S)))
        at_m += chance.uniform(*LIGHTS_M)
    return found


def _power_w(p: Parameters, speed_mps: float, acceleration_mps2: float) -> float:
    """Out of the battery for the wheels, as `simulator.vehicle` has it, on a level road."""
    drag_n = 0.5 * AIR_DENSITY_KG_M3 * p.drag_area_m2 * speed_mps * speed_mps
    rolling_n = p.rolling_resistance * p.mass_kg * GRAVITY_MPS2 if speed_mps else 0.0
    work_w = (p.mass_kg * acceleration_mps2 + drag_n + rolling_n) * speed_mps
    if work_w >= 0:
        return work_w / p.motor_efficiency
    fade = min(1.0, speed_mps / 3.0)  # no recuperation at walking pace
    return max(work_w, -p.regeneration_power_w) * p.motor_efficiency * fade
