"""A recording's time made one that can be played: without broken stamps and steps back (pure)."""

from collections.abc import Iterable, Iterator

from gateway.textlogs import RecordedFrame

JUMP_NS = 10_000_000_000
"""Stamps of neighbouring frames may differ by so much: devices that are not quite set alike."""
PAUSE_NS = 3_600_000_000_000
"""A longer silence is not waited for, and one frame beyond it is not worth believing."""


class SteadyTime:
    """A recording's frames with instants that go on; each iteration starts anew.

    A stamp far from the one before is judged by the frame that follows. Where that is back at the
    old time the stamp was broken, and its frame is left out. Where it too is earlier, the clock
    stepped back (or one recording was appended to another): from there on the instants are
    shifted so that they go on, as in a loop. Where it too is later, nothing was recorded between.
    """

    def __init__(self, frames: Iterable[RecordedFrame]) -> None:
        self._frames = frames
        self._shift_ns = 0
        self._last_ns: int | None = None
        self.broken = 0
        """Frames left out in the latest iteration: their stamp was broken."""
        self.first_broken_ns = 0
        """The first such stamp."""
        self.steps_back = 0
        """How often the clock stepped back in the latest iteration."""

    def __iter__(self) -> Iterator[RecordedFrame]:
        self._shift_ns = self.broken = self.steps_back = 0
        last_ns = self._last_ns = None
        odd: RecordedFrame | None = None
        for frame in self._frames:
            if odd is not None:
                if self._is_broken(odd[3], frame[3]):
                    self._leave_out(odd)
                else:
                    yield self._accept(odd)
                last_ns, odd = self._last_ns, None
            at_ns = frame[3] + self._shift_ns
            if last_ns is None or not -JUMP_NS <= at_ns - last_ns <= JUMP_NS:
                odd, self._last_ns = frame, last_ns
                continue
            last_ns = at_ns
            yield (*frame[:3], at_ns) if self._shift_ns else frame
        if odd is None:
            return
        if self._is_worth_believing(odd[3] + self._shift_ns):
            yield self._accept(odd)
        else:
            self._leave_out(odd)

    def _is_broken(self, odd_ns: int, next_ns: int) -> bool:
        """Whether the frame after an odd stamp takes it back."""
        last_ns = self._last_ns
        if last_ns is None or odd_ns + self._shift_ns > last_ns:
            return next_ns < odd_ns - JUMP_NS
        return next_ns + self._shift_ns >= last_ns - JUMP_NS

    def _is_worth_believing(self, at_ns: int) -> bool:
        """Of the last frame, which no other confirms."""
        return self._last_ns is None or 0 < at_ns - self._last_ns <= PAUSE_NS

    def _accept(self, frame: RecordedFrame) -> RecordedFrame:
        channel, can_id, payload, at_ns = frame
        if self._last_ns is not None:
            if at_ns + self._shift_ns < self._last_ns:
                self.steps_back += 1
                self._shift_ns = self._last_ns - at_ns
            elif at_ns >= self._last_ns - JUMP_NS:  # the clock is right again
                self._shift_ns = 0
        self._last_ns = at_ns + self._shift_ns
        return channel, can_id, payload, self._last_ns

    def _leave_out(self, frame: RecordedFrame) -> None:
        if not self.broken:
            self.first_broken_ns = frame[3]
        self.broken += 1
