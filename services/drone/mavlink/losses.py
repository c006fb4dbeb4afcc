"""How many packets of the autopilot are lost on the way, by the gaps in their numbers (pure).

Only the way from the autopilot to us can be counted: what is lost of ours nobody tells.
"""

from collections import deque

WINDOW_S = 10.0
LATE_S = 1.0
"""So long a missing packet may still be on its way: until then it is not lost."""
QUIET_S = 2.0
"""After such a silence no packet is a late one: every number counts as ahead."""
_NUMBERS = 256


class Losses:
    """Packets that came and that did not, in the last ten seconds."""

    def __init__(self) -> None:
        self._last: int | None = None
        """The highest number so far, counted on beyond 255."""
        self._heard_s = 0.0
        self._came: deque[float] = deque()
        self._missing: dict[int, float] = {}
        """Numbers that were left out, and when that was seen, oldest first."""

    def heard(self, sequence: int, now_s: float) -> None:
        """A packet with its number, 0…255; one that came late is missing no more."""
        if self._last is None:
            self._last = sequence
        else:
            ahead = (sequence - self._last) % _NUMBERS
            is_behind = ahead == 0 or ahead > _NUMBERS // 2
            if is_behind and now_s - self._heard_s <= QUIET_S:
                number = self._last + ahead - (_NUMBERS if ahead else 0)
                if self._missing.pop(number, None) is None:
                    return
            else:
                new = self._last + (ahead or _NUMBERS)
                self._missing.update(dict.fromkeys(range(self._last + 1, new), now_s))
                self._last = new
        self._heard_s = now_s
        self._came.append(now_s)
        self._forget(now_s)

    def restart(self) -> None:
        """Another start of the autopilot: its numbers begin anew."""
        self._last = None
        self._missing.clear()

    def share(self, now_s: float) -> float:
        """Lost among all that were sent, 0…1; 1 when nothing came at all."""
        self._forget(now_s)
        if not self._came:
            return 1.0 if self._last is not None else 0.0
        lost = sum(now_s - seen_s >= LATE_S for seen_s in self._missing.values())
        if not lost:
            return 0.0
        return lost / (lost + sum(now_s - came_s >= LATE_S for came_s in self._came))

    def _forget(self, now_s: float) -> None:
        while self._came and now_s - self._came[0] > WINDOW_S:
            self._came.popleft()
        while self._missing and now_s - (first := next(iter(self._missing.items())))[1] > WINDOW_S:
            del self._missing[first[0]]
