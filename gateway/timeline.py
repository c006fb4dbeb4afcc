"""Two clocks held against each other: when the wall clock steps, and what instants then mean."""

from dataclasses import dataclass

STEP_MS = 1000
"""A wall clock that moves this much against the monotonic clock has stepped."""

_STEPS_REMEMBERED = 8


@dataclass(frozen=True, slots=True)
class _Step:
    """The wall clock jumped by `by_ms`, at `at_ms` of elapsed time."""

    at_ms: int
    by_ms: int


class Timeline:
    """Elapsed time that never runs backwards, and what the wall clock does against it.

    Attributes:
        elapsed_ms: Monotonic time since the beginning.
        wall_ms: The wall clock when the clocks were last read, UTC milliseconds since 1970.
    """

    def __init__(self, now_ms: int, wall_ms: int) -> None:
        """Begin at 0. `now_ms`: monotonic clock; `wall_ms`: UTC since 1970, read together."""
        self.elapsed_ms = 0
        self.wall_ms = wall_ms
        self._now_ms = now_ms
        self._anchor_ms = wall_ms
        self._steps: list[_Step] = []

    def advance(self, now_ms: int, wall_ms: int) -> int:
        """Read both clocks; by how many milliseconds the wall clock stepped, 0 if it did not."""
        self.elapsed_ms += max(0, now_ms - self._now_ms)
        self._now_ms = now_ms
        by_ms = wall_ms - self.unstepped_ms
        self.wall_ms = wall_ms
        if abs(by_ms) <= STEP_MS:
            return 0
        self._steps = [*self._steps, _Step(self.elapsed_ms, by_ms)][-_STEPS_REMEMBERED:]
        self.anchor()
        return by_ms

    @property
    def unstepped_ms(self) -> int:
        """What the wall clock would show had it kept its pace since the last anchor."""
        return self._anchor_ms + self.elapsed_ms

    def anchor(self) -> None:
        """Take the wall clock as right from here on: slow drift is not a step."""
        self._anchor_ms = self.wall_ms - self.elapsed_ms

    def translate(self, at_ms: int) -> int:
        """An instant on the wall clock as it runs now, also if stamped before it stepped.

        Which clock a stamp is of shows by its age: since a step only so much time has passed. A
        stamp older than that, and a step back by no more than its age, cannot be told apart: it
        is taken as it stands. A stamp in the future is taken as now.
        """
        for step in reversed(self._steps):
            age_ms = self.wall_ms - at_ms
            if -STEP_MS <= age_ms <= self.elapsed_ms - step.at_ms + STEP_MS:
                break
            at_ms += step.by_ms
        return min(at_ms, self.wall_ms)
