"""How many packets of the autopilot are lost on the way, by the gaps in their numbers (pure)."""

from collections import deque

WINDOW_S = 10.0
REORDERED = 128
"""A number that is that far ahead is one from before: late, or twice."""


class Losses:
    """Packets that came and that did not, in the last ten seconds."""

    def __init__(self) -> None:
        self._last: int | None = None
        self._seen: deque[tuple[float, int]] = deque()
        """When, and how many were missing before this one."""
        self._missing = 0

    def heard(self, sequence: int, now_s: float) -> None:
        """A packet with its number, 0…255."""
        gap = 0
        if self._last is not None:
            gap = (sequence - self._last - 1) % 256
            if gap >= REORDERED:
                return
        self._last = sequence
        self._seen.append((now_s, gap))
        self._missing += gap
        self._forget(now_s)

    def restart(self) -> None:
        """Another start of the autopilot: its numbers begin anew."""
        self._last = None

    def share(self, now_s: float) -> float:
        """Lost among all that were sent, 0…1; 1 when nothing came at all."""
        self._forget(now_s)
        if not self._seen:
            return 1.0 if self._last is not None else 0.0
        return self._missing / (self._missing + len(self._seen))

    def _forget(self, now_s: float) -> None:
        while self._seen and now_s - self._seen[0][0] > WINDOW_S:
            self._missing -= self._seen.popleft()[1]
