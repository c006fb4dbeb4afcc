"""Paced samples in, numbered batches out: what goes into the log, and when a batch ends.

Pure: both clocks are arguments. A batch says everything from its `start_at` to its `end_at`, as
the pacing has it: a change that pacing still holds comes in a later batch, whose `start_at` then
reaches back to it. So no sample means no change up to `end_at`, to within the leaf's interval.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Literal

from gateway.timeline import Timeline
from internetcar.contract.message import Value
from internetcar.contract.presence import Clock, Origin
from internetcar.contract.signals import Quality
from internetcar.contract.telemetry import Dropped, Sample, Telemetry
from internetcar.contract.wire import InstantWriter, telemetry_payload

MOST_BYTES = 120_000
"""The largest batch: AWS IoT Core takes 128 KiB, and the contract far more."""

PacedSample = tuple[str, int, Value, Quality]
"""Path, instant of the frame (UTC milliseconds since 1970), value, quality."""

_Taken = dict[str, list[tuple[int, Value, Quality]]]


@dataclass(frozen=True, slots=True)
class Previous:
    """The journal this writer kept before, and how far it got."""

    journal: str
    last: int


@dataclass(frozen=True, slots=True)
class Batch:
    """One closed batch, as bytes; never changed again.

    Attributes:
        journal: The id of its journal.
        sequence: Its place there, from 1.
        payload: What goes on the telemetry topic.
        first: Of a stated loss, the first sequence it stands for.
        is_snapshot: Whether it carries every leaf.
    """

    journal: str
    sequence: int
    payload: bytes
    first: int | None = None
    is_snapshot: bool = False


class Batcher:
    """Collects the samples of one journal into batches.

    A batch closes every second, empty when nothing changed, and every minute while `asleep`. A
    snapshot (every leaf with value, quality and instant) begins the journal and follows every
    minute, every step of the wall clock by more than a second, every change of `clock` and every
    `request_snapshot`. It stands for itself: the changes before it are in the batch before it.
    What is too large for one batch follows at once in others: the rest of a snapshot in `changes`
    that look back as it does, so that a reader knows every leaf once it has them.
    """

    def __init__(
        self,
        journal: str,
        *,
        previous: Previous | None,
        clock: Clock,
        origin: Origin,
        batch_ms: int = 1000,
        asleep_ms: int = 60_000,
        snapshot_ms: int = 60_000,
    ) -> None:
        self.asleep = False
        self.sequence = 0
        self._journal = journal
        self._previous = previous
        self._clock = clock
        self._origin = origin
        self._batch_ms = batch_ms
        self._asleep_ms = asleep_ms
        self._snapshot_ms = snapshot_ms
        self._time = Timeline(0, 0)
        self._opened_ms = 0
        self._snapshot_due_ms = 0
        self._snapshot_wanted = False
        self._start_ms = 0
        self._open: _Taken = {}
        self._leaves: dict[str, tuple[int, Value, Quality]] = {}
        self._write_instant = InstantWriter()

    def request_snapshot(self) -> None:
        """The next `take` ends the batch and writes every leaf: a bus or a reader was lost."""
        self._snapshot_wanted = True

    def retain(self, paths: Collection[str]) -> None:
        """Forget every leaf but these, and write a snapshot: the mapping has changed."""
        self._leaves = {path: leaf for path, leaf in self._leaves.items() if path in paths}
        self.request_snapshot()

    def take(
        self,
        samples: Iterable[PacedSample],
        *,
        now_ms: int,
        wall_ms: int,
        clock: Clock | None = None,
    ) -> list[Batch]:
        """Take what one drain brought, in its order, and give the batches that are now closed.

        Args:
            samples: What pacing let through; per path ascending in time.
            now_ms: Monotonic clock, read after the drain; in a replay the recording's own time.
            wall_ms: UTC milliseconds since 1970, read together with `now_ms`.
            clock: How far instants can be trusted from here on; `None`: as before.
        """
        closed = self._turn(now_ms, wall_ms, clock or self._clock)
        time = self._time
        for path, at_ms, value, quality in samples:
            self._add(path, time.translate(at_ms), value, quality)
        if self._snapshot_wanted or time.elapsed_ms >= self._snapshot_due_ms:
            closed += self._snapshot()
        elif time.elapsed_ms - self._opened_ms >= self._length_ms:
            closed += self._close("changes", time.wall_ms)
        return closed

    def finish(self, *, now_ms: int, wall_ms: int) -> list[Batch]:
        """End the journal: the open batch closes, however short it is."""
        closed = self.take((), now_ms=now_ms, wall_ms=wall_ms)
        return closed or self._close("changes", self._time.wall_ms)

    @property
    def _length_ms(self) -> int:
        return self._asleep_ms if self.asleep and not self._open else self._batch_ms

    def _turn(self, now_ms: int, wall_ms: int, clock: Clock) -> list[Batch]:
        """Move to the new time; the batches a first call, a step or another clock brings."""
        if not self.sequence:
            self._time = Timeline(now_ms, wall_ms)
            self._start_ms = wall_ms
            self._clock = clock
            return self._snapshot()
        stepped_ms = self._time.advance(now_ms, wall_ms)
        if not stepped_ms and clock == self._clock:
            return []
        closed = self._close("changes", wall_ms - stepped_ms)
        self._start_ms = wall_ms
        self._clock = clock
        self._leaves = {
            path: (min(at_ms + stepped_ms, wall_ms), value, quality)
            for path, (at_ms, value, quality) in self._leaves.items()
        }
        return closed + self._snapshot()

    def _add(self, path: str, at_ms: int, value: Value, quality: Quality) -> None:
        last = self._leaves.get(path)
        if last is not None and at_ms < last[0]:
            at_ms = last[0]
        sample = (at_ms, value, quality)
        self._leaves[path] = sample
        self._open.setdefault(path, []).append(sample)

    def _snapshot(self) -> list[Batch]:
        """Close what is open; then every leaf. Alone it also covers the time before it."""
        time = self._time
        closed = self._close("changes", time.wall_ms) if self._open else []
        self._open = {path: [leaf] for path, leaf in self._leaves.items()}
        closed += self._close("snapshot", time.wall_ms)
        self._snapshot_wanted = False
        self._snapshot_due_ms = time.elapsed_ms + self._snapshot_ms
        return closed

    def _close(self, kind: Literal["changes", "snapshot"], end_ms: int) -> list[Batch]:
        """End what is open here; several batches where one would be too large."""
        start_ms = min(self._start_ms, end_ms)
        instants = [at_ms for samples in self._open.values() for at_ms, _, _ in samples]
        if instants:
            end_ms = max(end_ms, max(instants))
            if kind == "changes":
                start_ms = min(start_ms, min(instants))
        closed: list[Batch] = []
        parts = [self._open]
        while parts:
            part = parts.pop()
            payload = self._payload("changes" if closed else kind, start_ms, end_ms, part)
            if len(payload) > MOST_BYTES and sum(map(len, part.values())) > 1:
                parts += reversed(_halves(part))
                continue
            self.sequence += 1
            is_snapshot = kind == "snapshot" and not closed
            closed.append(Batch(self._journal, self.sequence, payload, is_snapshot=is_snapshot))
        self._reopen(end_ms)
        return closed

    def _payload(
        self, kind: Literal["changes", "snapshot"], start_ms: int, end_ms: int, taken: _Taken
    ) -> bytes:
        previous = None if self.sequence else self._previous
        return telemetry_payload(
            journal=self._journal,
            sequence=self.sequence + 1,
            previous=previous.journal if previous else None,
            previous_last=previous.last if previous else None,
            kind=kind,
            start_at=self._write_instant(start_ms),
            end_at=self._write_instant(end_ms),
            clock=self._clock,
            origin=self._origin,
            samples={
                path: [_sample(at_ms - start_ms, value, quality) for at_ms, value, quality in leaf]
                for path, leaf in taken.items()
            },
        )

    def _reopen(self, start_ms: int) -> None:
        time = self._time
        late_ms = time.elapsed_ms - self._opened_ms - self._length_ms
        self._opened_ms = time.elapsed_ms - (late_ms if 0 <= late_ms < self._batch_ms else 0)
        self._start_ms = start_ms
        self._open = {}
        time.anchor()


def _sample(offset_ms: int, value: Value, quality: Quality) -> Sample:
    return (offset_ms, value) if quality == "valid" else (offset_ms, value, quality)


def _halves(taken: _Taken) -> tuple[_Taken, _Taken]:
    """The same samples in two parts; of each path the earlier first."""
    samples = [(path, sample) for path, leaf in taken.items() for sample in leaf]
    halves: tuple[_Taken, _Taken] = ({}, {})
    for place, (path, sample) in enumerate(samples):
        halves[place >= len(samples) // 2].setdefault(path, []).append(sample)
    return halves


def parse_own(vehicle_id: str, payload: bytes) -> Telemetry:
    """A batch that was written here, however large, without its samples."""
    body = Telemetry.parse_payload(payload)
    return Telemetry.model_validate({**body, "vehicle_id": vehicle_id, "samples": {}})


def not_kept(journal: str, first: int, last: int, kept: Telemetry, reason: str) -> Batch:
    """Says that a journal's batches from `first` to `last` are gone.

    Args:
        journal: Whose batches they were.
        first: The first sequence asked for.
        last: The last sequence that is gone.
        kept: The oldest batch after them that is still there; its times are all that is known.
        reason: Why.
    """
    gone = kept.model_copy(
        update={
            "journal": journal,
            "sequence": first,
            "end_at": kept.start_at,
            "dropped": None,
            "previous": None,
            "previous_last": None,
        }
    )
    return state_loss(gone, gone.model_copy(update={"sequence": last}), reason)


def state_loss(first: Telemetry, last: Telemetry, reason: str) -> Batch:
    """The batch that takes the place of all from `first` to `last` (of one journal): a stated loss.

    Either may itself be a stated loss. If the first of the journal is lost, its predecessor is
    still named.
    """
    begin = first.dropped.first if first.dropped else first.sequence
    lost = Telemetry(
        vehicle_id=last.vehicle_id,
        journal=last.journal,
        sequence=last.sequence,
        previous=first.previous,
        previous_last=first.previous_last,
        dropped=Dropped(first=begin, last=last.sequence, reason=reason),
        kind="dropped",
        start_at=min(first.start_at, last.end_at),
        end_at=last.end_at,
        clock=last.clock,
        origin=last.origin,
    )
    return Batch(lost.journal, lost.sequence, lost.encode(), begin)
