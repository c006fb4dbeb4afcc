"""How warm it is inside: one lump of air and trim between sun, world and climate control."""

from dataclasses import dataclass

HEAT_CAPACITY_J_PER_K = 90_000.0
"""Air and the trim that follows it within a minute."""
CONDUCTANCE_W_PER_K = 60.0
SUN_AREA_M2 = 1.6
"""Glass area times what it lets through."""
RECIRCULATION_SAVES = 0.35
"""Share of the fresh-air load that recirculation saves."""
MAXIMUM_POWER_W = 5_000.0
COEFFICIENT_OF_PERFORMANCE = 2.4
IDLE_FAN_W = 20.0
FULL_FAN_W = 180.0


@dataclass(frozen=True, slots=True)
class Climate:
    """What the climate control is set to; fan in percent, set-point in °C."""

    set_point_c: float
    fan_pct: float
    air_conditioning: bool
    recirculation: bool


def step(
    cabin_c: float, outside_c: float, sun_w_per_m2: float, climate: Climate | None, dt_s: float
) -> tuple[float, float]:
    """Cabin temperature in °C `dt_s` seconds later, and the electric power used in W.

    `climate` is None while the car is off. Without air conditioning it can heat but not cool.
    """
    conductance = CONDUCTANCE_W_PER_K
    thermal_w = electric_w = 0.0
    if climate is not None and climate.fan_pct > 0:
        fresh_air = climate.fan_pct * (1 - RECIRCULATION_SAVES * climate.recirculation)
        conductance += 0.8 * fresh_air
        lowest = -MAXIMUM_POWER_W if climate.air_conditioning else 0.0
        wish = (climate.set_point_c - cabin_c) * 1_500.0 + conductance * (cabin_c - outside_c)
        wish -= sun_w_per_m2 * SUN_AREA_M2
        limit = climate.fan_pct / 100.0
        thermal_w = max(lowest * limit, min(MAXIMUM_POWER_W * limit, wish))
        electric_w = abs(thermal_w) / COEFFICIENT_OF_PERFORMANCE
        electric_w += IDLE_FAN_W + FULL_FAN_W * limit**2
    gained_w = conductance * (outside_c - cabin_c) + sun_w_per_m2 * SUN_AREA_M2 + thermal_w
    return cabin_c + gained_w * dt_s / HEAT_CAPACITY_J_PER_K, electric_w
