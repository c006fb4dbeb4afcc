"""What is kept of a trip to learn what the car takes, and how it is read back (pure)."""

import math
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from internetcar.contract.trips import Driving, TripEnded

Unit = Literal["Wh", "ml"]

MOST_MPS = 70.0
"""252 km/h; a mean of more is none."""
_MOST_S = 1e6
_MOST_USED = 1e7
_SLACK = 1.01
_MOST_MPS2, _TURN = 12.0, 10.0


class Drive(NamedTuple):
    """How a trip was driven and what it took; the sums are those of `Driving`.

    Attributes:
        known_s: s.
        speed_m: m.
        speed2: m²/s.
        speed3: m³/s².
        faster: m²/s².
        slower: m²/s².
        idle_s: s.
        cold: 1 for a cold start, 0 for a warm one, between them where nobody knows.
        outside_c: °C.
        wh: Out of the battery.
        ml: Of fuel.
    """

    known_s: float
    speed_m: float
    speed2: float
    speed3: float
    faster: float
    slower: float
    idle_s: float
    cold: float
    outside_c: float | None
    wh: float | None
    ml: float | None

    @property
    def moving_mps(self) -> float:
        """The mean speed while it moved."""
        return self.speed_m / max(1.0, self.known_s - self.idle_s)

    def used(self, unit: Unit) -> float | None:
        """What it took in this unit, where that is told."""
        return self.wh if unit == "Wh" else self.ml

    def body(self) -> dict[str, float | None]:
        """As it is kept."""
        return self._asdict()


_SUMS = ("known_s", "speed_m", "speed2", "speed3", "faster", "slower", "idle_s")
_UNKNOWN_COLD = 0.5


def drive_of(trip: TripEnded) -> Drive | None:
    """A trip that tells how it was driven and what it took; `None`: another."""
    if trip.is_dropped or trip.driving is None:
        return None
    return read(_told(trip, trip.driving))


def read(body: Mapping[str, Any]) -> Drive | None:
    """What `Drive.body` wrote; `None` where no car drives like that."""
    sums = [_number(body.get(name), _MOST_S * MOST_MPS**3) for name in _SUMS]
    cold = _number(body.get("cold"), 1.0)
    outside_c = _number(body.get("outside_c"), 150.0)
    wh, ml = (_number(body.get(name), _MOST_USED) for name in ("wh", "ml"))
    known = [value for value in (*sums, cold) if value is not None and value >= 0]
    ml = None if ml is None or ml <= 0 else ml  # a trip without fuel is not one of the engine
    if len(known) != len(_SUMS) + 1 or (wh is None and ml is None):
        return None
    found = Drive._make((*known, outside_c, wh, ml))
    return found if _is_possible(found) else None


def _told(trip: TripEnded, driving: Driving) -> dict[str, Any]:
    cold = driving.is_cold_start
    return {
        "known_s": driving.known_s,
        "speed_m": driving.speed_m,
        "speed2": driving.speed2_m2_per_s,
        "speed3": driving.speed3_m3_per_s2,
        "faster": driving.faster_m2_per_s2,
        "slower": driving.slower_m2_per_s2,
        "idle_s": driving.idle_s,
        "cold": _UNKNOWN_COLD if cold is None else float(cold),
        "outside_c": trip.outside_c,
        "wh": trip.energy_wh,
        "ml": trip.fuel_ml,
    }


def _number(value: object, most: float) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    number = float(value) if abs(value) <= most else math.nan
    return None if math.isnan(number) else number


def _is_possible(drive: Drive) -> bool:
    """Whether a speed of 0 to 70 m/s can have these sums, and it went anywhere."""
    mean = drive.speed_m / drive.known_s if drive.known_s else 0.0
    return (
        0 < drive.known_s <= _MOST_S
        and drive.speed_m > 0
        and drive.idle_s <= drive.known_s
        and drive.speed2 * _SLACK >= mean * drive.speed_m
        and drive.speed3 * _SLACK >= mean * drive.speed2
        and max(drive.faster, drive.slower) <= _MOST_MPS2 * drive.speed_m + _TURN
        and drive.speed2 <= MOST_MPS * drive.speed_m * _SLACK
        and drive.speed3 <= MOST_MPS * drive.speed2 * _SLACK
    )
