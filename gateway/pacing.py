"""What is worth sending now: interval, change, deadband and heartbeat together (pure)."""

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from internetcar.contract.message import Value
from internetcar.contract.signals import Quality


@dataclass(frozen=True, slots=True)
class Pace:
    """How often one leaf may be said, and how long it may go unsaid."""

    interval_ns: int = 100_000_000
    """At least this long between two samples; 0 sends every change at once."""
    deadband: float = 0.0
    """A number that moved less than this from the one last sent is not a change."""
    max_interval_ns: int = 60_000_000_000
    """An unchanged value is said again after this long; 0 never."""
    group: str | None = None
    """Leaves of one group are due together and leave with one instant."""


class Sample(NamedTuple):
    """One leaf, worth sending."""

    leaf: int
    value: Value
    quality: Quality
    at_ns: int


class Pacer:
    """Holds the newest value of every leaf and says which are due.

    Time is an argument: `at_ns` is the frame's own instant, `now_ns` a clock that only goes
    forward (the monotonic one, in a replay the recording's).
    """

    def __init__(
        self, paces: Sequence[Pace], is_current: Callable[[int], bool] = lambda leaf: True
    ) -> None:
        """Begin with no leaf seen.

        Args:
            paces: Of each leaf.
            is_current: Whether the newest frame said a leaf; one that it did not say does not
                leave with its group, for it would leave with an instant that is not its own.
        """
        count = len(paces)
        self._is_current = is_current
        self._paces = paces
        self._interval = [pace.interval_ns for pace in paces]
        self._deadband = [pace.deadband for pace in paces]
        self._value: list[Value] = [None] * count
        self._quality: list[Quality | None] = [None] * count
        self._at_ns = [0] * count
        self._sent_value: list[Value] = [None] * count
        self._sent_quality: list[Quality | None] = [None] * count
        self._sent_ns = [-(1 << 62)] * count
        self._waiting = [False] * count
        self._ready: list[int | Sample] = []
        self._held: list[tuple[int, int]] = []
        self._partners = _partners(paces)
        self._is_immediate = [not pace.interval_ns and pace.group is None for pace in paces]

    def offer(self, leaf: int, value: Value, quality: Quality, at_ns: int, now_ns: int) -> None:
        """Take a newly decoded value; it is sent now, when its interval ends, or not at all."""
        if value == self._value[leaf] and quality == self._quality[leaf]:
            return
        self._value[leaf] = value
        self._quality[leaf] = quality
        self._at_ns[leaf] = at_ns
        if self._waiting[leaf] or not self._is_changed(leaf):
            return
        if self._is_immediate[leaf]:  # the next change may come before `take`
            self._ready.append(self._send(leaf, at_ns, now_ns))
            return
        self._waiting[leaf] = True
        due_ns = self._sent_ns[leaf] + self._interval[leaf]
        if due_ns <= now_ns:
            self._ready.append(leaf)
        else:
            heapq.heappush(self._held, (due_ns, leaf))

    def confirm(self, leaf: int, at_ns: int) -> None:
        """The leaf's frame came again with the same value, at this instant."""
        if self._quality[leaf] is not None:
            self._at_ns[leaf] = at_ns

    def requalify(self, leaf: int, quality: Quality, now_ns: int) -> None:
        """Change what a leaf's last good value is worth; its value and instant stay."""
        if self._quality[leaf] is not None:
            self.offer(leaf, self._value[leaf], quality, self._at_ns[leaf], now_ns)

    def take(self, now_ns: int) -> list[Sample]:
        """The samples due now, in the order they became due; a group leaves as one."""
        held = self._held
        while held and held[0][0] <= now_ns:
            due_ns, leaf = heapq.heappop(held)
            if due_ns == self._sent_ns[leaf] + self._interval[leaf]:
                self._ready.append(leaf)
        return self._leave(now_ns) if self._ready else []

    def flush(self, now_ns: int) -> list[Sample]:
        """Every change still held, without waiting for the end of its interval."""
        self._ready.extend(leaf for _, leaf in sorted(self._held))
        self._held.clear()
        return self._leave(now_ns)

    def silent(self, now_ns: int) -> list[int]:
        """The leaves whose value went unsaid for `max_interval_ns`; `repeat` says them again."""
        return [
            leaf
            for leaf, pace in enumerate(self._paces)
            if pace.max_interval_ns
            and self._quality[leaf] is not None
            and self._sent_ns[leaf] + pace.max_interval_ns <= now_ns
        ]

    def repeat(self, leaves: Sequence[int], now_ns: int) -> list[Sample]:
        """Say these leaves now, changed or not."""
        self._ready.extend(leaves)
        for leaf in leaves:
            self._waiting[leaf] = True
            self._sent_quality[leaf] = None
        return self._leave(now_ns)

    @property
    def next_due_ns(self) -> int | None:
        """When the next held change is due; `None` while nothing is held."""
        return self._held[0][0] if self._held else None

    def newest(self, leaf: int) -> tuple[Value, Quality | None]:
        """A leaf's newest value, sent or not; the quality is `None` before the first."""
        return self._value[leaf], self._quality[leaf]

    def known(self, leaf: int) -> tuple[Value, Quality | None, int]:
        """As `newest`, and the instant."""
        return self._value[leaf], self._quality[leaf], self._at_ns[leaf]

    def state(self) -> list[Sample]:
        """Every leaf that has been seen, as it is now: what a snapshot carries."""
        return [
            Sample(leaf, self._value[leaf], quality, self._at_ns[leaf])
            for leaf, quality in enumerate(self._quality)
            if quality is not None
        ]

    def _is_changed(self, leaf: int) -> bool:
        if self._quality[leaf] != self._sent_quality[leaf]:
            return True
        value, sent, deadband = self._value[leaf], self._sent_value[leaf], self._deadband[leaf]
        return value != sent and not (deadband and _is_within(value, sent, deadband))

    def _leave(self, now_ns: int) -> list[Sample]:
        ready, self._ready = self._ready, []
        samples: list[Sample] = []
        for leaf in ready:
            if isinstance(leaf, Sample):
                samples.append(leaf)
                continue
            if not self._waiting[leaf]:
                continue
            if not self._is_changed(leaf):
                self._waiting[leaf] = False
                continue
            partners = self._partners[leaf]
            if partners is None:
                samples.append(self._send(leaf, self._at_ns[leaf], now_ns))
                continue
            seen = [partner for partner in partners if partner == leaf or self._belongs(partner)]
            at_ns = max(self._at_ns[partner] for partner in seen)
            samples.extend(self._send(partner, at_ns, now_ns) for partner in seen)
        return samples

    def _belongs(self, partner: int) -> bool:
        """Whether a leaf of a group leaves with the one that is due."""
        return self._quality[partner] is not None and self._is_current(partner)

    def _send(self, leaf: int, at_ns: int, now_ns: int) -> Sample:
        value, quality = self._value[leaf], self._quality[leaf]
        assert quality is not None, "only a leaf that was offered is sent"
        self._waiting[leaf] = False
        self._sent_value[leaf] = value
        self._sent_quality[leaf] = quality
        self._sent_ns[leaf] = now_ns
        return Sample(leaf, value, quality, at_ns)


def _is_within(value: Value, sent: Value, deadband: float) -> bool:
    if isinstance(value, int | float) and isinstance(sent, int | float):
        return abs(value - sent) < deadband
    return False


def _partners(paces: Sequence[Pace]) -> list[tuple[int, ...] | None]:
    groups: dict[str, list[int]] = {}
    for leaf, pace in enumerate(paces):
        if pace.group is not None:
            groups.setdefault(pace.group, []).append(leaf)
    return [None if pace.group is None else tuple(groups[pace.group]) for pace in paces]
