"""The settings of climate: their leaves, and what counts as another setting (pure)."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

_STATION = "Vehicle.Cabin.HVAC.Station.Row1.Driver."
_SEAT = "Vehicle.Cabin.Seat.Row1.DriverSide."

_MOST = 1_000.0
"""No set-point, fan or heating shows more, on whatever scale."""
_STEP_SHARE = 0.1
"""Of the greatest value: a fan that regulates itself moves by less."""
_CLEAR_SHARE, _CLEAR_RANGE = 0.25, 0.5
"""Of the greatest value, and of all there is between the least and the greatest."""
_DIGITS = 2


@dataclass(frozen=True, slots=True)
class Leaf:
    """One setting.

    Attributes:
        path: Its VSS leaf.
        code: Its letter in the key of an offer.
        words: What a person reads; `{}` is the value.
        stands: How a person reads how it stands.
        is_set_point: In °C, where half a degree is no other setting; else steps of the car's own.
    """

    path: str
    code: str
    words: str
    stands: str
    is_set_point: bool = False


SET_POINT = Leaf(f"{_STATION}Temperature", "t", "about {} °C", "it is at {} °C", True)
FAN = Leaf(f"{_STATION}FanSpeed", "f", "the fan at {}", "the fan is at {}")
HEATING = Leaf(f"{_SEAT}HeatingCooling", "h", "the seat heating at {}", "the seat heating is at {}")
SEATING = Leaf(f"{_SEAT}Seating.HeatingCooling", "s", HEATING.words, HEATING.stands)
LEAVES = (SET_POINT, FAN, HEATING, SEATING)
"""The weightiest first; a car has one of the last two."""


def number(value: object) -> float | None:
    """A value on the scale of its leaf; `None`: it is no number that can be."""
    if not isinstance(value, bool | int | float):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return round(found, _DIGITS) if math.isfinite(found) and abs(found) <= _MOST else None


@dataclass(frozen=True, slots=True)
class Scale:
    """When two values of a setting differ.

    Attributes:
        same: Up to this they count as the same.
        other: From this on it matters.
        clear: From this on it matters enough to be the only thing said.
    """

    same: float
    other: float
    clear: float


_DEGREES = Scale(0.5, 1.0, 1.0)


def scale_of(leaf: Leaf, seen: Iterable[float]) -> Scale:
    """The scale of a setting.

    Args:
        leaf: The setting.
        seen: All values it has had, one at least; a step is the least difference of two of them.
    """
    if leaf.is_set_point:
        return _DEGREES
    values = sorted(set(seen))
    greatest = max(abs(values[0]), abs(values[-1]))
    between = (high - low for low, high in pairwise(values))
    step = max(min(between, default=0.0), _STEP_SHARE * greatest)
    clear = max(step, _CLEAR_SHARE * greatest, _CLEAR_RANGE * (values[-1] - values[0]))
    return Scale(step / 2, step, clear)
