"""Which leaves an accepted offer may set, and how a setting reads (pure).

Whatever an offer says, nothing else of a car is ever commanded.
"""

import math
from collections.abc import Mapping

from internetcar.contract.trips import SettingValue

_HVAC = "Vehicle.Cabin.HVAC."
_SEAT = "Vehicle.Cabin.Seat.Row1."
_WHEEL = "Vehicle.Chassis.SteeringWheel."
_SIDES = ("DriverSide", "PassengerSide")

_CLIMATE = frozenset((
    *(f"{_HVAC}{name}" for name in (
        "IsAirConditioningActive", "IsAutoPowerOptimize", "IsFrontDefrosterActive",
        "IsRearDefrosterActive", "IsRecirculationActive",
    )),
    *(f"{_HVAC}Station.{row}.{side}.{name}"
      for row in ("Row1", "Row2")
      for side in ("Driver", "Passenger")
      for name in ("Temperature", "FanSpeed", "AirDistribution")),
    *(f"{_SEAT}{side}.{name}"
      for side in _SIDES
      for name in (
          "HeatingCooling", "Seating.HeatingCooling", "Backrest.HeatingCooling", "Massage.Level",
      )),
    *(f"Vehicle.Body.Mirrors.{side}.IsHeatingOn" for side in _SIDES),
    "Vehicle.Body.Windshield.Rear.IsHeatingOn",
    f"{_WHEEL}HeatingCooling",
))  # fmt: skip
_PLACEMENT = frozenset((
    *(f"{_SEAT}{side}.{name}"
      for side in _SIDES
      for name in (
          "Position", "Height", "Tilt", "Backrest.Recline", "Backrest.LumbarSupport",
          "Backrest.LumbarHeight", "Seating.Length",
      )),
    *(f"Vehicle.Body.Mirrors.{side}.{name}" for side in _SIDES for name in ("Pan", "Tilt")),
    f"{_WHEEL}Extension",
    f"{_WHEEL}Tilt",
))  # fmt: skip

SETTABLE: Mapping[str, frozenset[str]] = {
    "climate": _CLIMATE,
    "seat": _CLIMATE | _PLACEMENT,
}
"""By the kind of offer; other kinds set nothing. A climate offer never moves a seat."""

LEAVES = tuple(sorted(_CLIMATE | _PLACEMENT))
"""All of them."""

_MOST_INTEGER = 1 << 53
_UNSAID = ("Vehicle", "Cabin", "Body", "Chassis", "Station", "Seat", "Row1", "HVAC")
"""Levels of a path that say nothing to who sits in the car."""
_LEVELS = 3
_LETTERS = 40


def may_set(kind: str, path: str, value: SettingValue) -> bool:
    """Whether an offer of a kind may set a leaf to a value."""
    return path in SETTABLE.get(kind, ()) and is_sane(value)


def is_sane(value: SettingValue) -> bool:
    """Whether a value can be written in a command."""
    if isinstance(value, int):
        return abs(value) <= _MOST_INTEGER
    return not isinstance(value, float) or math.isfinite(value)


def words_of(path: str, value: SettingValue | None) -> str:
    """A setting as a person reads it: the end of its path, and the value, if there is one."""
    levels = [each for each in path.split(".") if each not in _UNSAID]
    name = " ".join(levels[-_LEVELS:])
    if isinstance(value, bool):
        return f"{name} {'true' if value else 'false'}"
    return name if value is None else f"{name} {value}"[: len(name) + _LETTERS]
