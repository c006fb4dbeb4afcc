"""What a hostile requester can do to the audit: not much."""

import itertools
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

import gateway.audit
from gateway.audit import Audit, read_audit
from gateway.ledger import Report
from gateway.requests import Request
from internetcar.contract.commands import State
from internetcar.contract.message import Value
from tests.waiting import eventually

NUMBERS = itertools.count()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "commands.db"


@pytest.fixture
def audit(path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Audit]:
    monkeypatch.setattr(gateway.audit, "MOST_ROWS", 200)
    monkeypatch.setattr(gateway.audit, "_ROWS_TO_SPARE", 10)
    started = Audit(path)
    started.start()
    yield started
    started.close()


def report(
    requester: str, state: State, *, has_id: bool = True, value: Value = 1, detail: str = ""
) -> Report:
    name = f"r{next(NUMBERS)}"
    request = Request(requester, "Vehicle.X", name, 0, has_id=has_id, value=value)
    digest = request.digest if has_id else None
    return Report(request, state, True, 0, "out_of_range", detail, digest)


def flush(audit: Audit) -> None:
    """Wait until all that waits is on disk."""
    last = report("fence", "confirmed")
    audit.append(last)
    eventually(lambda: audit.outcome(last.request.key))


@pytest.mark.parametrize("has_id", [True, False])
def test_a_flood_of_refusals_does_not_make_it_forget_what_others_did(
    audit: Audit, path: Path, has_id: bool
) -> None:
    known = [report("alice", "confirmed") for _ in range(50)]
    scalars = [report("alice", "confirmed", has_id=False) for _ in range(20)]
    for one in (*known, *scalars):
        audit.append(one)
    for _ in range(40):
        for _ in range(50):
            audit.append(report("mallory", "rejected", has_id=has_id))
        flush(audit)
    assert all(audit.outcome(one.request.key) for one in known)
    kept = Counter(entry.requester for entry in read_audit(path, 1000))
    assert kept["alice"] == 70
    assert 0 < kept["mallory"] < 150
    assert sum(kept.values()) <= 200 + 10 + 51


def test_what_one_requester_did_is_forgotten_oldest_first(audit: Audit, path: Path) -> None:
    reports = [report("alice", "confirmed") for _ in range(500)]
    for one in reports:
        audit.append(one)
        if one.request.id.endswith("0"):
            flush(audit)
    flush(audit)
    kept = [entry.id for entry in read_audit(path, 1000) if entry.requester == "alice"]
    assert kept == [one.request.id for one in reports[-len(kept) :]]
    assert len(kept) > 100


def test_long_values_and_details_are_kept_in_part(audit: Audit, path: Path) -> None:
    audit.append(report("alice", "rejected", value="💥" * 500, detail="d" * 5000))
    audit.append(report("alice", "rejected", value=["x" * 10] * 100))
    flush(audit)
    with closing(sqlite3.connect(path)) as db:
        rows = db.execute("SELECT length(value), length(detail) FROM commands").fetchall()
    assert max(length for row in rows for length in row) <= 500
    assert isinstance(read_audit(path, 3)[0].value, str)


def test_refusals_are_written_together(
    audit: Audit, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway.audit, "_REFUSALS_LAG_S", 3600.0)
    with closing(sqlite3.connect(path)) as reader:
        sizes = []

        def written() -> int:
            sizes.append(int(reader.execute("SELECT count(*) FROM commands").fetchone()[0]))
            return sizes[-1]

        for _ in range(50):
            audit.append(report("mallory", "rejected"))
            time.sleep(0.005)  # it could be written now
            assert written() == 0
        audit.append(report("alice", "accepted"))  # somebody waits for this one
        eventually(lambda: written() == 51)
        assert set(sizes) == {0, 51}


def test_refusals_do_not_wait_for_ever(
    audit: Audit, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway.audit, "_REFUSALS_LAG_S", 0.01)
    audit.append(report("mallory", "rejected"))
    eventually(lambda: len(read_audit(path, 10)) == 1)
