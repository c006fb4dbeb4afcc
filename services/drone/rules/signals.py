"""What the car says now, and nothing that is old, bad or not said (pure)."""

from internetcar.contract.message import Value
from services.drone.moment import Moment
from services.drone.view import SeenSignal, View

SPEED = "Vehicle.Speed"
SELECTED_GEAR = "Vehicle.Powertrain.Transmission.SelectedGear"
CURRENT_GEAR = "Vehicle.Powertrain.Transmission.CurrentGear"
PARKING_BRAKE = "Vehicle.Chassis.ParkingBrake.IsEngaged"
PARK = 126
"""VSS's number of this gear; 1 and up are forward, 127 is drive, below 0 reverse, 0 neutral."""

AHEAD_S = 5.0
"""A stamp so far ahead of our clock is one of a wrong clock."""

Truth = bool | None
"""`None`: it cannot be known now."""


def is_heard(view: View) -> bool:
    """Whether what the view holds is the car's word now: gateway and broker are there."""
    return view.is_broker_connected and view.presence is not None and view.presence.is_online


def fresh(view: View, path: str, now: Moment, max_age_s: float) -> SeenSignal | None:
    """A leaf that is valid, has a value and is not too old."""
    seen = view.signals.get(path)
    if seen is None or seen.quality != "valid" or seen.value is None or not is_heard(view):
        return None
    return seen if -AHEAD_S <= now.s - seen.at_s <= max_age_s else None


def number(value: Value) -> float | None:
    """A value as a number; a truth value is none."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and isinstance(value, int | float) else None


def speed_kmh(view: View, now: Moment, max_age_s: float) -> float | None:
    """How fast the car is, backwards too."""
    seen = fresh(view, SPEED, now, max_age_s)
    value = number(seen.value) if seen is not None else None
    return abs(value) if value is not None else None


def gear(view: View, now: Moment, max_age_s: float) -> float | None:
    """The gear in VSS's numbers: the selected one, else the current one."""
    for path in (SELECTED_GEAR, CURRENT_GEAR):
        seen = fresh(view, path, now, max_age_s)
        value = number(seen.value) if seen is not None else None
        if value is not None:
            return value
    return None


def is_held(view: View, now: Moment, max_age_s: float) -> Truth:
    """Whether the car is in park or its parking brake is engaged."""
    brake = fresh(view, PARKING_BRAKE, now, max_age_s)
    is_engaged = brake.value if brake is not None and isinstance(brake.value, bool) else None
    chosen = gear(view, now, max_age_s)
    if is_engaged or chosen == PARK:
        return True
    return None if is_engaged is None and chosen is None else False
