"""Where seat, mirrors and steering wheel stood when a trip began, and how they were left (pure)."""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from internetcar.contract.message import milliseconds
from internetcar.contract.trips import SettingValue, TripEnded
from services.recommendations.advising import Body

_SEAT = "Vehicle.Cabin.Seat.Row1.DriverSide."
_MIRRORS = "Vehicle.Body.Mirrors."
_WHEEL = "Vehicle.Chassis.SteeringWheel."

LEAVES = (
    *(f"{_SEAT}{name}" for name in (
        "Position", "Height", "Tilt", "Backrest.Recline", "Backrest.LumbarSupport",
        "Backrest.LumbarHeight", "Seating.Length",
    )),
    *(f"{_MIRRORS}{side}.{name}" for side in ("DriverSide", "PassengerSide")
      for name in ("Pan", "Tilt")),
    f"{_WHEEL}Extension",
    f"{_WHEEL}Tilt",
)  # fmt: skip
"""What is set to a body, how it is heated left out; those that tell bodies apart come first."""

WORDS: Mapping[str, str] = {
    "Position": "seat position", "Height": "seat height", "Tilt": "seat tilt",
    "Backrest.Recline": "backrest", "Backrest.LumbarSupport": "lumbar support",
    "Backrest.LumbarHeight": "lumbar height", "Seating.Length": "seat length",
    "DriverSide.Pan": "driver's mirror", "DriverSide.Tilt": "driver's mirror",
    "PassengerSide.Pan": "passenger's mirror", "PassengerSide.Tilt": "passenger's mirror",
}  # fmt: skip

_SHARE = 0.5
_LONG_S = 300.0
"""What stood unchanged for so long, or for half of the trip, is how the driver wants it."""
_STEP = 1.0
_TOLERANCE = 0.01
_MOST = 1e6
"""No part of a car is moved so far, in any unit."""
_DIGITS = 3

Number = int | float
Numbers = Mapping[str, Number]
"""By VSS leaf."""


class Past(NamedTuple):
    """A trip as its evidence has it.

    Attributes:
        began: How things stood as it began.
        left: How they were left, where that is how the driver wants them.
        is_moved: Something was moved on it.
    """

    began: Numbers
    left: Numbers
    is_moved: bool


def is_same(one: Number, other: Number) -> bool:
    """Whether two positions are one: within a step, or within 1 %."""
    return abs(one - other) <= max(_STEP, _TOLERANCE * abs(other))


def number(value: SettingValue | None) -> Number | None:
    """A position; `None`: it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if math.isfinite(value) and abs(value) <= _MOST else None


def words(leaf: str) -> str:
    """What a leaf is called in a sentence."""
    if leaf.startswith(_WHEEL):
        return "steering wheel"
    return WORDS[leaf.removeprefix(_SEAT).removeprefix(_MIRRORS)]


def written(trip: TripEnded) -> Body | None:
    """What is kept of a trip; `None`: it tells nothing of a seat."""
    lasted_s = (milliseconds(trip.ended_at) - milliseconds(trip.started_at)) / 1_000
    began: dict[str, Number] = {}
    left: dict[str, tuple[Number, float]] = {}
    moved = 0
    for each in sorted(trip.settings, key=lambda each: each.offset_s):
        value = number(each.value)
        if each.path not in LEAVES or value is None:
            continue
        value = round(value, _DIGITS)
        if each.path not in left:
            began[each.path] = value
            left[each.path] = value, 0.0
        elif value != left[each.path][0]:
            left[each.path] = value, each.offset_s
            moved += 1
    if not left:
        return None
    least_s = min(_SHARE * lasted_s, _LONG_S)
    kept = {leaf: value for leaf, (value, at_s) in left.items() if lasted_s - at_s >= least_s}
    return {"began": began, "left": kept, "moved": moved}


def read(body: Body) -> Past:
    """What was kept; what cannot be read of it is left out."""
    moved = body.get("moved")
    is_moved = type(moved) is int and moved > 0
    return Past(_numbers(body.get("began")), _numbers(body.get("left")), is_moved)


def _numbers(kept: Any) -> Numbers:
    if not isinstance(kept, dict):
        return {}
    found = {leaf: number(kept.get(leaf)) for leaf in LEAVES}
    return {leaf: value for leaf, value in found.items() if value is not None}
