"""What each controller says about the car: message name → physical values of its signals."""

import math
from collections.abc import Callable, Mapping

from simulator import vehicle
from simulator.body import DOORS, SEATS
from simulator.car import CHARGER_W, Car

Values = dict[str, float]
BRAKE_FORCE_FULL_N = 12_000.0
TRACK_WIDTH_M = 1.58
LOW_CHARGE_PCT = 15.0
LOW_VOLTAGE_V = {True: 14.3, False: 12.6}
"""The 12 V system while the car feeds it, and at rest."""


def _vehicle_motion(car: Car) -> Values:
    speed = car.state.speed_mps
    return {
        "Vehicle_Speed": speed * 3.6,
        "Longitudinal_Acceleration": car.state.acceleration_mps2,
        "Yaw_Rate": math.degrees(speed * car.place.curvature_per_m),
        "Standstill": float(speed < 0.01),
    }


def _wheel_speeds(car: Car) -> Values:
    speed = car.state.speed_mps * 3.6
    left = 1 - car.place.curvature_per_m * TRACK_WIDTH_M / 2
    right = 2 - left
    return {
        "Wheel_Speed_FL": speed * left,
        "Wheel_Speed_FR": speed * right,
        "Wheel_Speed_RL": speed * left,
        "Wheel_Speed_RR": speed * right,
    }


def _steering(car: Car) -> Values:
    p = car.parameters
    angle = math.degrees(math.atan(p.wheelbase_m * car.place.curvature_per_m)) * p.steering_ratio
    return {"Steering_Wheel_Angle": angle}


def _pedals(car: Car) -> Values:
    force = max(0.0, car.state.motor_force_n) / car.parameters.motor_force_n
    return {
        "Accelerator_Position": 100.0 * force,
        "Brake_Position": 100.0 * car.state.brake_force_n / BRAKE_FORCE_FULL_N,
        "Parking_Brake": car.body.signals["Parking_Brake"],
        "Brake_Light_Request": car.body.signals["Light_Brake"],
    }


def _drive_mode(car: Car) -> Values:
    gear = car.body.signals["Gear_Selected"]
    power = car.body.signals["Power_Mode"]
    return {"Gear_Selected": gear, "Gear_Current": gear, "Power_Mode": power}


def _motor(car: Car) -> Values:
    p, state = car.parameters, car.state
    rpm = state.speed_mps / p.wheel_radius_m * p.gear_ratio * 60 / (2 * math.pi)
    return {
        "Motor_Speed": rpm,
        "Motor_Torque": state.motor_force_n * p.wheel_radius_m / p.gear_ratio,
        "Motor_Power": state.motor_power_w / 1_000.0,
        "Motor_Temperature": state.motor_temperature_c,
    }


def _battery_status(car: Car) -> Values:
    volts = vehicle.voltage_v(car.state, car.parameters)
    is_awake = car.body.signals["Power_Mode"] >= 4 or car.body.signals["Charging_State"] == 1
    return {
        "Battery_Charge_Level": vehicle.charge_level_pct(car.state, car.parameters),
        "Battery_Voltage": volts,
        "Battery_Contactor": float(is_awake),
        "Battery_Current": car.state.battery_power_w / volts,
        "Battery_Power": car.state.battery_power_w,
    }


def _battery_condition(car: Car) -> Values:
    temperature = car.state.battery_temperature_c
    return {
        "Battery_Temperature": temperature,
        "Battery_Temperature_Minimum": temperature - 1.5,
        "Battery_Temperature_Maximum": temperature + 2.0,
        "Battery_Health": 97.0,
    }


def _energy(car: Car) -> Values:
    return {
        "Energy_Consumed_Total": car.consumed_before_kwh + car.state.consumed_kwh,
        "Range_Remaining": vehicle.range_km(car.state),
        "Energy_Remaining": car.state.battery_kwh,
    }


def _odometer(car: Car) -> Values:
    return {
        "Distance_Total": math.floor(car.odometer_m + car.state.distance_m),
        "Distance_Trip": math.floor(car.state.distance_m - car.trip_from_m),
    }


def _charging(car: Car) -> Values:
    signals = car.body.signals
    is_charging = signals["Charging_State"] == 1
    level = vehicle.charge_level_pct(car.state, car.parameters)
    wanted_kwh = max(0.0, signals["Charging_Limit"] - level) / 100 * car.parameters.capacity_kwh
    return {
        "Charging_Cable": signals["Charging_Cable"],
        "Charging_Flap": signals["Charging_Flap"],
        "Charging_State": signals["Charging_State"],
        "Charging_Limit": signals["Charging_Limit"],
        "Charging_Time_Left": math.ceil(wanted_kwh * 6e4 / CHARGER_W) if is_charging else 0,
        "Charging_Power": CHARGER_W / 1_000.0 if is_charging else 0.0,
    }


def _warnings(car: Car) -> Values:
    slippery = car.weather.rain_pct > 50.0
    return {
        "Warning_ABS": 0,
        "Warning_ESC_Active": float(slippery and abs(car.state.acceleration_mps2) > 1.6),
        "Warning_Battery_Low": float(
            vehicle.charge_level_pct(car.state, car.parameters) < LOW_CHARGE_PCT
        ),
        "Low_Voltage": LOW_VOLTAGE_V[car.body.signals["Power_Mode"] >= 4],
    }


def _cabin(car: Car) -> Values:
    return {
        "Temperature_Outside": car.weather.outside_c,
        "Temperature_Cabin": car.cabin_c,
        "Sun_Load": car.weather.sun_w_per_m2,
    }


def _wipers(car: Car) -> Values:
    return {
        "Wiper_Mode": car.body.signals["Wiper_Mode"],
        "Rain_Intensity": car.weather.rain_pct,
        "Washer_Fluid": car.body.signals["Washer_Fluid"],
    }


def _tyres(car: Car) -> Values:
    warmth = min(18.0, car.state.speed_mps * 0.5)
    values: Values = {}
    for wheel, cold_kpa in zip(("FL", "FR", "RL", "RR"), car.tyre_kpa, strict=True):
        values[f"Tire_Pressure_{wheel}"] = cold_kpa + warmth
        values[f"Tire_Temperature_{wheel}"] = car.weather.outside_c + 1.5 * warmth
    return values


def _gnss_status(car: Car) -> Values:
    fix = car.fix
    return {
        "GNSS_Fix_Type": 2.0 if fix else 0.0,
        "GNSS_Satellites": float(fix.satellites) if fix else 0.0,
    }


def _says(*names: str) -> Callable[[Car], Values]:
    def speak(car: Car) -> Values:
        signals = car.body.signals
        return {name: signals[name] for name in names}

    return speak


SPEAKERS: Mapping[str, Callable[[Car], Values]] = {
    "Vehicle_Motion": _vehicle_motion,
    "Wheel_Speeds": _wheel_speeds,
    "Steering_Status": _steering,
    "Pedal_Status": _pedals,
    "Drive_Mode": _drive_mode,
    "Motor_Status": _motor,
    "Battery_Status": _battery_status,
    "Battery_Condition": _battery_condition,
    "Energy_Usage": _energy,
    "Odometer": _odometer,
    "Charging_Status": _charging,
    "Powertrain_Warnings": _warnings,
    "HVAC_Status": _says(
        "HVAC_Temperature_Driver",
        "HVAC_Temperature_Passenger",
        "HVAC_Fan_Driver",
        "HVAC_Fan_Passenger",
        "HVAC_AC",
        "HVAC_Recirculation",
        "HVAC_Defrost_Front",
    ),
    "Cabin_Climate": _cabin,
    "Door_Status": _says(
        *(f"Door_{door}_Open" for door in DOORS),
        *(f"Door_{door}_Lock" for door in DOORS),
        "Trunk_Open",
    ),
    "Window_Status": _says(*(f"Window_{door}_Position" for door in DOORS)),
    "Light_Status": _says(
        "Light_Low_Beam",
        "Light_High_Beam",
        "Light_Fog_Front",
        "Light_Fog_Rear",
        "Light_Hazard",
        "Light_Left",
        "Light_Right",
        "Light_Brake",
        "Light_Reverse",
        "Horn",
    ),
    "Wiper_Status": _wipers,
    "Seat_Status": _says("Seat_Driver_Position", "Seat_Driver_Heating", "Seat_Passenger_Heating"),
    "Tire_Status": _tyres,
    "Occupant_Status": _says(
        *(f"Occupied_{seat}" for seat in SEATS),
        *(f"Belt_{seat}" for seat in SEATS),
        "Occupant_Identifier_Driver",
    ),
    "GNSS_Status": _gnss_status,
    "Media_Status": _says(
        "Media_Source", "Media_Playing", "Media_Volume", "Media_Track", "Media_Track_Position"
    ),
}
"""Every cyclic message but GNSS_Position, which is sent only where there is a fix."""


def gnss_position(car: Car, utc_ms: int) -> Values | None:
    """A new fix of the receiver at `utc_ms`, or None where it has none."""
    fix = car.observe()
    if fix is None:
        return None
    return {
        "GNSS_Latitude": fix.lat_deg,
        "GNSS_Longitude": fix.lon_deg,
        "GNSS_Altitude": fix.altitude_m,
        "GNSS_Heading": fix.heading_deg,
        "GNSS_Speed": fix.speed_kmh,
        "GNSS_Accuracy_Horizontal": fix.accuracy_m,
        "GNSS_Accuracy_Vertical": fix.vertical_accuracy_m,
        "GNSS_Time": utc_ms,
    }
