"""How a trip was driven, as the sums that say what it took (pure).

A speed holds until the next is said: no news is no change. The acceleration is never made from two
neighbouring samples, for noise and steps of a speed sensor would be most of it: the speed is
followed from turning point to turning point, and a turn of less than `BAND_MPS` is none. From one
turning point to the next v·a adds up to the change of v²/2 exactly, whether the speed came ten
times a second or every ten seconds.
"""

from pydantic import BaseModel

from internetcar.contract.trips import Driving
from services.trips.behaviour import engine_runs
from services.trips.reading import Reading
from services.trips.travel import FASTEST_MPS, HOLD_MS

BAND_MPS = 0.7
"""Twice the 1 km/h in which OBD counts, and a little."""
COLD_AFTER_MS = 3 * 3_600_000
COLD_BELOW_C = 40.0
"""Of the coolant: no engine that was in use within the hour is colder."""

_COOLANT_WITHIN_MS = 60_000
_STANDING_MPS = 1 / 3.6
_MOST_MPS2 = 12.0
_STEP_MPS = 1.5
_AGREEING = 3
"""So many speeds in a row that agree with each other, and not with those before, are right."""
_ENOUGH = 0.8
"""Of the time that the car was on; of less, sums say too little."""
_MOST = 1e15


class Motion(BaseModel):
    """The sums of a trip while they grow.

    Attributes:
        speed_mps: As it was last said and believed; `None`: not known since.
        said_ms: When it was said.
        doubted: A speed that no car can have after that one, and when it was said.
        doubts: How many of those agree.
        turned_mps: The speed at the last turning point.
        most_mps: The one furthest from it since.
        known_ms: How long the speed was known.
        speed_m: ∫v dt.
        speed2_m2_per_s: ∫v² dt.
        speed3_m3_per_s2: ∫v³ dt.
        faster_m2_per_s2: ∫(v·a)⁺ dt up to the last turning point.
        slower_m2_per_s2: ∫(v·a)⁻ dt up to it.
        idle_ms: How long it stood (an engine: running).
        stood_ms: How long it had been off when it began; `None`: not known.
        coolant_c: °C, as first said of the trip.
    """

    speed_mps: float | None = None
    said_ms: int = 0
    doubted: tuple[int, float] | None = None
    doubts: int = 0
    turned_mps: float = 0.0
    most_mps: float = 0.0
    known_ms: int = 0
    speed_m: float = 0.0
    speed2_m2_per_s: float = 0.0
    speed3_m3_per_s2: float = 0.0
    faster_m2_per_s2: float = 0.0
    slower_m2_per_s2: float = 0.0
    idle_ms: int = 0
    stood_ms: int | None = None
    coolant_c: float | None = None

    def pass_time(self, from_ms: int, at_ms: int, known: Reading) -> None:
        """From one instant to the next all was as it is known, in a car that is on."""
        speed = self.speed_mps
        if speed is None:
            return
        span_ms = min(at_ms, self.said_ms + HOLD_MS) - from_ms
        if span_ms > 0 and self.doubted is None:
            seconds = span_ms / 1_000
            self.known_ms += span_ms
            self.speed_m += speed * seconds
            self.speed2_m2_per_s += speed**2 * seconds
            self.speed3_m3_per_s2 += speed**3 * seconds
            if speed < _STANDING_MPS and engine_runs(known) is not False:
                self.idle_ms += span_ms
        if at_ms - self.said_ms > HOLD_MS:
            self.lose()

    def on_speed(self, at_ms: int, speed_mps: float | None) -> None:
        """The speed from now on, not below 0; `None`: it is not known."""
        if speed_mps is None:
            self.lose()
            return
        if speed_mps > FASTEST_MPS or not self._may_follow(at_ms, speed_mps):
            if not self._is_believed(at_ms, speed_mps):
                return
            self.lose()
        if self.speed_mps is None:
            self.turned_mps = self.most_mps = speed_mps
        self.doubted, self.doubts = None, 0
        self.speed_mps, self.said_ms = speed_mps, at_ms
        self._turn(speed_mps)

    def on_coolant(self, since_start_ms: int, coolant_c: float) -> None:
        """How warm the engine is, so long after the trip began."""
        if self.coolant_c is None and since_start_ms <= _COOLANT_WITHIN_MS:
            self.coolant_c = coolant_c if -60 <= coolant_c <= 200 else None

    def lose(self) -> None:
        """The speed is not known any more, or the car is switched off."""
        self.faster_m2_per_s2, self.slower_m2_per_s2 = self._changes()
        self.turned_mps = self.most_mps = 0.0
        self.speed_mps, self.doubted, self.doubts = None, None, 0

    def shift(self, shift_ms: int) -> None:
        """The clock was set: all instants move along."""
        self.said_ms += shift_ms
        if self.doubted is not None:
            self.doubted = self.doubted[0] + shift_ms, self.doubted[1]

    def is_cold(self) -> bool | None:
        """Whether it began with a cold engine; `None`: nobody knows."""
        if self.coolant_c is not None:
            return self.coolant_c < COLD_BELOW_C
        return None if self.stood_ms is None else self.stood_ms >= COLD_AFTER_MS

    def total(self, on_ms: int) -> Driving | None:
        """The sums; `None` where the speed was not known most of the time that it was on."""
        if not self.known_ms or self.known_ms < _ENOUGH * on_ms:
            return None
        faster, slower = self._changes()
        return Driving(
            known_s=round(min(self.known_ms / 1_000, 1e9), 1),
            speed_m=_bounded(min(self.speed_m, 1e9)),
            speed2_m2_per_s=_bounded(self.speed2_m2_per_s),
            speed3_m3_per_s2=_bounded(self.speed3_m3_per_s2),
            faster_m2_per_s2=_bounded(faster),
            slower_m2_per_s2=_bounded(slower),
            idle_s=round(min(self.idle_ms / 1_000, 1e9), 1),
            is_cold_start=self.is_cold(),
        )

    def _turn(self, speed_mps: float) -> None:
        rise = self.most_mps - self.turned_mps
        back = self.most_mps - speed_mps if rise > 0 else speed_mps - self.most_mps
        if rise == 0:
            if abs(speed_mps - self.turned_mps) >= BAND_MPS:
                self.most_mps = speed_mps
        elif back < 0:
            self.most_mps = speed_mps
        elif back >= BAND_MPS:
            self.faster_m2_per_s2, self.slower_m2_per_s2 = self._changes()
            self.turned_mps, self.most_mps = self.most_mps, speed_mps

    def _changes(self) -> tuple[float, float]:
        """What became faster, and what slower, with what goes on since the last turning point."""
        change = (self.most_mps**2 - self.turned_mps**2) / 2
        return self.faster_m2_per_s2 + max(0.0, change), self.slower_m2_per_s2 + max(0.0, -change)

    def _may_follow(self, at_ms: int, speed_mps: float) -> bool:
        return self.speed_mps is None or _near(at_ms - self.said_ms, speed_mps - self.speed_mps)

    def _is_believed(self, at_ms: int, speed_mps: float) -> bool:
        before = self.doubted
        agrees = before is not None and _near(at_ms - before[0], speed_mps - before[1])
        self.doubts = self.doubts + 1 if agrees else 1
        self.doubted = at_ms, speed_mps
        return self.doubts >= _AGREEING and speed_mps <= FASTEST_MPS


def _near(span_ms: int, change_mps: float) -> bool:
    """Whether a car can change its speed so in this time."""
    return abs(change_mps) <= _STEP_MPS + _MOST_MPS2 * max(0, span_ms) / 1_000


def _bounded(value: float) -> float:
    return round(min(value, _MOST), 1)
