"""How far a trip went: by its odometer, else by its speed, else by its fixes (pure)."""

from typing import Literal

from pydantic import BaseModel

from services.trips.geometry import distance_m

Source = Literal["odometer", "speed", "gnss"]

FASTEST_MPS = 70.0
"""252 km/h: what would need more is a jump, not a drive."""
HOLD_MS = 75_000
"""A value is said again each 60 s at the latest: what is older is not known any more."""
_FINE_M = 110.0
"""An odometer that counts in greater steps is no measure of a trip."""
_COUNTED_M = 15.0
"""Two fixes nearer than this may be one place."""
_ACCURATE_M = 100.0
_AGREEING = 3
"""So many fixes in a row that agree with each other, and not with those before, are right."""


class Spot(BaseModel):
    """A fix: degrees WGS 84, when, and how accurate in metres."""

    lat_deg: float
    lon_deg: float
    at_ms: int
    accuracy_m: float = 10.0

    def from_m(self, other: "Spot") -> float:
        """Metres to another."""
        return distance_m(self.lat_deg, self.lon_deg, other.lat_deg, other.lon_deg)

    def may_follow(self, other: "Spot") -> bool:
        """Whether a car could have come here from there."""
        seconds = max(1.0, (self.at_ms - other.at_ms) / 1_000)
        room_m = 2 * (self.accuracy_m + other.accuracy_m)
        return self.from_m(other) <= FASTEST_MPS * seconds + room_m


class Travel(BaseModel):
    """A distance while it grows, by each of its sources.

    Attributes:
        speed_mps: As it was last said; `None`: not known since.
        speed_at_ms: Up to when it is added up.
        said_ms: When it was said.
        speed_m: What it adds up to; with holes bridged straight by fixes.
        has_speed: Whether there is any.
        odometer_m: As it was last said.
        odometer_at_ms: When.
        by_odometer_m: What it went on by.
        step_m: The smallest step it made.
        is_whole: It was known at the start.
        spot: The last fix that was taken.
        counted: The last one that was added to `gnss_m`.
        before_hole: The last fix before the speed was lost.
        hole_m: What `speed_m` was at that fix.
        spot_m: What it was at the last one.
        doubted: A fix that does not follow; a car is not where it seems to have jumped to.
        doubts: How many of those agree.
    """

    speed_mps: float | None = None
    speed_at_ms: int = 0
    said_ms: int = 0
    speed_m: float = 0.0
    has_speed: bool = False
    odometer_m: float | None = None
    odometer_at_ms: int = 0
    by_odometer_m: float = 0.0
    step_m: float | None = None
    is_whole: bool = False
    spot: Spot | None = None
    counted: Spot | None = None
    gnss_m: float = 0.0
    before_hole: Spot | None = None
    hole_m: float = 0.0
    spot_m: float = 0.0
    doubted: Spot | None = None
    doubts: int = 0

    def pass_time(self, at_ms: int) -> None:
        """Up to now the speed was as it was last said: no news is no change."""
        span_ms = at_ms - self.speed_at_ms
        if self.speed_mps is not None and span_ms > 0:
            self.speed_m += self.speed_mps * span_ms / 1_000
            self.speed_at_ms = at_ms
            if at_ms - self.said_ms > HOLD_MS:
                self.speed_mps = None

    def on_speed(self, at_ms: int, speed_mps: float | None) -> None:
        """The speed from now on; `None`: it is not known."""
        self.speed_mps, self.speed_at_ms, self.said_ms = speed_mps, at_ms, at_ms
        self.has_speed = self.has_speed or speed_mps is not None

    def on_odometer(self, at_ms: int, odometer_m: float) -> None:
        """The odometer now, in metres."""
        if self.odometer_m is not None:
            step_m = odometer_m - self.odometer_m
            seconds = max(1.0, (at_ms - self.odometer_at_ms) / 1_000)
            if 0 < step_m <= FASTEST_MPS * seconds + 1_100:
                self.by_odometer_m += step_m
                self.step_m = min(step_m, self.step_m or step_m)
        self.odometer_m, self.odometer_at_ms = odometer_m, at_ms

    def on_fix(self, spot: Spot) -> bool:
        """A fix; whether it was taken."""
        if spot.accuracy_m > _ACCURATE_M or (spot.lat_deg, spot.lon_deg) == (0.0, 0.0):
            return False
        if self.spot is not None and not spot.may_follow(self.spot):
            if not self._is_believed(spot):
                return False
            self.counted = self.before_hole = None
        self.doubted, self.doubts, self.spot = None, 0, spot
        if self.counted is None:
            self.counted = spot
        elif (leg_m := spot.from_m(self.counted)) >= max(_COUNTED_M, spot.accuracy_m):
            self.gnss_m += leg_m
            self.counted = spot
        if self.before_hole is not None:
            since_m = self.speed_m - self.hole_m
            self.speed_m += max(0.0, spot.from_m(self.before_hole) - since_m)
            self.before_hole = None
        self.spot_m = self.speed_m
        return True

    def on_hole(self) -> None:
        """Nothing is known of the time up to what comes next."""
        self.speed_mps = None
        if self.before_hole is None:
            self.before_hole, self.hole_m = self.spot, self.spot_m

    def on_stop(self) -> None:
        """It is switched off: nothing is counted until it is on again."""
        self.speed_mps = None

    def _is_believed(self, spot: Spot) -> bool:
        agrees = self.doubted is not None and spot.may_follow(self.doubted)
        self.doubts = self.doubts + 1 if agrees else 1
        self.doubted = spot
        return self.doubts >= _AGREEING

    def total(self) -> tuple[float, Source | None]:
        """The distance in metres, and by which source."""
        if self.is_whole and self.step_m is not None and self.step_m <= _FINE_M:
            return self.by_odometer_m, "odometer"
        if self.has_speed:
            return self.speed_m, "speed"
        if self.step_m is not None and self.by_odometer_m > self.gnss_m:
            return self.by_odometer_m, "odometer"
        return self.gnss_m, "gnss" if self.spot is not None else None
