"""How the driver likes it: cooler seats in the heat, mild air, and songs by the hour (pure)."""

from typing import NamedTuple

from simulator.chance import Chance
from simulator.life.plan import weekday_of

HVAC = "Vehicle.Cabin.HVAC."
SET_POINT = HVAC + "Station.Row1.Driver.Temperature"
FAN = HVAC + "Station.Row1.Driver.FanSpeed"
SEAT_CLIMATE = "Vehicle.Cabin.Seat.Row1.DriverSide.HeatingCooling"
SEAT = "Vehicle.Cabin.Seat.Row1.DriverSide.Position"
BELT = "Vehicle.Cabin.Seat.Row1.PassengerSide.IsBelted"
TRACK = "Vehicle.Cabin.Infotainment.Media.Played.Track"

CAR_C, MILD_C, HOT_C = 22.0, 24.5, 24.0
"""What the car has by itself, and what the driver has on mild and on hot days, °C."""
HOT_FROM_C = 29.5
VENTILATED_FROM_C = 30.5
FIRST_FAN, CALM_FAN = 80, 50
VENTILATION = -40
TRACK_S = 210
MORNING = ("Kopi and Kaya", "Harbour Lights", "East Coast Wind")
EVENING = ("First Train Home", "Night Express", "Rain on Orchard Road")
WEEKEND = ("East Coast Wind", "Satay by the Sea", "Harbour Lights")
SKIPPED = "Monsoon Season"
_NOON = 720.0

Value = bool | int | float | str


class Change(NamedTuple):
    """Something is set, so many seconds after the start."""

    after_s: int
    path: str
    value: Value


def standing(outside_c: float, *, has_passenger: bool, is_left: bool) -> dict[str, Value]:
    """How things stand at the start: as the driver left them in such weather.

    Args:
        outside_c: °C.
        has_passenger: Somebody sits beside.
        is_left: The driver leaves all as the car has it.
    """
    set_point_c = CAR_C if is_left else HOT_C if outside_c >= HOT_FROM_C else MILD_C
    return {
        SET_POINT: set_point_c,
        FAN: FIRST_FAN,
        SEAT_CLIMATE: 0,
        BELT: has_passenger,
        HVAC + "IsAirConditioningActive": True,
        HVAC + "IsRecirculationActive": False,
        "Vehicle.Cabin.Infotainment.Media.Played.Source": "BLUETOOTH",
        "Vehicle.Cabin.Infotainment.Media.Volume": 30,
    }


def changes(
    chance: Chance, day: int, minute: float, outside_c: float, trip_s: int, *, is_left: bool
) -> list[Change]:
    """What is set on a trip, in the order of time; the first track stands at its start."""
    found = [] if is_left else _climate(chance, outside_c)
    found += _tracks(chance, day, minute, trip_s)
    return sorted(change for change in found if change.after_s < trip_s)


def _climate(chance: Chance, outside_c: float) -> list[Change]:
    found = [Change(chance.randint(40, 100), FAN, CALM_FAN)]
    if outside_c >= VENTILATED_FROM_C:
        found.append(Change(chance.randint(12, 40), SEAT_CLIMATE, VENTILATION))
    if chance.random() < 0.1:  # a warm or a cold day of one's own
        wish_c = HOT_C if outside_c >= HOT_FROM_C else MILD_C
        found.append(Change(chance.randint(30, 200), SET_POINT, wish_c + 0.5))
    return found


def _tracks(chance: Chance, day: int, minute: float, trip_s: int) -> list[Change]:
    songs = WEEKEND if weekday_of(day) > 4 else MORNING if minute < _NOON else EVENING
    start = 0 if chance.random() < 0.8 else 1
    at_s, found = 0, []
    while at_s < trip_s:
        found.append(Change(at_s, TRACK, songs[start % len(songs)]))
        at_s, start = at_s + TRACK_S, start + 1
        if chance.random() < 0.25:
            found.append(Change(at_s, TRACK, SKIPPED))
            at_s += chance.randint(6, 20)
    return found
