"""What a GNSS receiver says: the truth, wrong by noise that remembers, and nothing in tunnels."""

import math
from dataclasses import dataclass

from simulator.chance import Chance
from simulator.route import METRES_PER_DEGREE

SIGMA_M = 2.5
"""Standard deviation of each horizontal axis under an open sky."""
CORRELATION_S = 30.0
REACQUIRE_S = 4.0
"""How long after a tunnel there is still no fix."""
REACQUIRE_SIGMA_M = 12.0
"""Error of the first fix after a tunnel; it fades with the correlation time."""
COURSE_SPEED_MPS = 1.5
"""Below this the course over ground is held: noise has no direction."""


@dataclass(frozen=True, slots=True)
class Fix:
    """One position solution; accuracies are the receiver's own standard deviations in metres."""

    lat_deg: float
    lon_deg: float
    altitude_m: float
    heading_deg: float
    speed_kmh: float
    accuracy_m: float
    vertical_accuracy_m: float
    satellites: int


class Receiver:
    """A receiver with first-order autoregressive noise on each axis."""

    def __init__(self, random: Chance):
        self._random = random
        self._east_m, self._north_m, self._up_m = (random.gauss(0, SIGMA_M) for _ in range(3))
        self._sigma_m = SIGMA_M
        self._heading_deg: float | None = None
        self._covered_at_s = -math.inf
        self._last_at_s: float | None = None

    def observe(
        self,
        at_s: float,
        lat_deg: float,
        lon_deg: float,
        altitude_m: float,
        heading_deg: float,
        speed_mps: float,
        covered: bool,
    ) -> Fix | None:
        """The fix at `at_s` seconds, or None while the sky is covered and shortly after."""
        dt_s = 0.0 if self._last_at_s is None else at_s - self._last_at_s
        self._last_at_s = at_s
        if covered:
            self._covered_at_s = at_s
            self._sigma_m = REACQUIRE_SIGMA_M
            self._east_m = self._random.gauss(0, REACQUIRE_SIGMA_M)
            self._north_m = self._random.gauss(0, REACQUIRE_SIGMA_M)
            return None
        self._wander(dt_s)
        if at_s - self._covered_at_s < REACQUIRE_S:
            return None
        if speed_mps > COURSE_SPEED_MPS or self._heading_deg is None:
            self._heading_deg = (heading_deg + self._random.gauss(0, 0.6)) % 360
        east_scale = METRES_PER_DEGREE * math.cos(math.radians(lat_deg))
        return Fix(
            lat_deg + self._north_m / METRES_PER_DEGREE,
            lon_deg + self._east_m / east_scale,
            altitude_m + 1.6 * self._up_m,
            self._heading_deg,
            max(0.0, speed_mps * 3.6 + self._random.gauss(0, 0.1)) if speed_mps > 0.1 else 0.0,
            self._sigma_m * (1 + 0.05 * self._random.random()),
            1.6 * self._sigma_m,
            int(14 - min(8.0, self._sigma_m - SIGMA_M) + self._random.randint(0, 2)),
        )

    def _wander(self, dt_s: float) -> None:
        keep = math.exp(-dt_s / CORRELATION_S)
        self._sigma_m = SIGMA_M + (self._sigma_m - SIGMA_M) * keep
        fresh = SIGMA_M * math.sqrt(1 - keep * keep)
        self._east_m = keep * self._east_m + self._random.gauss(0, fresh)
        self._north_m = keep * self._north_m + self._random.gauss(0, fresh)
        self._up_m = keep * self._up_m + self._random.gauss(0, fresh)
