"""How often something may happen, for each of many keys, in bounded memory (pure)."""

from collections import OrderedDict
from collections.abc import Hashable

_MOST_KEYS = 1000


class Throttle:
    """A bucket for each key: `burst` at once, `per_s` in the long run."""

    def __init__(self, burst: float, per_s: float) -> None:
        self._burst = burst
        self._per_s = per_s
        self._buckets: OrderedDict[Hashable, tuple[float, int]] = OrderedDict()

    def has(self, key: Hashable, now_ns: int) -> bool:
        """Whether `take` would give one now."""
        return self._level(key, now_ns) >= 1

    def take(self, key: Hashable, now_ns: int) -> bool:
        """One more, if there is one left; `now_ns` is the monotonic clock."""
        level = self._level(key, now_ns)
        is_left = level >= 1
        self._buckets[key] = (level - is_left, now_ns)
        self._buckets.move_to_end(key)
        if len(self._buckets) > _MOST_KEYS:
            self._buckets.popitem(last=False)
        return is_left

    def _level(self, key: Hashable, now_ns: int) -> float:
        level, then_ns = self._buckets.get(key, (self._burst, now_ns))
        return min(self._burst, level + (now_ns - then_ns) * self._per_s / 1e9)
