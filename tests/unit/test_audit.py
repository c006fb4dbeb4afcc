"""The audit: what is on disk is known again, and nothing in it is ever changed."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import gateway.audit
from gateway.audit import MOST_ROWS, Audit
from gateway.ledger import Outcome, Report
from gateway.outbox import StorageError
from gateway.requests import Request
from internetcar.contract.commands import State
from internetcar.contract.message import Value
from tests.unit.test_outbox_private import modes

AT_NS = 1_700_000_000_123_456_789
Opener = Callable[[], Audit]


def report(
    name: str, state: State, value: Value = 21.5, *, has_id: bool = True, **more: Any
) -> Report:
    request = Request("phone", "Vehicle.X", name, 0, has_id=has_id, value=value)
    digest = request.digest if has_id else None
    final = state not in ("accepted", "sent")
    return Report(request, state, more.pop("final", final), AT_NS, digest=digest, **more)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "commands.db"


@pytest.fixture
def opened(path: Path) -> Iterator[Opener]:
    """A way to open it again and again; the former one is closed."""
    last: list[Audit] = []

    def again() -> Audit:
        while last:
            last.pop().close()
        last.append(Audit(path))
        last[0].start()
        return last[0]

    yield again
    while last:
        last.pop().close()


def rows(path: Path) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path)) as db:
        return db.execute("SELECT id, state, reason FROM commands ORDER BY number").fetchall()


def wait(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def test_an_accepted_command_is_answered_when_it_is_on_disk(path: Path) -> None:
    news: list[bool] = []
    audit = Audit(path, lambda: news.append(True))
    audit.append(report("a", "accepted"))
    audit.append(report("b", "rejected", reason="only_when", detail="Vehicle.Speed is 5"))
    assert not audit.written
    audit.start()
    wait(lambda: audit.written)
    assert rows(path) == [("a", "accepted", None), ("b", "rejected", "only_when")]
    assert list(audit.written) == [("phone", "a")]
    assert news
    audit.close()
    assert (audit.lost, audit.is_failing, list(audit.unwritten)) == (0, False, [])


def test_what_became_of_a_command_is_known_by_its_id_also_after_a_restart(opened: Opener) -> None:
    audit = opened()
    audit.append(report("a", "accepted"))
    audit.append(report("a", "sent"))
    audit.append(report("a", "timeout", reason="no_feedback", detail="never shown"))
    audit.append(report("b", "accepted", has_id=False))
    digest = report("a", "sent").digest
    assert digest is not None
    expected = Outcome(digest, "timeout", True, "no_feedback", "never shown")
    wait(lambda: audit.outcome(("phone", "a")) == expected)
    again = opened()
    assert again.outcome(("phone", "a")) == expected
    assert again.outcome(("phone", "b")) is None  # it has no id of its own
    assert again.outcome(("radio", "a")) is None


def test_what_has_no_end_is_known_as_it_is_while_its_gateway_runs(opened: Opener) -> None:
    audit = opened()
    audit.append(report("a", "accepted"))
    wait(lambda: audit.written)
    outcome = audit.outcome(("phone", "a"))
    assert outcome is not None
    assert (outcome.state, outcome.final) == ("accepted", False)


def test_what_had_no_end_before_a_restart_has_timed_out_by_it(opened: Opener) -> None:
    audit = opened()
    for each in (
        report("a", "accepted"), report("a", "sent"),
        report("b", "accepted"), report("b", "confirmed"), report("b", "ended", reason="over"),
        report("c", "accepted", 5, has_id=False),
        report("d", "rejected"),
    ):  # fmt: skip
        audit.append(each)
    again = opened()
    unfinished = again.unfinished(AT_NS + 1)
    assert [(r.request.id, r.state, r.reason, r.final) for r in unfinished] == [
        ("a", "timeout", "restarted", True),
        ("c", "timeout", "restarted", True),
    ]
    first = unfinished[0]
    assert (first.request.value, first.request.path, first.at_ns) == (21.5, "Vehicle.X", AT_NS + 1)
    assert first.digest == report("a", "sent").digest
    before = again.outcome(("phone", "a"))  # its end is not on disk yet
    assert before is not None
    assert (before.state, before.final, before.reason) == ("timeout", True, "restarted")
    for each in unfinished:
        again.append(each)
    once_more = opened()
    assert once_more.unfinished(AT_NS) == []
    assert once_more.outcome(("phone", "a")) == before


@pytest.mark.parametrize("value", [None, True, -0.0, 2**63, "\N{SNOWMAN}\0", [1, "a"]])
def test_a_value_is_the_same_after_a_restart(opened: Opener, value: Value) -> None:
    opened().append(report("a", "accepted", value))
    [unfinished] = opened().unfinished(AT_NS)
    assert (type(unfinished.request.value), unfinished.request.value) == (type(value), value)


def test_nothing_in_it_can_be_changed(path: Path, opened: Opener) -> None:
    audit = opened()
    audit.append(report("a", "accepted"))
    wait(lambda: audit.written)
    with (
        closing(sqlite3.connect(path)) as db,
        pytest.raises(sqlite3.IntegrityError, match="the audit is never changed"),
    ):
        db.execute("UPDATE commands SET state = 'confirmed'")


def test_the_oldest_rows_go_first_and_their_numbers_never_return(
    path: Path, opened: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert MOST_ROWS >= 10_000
    monkeypatch.setattr(gateway.audit, "MOST_ROWS", 20)
    monkeypatch.setattr(gateway.audit, "_ROWS_TO_SPARE", 5)
    for first in range(0, 100, 10):
        audit = opened()
        for number in range(first, first + 10):
            audit.append(report(f"c{number}", "rejected"))
    opened()
    names = [name for name, _, _ in rows(path)]
    assert 20 <= len(names) <= 35
    assert names == [f"c{number}" for number in range(100 - len(names), 100)]


@pytest.mark.parametrize("damage", [b"no database at all " * 999, b"\0" * 4096])
def test_a_damaged_file_is_set_aside_and_begun_anew(path: Path, damage: bytes) -> None:
    path.write_bytes(damage)
    audit = Audit(path)
    audit.append(report("a", "accepted"))
    audit.start()
    audit.close()
    assert rows(path) == [("a", "accepted", None)]
    assert path.with_name("commands.db.damaged-1").read_bytes() == damage
    assert set(modes(path.parent).values()) == {0o600}


def test_a_file_that_is_damaged_deep_inside_is_set_aside_too(path: Path) -> None:
    audit = Audit(path)
    for number in range(500):
        audit.append(report(f"c{number}", "rejected", "x" * 200))
    audit.start()
    audit.close()
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(size // 2 // 4096 * 4096)
        file.write(b"\xff" * (size // 4))
    again = Audit(path)
    assert again.unfinished(AT_NS) == []
    again.close()
    assert path.with_name("commands.db.damaged-1").exists()


def test_what_it_tells_is_its_owners_alone(path: Path, opened: Opener) -> None:
    path.touch(mode=0o644)
    audit = opened()
    audit.append(report("a", "accepted"))
    wait(lambda: audit.written)
    found = modes(path.parent)
    assert {"commands.db", "commands.db-wal"} <= found.keys()
    assert set(found.values()) == {0o600}


def test_a_folder_that_is_not_there_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot be written"):
        Audit(tmp_path / "absent" / "commands.db")


def test_one_that_never_began_to_write_can_be_closed(path: Path) -> None:
    Audit(path).close()
    assert rows(path) == []


def test_what_is_said_of_another_packet_with_its_id_is_no_end_of_a_command(
    opened: Opener, path: Path
) -> None:
    audit = opened()
    audit.append(report("a", "accepted"))
    audit.append(report("a", "sent"))
    conflict = report("a", "rejected", 1, reason="id_conflict")
    audit.append(replace(conflict, digest=None))
    audit.append(report("scalar", "accepted", has_id=False))
    audit.append(report("scalar", "rejected", has_id=False, reason="expired"))
    audit = opened()
    assert [(one.request.id, one.reason) for one in audit.unfinished(AT_NS)] == [("a", "restarted")]


def test_a_damaged_audit_is_an_error_of_ours_and_ends_nothing(opened: Opener, path: Path) -> None:
    audit = opened()
    audit.append(report("a", "accepted"))
    wait(lambda: audit.written)
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    path.write_bytes(b"no database at all, and not short either" * 200)
    with pytest.raises(StorageError, match=r"commands\.db cannot be read"):
        audit.outcome(("phone", "b"))
    with pytest.raises(StorageError, match=r"commands\.db cannot be read"):
        audit.unfinished(AT_NS)
    assert audit.is_failing
