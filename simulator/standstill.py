"""Traffic that stands: the driver stops at its end, creeps on with it a few times, and is out."""

import math

STANDS_S = (90.0, 100.0, 100.0)
"""How long it stands each time; no light is red for so long."""
CREEPS_M = (25.0, 12.0)
"""How far it gets on in between."""
CREEP_MPS = 2.0
"""About 7 km/h."""
STOPPED_MPS = 0.1
NEAR_M = 3.0
"""So near behind the car ahead a stop is meant."""


class Standstill:
    """One queue, from its end on.

    Args:
        at_m: Where on the driver's way it ends.
    """

    def __init__(self, at_m: float) -> None:
        self.at_m = at_m
        self._behind_m = at_m
        self._step = 0
        self._until_s: float | None = None

    @property
    def is_over(self) -> bool:
        """Whether traffic runs again."""
        return self._step >= len(STANDS_S)

    @property
    def limit_mps(self) -> float:
        """How fast it gets on."""
        return CREEP_MPS if 0 < self._step < len(STANDS_S) else math.inf

    def room_m(self, at_s: float, distance_m: float, speed_mps: float) -> float:
        """Metres to the car ahead; infinite once it is over."""
        if self._until_s is not None and at_s >= self._until_s:
            self._until_s = None
            self._behind_m += CREEPS_M[self._step] if self._step < len(CREEPS_M) else math.inf
            self._step += 1
        room_m = self._behind_m - distance_m
        if self._until_s is None and room_m < NEAR_M and speed_mps < STOPPED_MPS:
            self._until_s = at_s + STANDS_S[self._step]
        return room_m
