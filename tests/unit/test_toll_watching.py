"""One vehicle's log, and what bars a charge."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from internetcar.contract.message import milliseconds
from internetcar.contract.presence import Clock, Origin
from internetcar.contract.telemetry import Dropped, Telemetry
from services.tolls.detection.detector import Detector
from services.tolls.detection.samples import LATITUDE, LONGITUDE
from services.tolls.facts import Evidence, Finding, Sample
from services.tolls.passages.detectors import KeptDetector, samples_of
from services.tolls.passages.reckoning import instant
from services.tolls.passages.watching import PAUSE_MS, Found, Watch, Watcher
from services.tolls.tariff.context import Context
from tests.toll_stand import START, context

HERE, FAR = (1.3, 103.8), (48.1, 11.6)


class Echo:
    """Finds a gate at every sample, and one more where it has to end."""

    def __init__(self, version: str = "") -> None:
        self.version = version

    def advance(self, state: str | None, samples: Sequence[Sample]) -> tuple[str, list[Finding]]:
        return f"{state or 'begun'}+", [self._found(f"at-{self.version}", s.at_ms) for s in samples]

    def finish(self, state: str) -> list[Finding]:
        return [self._found(f"end-{state}", 0)]

    def _found(self, gate: str, at_ms: int) -> Finding:
        return Finding(gate, at_ms, 0, None, "proven", Evidence(20.0, "", 0.0, 5.0, ()))


def watcher(
    *contexts: Context, place: tuple[float, float] | None = HERE, origin: Origin = "live",
    tariff_time: datetime | None = None,
) -> Watcher:  # fmt: skip
    def samples_of(reading: str, batch: Telemetry) -> tuple[str, Sequence[Sample]]:
        lat, lon = place or (None, None)
        return reading + ".", [Sample(milliseconds(batch.start_at), lat, lon)]

    versions = contexts or (context(),)
    return Watcher({"testville": versions}, lambda version: Echo(version.version), samples_of,
                   origin, tariff_time)  # fmt: skip


def batch(
    second: float = 0, *, sequence: int = 1, origin: Origin = "live", clock: Clock = "synchronized",
    dropped: bool = False,
) -> Telemetry:  # fmt: skip
    at = START + timedelta(seconds=second)
    return Telemetry(
        vehicle_id="car", journal="j", sequence=sequence, start_at=at,
        end_at=at + timedelta(seconds=1), clock=clock, origin=origin,
        kind="dropped" if dropped else "changes",
        dropped=Dropped(first=sequence, last=sequence, reason="full") if dropped else None,
    )  # fmt: skip


def gates(found: list[Found]) -> list[str]:
    return [each.finding.gate for each in found]


def test_a_detector_goes_on_from_where_it_stood() -> None:
    watch, found = watcher().advance(Watch(), batch(), has_gap=False)
    assert gates(found) == ["at-2026.1"]
    assert (found[0].place.context, found[0].place.epoch, found[0].bar) == ("testville", 1, None)
    watch, _ = watcher().advance(watch, batch(1, sequence=2), has_gap=False)
    assert watch.running["testville"].state == "begun++"
    assert (watch.epoch, watch.reading, watch.sequence) == (1, "..", 2)
    assert Watch.model_validate_json(watch.model_dump_json()) == watch


def test_a_context_is_watched_only_around_its_gates_and_ends_where_it_is_left() -> None:
    watch, found = watcher(place=FAR).advance(Watch(), batch(), has_gap=False)
    assert not found
    assert not watch.running
    watch, _ = watcher().advance(watch, batch(1), has_gap=False)
    watch, found = watcher(place=None).advance(watch, batch(2), has_gap=False)
    assert gates(found) == ["at-2026.1"]
    watch, found = watcher(place=FAR).advance(watch, batch(3), has_gap=False)
    assert gates(found) == ["end-begun++"]
    assert not watch.running


def test_a_drive_goes_on_into_another_version_and_none_watches_nothing() -> None:
    """A car may stand at a gate at midnight, when the new tariff begins."""
    old = context()
    new = context("2026.2").model_copy(update={"valid_from": START.date()})
    watch, _ = watcher(old).advance(Watch(), batch(), has_gap=False)
    watch, found = watcher(old, new).advance(watch, batch(1), has_gap=False)
    assert gates(found) == ["at-2026.2"]
    assert watch.running["testville"].state == "begun++"
    assert (watch.epoch, found[0].place.epoch) == (1, 1)
    later = old.model_copy(update={"valid_from": START.date() + timedelta(days=9)})
    _, found = watcher(later).advance(Watch(), batch(), has_gap=False)
    assert not found


def test_what_was_passed_before_the_last_version_ended_is_still_said() -> None:
    last = context().model_copy(update={"valid_until": START.date()})
    watch, _ = watcher(last).advance(Watch(), batch(), has_gap=False)
    watch, found = watcher(last).advance(watch, batch(24 * 3600), has_gap=False)
    assert gates(found) == ["end-begun+"]
    assert not watch.running


def test_a_version_that_is_gone_is_ended_by_another_and_a_context_that_is_gone_by_none() -> None:
    watch, _ = watcher().advance(Watch(), batch(), has_gap=False)
    _, found = watcher(context("2027.1")).advance(watch, batch(1), has_gap=False)
    assert gates(found) == ["at-2027.1"]
    _, found = watcher(context("2027.1"), place=FAR).advance(watch, batch(1), has_gap=False)
    assert gates(found) == ["end-begun+"]
    other = Watcher({}, lambda version: Echo(), lambda reading, batch: (reading, []))
    watch, found = other.advance(watch, batch(1), has_gap=False)
    assert (watch.running, found) == ({}, [])


def test_a_second_context_does_not_take_the_first_ones_distances_away() -> None:
    """By them a passage is known again, however long a jam at its gate lasts."""
    both = {"testville": (context(),), "suburb": (context().model_copy(update={"id": "suburb"}),)}
    watch, _ = watcher().advance(Watch(), batch(), has_gap=False)
    two = Watcher(both, lambda version: Echo(), watcher().samples_of)
    watch, found = two.advance(watch, batch(1), has_gap=False)
    assert {each.place.context: each.place.epoch for each in found} == {"testville": 1, "suburb": 2}
    assert watch.epoch == 2


@pytest.mark.parametrize(("origin", "clock"), [("recording", "recorded"), ("live", "free")])
def test_another_origin_or_clock_ends_what_was_and_bars_what_comes(
    origin: Origin, clock: Clock
) -> None:
    watch, _ = watcher().advance(Watch(), batch(), has_gap=False)
    watch, found = watcher().advance(watch, batch(1, origin=origin, clock=clock), has_gap=False)
    assert gates(found) == ["end-begun+", "at-2026.1"]
    assert found[0].bar is None
    assert found[0].place.origin == "live"
    assert found[1].bar is not None
    assert found[1].place.origin == origin
    assert watch.reading == "."


def test_what_lies_in_a_gap_is_barred_and_what_lies_beside_is_not() -> None:
    watch, _ = watcher().advance(Watch(), batch(), has_gap=False)
    watch, _ = watcher().advance(watch, batch(100, sequence=50), has_gap=True)
    assert watch.gaps == ((milliseconds(START) + 1_000, milliseconds(START) + 100_000),)

    class Late(Echo):
        def advance(
            self, state: str | None, samples: Sequence[Sample]
        ) -> tuple[str, list[Finding]]:
            times = (START, START + timedelta(seconds=50), START + timedelta(seconds=100))
            return "", [self._found("g", milliseconds(at)) for at in times]

    late = Watcher({"testville": (context(),)}, lambda version: Late(),
                   lambda reading, batch: (reading, [Sample(0, *HERE)]))  # fmt: skip
    _, found = late.advance(watch, batch(101, sequence=51), has_gap=False)
    assert [each.bar is None for each in found] == [True, False, True]


def test_a_stated_loss_is_a_gap_and_the_first_batch_of_all_has_none_before() -> None:
    watch, _ = watcher(place=None).advance(Watch(), batch(dropped=True), has_gap=True)
    assert watch.gaps == ((milliseconds(START), milliseconds(START) + 1_000),)


def test_a_drive_is_shifted_to_the_tariff_time_and_a_new_one_after_a_pause_again() -> None:
    at = START + timedelta(hours=10)
    ours = watcher(origin="simulation", tariff_time=at)
    simulated = {"origin": "simulation", "clock": "free"}
    watch, found = ours.advance(Watch(), batch(**simulated), has_gap=False)  # type: ignore[arg-type]  # literals
    assert found[0].shift_ms == 36_000_000
    watch, found = ours.advance(watch, batch(60, **simulated), has_gap=False)  # type: ignore[arg-type]  # literals
    assert found[0].shift_ms == 36_000_000
    later = 61 + PAUSE_MS / 1000 + 1
    watch, found = ours.advance(watch, batch(later, **simulated), has_gap=False)  # type: ignore[arg-type]  # literals
    assert instant(watch.end_ms + found[0].shift_ms) == at + timedelta(seconds=1)


def test_instants_no_message_can_hold_are_held_at_the_edge() -> None:
    assert instant(10**18).year == 8999
    assert instant(-(10**18)).year == 1001


def test_a_context_without_gates_is_nowhere() -> None:
    empty = context().model_copy(update={"gates": ()})
    _, found = watcher(empty).advance(Watch(), batch(), has_gap=False)
    assert not found


def test_a_detector_whose_state_is_of_another_format_begins_anew_in_another_epoch() -> None:
    town, said = context(), list[str]()
    watching = Watcher(
        {"testville": (town,)}, lambda version: KeptDetector(Detector(version.gates)), samples_of,
        warn=said.append,
    )  # fmt: skip
    lat, lon = town.gates[0].line[0]
    samples = {LATITUDE: [(0, lat)], LONGITUDE: [(0, lon)]}
    here = batch().model_copy(update={"samples": samples})
    watch, _ = watching.advance(Watch(), here, has_gap=False)
    old = watch.running["testville"].model_copy(update={"state": '{"format":0}'})
    foreign = watch.model_copy(update={"running": {"testville": old}, "reading": "{}"})
    after, found = watching.advance(foreign, here, has_gap=False)
    assert (found, after.running["testville"].epoch, after.epoch) == ([], 2, 2)
    assert after.running["testville"].state == watch.running["testville"].state
    assert after.reading == watch.reading
    assert said == ["car: a detector's state of format 0: begin anew"]
    ended, found = watching.end(foreign, "car")
    assert (found, ended.running, len(said)) == ([], {}, 2)
