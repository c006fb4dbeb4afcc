"""What people call a vehicle's leaves, and which of them they want to see first (pure)."""

import re
from typing import NamedTuple

_DOOR = "Vehicle.Cabin.Door"
_WHEEL = "Vehicle.Chassis.Axle"
_BATTERY = "Vehicle.Powertrain.TractionBattery"
_PORT = f"{_BATTERY}.Charging.ChargingPort.AnyPosition"
_ENGINE = "Vehicle.Powertrain.CombustionEngine"

TARGET_TEMPERATURE = "Vehicle.Cabin.HVAC.Station.Row1.Driver.Temperature"
CABIN_TEMPERATURE = "Vehicle.Cabin.HVAC.AmbientAirTemperature"
AIR_CONDITIONING = "Vehicle.Cabin.HVAC.IsAirConditioningActive"
"""The three that make one thermostat."""

LATITUDE = "Vehicle.CurrentLocation.Latitude"
LONGITUDE = "Vehicle.CurrentLocation.Longitude"

SEEN_BY = (
    f"{_BATTERY}.StateOfCharge.Current",
    "Vehicle.Powertrain.FuelSystem.RelativeLevel",
    "Vehicle.TraveledDistance",
    "Vehicle.Speed",
)
"""The first of these that the vehicle has dates all last known values: its topic is retained."""


class Core(NamedTuple):
    """A leaf that people look for, and its name on a card."""

    name: str
    device_class: str | None = None
    """Where the unit alone does not tell it."""
    precision: int | None = None
    """Digits after the point that are worth showing."""
    push: str | None = None
    """What its button says, where it is momentary."""
    in_km: bool = False
    """A distance that VSS has in metres and people have in kilometres."""


CORE = {
    f"{_BATTERY}.StateOfCharge.Current": Core("Charge", "battery", 0),
    f"{_BATTERY}.Range": Core("Range", precision=0, in_km=True),
    "Vehicle.Powertrain.FuelSystem.RelativeLevel": Core("Fuel", precision=0),
    "Vehicle.Powertrain.Range": Core("Total range", precision=0, in_km=True),
    "Vehicle.TraveledDistance": Core("Odometer", precision=0, in_km=True),
    "Vehicle.OBD.Status.IsMILOn": Core("Warning light", "problem"),
    "Vehicle.Service.IsServiceDue": Core("Service due", "problem"),
    "Vehicle.Diagnostics.DTCCount": Core("Trouble codes", precision=0),
    "Vehicle.Diagnostics.DTCText": Core("Trouble codes in words"),
    f"{_BATTERY}.Charging.IsCharging": Core("Charging", "battery_charging"),
    f"{_PORT}.IsChargingCableConnected": Core("Charging cable", "plug"),
    f"{_BATTERY}.Charging.ChargeLimit": Core("Charge limit", precision=0),
    TARGET_TEMPERATURE: Core("Target temperature", precision=1),
    "Vehicle.Speed": Core("Speed", precision=0),
    f"{_ENGINE}.Speed": Core("Engine speed", precision=0),
    f"{_ENGINE}.EngineCoolant.Temperature": Core("Coolant temperature", precision=0),
    "Vehicle.Exterior.AirTemperature": Core("Outside temperature", precision=1),
    f"{_DOOR}.Row1.DriverSide.IsOpen": Core("Driver door", "door"),
    f"{_DOOR}.Row1.PassengerSide.IsOpen": Core("Passenger door", "door"),
    f"{_DOOR}.Row2.DriverSide.IsOpen": Core("Rear door, driver side", "door"),
    f"{_DOOR}.Row2.PassengerSide.IsOpen": Core("Rear door, passenger side", "door"),
    "Vehicle.Body.Trunk.Rear.IsOpen": Core("Trunk", "door", push="Open trunk"),
    f"{_WHEEL}.Row1.Wheel.Left.Tire.Pressure": Core("Tyre front left", precision=0),
    f"{_WHEEL}.Row1.Wheel.Right.Tire.Pressure": Core("Tyre front right", precision=0),
    f"{_WHEEL}.Row2.Wheel.Left.Tire.Pressure": Core("Tyre rear left", precision=0),
    f"{_WHEEL}.Row2.Wheel.Right.Tire.Pressure": Core("Tyre rear right", precision=0),
    f"{_DOOR}.Row1.DriverSide.IsLocked": Core("Driver door lock", "lock"),
    f"{_DOOR}.Row1.PassengerSide.IsLocked": Core("Passenger door lock", "lock"),
    f"{_DOOR}.Row2.DriverSide.IsLocked": Core("Rear door lock, driver side", "lock"),
    f"{_DOOR}.Row2.PassengerSide.IsLocked": Core("Rear door lock, passenger side", "lock"),
    CABIN_TEMPERATURE: Core("Cabin temperature", precision=1),
    "Vehicle.LowVoltageBattery.CurrentVoltage": Core("12 V battery", precision=1),
    f"{_BATTERY}.CurrentPower": Core("Battery power", precision=0),
    f"{_BATTERY}.Temperature.Average": Core("Battery temperature", precision=0),
    f"{_BATTERY}.Charging.TimeToComplete": Core("Charging time left", precision=0),
    "Vehicle.Body.Hood.IsOpen": Core("Hood", "door"),
    "Vehicle.Body.Horn.IsActive": Core("Horn", push="Sound the horn"),
}
"""By how much they are wanted: beyond `MOST_ENABLED` they are there, and switched off at first."""

MOST_ENABLED = 30
"""More on one page is a list nobody reads."""

_STAYS = (
    "StateOfCharge", "Charging", "FuelSystem", "Range", "TraveledDistance", "CurrentLocation",
    "IsOpen", "IsLocked", "Tire", "Diagnostics", "Service", "IsMILOn",
)  # fmt: skip
"""A step of the path that says: this is still so while the car sleeps."""

_CLASSES = {
    "IsOpen": "opening", "IsLocked": "lock", "IsChargingCableLocked": "lock",
    "IsError": "problem", "IsPressureLow": "problem", "IsFluidLevelLow": "problem",
    "IsLevelLow": "problem", "IsFuelLevelLow": "problem", "IsMoving": "moving",
}  # fmt: skip
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[A-Z]")
_MOST_NAME = 100
_EMPTY_WORDS = ("is", "on", "active")
"""Of the name of a state; Home Assistant says whether it is so."""


def stays(path: str) -> bool:
    """Whether the last value of a leaf still holds while the car sleeps."""
    return path.startswith("Vehicle.") and not set(_STAYS).isdisjoint(path.split("."))


def is_opening(path: str) -> bool:
    """Whether a leaf is a door or its lock: shown also beside a control, which can be away."""
    return path.endswith((".IsOpen", ".IsLocked"))


def binary_class(path: str) -> str | None:
    """Home Assistant's device class of a leaf that is true or false."""
    if path in CORE:
        core_class = CORE[path].device_class
        return None if core_class == "battery" else core_class  # where it is true, it is empty
    steps = path.split(".")
    if steps[-1] in ("IsOn", "IsSignaling") and "Lights" in steps:
        return "light"
    return _CLASSES.get(steps[-1])


def name_of(path: str) -> str:
    """What a person calls a leaf: `Belted, driver side row 1 seat cabin` where we know nothing.

    The last words of a path say what it is, the words before them whose, from the nearest on. A
    leaf without a mapping keeps its name, for that is how the database's readers know it.
    """
    if path in CORE:
        return CORE[path].name
    if not path.startswith("Vehicle."):
        return path[-_MOST_NAME:]
    *above, leaf = path.removeprefix("Vehicle.").split(".")
    own = _words(leaf)
    if own[:1] == ["is"]:  # a state's own words: `IsOn`, `IsFlapOpen`, `IsRecirculationActive`
        own = [word for word in own if word not in _EMPTY_WORDS]
    whose = [word for step in reversed(above) for word in _words(step)]
    text = ", ".join(" ".join(words) for words in (own, whose) if words)
    return (text[:1].upper() + text[1:])[:_MOST_NAME] or path[-_MOST_NAME:]


def lock_name_of(path: str) -> str:
    """What a person calls the lock that sets a leaf `IsLocked`."""
    return re.sub(r"\b([Ll]ock)ed\b", r"\1", name_of(path))


def locked_name_of(path: str) -> str:
    """What a person calls the reading of a lock, where the lock has its name."""
    return re.sub(r"\b([Ll]ock)\b", r"\1ed", name_of(path))


def _words(step: str) -> list[str]:
    """The words of one step of a path; abbreviations stay as they are."""
    found = _WORD.findall(step)
    return [word if word.isupper() and len(word) > 1 else word.lower() for word in found]
