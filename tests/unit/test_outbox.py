"""The outbox: nothing committed is lost, nothing is lost silently, and it is cheap to write."""

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gateway.journals import Journals
from gateway.outbox import Limits, OutboxError
from gateway.outbox_writer import Outbox
from gateway.telemetry import Batch
from internetcar.contract.telemetry import Telemetry
from internetcar.contract.wire import telemetry_payload, telemetry_topic

AT = "2026-11-21T03:00:00.000Z"


def batch(sequence: int, journal: str = "j1", size: int = 0) -> Batch:
    payload = telemetry_payload(
        journal=journal, sequence=sequence, previous=None, kind="changes", start_at=AT, end_at=AT,
        clock="free", origin="live", samples={"A": [(0, os.urandom(size // 2).hex())]},
    )  # fmt: skip
    return Batch(journal, sequence, payload)


def read(payload: bytes) -> Telemetry:
    return Telemetry.decode(telemetry_topic("kona"), payload)


def covered(payloads: list[bytes]) -> list[tuple[int, int]]:
    """The first and last sequence each payload stands for."""
    found = []
    for message in map(read, payloads):
        first = message.dropped.first if message.dropped else message.sequence
        found.append((first, message.sequence))
    return found


def holes(payloads: list[bytes], first: int, last: int) -> list[tuple[int, int]]:
    """Where two payloads in a row, or the ends, do not join."""
    ends = [first - 1, *(end for _, end in covered(payloads))]
    begins = [*(begin for begin, _ in covered(payloads)), last + 1]
    return [(end, begin) for end, begin in zip(ends, begins, strict=True) if begin != end + 1]


class Opened:
    """An outbox whose commits can be waited for."""

    def __init__(self, path: Path, limits: Limits, journal: str) -> None:
        self.committed = threading.Semaphore(0)
        self.outbox = Outbox(path, "kona", limits, on_committed=self.committed.release)
        self.previous = self.outbox.previous
        self.journal = journal
        self.outbox.start(journal)

    def take(self, count: int) -> list[tuple[int, bytes]]:
        """The next batches to send, as many as asked for."""
        taken: list[tuple[int, bytes]] = []
        while len(taken) < count:
            stored = self.outbox.next_unsent()
            if stored is not None:
                taken.append((stored.number, stored.payload))
            else:
                assert self.committed.acquire(timeout=10), f"only {len(taken)} of {count} came"
        return taken


@pytest.fixture
def open_outbox(tmp_path: Path) -> Iterator[Callable[..., Opened]]:
    opened: list[Opened] = []

    def open_one(
        journal: str = "j1", path: Path | None = None, limits: Limits | None = None
    ) -> Opened:
        opened.append(Opened(path or tmp_path / "outbox.db", limits or Limits(), journal))
        return opened[-1]

    yield open_one
    for each in opened:
        each.outbox.close()


def write(path: Path, journal: str, count: int, acknowledged: int = 0) -> None:
    journals = Journals(path, "kona", Limits())
    journals.begin(journal)
    for sequence in range(1, count + 1):
        journals.write([batch(sequence, journal)], 0)
    journals.acknowledge(acknowledged)
    journals.close()


def test_what_is_appended_comes_out_committed_in_order_and_byte_for_byte(
    open_outbox: Callable[..., Opened],
) -> None:
    opened = open_outbox()
    batches = [batch(sequence) for sequence in range(1, 101)]
    for each in batches[:60]:
        opened.outbox.append(each)
    taken = opened.take(50)
    for each in batches[60:]:
        opened.outbox.append(each)
    taken += opened.take(50)
    assert [payload for _, payload in taken] == [each.payload for each in batches]
    assert opened.outbox.next_unsent() is None
    assert opened.outbox.unsent_batches == 100
    opened.outbox.acknowledge(taken[-1][0])
    assert opened.outbox.unsent_batches == 0


def test_unsent_batches_of_earlier_journals_go_first(
    tmp_path: Path, open_outbox: Callable[..., Opened]
) -> None:
    write(tmp_path / "outbox.db", "j0", 5, acknowledged=3)
    opened = open_outbox("j1")
    assert opened.previous is not None
    assert (opened.previous.journal, opened.previous.last) == ("j0", 5)
    opened.outbox.append(batch(1))
    assert [(read(payload).journal, read(payload).sequence) for _, payload in opened.take(3)] == [
        ("j0", 4), ("j0", 5), ("j1", 1),
    ]  # fmt: skip


def test_an_acknowledgement_is_on_disk_with_the_next_batch(tmp_path: Path) -> None:
    journals = Journals(tmp_path / "outbox.db", "kona", Limits())
    journals.begin("j1")
    journals.write([batch(1), batch(2)], 0)
    journals.write([batch(3)], 2)
    journals.file.close()  # no last word: as after kill -9
    again = Journals(tmp_path / "outbox.db", "kona", Limits())
    assert [read(stored.payload).sequence for stored in again.unsent(0, 9)] == [3]
    again.close()


def test_history_answers_byte_for_byte_and_says_what_it_has_no_more(tmp_path: Path) -> None:
    journals = Journals(tmp_path / "outbox.db", "kona", Limits(history_bytes=2000))
    written = [batch(sequence, size=200) for sequence in range(1, 41)]
    journals.begin("j1")
    for each in written:
        journals.write([each], each.sequence - 2)
        journals.trim(0, running_s=0)
    assert journals.batches("j1", 35, 38) == [each.payload for each in written[34:38]]
    answer = journals.batches("j1", 1, 40)
    gone = read(answer[0])
    assert gone.dropped is not None
    assert gone.dropped.reason == "no longer kept"
    assert holes(answer, 1, 40) == []
    assert holes(journals.batches("j1", 1, 2), 1, gone.sequence) == []
    assert journals.batches("j1", 40, 99) == [written[39].payload]
    assert journals.batches("j1", 41, 99) == []
    assert journals.batches("j1", 9, 3) == []
    assert journals.batches("unknown", 1, 9) == []
    journals.close()


def test_history_is_kept_for_a_day_of_running(tmp_path: Path) -> None:
    journals = Journals(tmp_path / "outbox.db", "kona", Limits(history_s=3600))
    journals.begin("j1")
    for sequence in range(1, 11):
        journals.write([batch(sequence)], sequence - 1)
        journals.trim(sequence, running_s=sequence * 600)
    assert covered(journals.batches("j1", 1, 10))[:2] == [(1, 4), (5, 5)]
    journals.close()


def test_what_the_bounds_force_out_becomes_one_stated_loss(tmp_path: Path) -> None:
    limits = Limits(unsent_bytes=20_000)
    journals = Journals(tmp_path / "outbox.db", "kona", limits)
    journals.begin("j1")
    for sequence in range(1, 201):
        journals.write([batch(sequence, size=400)], 0)
        journals.trim(3, running_s=0)
    unsent = [stored.payload for stored in journals.unsent(0, 999)]
    assert journals.unsent_bytes <= limits.unsent_bytes
    assert holes(unsent, 1, 200) == []
    losses = [message for message in map(read, unsent) if message.dropped]
    assert len(losses) == 1
    assert losses[0].dropped is not None
    assert losses[0].dropped.first == 4
    assert journals.unsent_bytes == journals.file.stored_bytes(0, journals.newest)
    assert journals.given_up == losses[0].dropped.last - 3
    assert journals.batches("j1", 4, 5) == [losses[0].encode()]
    journals.close()


def test_a_loss_does_not_reach_over_the_end_of_a_journal(tmp_path: Path) -> None:
    for journal in ("j0", "j1"):
        write(tmp_path / "outbox.db", journal, 20)
    journals = Journals(tmp_path / "outbox.db", "kona", Limits(unsent_bytes=4000))
    journals.begin("j2")
    for sequence in range(1, 20):
        journals.write([batch(sequence, "j2", size=400)], 0)
        journals.trim(0, running_s=0)
    losses = [read(stored.payload) for stored in journals.unsent(0, 3)]
    spans = [(each.journal, each.dropped.first, each.dropped.last)
             for each in losses if each.dropped]  # fmt: skip
    assert spans[:2] == [("j0", 1, 20), ("j1", 1, 20)]
    assert spans[2][:2] == ("j2", 1)
    journals.close()


def snapshot(sequence: int) -> Batch:
    plain = batch(sequence, size=900)
    return Batch(plain.journal, plain.sequence, plain.payload, is_snapshot=True)


def alike(sequence: int, like: Batch) -> Batch:
    """A batch that says nearly what another said."""
    text = like.payload.replace(b'"sequence":%d' % like.sequence, b'"sequence":%d' % sequence)
    return Batch("j1", sequence, text)


def test_batches_are_small_beside_their_snapshot_and_outlive_it(tmp_path: Path) -> None:
    journals = Journals(tmp_path / "outbox.db", "kona", Limits(history_bytes=4000))
    journals.begin("j1")
    written: list[Batch] = []
    for sequence in range(1, 200):
        is_new = sequence % 20 == 5
        like = written[-1] if written else batch(1)
        written.append(snapshot(sequence) if is_new else alike(sequence, like))
        journals.write(written[-1:], sequence - 1)
        journals.trim(sequence, running_s=0)
    kept = journals.batches("j1", 1, 199)
    assert holes(kept, 1, 199) == []
    assert 30 < len(kept) < 150
    assert kept[1:] == [each.payload for each in written[-len(kept) + 1 :]]
    [(dictionaries,)] = journals.file.rows("SELECT count(*) FROM dictionaries")
    assert dictionaries <= len(kept) // 20 + 2
    journals.close()


def test_what_is_given_up_takes_its_snapshots_with_it(tmp_path: Path) -> None:
    journals = Journals(tmp_path / "outbox.db", "kona", Limits(unsent_bytes=8000))
    journals.begin("j1")
    for sequence in range(1, 301):
        each = snapshot(sequence) if sequence % 10 == 5 else batch(sequence)
        journals.write([each], 0)
        journals.trim(0, running_s=0)
    unsent = [stored.payload for stored in journals.unsent(0, 999)]
    assert holes(unsent, 1, 300) == []
    assert read(unsent[0]).dropped is not None
    [(dictionaries,)] = journals.file.rows("SELECT count(*) FROM dictionaries")
    assert dictionaries <= len(unsent) // 10 + 2
    journals.close()


def test_one_process_one_outbox(tmp_path: Path, open_outbox: Callable[..., Opened]) -> None:
    open_outbox()
    with pytest.raises(OutboxError, match="in use by another process"):
        Journals(tmp_path / "outbox.db", "kona", Limits())


def test_an_outbox_belongs_to_one_vehicle(tmp_path: Path) -> None:
    write(tmp_path / "outbox.db", "j0", 1)
    with pytest.raises(OutboxError, match="belongs to vehicle kona"):
        Journals(tmp_path / "outbox.db", "other", Limits())


def test_a_journal_is_never_continued(tmp_path: Path) -> None:
    write(tmp_path / "outbox.db", "j1", 1)
    journals = Journals(tmp_path / "outbox.db", "kona", Limits())
    with pytest.raises(OutboxError, match="j1 is already in"):
        journals.begin("j1")
    journals.close()


def test_too_many_waiting_for_a_slow_disk_become_a_stated_loss(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "outbox.db", "kona", Limits(waiting_batches=4))
    for sequence in range(1, 11):
        outbox.append(batch(sequence))
    assert outbox.given_up == 7
    outbox.start("j1")
    outbox.close()
    journals = Journals(tmp_path / "outbox.db", "kona", Limits())
    unsent = [stored.payload for stored in journals.unsent(0, 99)]
    assert covered(unsent) == [(1, 7), (8, 8), (9, 9), (10, 10)]
    journals.close()


def test_batches_beyond_what_the_contract_allows_can_be_given_up(tmp_path: Path) -> None:
    journals = Journals(tmp_path / "outbox.db", "kona", Limits(unsent_bytes=1_000_000))
    journals.begin("j1")
    for sequence in range(1, 4):
        journals.write([batch(sequence, size=2_000_000)], 0)
        journals.trim(0, running_s=0)
    unsent = [stored.payload for stored in journals.unsent(0, 9)]
    assert read(unsent[0]).dropped is not None
    journals.close()


def test_a_journal_that_is_no_longer_kept_is_said_to_be_gone_before_a_loss(tmp_path: Path) -> None:
    write(tmp_path / "outbox.db", "j0", 5, acknowledged=5)
    journals = Journals(tmp_path / "outbox.db", "kona", Limits(history_bytes=0, unsent_bytes=500))
    journals.begin("j1")
    for sequence in range(1, 20):
        journals.write([batch(sequence, size=200)], 5)
        journals.trim(0, running_s=0)
    assert covered(journals.batches("j0", 2, 5)) == [(2, 5)]
    journals.close()
