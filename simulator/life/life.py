"""A driver's days as their car tells them: its trips, moment by moment (pure)."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from typing import NamedTuple

from simulator.chance import Chance, Draws
from simulator.life.driving import Second, drive
from simulator.life.habits import SEAT, Value, changes, standing
from simulator.life.plan import MINUTES, Errand, plan
from simulator.life.town import HOME, Point, Town
from simulator.life.weather import outside_c
from simulator.vehicle import Parameters

UTC_OFFSET_MIN = 480
"""Singapore's wall clock, which knows no summer time."""
STEP_S = 2
_FULL_PCT = 80.0
"""At home it is charged, each night."""
_WH_PER_KM = 165.0
_COOLING_W_PER_K = 190.0
_NOISE_DEG = 2.5e-5
_PARKED_S = 12
_SLOW_S = 30
_STAND_STILL_MIN = 12.0
_BATTERY = "Vehicle.Powertrain.TractionBattery."

Told = dict[str, Value]
"""What the car says at one moment, by VSS leaf."""


class Drive(NamedTuple):
    """A trip: from where to where, and what the car tells on it, UTC ms."""

    origin: str
    place: str
    moments: list[tuple[int, Told]]


class Life:
    """One driver; the same arguments give the same days.

    Args:
        town: Where it is lived.
        driver: As the car says who drives.
        seat_mm: Where the car has this driver's seat.
        draws: Of all chance.
    """

    def __init__(self, town: Town, driver: str, seat_mm: float, draws: Draws) -> None:
        self._town = town
        self._driver = driver
        self._seat_mm = seat_mm
        self._draws = draws
        self._capacity_wh = Parameters().capacity_kwh * 1_000.0

    def day(self, day: int, *, not_before_ms: int = 0, is_left: bool = False) -> Iterator[Drive]:
        """The trips of a day, in the order of time.

        Args:
            day: Days since 1970 on Singapore's wall clock; each is a life of its own.
            not_before_ms: What would begin earlier begins then, UTC ms.
            is_left: The driver leaves the climate as the car has it.
        """
        here, level_pct = HOME, _FULL_PCT
        free = (not_before_ms / 60_000 + UTC_OFFSET_MIN) - day * MINUTES
        for number, errand in enumerate(plan(self._draws, day)):
            minute = max(errand.minute, free)
            chance = self._draws(f"drive {day} {number}")
            trip = _Trip(day, round(minute * 60) / 60, here, errand, level_pct, is_left)
            moments, level_pct = self._tell(chance, trip)
            yield Drive(here, errand.place, moments)
            here = errand.place
            free = moments[-1][0] / 60_000 + UTC_OFFSET_MIN - day * MINUTES + _STAND_STILL_MIN

    def _tell(self, chance: Chance, trip: "_Trip") -> tuple[list[tuple[int, Told]], float]:
        way = self._town.way(trip.origin, trip.errand.place)
        track = _Track(way, self._town)
        warm_c = outside_c(self._draws, trip.day, trip.minute)
        climate_w = _COOLING_W_PER_K * max(0.0, warm_c - 22.0)
        calm = [point.calm_mps for point in way]
        seconds = list(drive(chance, track.length_m, calm, climate_w))
        start_ms = round((trip.day * MINUTES + trip.minute - UTC_OFFSET_MIN) * 60_000)
        set_ = changes(chance, trip.day, trip.minute, warm_c, len(seconds), is_left=trip.is_left)
        first = standing(warm_c, has_passenger=trip.errand.has_passenger, is_left=trip.is_left)
        moments: list[tuple[int, Told]] = [(start_ms, {
            "Vehicle.LowVoltageSystemState": "ON",
            "Vehicle.Occupant.Row1.DriverSide.Identifier.Subject": self._driver,
            SEAT: self._seat_mm, **first,
        })]  # fmt: skip
        level_pct = trip.level_pct
        for at_s, second in enumerate(seconds):
            level_pct -= second.power_w / 3_600 / self._capacity_wh * 100
            told = {change.path: change.value for change in set_ if change.after_s == at_s}
            if at_s % STEP_S == 0:
                told |= _motion(chance, second, track.at(second.distance_m))
            if at_s % _SLOW_S == 0:
                minute = trip.minute + at_s / 60
                told |= self._slow(level_pct, outside_c(self._draws, trip.day, minute))
            if at_s == 0:
                moments[0][1].update(told)
            elif told:
                moments.append((start_ms + at_s * 1_000, told))
        end_ms = start_ms + (len(seconds) + _PARKED_S) * 1_000
        moments.append((end_ms - 1_000, _motion(chance, seconds[-1], way[-1])))
        moments.append((end_ms, {"Vehicle.LowVoltageSystemState": "OFF"}))
        return moments, level_pct

    def _slow(self, level_pct: float, warm_c: float) -> Told:
        range_m = level_pct / 100 * self._capacity_wh / _WH_PER_KM * 1_000
        return {
            "Vehicle.Exterior.AirTemperature": round(warm_c, 1),
            _BATTERY + "StateOfCharge.Current": round(level_pct, 1),
            _BATTERY + "Range": round(range_m),
        }


class _Trip(NamedTuple):
    """What is known of a trip before it is driven."""

    day: int
    minute: float
    origin: str
    errand: Errand
    level_pct: float
    is_left: bool


class _Track:
    """A way by the metres along it."""

    def __init__(self, way: Sequence[Point], town: Town) -> None:
        self._way = way
        steps = (town.metres(*pair) for pair in pairwise(way))
        self._metres = list(accumulate(steps, initial=0.0))

    @property
    def length_m(self) -> float:
        return self._metres[-1]

    def at(self, distance_m: float) -> Point:
        i = max(0, min(bisect_right(self._metres, distance_m), len(self._way) - 1) - 1)
        first, second = self._way[i], self._way[i + 1]
        step = self._metres[i + 1] - self._metres[i]
        part = min(1.0, (distance_m - self._metres[i]) / step) if step else 0.0
        lat_deg = first.lat_deg + (second.lat_deg - first.lat_deg) * part
        lon_deg = first.lon_deg + (second.lon_deg - first.lon_deg) * part
        return Point(lat_deg, lon_deg, first.calm_mps)


def _motion(chance: Chance, second: Second, here: Point) -> Told:
    return {
        "Vehicle.Speed": round(second.speed_mps * 3.6, 2),
        "Vehicle.Acceleration.Longitudinal": round(second.acceleration_mps2, 2),
        _BATTERY + "CurrentPower": -round(second.power_w),
        "Vehicle.CurrentLocation.Latitude": here.lat_deg + chance.gauss(0.0, _NOISE_DEG),
        "Vehicle.CurrentLocation.Longitude": here.lon_deg + chance.gauss(0.0, _NOISE_DEG),
    }
