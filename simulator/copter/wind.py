"""The wind: steady, with gusts from a seed (pure)."""

import math

from simulator.chance import Chance

_GUST_S = 4.0
"""How long a gust lasts, about."""


class Wind:
    """Where the air moves to, in m/s north and east."""

    __slots__ = ("_chance", "_gust_mps", "from_deg", "gusts_mps", "speed_mps")

    def __init__(self, from_deg: float, speed_mps: float, gusts_mps: float, chance: Chance) -> None:
        self.from_deg = from_deg
        self.speed_mps = speed_mps
        self.gusts_mps = gusts_mps
        """Standard deviation of the speed; 0 is steady."""
        self._gust_mps = 0.0
        self._chance = chance

    def blow(self, dt_s: float) -> tuple[float, float]:
        """Let time pass; the air's velocity north and east."""
        speed_mps = self.speed_mps
        if self.gusts_mps > 0.0:
            keep = math.exp(-dt_s / _GUST_S)
            spread = self.gusts_mps * math.sqrt(1.0 - keep * keep)
            self._gust_mps = self._gust_mps * keep + self._chance.gauss(0.0, spread)
            speed_mps = max(0.0, speed_mps + self._gust_mps)
        angle = math.radians(self.from_deg)
        return -speed_mps * math.cos(angle), -speed_mps * math.sin(angle)
