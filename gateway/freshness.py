"""Which messages fell silent while their bus talks on, and which buses sleep (pure)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

STALE_PERIODS = 10
"""A message that misses this many of its periods is stale."""
SLEEP_NS = 1_000_000_000
"""A bus that is silent for longer slept, ..."""
SLEEP_COUNTS_NS = 100_000_000
"""... which is so much of its own time, however long it was: the time between two checks."""
LEARN_FRAMES = 10
"""So many frames teach the period of a message whose DBC does not say it."""


class CountedMessage(Protocol):
    """What this needs to know of a CAN message: where it comes, and how many frames came."""

    @property
    def bus(self) -> int:
        """Index of the bus it arrives on."""

    @property
    def frames(self) -> int:
        """Frames received since the start, repeated ones too."""


@dataclass(slots=True)
class _Seen:
    frames: int = 0
    first_frames: int = 0
    first_ns: int = 0
    last_ns: int = 0
    stale: bool = False


@dataclass(frozen=True, slots=True)
class Changes:
    """What a check found: indices of messages whose freshness changed."""

    gone: list[int] = field(default_factory=list)
    back: list[int] = field(default_factory=list)


class Freshness:
    """Watches the frame counts of all messages.

    Silence is measured in the bus's own time, which stands still while the whole bus is silent:
    nothing goes stale in a sleeping car, whose last-known values still hold, nor in the moment it
    wakes, and sleep is in no learned period. Only counts and a clock that goes forward
    are used, so that a step of the wall clock ages nothing.

    Args:
        messages: All messages of all buses.
        cycle_times_ms: Of each, the DBC's GenMsgCycleTime; `None` or 0 where it does not say.
        bus_count: How many buses there are.
    """

    def __init__(
        self,
        messages: Sequence[CountedMessage],
        cycle_times_ms: Sequence[int | None],
        bus_count: int,
    ) -> None:
        self._messages = messages
        self._cycle_times_ms = cycle_times_ms
        self._seen = [_Seen() for _ in messages]
        self._bus_ns: list[int | None] = [None] * bus_count
        """When each bus was last heard."""
        self._awake_ns = [0] * bus_count
        """Of each bus, how long it was awake: its own time."""

    def succeed(self, former: "Freshness") -> None:
        """Go on with what another knows of the same messages."""
        self._seen, self._bus_ns, self._awake_ns = former._seen, former._bus_ns, former._awake_ns

    def hear(self, bus: int, now_ns: int) -> None:
        """Take that a bus talks, whatever it says."""
        before_ns = self._bus_ns[bus]
        if before_ns is not None:
            step_ns = now_ns - before_ns
            self._awake_ns[bus] += step_ns if step_ns <= SLEEP_NS else SLEEP_COUNTS_NS
        self._bus_ns[bus] = now_ns

    def check(self, now_ns: int) -> Changes:
        """Compare the counts with those of the last check; a tenth of a second apart is right."""
        changes = Changes()
        heard = [
            (index, message, seen)
            for index, (message, seen) in enumerate(zip(self._messages, self._seen, strict=True))
            if message.frames != seen.frames
        ]
        for bus in {message.bus for _, message, _ in heard}:
            self.hear(bus, now_ns)
        for index, message, seen in heard:
            awake_ns = self._awake_ns[message.bus]
            if not seen.frames:
                seen.first_frames, seen.first_ns = message.frames, awake_ns
            seen.frames, seen.last_ns = message.frames, awake_ns
            if seen.stale:
                seen.stale = False
                changes.back.append(index)
        for index, (message, seen) in enumerate(zip(self._messages, self._seen, strict=True)):
            if seen.stale or not seen.frames:
                continue
            period_ns = self.period_ns(index)
            silent_ns = self._awake_ns[message.bus] - seen.last_ns
            if period_ns and silent_ns > STALE_PERIODS * period_ns:
                seen.stale = True
                changes.gone.append(index)
        return changes

    def period_ns(self, index: int) -> int | None:
        """How far apart a message's frames should be: as its DBC says, else as learned."""
        cycle_time_ms = self._cycle_times_ms[index]
        if cycle_time_ms:
            return cycle_time_ms * 1_000_000
        seen = self._seen[index]
        learned = seen.frames - seen.first_frames
        if learned < LEARN_FRAMES:
            return None
        return (seen.last_ns - seen.first_ns) // learned

    def is_stale(self, index: int) -> bool:
        """Whether a message fell silent while its bus talks on."""
        return self._seen[index].stale

    def is_silent(self, bus: int, now_ns: int) -> bool:
        """Whether a bus sleeps, or never spoke: what was heard of it may be long past."""
        bus_ns = self._bus_ns[bus]
        return bus_ns is None or now_ns - bus_ns > SLEEP_NS + SLEEP_COUNTS_NS

    def is_asleep(self, now_ns: int, after_ns: int) -> bool:
        """Whether every bus has been silent this long; a bus that never spoke is silent."""
        return all(bus_ns is None or now_ns - bus_ns > after_ns for bus_ns in self._bus_ns)
