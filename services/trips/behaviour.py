"""How a car was driven: standing while it is on, and what was harsh (pure)."""

from collections.abc import Iterator

from pydantic import BaseModel, Field

from internetcar.contract.trips import HarshKind
from services.trips import leaves
from services.trips.reading import Reading
from services.trips.travel import HOLD_MS

GRAVITY_MPS2 = 9.806_65
HARSH_MPS2: dict[HarshKind, float] = {
    "acceleration": 0.35 * GRAVITY_MPS2,
    "braking": 0.45 * GRAVITY_MPS2,
    "cornering": 0.50 * GRAVITY_MPS2,
}
"""Elevated g-force events as Simons-Morton et al. 2012 (American Journal of Epidemiology 175/10,
"Do elevated gravitational-force events while driving predict crashes and near crashes?") count
them: rapid starts over 0.35 g, hard stops over 0.45 g, hard turns over 0.50 g."""

_IMPOSSIBLE_MPS2 = 15.0
"""No tyre holds more than some 1.2 g: a sensor's fault, or a crash."""
_APART_MS = 1_000
"""What is less than this below the threshold is the same event; also what a speed's change is
measured over: noise and steps of a speed sensor are no acceleration."""
_STANDING_MPS = 1 / 3.6
_MOST_SPEEDS = 40


class Event(BaseModel):
    """A harsh event while it lasts."""

    begun_ms: int
    last_ms: int
    peak_mps2: float


class Behaviour(BaseModel):
    """How a trip was driven up to now.

    Attributes:
        idle_ms: How long it stood while on (with an engine: while that ran).
        running: Harsh events that may not be over.
        watched: What the car tells enough for.
        count: Harsh events that are over.
        speeds: The last seconds' speeds: UTC ms and m/s.
    """

    idle_ms: int = 0
    running: dict[HarshKind, Event] = Field(default_factory=dict)
    watched: list[HarshKind] = Field(default_factory=list)
    count: int = 0
    speeds: list[tuple[int, float]] = Field(default_factory=list)

    def pass_time(self, from_ms: int, at_ms: int, speed_mps: float | None, known: Reading) -> None:
        """From one instant to the next all was as it is known, in a car that is on."""
        stands = speed_mps is not None and speed_mps < _STANDING_MPS
        if stands and 0 < at_ms - from_ms <= HOLD_MS and engine_runs(known) is not False:
            self.idle_ms += at_ms - from_ms

    def on_moment(
        self, at_ms: int, speed_mps: float | None, told: set[str], known: Reading
    ) -> Iterator[tuple[HarshKind, Event]]:
        """Look at what was told; the harsh events that are over.

        Args:
            at_ms: When it was told, UTC ms.
            speed_mps: The speed, if it was told now.
            told: The leaves that were.
            known: What is known with them.
        """
        along = known.number(leaves.LONGITUDINAL)
        if leaves.LONGITUDINAL in told:
            yield from self._on_along(at_ms, along)
        elif along is None and speed_mps is not None:
            yield from self._on_along(at_ms, self._change(at_ms, speed_mps))
        across = known.number(leaves.LATERAL)
        if across is None and (turn := known.number(leaves.YAW_RATE)) is not None:
            speed = known.number(leaves.SPEED)
            across = None if speed is None else turn * 0.017_453_293 * speed / 3.6
        if told & {leaves.LATERAL, leaves.YAW_RATE}:
            yield from self._on("cornering", at_ms, None if across is None else abs(across))

    def end(self) -> Iterator[tuple[HarshKind, Event]]:
        """The car was switched off, or nothing is known of what comes now."""
        self.speeds.clear()
        for kind in list(self.running):
            yield self._over(kind)

    def _on_along(self, at_ms: int, along: float | None) -> Iterator[tuple[HarshKind, Event]]:
        yield from self._on("acceleration", at_ms, along)
        yield from self._on("braking", at_ms, None if along is None else -along)

    def _on(
        self, kind: HarshKind, at_ms: int, mps2: float | None
    ) -> Iterator[tuple[HarshKind, Event]]:
        event = self.running.get(kind)
        if event is not None and at_ms - event.last_ms >= _APART_MS:
            yield self._over(kind)
            event = None
        if mps2 is None or mps2 > _IMPOSSIBLE_MPS2:
            return
        if kind not in self.watched:
            self.watched.append(kind)
        if mps2 < HARSH_MPS2[kind]:
            return
        if event is None:
            self.running[kind] = Event(begun_ms=at_ms, last_ms=at_ms, peak_mps2=mps2)
        else:
            event.last_ms, event.peak_mps2 = at_ms, max(mps2, event.peak_mps2)

    def _over(self, kind: HarshKind) -> tuple[HarshKind, Event]:
        self.count += 1
        return kind, self.running.pop(kind)

    def _change(self, at_ms: int, speed_mps: float) -> float | None:
        """The acceleration over the last second or more, in m/s²."""
        while len(self.speeds) > 1 and self.speeds[1][0] <= at_ms - _APART_MS:
            del self.speeds[0]
        self.speeds = [*self.speeds[-_MOST_SPEEDS:], (at_ms, speed_mps)]
        then_ms, before_mps = self.speeds[0]
        if at_ms - then_ms < _APART_MS:
            return None
        return (speed_mps - before_mps) / ((at_ms - then_ms) / 1_000)


def engine_runs(known: Reading) -> bool | None:
    """Whether the combustion engine runs; `None` where there is none, or nothing is said of it."""
    runs = known.known.get(leaves.ENGINE_RUNNING)
    if isinstance(runs, bool):
        return runs
    for leaf in (leaves.ENGINE_SPEED, leaves.OBD_ENGINE_SPEED):
        if (rpm := known.number(leaf)) is not None:
            return rpm > 0
    return None
