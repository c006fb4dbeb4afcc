"""A full disk: the outbox runs on, drains, and says what it could not keep."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.outbox import Limits, OutboxError
from gateway.outbox_writer import Outbox
from tests.unit.test_outbox import Opened, batch, holes, read

MIB = 1 << 20


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", disk],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if mounted.returncode:
        pytest.skip(f"a small disk needs root: mount says {mounted.stderr.strip()}")
    yield disk
    subprocess.run(["umount", "-l", disk], check=True)


def fill(disk: Path) -> Path:
    """Take every byte that is left."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while file.write(bytes(4096)):
                pass
        except OSError:
            pass
    return filler


def settle(opened: Opened) -> None:
    """Wait until the writer has looked at all that was appended."""
    opened.outbox.batches("j1", 1, 1).result(timeout=10)


def append(opened: Opened, first: int, last: int) -> None:
    for sequence in range(first, last + 1):
        opened.outbox.append(batch(sequence, opened.journal, size=1500))
        if sequence % 10 == 0:
            settle(opened)
    settle(opened)


def drain(opened: Opened, last: int) -> list[bytes]:
    """What a broker gets that acknowledges everything at once."""
    sent: list[bytes] = []
    while not sent or read(sent[-1]).sequence < last:
        for number, payload in opened.take(1):
            sent.append(payload)
            opened.outbox.acknowledge(number)
    return sent


def test_on_a_disk_that_stays_full_it_drains_and_runs_on(small_disk: Path) -> None:
    opened = Opened(small_disk / "outbox.db", Limits(), "j1")
    append(opened, 1, 1000)
    fill(small_disk)
    append(opened, 1001, 3000)
    assert not opened.outbox.is_failing
    sent = drain(opened, 3000)
    assert len(sent) > 500  # far more than fit in memory
    assert holes(sent, 1, 3000) == []
    losses = [message.dropped.reason for message in map(read, sent) if message.dropped]
    assert losses
    assert set(losses) == {"disk full"}
    for first in range(3001, 6001, 10):
        append(opened, first, first + 9)
        after = drain(opened, first + 9)
        assert [read(payload).sequence for payload in after] == list(range(first, first + 10))
    assert opened.outbox.close() == 0


def test_when_space_returns_nothing_more_is_lost(small_disk: Path) -> None:
    opened = Opened(small_disk / "outbox.db", Limits(), "j1")
    append(opened, 1, 100)
    filler = fill(small_disk)
    append(opened, 101, 1000)
    assert not (small_disk / "outbox.db.reserve").exists()
    filler.unlink()
    append(opened, 1001, 1010)
    sent = drain(opened, 1010)
    assert holes(sent, 1, 1010) == []
    append(opened, 1011, 1500)
    after = drain(opened, 1500)
    assert [read(payload).sequence for payload in after] == list(range(1011, 1501))
    assert (small_disk / "outbox.db.reserve").stat().st_size == MIB
    assert not opened.outbox.is_failing
    assert opened.outbox.close() == 0


def test_without_its_reserve_it_waits_in_memory_and_states_the_loss(small_disk: Path) -> None:
    opened = Opened(small_disk / "outbox.db", Limits(reserve_bytes=0, waiting_batches=8), "j1")
    append(opened, 1, 20)
    filler = fill(small_disk)
    append(opened, 21, 1000)
    assert opened.outbox.is_failing
    filler.unlink()
    append(opened, 1001, 1020)
    assert holes(drain(opened, 1020), 1, 1020) == []
    assert opened.outbox.close() == 0


def test_a_disk_that_is_full_at_the_start_is_a_clear_error(small_disk: Path) -> None:
    fill(small_disk)
    with pytest.raises(OutboxError, match="cannot be written"):
        Outbox(small_disk / "outbox.db", "kona", Limits())


def test_a_restart_on_a_full_disk_sends_what_is_there_and_runs_on(small_disk: Path) -> None:
    opened = Opened(small_disk / "outbox.db", Limits(), "j0")
    append(opened, 1, 100)
    opened.outbox.close()
    fill(small_disk)
    again = Opened(small_disk / "outbox.db", Limits(), "j1")
    append(again, 1, 500)
    sent = drain(again, 500)
    assert holes([payload for payload in sent if read(payload).journal == "j0"], 1, 100) == []
    assert holes([payload for payload in sent if read(payload).journal == "j1"], 1, 500) == []
    assert again.outbox.close() == 0
