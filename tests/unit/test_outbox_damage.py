"""A damaged outbox: it is set aside, and the log goes on."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.journals import Journals
from gateway.outbox import DamagedError, Limits
from gateway.outbox_writer import Outbox
from tests.unit.test_outbox import Opened, batch, covered, holes, open_outbox, read, write

__all__ = ["open_outbox"]


@pytest.mark.parametrize(
    ("damage", "said"), [("x'00'", "is cut short"), ("x'ffffffffffff'", "is damaged")]
)
def test_a_batch_that_does_not_inflate_is_damage(tmp_path: Path, damage: str, said: str) -> None:
    journals = Journals(tmp_path / "outbox.db", "kona", Limits())
    journals.begin("j1")
    journals.write([batch(1)], 0)
    journals.file.rows(f"UPDATE batches SET payload = {damage}")
    with pytest.raises(DamagedError, match=f"batch 1 {said}"):
        journals.unsent(0, 1)
    journals.close()


@pytest.mark.parametrize("damage", [b"not a database at all, and quite long" * 99, b"\0" * 4096])
def test_a_damaged_file_is_set_aside_and_begun_anew(
    tmp_path: Path, damage: bytes, open_outbox: Callable[..., Opened]
) -> None:
    (tmp_path / "outbox.db").write_bytes(damage)
    opened = open_outbox()
    opened.outbox.append(batch(1))
    assert covered([payload for _, payload in opened.take(1)]) == [(1, 1)]
    assert (tmp_path / "outbox.db.damaged-1").read_bytes() == damage


def test_a_file_that_is_damaged_while_running_costs_a_stated_loss(
    tmp_path: Path, open_outbox: Callable[..., Opened]
) -> None:
    path = tmp_path / "outbox.db"
    opened = open_outbox(limits=Limits(waiting_batches=2000))
    for sequence in range(1, 1001):
        opened.outbox.append(batch(sequence, size=3000))
    sent = [payload for _, payload in opened.take(10)]
    opened.outbox.batches("j1", 1, 1).result(timeout=10)
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (path.stat().st_size - 8192))
    opened.outbox.batches("j1", 1, 1000).result(timeout=10)
    opened.outbox.append(batch(1001))
    while read(sent[-1]).sequence < 1001:
        sent += [payload for _, payload in opened.take(1)]
    assert holes(sent, 1, 1001) == []
    assert any(message.dropped for message in map(read, sent))
    assert (tmp_path / "outbox.db.damaged-1").exists()


def damage_table(path: Path, kind: str) -> None:
    """Overwrite the first page of a table or index, with all before it whole."""
    write(path, "j0", 5)
    database = sqlite3.connect(path)
    [(page,)] = database.execute(
        "SELECT rootpage FROM sqlite_master WHERE tbl_name = 'journals' AND type = ?", (kind,)
    )
    database.close()
    with path.open("r+b") as file:
        file.seek((page - 1) * 512)
        file.write(b"\xff" * 512)


@pytest.mark.parametrize("kind", ["table", "index"])
def test_damage_that_shows_only_in_the_list_of_journals_is_set_aside(
    tmp_path: Path, kind: str, open_outbox: Callable[..., Opened]
) -> None:
    damage_table(tmp_path / "outbox.db", kind)
    opened = open_outbox()
    opened.outbox.append(batch(1))
    assert covered([payload for _, payload in opened.take(1)]) == [(1, 1)]
    assert (tmp_path / "outbox.db.damaged-1").exists()


def test_what_ends_the_writer_is_raised_where_the_outbox_is_used(tmp_path: Path) -> None:
    def fail() -> None:
        raise RuntimeError("a bug")

    outbox = Outbox(tmp_path / "outbox.db", "kona", Limits(), on_committed=fail)
    outbox.start("j1")
    outbox.append(batch(1))
    outbox._thread.join(timeout=10)
    for use in (
        lambda: outbox.append(batch(2)),
        lambda: outbox.batches("j1", 1, 1),
        lambda: outbox.uncommitted,
        outbox.next_unsent,
    ):
        with pytest.raises(RuntimeError, match="a bug"):
            use()
    outbox.close()
