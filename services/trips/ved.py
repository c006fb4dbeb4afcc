"""The rows of the Vehicle Energy Dataset (Oh, LeBlanc and Peng 2020), one by one (pure).

`DayNum` counts days, 1 being 1 November 2017, with the time of day as a fraction; `Timestamp(ms)`
counts from the start of the trip. The battery's current is negative while it drives, as in VSS.
"""

import math
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from internetcar.contract.message import InputError
from services.trips import leaves
from services.trips.complaints import Complaints
from services.trips.reading import Known

DAY_ONE_MS = 1_509_494_400_000
"""2017-11-01T00:00:00Z."""
_DAY_MS = 86_400_000
_MOST_DAYS = 60_000
_MOST_TRIP_MS = 7 * _DAY_MS

GASOLINE_AIR_FUEL = 14.7
"""By mass, stoichiometric."""
GASOLINE_G_PER_L = 745.0
"""EN 228: 720 to 775 g/l at 15 °C."""

KEYS = ("DayNum", "VehId", "Trip", "Timestamp(ms)")
LATITUDE, LONGITUDE = "Latitude[deg]", "Longitude[deg]"
NEEDED = (*KEYS, LATITUDE, LONGITUDE)
SPEED = "Vehicle Speed[km/h]"
MAF = "MAF[g/sec]"
ENGINE_SPEED = "Engine RPM[RPM]"
OUTSIDE = "OAT[DegC]"
FUEL_RATE = "Fuel Rate[L/hr]"
CURRENT, VOLTAGE = "HV Battery Current[A]", "HV Battery Voltage[V]"
TRIMS = (
    ("Short Term Fuel Trim Bank 1[%]", "Long Term Fuel Trim Bank 1[%]"),
    ("Short Term Fuel Trim Bank 2[%]", "Long Term Fuel Trim Bank 2[%]"),
)
OPTIONAL = (
    SPEED, MAF, ENGINE_SPEED, OUTSIDE, FUEL_RATE, CURRENT, VOLTAGE, *TRIMS[0], *TRIMS[1],
)  # fmt: skip


class VedError(InputError):
    """It is no file of the dataset; the text says what is missing."""


class Row(NamedTuple):
    """What a vehicle told at an instant of a trip.

    Attributes:
        vehicle: Its number in the dataset.
        trip: The trip's number.
        at_ms: Milliseconds since 1970 of the clock that the dataset goes by.
        told: By VSS leaf.
    """

    vehicle: int
    trip: int
    at_ms: int
    told: dict[str, Known]


def rows(lines: Iterable[str], complaints: Complaints) -> Iterator[Row]:
    """The rows of a file in its order.

    Args:
        lines: Of the file, the header first.
        complaints: Gets the lines that are no rows.

    Raises:
        VedError: The header is not the dataset's.
    """
    places = None
    began: dict[int, tuple[int, float]] = {}
    for number, line in enumerate(lines, 1):
        cells = line.rstrip("\r\n").split(",")
        if places is None:
            places = _places(cells)
            continue
        if cells == [""]:
            continue
        try:
            row = _row(cells, places, began)
        except ValueError as error:
            complaints.add(number, str(error))
            continue
        yield row
    if places is None:
        raise VedError("an empty file")


def _places(header: list[str]) -> dict[str, int]:
    names = [name.strip().strip('"\ufeff') for name in header]
    missing = [name for name in NEEDED if name not in names]
    if missing:
        raise VedError(f"its first line lacks the columns {', '.join(missing)}")
    return {name: names.index(name) for name in (*NEEDED, *OPTIONAL) if name in names}


def _row(cells: list[str], places: dict[str, int], began: dict[int, tuple[int, float]]) -> Row:
    said = {name: _cell(cells, place, name) for name, place in places.items()}
    day, vehicle, trip, passed_ms = (_needed(said, name) for name in KEYS)
    if not 0 <= day <= _MOST_DAYS:
        raise ValueError(f"DayNum {day:g} is beyond {_MOST_DAYS}")
    if abs(passed_ms) > _MOST_TRIP_MS or vehicle != int(vehicle) or abs(vehicle) > 1e9:
        raise ValueError("Timestamp(ms) or VehId is beyond what can be")
    of_trip, begun = began.get(int(vehicle), (None, 0.0))
    if of_trip != int(trip):  # within a trip the timestamp alone says how time goes on
        begun = day
        began[int(vehicle)] = int(trip), day
    at_ms = DAY_ONE_MS + round((begun - 1) * _DAY_MS) + round(passed_ms)
    return Row(int(vehicle), int(trip), at_ms, _told(said))


def _told(said: dict[str, float | None]) -> dict[str, Known]:
    """What a row says, by VSS leaf and in its units."""
    told: dict[str, Known] = {
        leaves.LATITUDE: said[LATITUDE],
        leaves.LONGITUDE: said[LONGITUDE],
        leaves.SPEED: said.get(SPEED),
        leaves.ENGINE_SPEED: said.get(ENGINE_SPEED),
        leaves.OUTSIDE: said.get(OUTSIDE),
    }
    fuel_lph = said.get(FUEL_RATE)
    told[leaves.FUEL_RATE] = _by_air(said) if fuel_lph is None else fuel_lph
    current, voltage = said.get(CURRENT), said.get(VOLTAGE)
    if current is not None and voltage is not None:
        told[leaves.BATTERY_POWER] = current * voltage
    return {leaf: value for leaf, value in told.items() if value is not None}


def _by_air(said: dict[str, float | None]) -> float | None:
    """Litres an hour that burn with the air the engine takes in, corrected as it corrects."""
    maf = said.get(MAF)
    if maf is None:
        return None
    trims = [sum(said.get(name) or 0.0 for name in bank) for bank in TRIMS
             if any(said.get(name) is not None for name in bank)]  # fmt: skip
    richer = 1 + sum(trims) / len(trims) / 100 if trims else 1.0
    return max(0.0, maf) * richer / GASOLINE_AIR_FUEL / GASOLINE_G_PER_L * 3_600


def _cell(cells: list[str], place: int, name: str) -> float | None:
    text = cells[place].strip() if place < len(cells) else ""
    if text.lower() in ("", "nan", "null"):
        return None
    try:
        value = float(text)
    except ValueError as error:
        raise ValueError(f"{name}: {text[:40]!r} is no number") from error
    if not math.isfinite(value) or abs(value) > 1e12:
        raise ValueError(f"{name}: {text[:40]!r} is beyond what can be")
    return value


def _needed(said: dict[str, float | None], name: str) -> float:
    value = said[name]
    if value is None:
        raise ValueError(f"{name} is empty")
    return value
