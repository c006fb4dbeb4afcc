"""Whatever order and however often: each batch once, in order, and every gap filled or known."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.telemetry import Batcher, Previous, state_loss
from internetcar.contract.known import Known, apply
from internetcar.contract.reader import Accepted, Gap, Position, TelemetryReader
from internetcar.contract.telemetry import Telemetry
from internetcar.contract.wire import telemetry_topic

START = 1_790_000_000_000
AT = datetime(2026, 11, 21, 3, 0, 0, tzinfo=UTC)


def journal(
    name: str, count: int, *, previous: Previous | None = None, seed: int = 1, start_s: int = 0
) -> list[Telemetry]:
    """A journal of one batch a second, a snapshot every ten."""
    chance = random.Random(seed)
    batcher = Batcher(name, previous=previous, clock="free", origin="live", snapshot_ms=10_000)
    taken: list[Telemetry] = []
    now = start_s * 1000
    while len(taken) < count:
        samples = [
            (path, START + now, chance.randrange(9), "valid" if chance.random() < 0.8 else "stale")
            for path in "ABCDE"
            if chance.random() < 0.4
        ]
        closed = batcher.take(samples, now_ms=now, wall_ms=START + now)  # type: ignore[arg-type]  # quality as str
        taken += [Telemetry.decode(telemetry_topic("kona"), batch.payload) for batch in closed]
        now += 1000
    return taken[:count]


class Service:
    """A reader that keeps its position, what it applied and what is known by now."""

    def __init__(self, **options: Any) -> None:
        self.options = {"request_after_s": 2.0, **options}
        self.reader = TelemetryReader("tolls", **self.options)
        self.position: Position | None = None
        self.applied: list[tuple[str, int]] = []
        self.gaps: list[Gap] = []
        self.asked: list[tuple[str, int, int]] = []
        self.state: dict[str, Known] = {}
        self.now_s = 0.0

    def take(self, *batches: Telemetry) -> list[int]:
        applied: list[int] = []
        for batch in batches:
            applied += self.commit(self.reader.accept(batch, self.position, self.now_s))
        return applied

    def wait(self, seconds: float) -> list[int]:
        self.now_s += seconds
        return self.commit(self.reader.due("kona", self.position, self.now_s))

    def commit(self, accepted: Accepted) -> list[int]:
        if accepted.position is not None:
            self.position = Position.model_validate(accepted.position.model_dump(mode="json"))
        self.gaps += accepted.gaps
        for batch in accepted.batches:
            self.applied.append((batch.journal, batch.sequence))
            self.state = apply(self.state, batch)
        if accepted.request is not None:
            self.asked.append(
                (accepted.request.journal, accepted.request.first, accepted.request.last)
            )
        return [batch.sequence for batch in accepted.batches]

    def die(self) -> None:
        """Memory is gone, the store is not."""
        self.reader = TelemetryReader("tolls", **self.options)


def spans(gaps: list[Gap]) -> list[tuple[str, int, int | None]]:
    return [(gap.journal, gap.first, gap.last) for gap in gaps]


def test_batches_in_order_are_applied_as_they_come_and_duplicates_are_not() -> None:
    service, batches = Service(), journal("j1", 5)
    for batch in batches:
        assert service.take(batch, batch, *batches[: batch.sequence]) == [batch.sequence]
    assert service.gaps == []


def test_a_hole_is_requested_until_it_is_filled_and_then_all_is_applied_in_order() -> None:
    service, batches = Service(), journal("j1", 9)
    service.take(*batches[:3], *batches[5:8])
    assert service.asked == []
    service.wait(2)
    assert service.asked == [("j1", 4, 5)]
    for _ in range(60):
        service.wait(1)
    assert set(service.asked) == {("j1", 4, 5)}
    assert 3 <= len(service.asked) <= 6
    assert service.take(batches[4]) == []
    assert service.take(batches[3]) == [4, 5, 6, 7, 8]
    assert service.take(batches[8]) == [9]
    assert service.gaps == []


def test_after_ten_minutes_the_next_snapshot_begins_anew_and_the_gap_is_a_fact() -> None:
    service, batches = Service(), journal("j1", 40)
    snapshot = next(batch for batch in batches[5:] if batch.kind == "snapshot")
    service.take(*batches[:3])
    for batch in batches[4 : snapshot.sequence - 1]:
        service.take(batch)
    assert service.wait(601) == []
    service.take(*batches[snapshot.sequence - 1 :])
    assert spans(service.gaps) == [("j1", 4, snapshot.sequence - 1)]
    assert service.applied[3] == ("j1", snapshot.sequence)
    assert service.applied[-1] == ("j1", 40)


def test_a_late_reader_waits_for_a_snapshot_and_asks_for_nothing_before_it() -> None:
    service, batches = Service(), journal("j1", 30)
    first = next(batch for batch in batches[5:] if batch.kind == "snapshot")
    assert service.take(*batches[3 : first.sequence - 1]) == []
    assert service.wait(100) == []
    assert service.take(first) == [first.sequence]
    assert service.asked == []
    assert service.gaps == []


def test_a_stated_loss_is_applied_and_recorded_and_the_log_goes_on() -> None:
    service, batches = Service(), journal("j1", 9)
    loss = Telemetry.decode(
        telemetry_topic("kona"), state_loss(batches[2], batches[5], "outbox full").payload
    )
    service.take(*batches[:4])
    assert service.take(batches[6], loss) == [6, 7]
    assert service.gaps == [Gap("kona", "j1", 5, 6, "outbox full")]


def test_a_new_journal_follows_only_when_the_one_before_is_read_to_its_end() -> None:
    service, old = Service(), journal("j0", 5)
    new = journal("j1", 3, previous=Previous("j0", 5), start_s=-99999)
    service.take(*old[:3])
    assert service.take(*new) == []
    service.wait(3)
    assert service.asked == [("j0", 4, 5)]
    assert service.take(*old[3:]) == [4, 5, 1, 2, 3]
    assert service.take(*old) == []
    assert service.gaps == []


def test_a_journal_that_was_missed_whole_is_requested_by_its_name() -> None:
    service, j0 = Service(), journal("j0", 5)
    j1 = journal("j1", 4, previous=Previous("j0", 5), start_s=100)
    j2 = journal("j2", 4, previous=Previous("j1", 4), start_s=200)
    service.take(*j0[:4], *j2[2:])
    service.wait(3)
    service.take(*j2[:2])
    service.wait(60)
    service.take(*j1)
    service.wait(60)
    assert service.asked == [("j2", 1, 2), ("j1", 1, 4), ("j0", 5, 5)]
    assert service.take(j0[4]) == [5, 1, 2, 3, 4, 1, 2, 3, 4]
    assert service.gaps == []


def test_a_journal_whose_end_never_comes_is_left_after_ten_minutes() -> None:
    service, old = Service(), journal("j0", 5)
    new = journal("j1", 30, previous=Previous("j0", 5), start_s=100)
    service.take(*old[:3], *new[:5])
    assert service.wait(599) == []
    assert service.wait(2) == [1, 2, 3, 4, 5]
    assert spans(service.gaps) == [("j0", 4, 5)]


def test_a_writer_that_lost_its_disk_is_followed_and_the_doubt_recorded() -> None:
    service = Service()
    service.take(*journal("j0", 5))
    assert service.take(*journal("j9", 3, start_s=100)) == [1, 2, 3]
    assert spans(service.gaps) == [("j0", 6, None)]


def test_an_old_batch_that_is_delivered_late_never_turns_a_reader_back() -> None:
    service = Service()
    live = journal("j5", 1300, previous=Previous("j4", 7), start_s=5000)
    older = journal("j2", 30, previous=Previous("j1", 7))
    service.take(*live[:10], older[0], *older[5:])
    for batch in live[10:]:
        service.now_s += 1
        assert service.take(batch) == [batch.sequence]
    assert service.gaps == []
    assert service.reader._vehicles == {}


def test_a_log_written_elsewhere_in_between_is_followed_back_and_forth() -> None:
    service = Service()
    service.take(*journal("home", 5))
    service.take(*journal("away", 5, start_s=100))
    back = journal("home2", 3, previous=Previous("home", 7), start_s=200)
    assert service.take(*back) == [1, 2, 3]
    assert spans(service.gaps) == [("home", 6, None), ("away", 6, None), ("home", 6, 7)]


def test_a_predecessor_of_unknown_length_is_followed_without_a_claim() -> None:
    service = Service()
    service.take(*journal("j0", 5)[:3])
    first, second = journal("j1", 2, previous=Previous("j0", 5), start_s=100)
    assert service.take(first.model_copy(update={"previous_last": None}), second) == [1, 2]
    assert service.gaps == []


def test_an_older_journal_without_a_predecessor_is_only_followed_if_nothing_else_comes() -> None:
    service, older = Service(), journal("j7", 5)
    service.take(*journal("j5", 5, start_s=100))
    assert service.take(*older) == []
    assert service.wait(599) == []
    assert service.asked == []
    assert service.wait(2) == [1, 2, 3, 4, 5]


def test_what_is_parked_is_bounded() -> None:
    service = Service(most_parked=10)
    batches = journal("j1", 50)
    service.take(batches[0], *batches[2:])
    assert len(service.reader._vehicles["kona"].parked) == 10
    assert service.take(batches[1]) == list(range(2, 13))
    service.wait(1)
    assert service.take(*batches[12:]) == list(range(13, 51))


def test_two_replicas_share_a_vehicle_through_its_stored_position() -> None:
    one, other, batches = Service(), Service(), journal("j1", 4)
    one.take(batches[0])
    other.position = one.position
    assert other.take(batches[2]) == []
    one.take(batches[1])
    other.position = one.position
    assert other.wait(1) == [3]
    one.position = other.position
    assert one.take(batches[3]) == [4]


@given(st.randoms(use_true_random=False), st.integers(1, 3), st.integers(0, 30))
def test_whatever_order_duplicates_losses_and_crashes_all_is_applied_once_in_order(
    chance: random.Random, journals: int, shuffle: int
) -> None:
    written: list[Telemetry] = []
    previous = None
    for number in range(journals):
        count = chance.randrange(2, 25)
        written += journal(
            f"j{number}", count, previous=previous, seed=number, start_s=100 * number
        )
        previous = Previous(f"j{number}", count)
    arriving = [batch for batch in written for _ in range(chance.choice([0, 1, 1, 1, 2]))]
    arriving.sort(key=lambda batch: written.index(batch) + chance.uniform(0, shuffle))
    service = Service(request_after_s=0.0)
    service.take(written[0])
    history = {(batch.journal, batch.sequence): batch for batch in written}
    for batch in [*arriving, written[-1]]:
        service.now_s += 1
        service.take(batch)
        if chance.random() < 0.05:
            service.die()
    for _ in range(200):
        service.take(written[-1])
        service.wait(60)
        while service.asked:
            name, first, last = service.asked.pop()
            for sequence in range(first, last + 1):
                service.take(history[name, sequence])
    assert service.applied == [(batch.journal, batch.sequence) for batch in written]
    assert service.gaps == []


@given(st.integers(0, 999), st.integers(0, 60))
def test_a_reader_from_anywhere_knows_after_one_snapshot_what_one_from_the_start_knows(
    seed: int, begin: int
) -> None:
    batches = journal("j1", 80, seed=seed)
    first, late = Service(), Service()
    for batch in batches:
        before = dict(first.state)
        first.take(batch)
        if batch.kind == "snapshot" and batch.sequence > 1:
            assert first.state == before
        if batch.sequence > begin:
            late.take(batch)
            if late.position is not None:
                assert late.state == first.state
    assert late.position is not None


@pytest.mark.parametrize("kind", ["changes", "dropped"])
def test_state_keeps_what_a_batch_does_not_speak_of(kind: str) -> None:
    state = {"A": Known(1, "valid", AT)}
    batch = Telemetry.model_validate(
        {"vehicle_id": "kona", "journal": "j1", "sequence": 2, "kind": kind, "start_at": AT,
         "end_at": AT, "clock": "free", "origin": "live",
         "samples": {"B": [[1, 5], [7, None, "error"]], "C": []}}
    )  # fmt: skip
    assert apply(state, batch) == {
        "A": Known(1, "valid", AT),
        "B": Known(None, "error", AT + timedelta(milliseconds=7)),
    }
