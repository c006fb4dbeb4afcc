"""One vehicle's log, batch by batch: which gates it passes, and what bars a charge (pure)."""

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import itemgetter
from typing import Protocol

from pydantic import BaseModel, ConfigDict, Field

from internetcar.contract.message import milliseconds
from internetcar.contract.presence import Clock, Origin
from internetcar.contract.telemetry import Telemetry
from services.tolls.facts import Finding, Sample
from services.tolls.passages.matching import Place
from services.tolls.passages.reckoning import instant
from services.tolls.passages.records import bar_of
from services.tolls.tariff.context import Context, at

PAUSE_MS = 30 * 60_000
"""A log that was silent for longer begins a new drive."""
_MOST_GAPS = 50
_AROUND_DEG = 0.25
"""So far around its gates a context is watched; some 15 km at the least up to 56 degrees."""


class UnreadableError(ValueError):
    """A detector's state was written in another format: the detector begins anew."""


class Detector(Protocol):
    """`services/tolls/detection/detector.py` has it; its state is text, kept between batches."""

    def advance(self, state: str | None, samples: Sequence[Sample]) -> tuple[str, list[Finding]]:
        """Go on with a drive (`None`: begin one): its new state, and what was found.

        It raises an `UnreadableError` where the state is of another format, as does `finish`.
        """
        ...

    def finish(self, state: str) -> list[Finding]:
        """The drive has ended: what can be said of what was open."""
        ...


class Running(BaseModel):
    """A detector at work: when it began, of which version of its context, and where it stands."""

    model_config = ConfigDict(frozen=True)

    epoch: int
    version: str
    state: str


class Watch(BaseModel):
    """Where a vehicle's detection stands; plain data for the store.

    Attributes:
        origin: Of the log that is being read.
        clock: Of it.
        epoch: Counts the beginnings of detectors, so the starts of travelled distances.
        journal: The journal read last.
        sequence: Its last batch.
        end_ms: Up to when the log was read.
        shift_ms: What the drive is priced at another time by.
        gaps: Times of which the log says nothing.
        reading: What must be kept to read the next batch; empty: nothing.
        running: Detectors by context.
        open_ms: The oldest crossing that is unresolved, if there is one.
    """

    model_config = ConfigDict(frozen=True)

    origin: Origin = "live"
    clock: Clock = "synchronized"
    epoch: int = 0
    journal: str = ""
    sequence: int = 0
    end_ms: int = 0
    shift_ms: int = 0
    gaps: tuple[tuple[int, int], ...] = ()
    reading: str = ""
    running: dict[str, Running] = Field(default_factory=dict)
    open_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """A finding, and all that is known of it beside what it says."""

    place: Place
    finding: Finding
    bar: str | None
    shift_ms: int


def _unheard(_: str) -> None:
    """For those who need no warning."""


@dataclass(frozen=True)
class Watcher:
    """What all vehicles are watched with.

    Attributes:
        contexts: The versions of each context.
        detector_of: The detector of a version; it remembers them.
        samples_of: What is kept of the last batch and the next one, as samples; and what to keep.
        origin: Which origin may cost money.
        tariff_time: When every drive shall have begun for the tariff, also one after a pause;
            drives so shifted are not reckoned with each other. `None`: when it did.
        warn: Is told of a detector that has to begin anew.
    """

    contexts: Mapping[str, Sequence[Context]]
    detector_of: Callable[[Context], Detector]
    samples_of: Callable[[str, Telemetry], tuple[str, Sequence[Sample]]]
    origin: Origin = "live"
    tariff_time: datetime | None = None
    warn: Callable[[str], object] = _unheard
    _boxes: dict[str, tuple[float, float, float, float]] = field(default_factory=dict, init=False)

    def advance(
        self, watch: Watch, batch: Telemetry, *, has_gap: bool
    ) -> tuple[Watch, list[Found]]:
        """Apply the next batch of a vehicle's log.

        Args:
            watch: Where it stands.
            batch: The next one.
            has_gap: Batches before this one are lost for good.
        """
        found: list[Found] = []
        if (watch.origin, watch.clock) != (batch.origin, batch.clock):
            watch, found = self.end(watch, batch.vehicle_id)
        watch = self._noted(watch, batch, has_gap=has_gap)
        reading, samples = self.samples_of(watch.reading, batch)
        near = self._near(samples, watch)
        found += self._end(watch, batch.vehicle_id, near.keys())
        running: dict[str, Running] = {}
        begun = watch.epoch
        for context_id, context in sorted(near.items(), key=itemgetter(0)):
            before, detector = watch.running.get(context_id), self.detector_of(context)
            try:
                state, findings = detector.advance(before.state if before else None, samples)
            except UnreadableError as error:
                self.warn(f"{batch.vehicle_id}: {error}")
                before, (state, findings) = None, detector.advance(None, samples)
            begun += before is None
            epoch = before.epoch if before else begun
            running[context_id] = Running(epoch=epoch, version=context.version, state=state)
            place = Place(batch.vehicle_id, context_id, watch.origin, epoch)
            found += [self._found(each, place, watch) for each in findings]
        update = {"running": running, "reading": reading, "epoch": begun}
        return watch.model_copy(update=update), found

    def _noted(self, watch: Watch, batch: Telemetry, *, has_gap: bool) -> Watch:
        """The watch with the batch's place in the log, its time, and gaps before and in it."""
        start_ms, end_ms = milliseconds(batch.start_at), milliseconds(batch.end_at)
        gaps = watch.gaps
        if has_gap and watch.journal:
            gaps = (*gaps, (min(watch.end_ms, start_ms), start_ms))
        if batch.kind == "dropped":
            gaps = (*gaps, (start_ms, end_ms))
        shift_ms = watch.shift_ms
        if not watch.journal or start_ms - watch.end_ms > PAUSE_MS:
            shift_ms = 0 if self.tariff_time is None else milliseconds(self.tariff_time) - start_ms
        return watch.model_copy(
            update={
                "origin": batch.origin,
                "clock": batch.clock,
                "journal": batch.journal,
                "sequence": batch.sequence,
                "end_ms": end_ms,
                "shift_ms": shift_ms,
                "gaps": gaps[-_MOST_GAPS:],
            }
        )

    def _near(self, samples: Sequence[Sample], watch: Watch) -> dict[str, Context]:
        """The contexts around where the vehicle is; without a fix those around where it was.

        Each in the version that holds now: a detector goes on with the state of another version.
        """
        fixes = [
            (sample.lat_deg, sample.lon_deg)
            for sample in samples
            if sample.lat_deg is not None and sample.lon_deg is not None
        ]
        tariff_at = instant(watch.end_ms + watch.shift_ms)
        return {
            context_id: context
            for context_id, versions in self.contexts.items()
            if (
                any(_is_within(fix, self._box(context_id)) for fix in (fixes[0], fixes[-1]))
                if fixes
                else context_id in watch.running
            )
            and (context := at(versions, tariff_at)) is not None
        }

    def _box(self, context_id: str) -> tuple[float, float, float, float]:
        """South, north, west and east of a context's gates, with what lies around them."""
        if context_id not in self._boxes:
            ends = [
                end
                for version in self.contexts[context_id]
                for gate in version.gates
                for end in gate.line
            ]
            lats, lons = [lat for lat, _ in ends] or [91.0], [lon for _, lon in ends] or [181.0]
            self._boxes[context_id] = (
                min(lats) - _AROUND_DEG, max(lats) + _AROUND_DEG,
                min(lons) - _AROUND_DEG, max(lons) + _AROUND_DEG,
            )  # fmt: skip
        return self._boxes[context_id]

    def _end(self, watch: Watch, vehicle_id: str, kept: Container[str]) -> list[Found]:
        """What the detectors have to say whose context is left or holds no more."""
        found: list[Found] = []
        for context_id, running in sorted(watch.running.items()):
            versions = self.contexts.get(context_id, ())
            if context_id not in kept and versions:
                context = next((v for v in versions if v.version == running.version), versions[-1])
                try:
                    findings = self.detector_of(context).finish(running.state)
                except UnreadableError as error:
                    self.warn(f"{vehicle_id}: {error}")
                    continue
                place = Place(vehicle_id, context_id, watch.origin, running.epoch)
                found += [self._found(each, place, watch) for each in findings]
        return found

    def end(self, watch: Watch, vehicle_id: str) -> tuple[Watch, list[Found]]:
        """End a drive that nobody goes on with: no place of it is kept."""
        found = self._end(watch, vehicle_id, ())
        return watch.model_copy(update={"running": {}, "reading": ""}), found

    def _found(self, finding: Finding, place: Place, watch: Watch) -> Found:
        bar = bar_of(watch.origin, watch.clock, self.origin)
        crossed_ms = finding.crossed_at_ms
        if bar is None and any(begin < crossed_ms < end for begin, end in watch.gaps):
            bar = "it lies in a gap of the vehicle's log"
        return Found(place, finding, bar, watch.shift_ms)


def _is_within(fix: tuple[float, float], box: tuple[float, float, float, float]) -> bool:
    return box[0] <= fix[0] <= box[1] and box[2] <= fix[1] <= box[3]
