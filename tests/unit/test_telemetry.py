"""Batches: what they say, when they end, and what a clock that jumps does to them."""

from collections.abc import Iterable

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.telemetry import Batch, Batcher, PacedSample, Previous, not_kept, state_loss
from internetcar.contract.telemetry import Telemetry
from internetcar.contract.wire import telemetry_topic

START = 1_790_000_000_000
TEN_YEARS = 10 * 365 * 86_400_000


def read(batch: Batch) -> Telemetry:
    message = Telemetry.decode(telemetry_topic("kona"), batch.payload)
    assert message.encode() == batch.payload
    assert (message.journal, message.sequence) == (batch.journal, batch.sequence)
    return message


def milliseconds(message: Telemetry) -> tuple[int, int]:
    return round(message.start_at.timestamp() * 1000), round(message.end_at.timestamp() * 1000)


def instants(message: Telemetry, path: str) -> list[int]:
    start, _ = milliseconds(message)
    return [start + sample[0] for sample in message.samples.get(path, [])]


def batcher(previous: Previous | None = None) -> Batcher:
    return Batcher("j1", previous=previous, clock="synchronized", origin="live")


class Drive:
    """A batcher whose clocks run together until one is moved."""

    def __init__(self) -> None:
        self.batcher = batcher()
        self.now = 5_000
        self.wall = START
        self.read: list[Telemetry] = []
        self.take()

    def take(self, samples: Iterable[PacedSample] = ()) -> list[Telemetry]:
        new = [
            read(batch) for batch in self.batcher.take(samples, now_ms=self.now, wall_ms=self.wall)
        ]
        self.read += new
        return new

    def wait(self, ms: int, samples: Iterable[PacedSample] = ()) -> list[Telemetry]:
        self.now += ms
        self.wall += ms
        return self.take(samples)


def test_a_journal_begins_with_a_snapshot_that_names_its_predecessor() -> None:
    journal = batcher(Previous("j0", 7))
    (first,) = map(read, journal.take((), now_ms=0, wall_ms=START))
    (second,) = map(read, journal.take((), now_ms=1000, wall_ms=START + 1000))
    assert (first.kind, first.sequence, first.previous, first.previous_last) == (
        "snapshot", 1, "j0", 7,
    )  # fmt: skip
    assert (second.kind, second.sequence, second.previous) == ("changes", 2, None)


def test_a_batch_closes_every_second_and_is_empty_when_nothing_changed() -> None:
    drive = Drive()
    assert drive.wait(999) == []
    (batch,) = drive.wait(1)
    assert batch.samples == {}
    assert milliseconds(batch) == (START, START + 1000)
    assert len([drive.wait(10) for _ in range(300)]) == 300
    assert [message.sequence for message in drive.read] == [1, 2, 3, 4, 5]


def test_one_batch_a_minute_while_asleep_until_something_changes() -> None:
    drive = Drive()
    drive.batcher.asleep = True
    for _ in range(600):
        drive.wait(1000)
    assert [message.kind for message in drive.read[1:]] == ["snapshot"] * 10
    drive.wait(500, [("Vehicle.Speed", drive.wall + 400, 1, "valid")])
    assert drive.wait(500)[0].samples == {"Vehicle.Speed": [(400, 1)]}


def test_the_batches_of_a_journal_join_without_a_gap_in_time() -> None:
    drive = Drive()
    for index in range(1000):
        drive.wait(37, [("Vehicle.Speed", drive.wall, index, "valid")] if index % 7 else ())
    for before, after in zip(drive.read, drive.read[1:], strict=False):
        assert after.sequence == before.sequence + 1
        assert milliseconds(after)[0] <= milliseconds(before)[1]


def test_a_snapshot_every_minute_carries_every_leaf_and_looks_back() -> None:
    drive = Drive()
    drive.wait(100, [("A", START + 90, 1.5, "valid"), ("B", START + 95, None, "not_available")])
    for _ in range(600):
        drive.wait(100)
    snapshots = [message for message in drive.read if message.kind == "snapshot"]
    assert len(snapshots) == 2
    assert instants(snapshots[1], "A") == [START + 90]
    assert snapshots[1].samples["B"][0][1:] == (None, "not_available")
    assert all(sample[0] <= 0 for leaf in snapshots[1].samples.values() for sample in leaf)


def test_a_snapshot_on_request_comes_at_once_after_the_changes_before_it() -> None:
    drive = Drive()
    drive.batcher.request_snapshot()
    changes, snapshot = drive.wait(10, [("A", START + 5, 1, "valid")])
    assert (changes.kind, changes.samples) == ("changes", {"A": [(5, 1)]})
    assert (snapshot.kind, snapshot.samples) == ("snapshot", {"A": [(-5, 1)]})


def test_a_changed_mapping_forgets_the_leaves_it_no_longer_has() -> None:
    drive = Drive()
    drive.wait(10, [("A", START + 5, 1, "valid"), ("B", START + 5, 2, "valid")])
    drive.batcher.retain({"B", "C"})
    assert list(drive.wait(10)[-1].samples) == ["B"]


def test_a_batch_has_one_clock_and_a_change_of_it_brings_a_snapshot() -> None:
    drive = Drive()
    drive.now, drive.wall = drive.now + 300, drive.wall + 300
    closed = drive.batcher.take(
        [("A", drive.wall, 1, "valid")], now_ms=drive.now, wall_ms=drive.wall, clock="free"
    )
    assert [(read(batch).kind, read(batch).clock) for batch in closed] == [
        ("changes", "synchronized"), ("snapshot", "free"),
    ]  # fmt: skip


def test_a_change_that_pacing_held_pulls_the_start_of_its_batch_back() -> None:
    drive = Drive()
    drive.wait(1000)
    (batch,) = drive.wait(1000, [("A", START + 950, 7, "valid")])
    assert milliseconds(batch) == (START + 950, START + 2000)
    assert batch.samples == {"A": [(0, 7)]}


@pytest.mark.parametrize("step", [TEN_YEARS, -TEN_YEARS, 1500, -1500])
def test_a_clock_that_jumps_ends_the_batch_and_keeps_order_and_intervals(step: int) -> None:
    drive = Drive()
    drive.wait(400, [("A", START + 300, 1, "valid"), ("B", START + 100, 5, "valid")])
    drive.now, drive.wall = drive.now + 200, drive.wall + 200 + step
    late, new = ("A", START + 500, 2, "valid"), ("A", START + 590 + step, 3, "valid")
    before, snapshot = drive.take([late, new])  # type: ignore[list-item]  # literals as str
    assert milliseconds(before) == (START, START + 600)
    assert milliseconds(snapshot) == (START + 600 + step,) * 2
    assert instants(snapshot, "A") == [START + 300 + step]
    assert instants(snapshot, "B") == [START + 100 + step]
    (after,) = drive.wait(1000)
    assert instants(after, "A") == [START + 500 + step, START + 590 + step]


@pytest.mark.parametrize("step", [TEN_YEARS, -TEN_YEARS])
def test_a_leaf_that_went_silent_before_the_jump_keeps_its_age(step: int) -> None:
    drive = Drive()
    drive.wait(400, [("B", START + 100, 5, "valid")])
    drive.wall += step
    drive.wait(1000)
    drive.wait(5000, [("B", START + 100, 5, "stale")])
    assert instants(drive.read[-1], "B") == [START + 100 + step]


def test_a_clock_that_is_corrected_slowly_is_no_step() -> None:
    drive = Drive()
    for _ in range(200):
        drive.wall -= 5
        drive.wait(100, [("A", drive.wall + 90, 1, "valid")])
    assert [message.kind for message in drive.read].count("snapshot") == 1
    ascending = [at for message in drive.read for at in instants(message, "A")]
    assert ascending == sorted(ascending)


def test_a_recording_whose_own_time_runs_backwards_steps_and_goes_on() -> None:
    drive = Drive()
    drive.wait(500)
    drive.now -= 3_600_000
    drive.wall -= 3_600_000
    assert [message.kind for message in drive.take()] == ["changes", "snapshot"]
    assert len(drive.wait(1000)) == 1


@pytest.mark.parametrize("ahead", [1, 900, TEN_YEARS])
def test_an_instant_in_the_future_is_taken_as_now(ahead: int) -> None:
    drive = Drive()
    (batch,) = drive.wait(1000, [("A", START + 1000 + ahead, 1, "valid")])
    assert milliseconds(batch) == (START, START + 1000)


def test_the_end_of_a_journal_closes_what_is_open() -> None:
    drive = Drive()
    drive.wait(10, [("A", START + 5, 1, "valid")])
    (last,) = drive.batcher.finish(now_ms=drive.now + 20, wall_ms=drive.wall + 20)
    assert read(last).samples == {"A": [(5, 1)]}
    assert milliseconds(read(last)) == (START, START + 30)
    (alone,) = batcher().finish(now_ms=0, wall_ms=START)
    assert read(alone).kind == "snapshot"


steps = st.lists(
    st.tuples(
        st.integers(0, 1500),
        st.sampled_from([0, 0, 0, 0, 900, -900, 3000, -3000, TEN_YEARS, -TEN_YEARS]),
        st.lists(
            st.tuples(st.sampled_from("ABC"), st.integers(0, 400), st.integers(0, 9)), max_size=4
        ),
    ),
    max_size=40,
)


@given(steps)
def test_whatever_the_clocks_do_sequences_run_on_and_samples_lie_within_their_batch(
    drive_steps: list[tuple[int, int, list[tuple[str, int, int]]]],
) -> None:
    drive = Drive()
    for elapsed, step, samples in drive_steps:
        drive.wall += step
        drive.wait(
            elapsed,
            [(path, drive.wall + elapsed - age, value, "valid") for path, age, value in samples],
        )
    assert [message.sequence for message in drive.read] == list(range(1, len(drive.read) + 1))
    for message in drive.read:
        start, end = milliseconds(message)
        assert start <= end
        for path, taken in message.samples.items():
            assert instants(message, path) == sorted(instants(message, path))
            for sample in taken:
                assert sample[0] <= 0 if message.kind == "snapshot" else sample[0] >= 0
                assert sample[0] <= end - start


def test_a_loss_takes_the_place_of_its_batches_and_merges_with_a_loss_before_it() -> None:
    drive = Drive()
    drive.wait(1000), drive.wait(1000)
    first, second, third = drive.read
    once = state_loss(first, second, "outbox full")
    loss = read(state_loss(read(once), third, "outbox full"))
    assert loss.dropped is not None
    assert (loss.dropped.first, loss.dropped.last, loss.sequence) == (1, 3, 3)
    assert milliseconds(loss) == (START, START + 2000)
    assert orjson.loads(loss.encode())["kind"] == "dropped"


def test_a_loss_from_the_first_batch_on_still_names_the_predecessor() -> None:
    journal = batcher(Previous("j0", 7))
    taken = [
        read(batch)
        for now in range(0, 3000, 1000)
        for batch in journal.take((), now_ms=now, wall_ms=START + now)
    ]
    loss = read(state_loss(taken[0], taken[2], "outbox full"))
    assert (loss.previous, loss.previous_last) == ("j0", 7)
    gone = read(not_kept("j1", 2, 4, taken[0], "no longer kept"))
    assert gone.previous is None
    assert gone.dropped is not None
    assert (gone.dropped.first, gone.dropped.last) == (2, 4)
