"""How the car moves and what that costs: forces along the road, motor, battery.

Pure: a step takes the state and the wish of the driver and returns the next state.
"""

from dataclasses import dataclass, field, replace

GRAVITY_MPS2 = 9.81
AIR_DENSITY_KG_M3 = 1.17
"""Warm, humid air at sea level."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """A mid-size electric crossover; every figure is a plausible one, of no real model."""

    mass_kg: float = 1_850.0
    drag_area_m2: float = 0.72
    rolling_resistance: float = 0.009
    wheel_radius_m: float = 0.34
    gear_ratio: float = 9.3
    wheelbase_m: float = 2.7
    steering_ratio: float = 15.0
    motor_power_w: float = 150_000.0
    motor_force_n: float = 7_500.0
    regeneration_power_w: float = 60_000.0
    regeneration_force_n: float = 3_000.0
    motor_efficiency: float = 0.92
    capacity_kwh: float = 64.0
    open_voltage_v: float = 390.0
    internal_resistance_ohm: float = 0.09


@dataclass(frozen=True, slots=True)
class Ledger:
    """Where the mechanical energy went, in joules; motor work is net of recuperation."""

    motor_j: float = 0.0
    drag_j: float = 0.0
    rolling_j: float = 0.0
    friction_brake_j: float = 0.0
    climb_j: float = 0.0


@dataclass(frozen=True, slots=True)
class VehicleState:
    """Motion and energy of the car at one instant."""

    distance_m: float = 0.0
    speed_mps: float = 0.0
    acceleration_mps2: float = 0.0
    motor_force_n: float = 0.0
    brake_force_n: float = 0.0
    motor_power_w: float = 0.0
    battery_power_w: float = 0.0
    battery_kwh: float = 50.0
    consumed_kwh: float = 0.0
    motor_temperature_c: float = 32.0
    battery_temperature_c: float = 30.0
    consumption_wh_per_km: float = 160.0
    ledger: Ledger = field(default_factory=Ledger)


def step(
    state: VehicleState,
    parameters: Parameters,
    wish_mps2: float,
    gradient: float,
    auxiliary_w: float,
    dt_s: float,
) -> VehicleState:
    """The state `dt_s` seconds later.

    Args:
        state: Now.
        parameters: The car.
        wish_mps2: Acceleration the driver asks for; what motor and brakes cannot do is not done.
        gradient: Rise over run of the road.
        auxiliary_w: Electric power besides the motor: climate, lights, computers.
        dt_s: Step, at most 0.2 s.
    """
    p = parameters
    speed = state.speed_mps
    drag = 0.5 * AIR_DENSITY_KG_M3 * p.drag_area_m2 * speed * speed
    rolling = p.rolling_resistance * p.mass_kg * GRAVITY_MPS2 if speed > 0 or wish_mps2 > 0 else 0.0
    climb = p.mass_kg * GRAVITY_MPS2 * gradient if speed > 0 or wish_mps2 > 0 else 0.0
    needed = p.mass_kg * wish_mps2 + drag + rolling + climb
    motor = _motor_force(needed, speed, p)
    brake = max(0.0, motor - needed) if needed < 0 else 0.0
    acceleration = (motor - brake - drag - rolling - climb) / p.mass_kg
    if speed + acceleration * dt_s < 0:  # the brakes hold: no car rolls backwards here
        acceleration = -speed / dt_s
        brake = motor - drag - rolling - climb - p.mass_kg * acceleration
    travelled = (speed + acceleration * dt_s / 2) * dt_s
    motor_power = motor * travelled / dt_s
    ledger = Ledger(
        state.ledger.motor_j + motor * travelled,
        state.ledger.drag_j + drag * travelled,
        state.ledger.rolling_j + rolling * travelled,
        state.ledger.friction_brake_j + brake * travelled,
        state.ledger.climb_j + climb * travelled,
    )
    moved = replace(
        state,
        distance_m=state.distance_m + travelled,
        speed_mps=max(0.0, speed + acceleration * dt_s),
        acceleration_mps2=acceleration,
        motor_force_n=motor,
        brake_force_n=brake,
        motor_power_w=motor_power,
        ledger=ledger,
    )
    return _draw(moved, p, auxiliary_w, travelled, dt_s)


def charge(state: VehicleState, power_w: float, dt_s: float) -> VehicleState:
    """The standing car after `dt_s` seconds on a charger of `power_w` at the battery."""
    return replace(
        state,
        battery_kwh=state.battery_kwh + power_w * dt_s / 3.6e6,
        battery_power_w=-power_w,
    )


def charge_level_pct(state: VehicleState, parameters: Parameters) -> float:
    """State of charge in percent of the usable capacity, 0…100."""
    return min(100.0, max(0.0, 100.0 * state.battery_kwh / parameters.capacity_kwh))


def range_km(state: VehicleState) -> float:
    """How far the energy lasts at the recent consumption, in kilometres."""
    return max(0.0, state.battery_kwh * 1_000.0 / state.consumption_wh_per_km)


def voltage_v(state: VehicleState, parameters: Parameters) -> float:
    """Voltage of the traction battery under its load."""
    p = parameters
    open_voltage = p.open_voltage_v * (0.9 + 0.1 * state.battery_kwh / p.capacity_kwh)
    return open_voltage - state.battery_power_w / open_voltage * p.internal_resistance_ohm


def _motor_force(needed_n: float, speed_mps: float, p: Parameters) -> float:
    if needed_n >= 0:
        return min(needed_n, p.motor_force_n, p.motor_power_w / max(speed_mps, 1.0))
    limit = min(p.regeneration_force_n, p.regeneration_power_w / max(speed_mps, 1.0))
    fade = min(1.0, speed_mps / 3.0)  # no recuperation at walking pace
    return -min(-needed_n, limit * fade)


def _draw(
    state: VehicleState, p: Parameters, auxiliary_w: float, travelled_m: float, dt_s: float
) -> VehicleState:
    work = state.motor_power_w
    electric = work / p.motor_efficiency if work >= 0 else work * p.motor_efficiency
    loss = abs(electric - work)
    power = electric + auxiliary_w
    energy_kwh = power * dt_s / 3.6e6
    consumption = state.consumption_wh_per_km
    if travelled_m > 0:  # remembered over some five kilometres
        weight = min(1.0, travelled_m / 5_000.0)
        now = energy_kwh * 1e6 / travelled_m
        consumption += (min(400.0, max(0.0, now)) - consumption) * weight
    cooling = 0.02 * (state.motor_temperature_c - 32.0)
    return replace(
        state,
        battery_power_w=power,
        battery_kwh=state.battery_kwh - energy_kwh,
        consumed_kwh=state.consumed_kwh + max(0.0, energy_kwh),
        consumption_wh_per_km=max(90.0, consumption),
        motor_temperature_c=state.motor_temperature_c + (loss / 6_000.0 - cooling) * dt_s,
        battery_temperature_c=state.battery_temperature_c
        + (abs(power) / 3.0e7 - (state.battery_temperature_c - 30.0) / 8_000.0) * dt_s,
    )
