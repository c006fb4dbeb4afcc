"""The commands' audit on disk: every state of every command, appended and never changed.

It is also the memory by which a command's id is known again after a restart.
"""

import json
import logging
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from gateway.audit_rows import PRUNE, SCHEMA, UNFINISHED, row_of
from gateway.ledger import Outcome, Report
from gateway.outbox import StorageError, keep_private, set_aside
from gateway.requests import Key, Request
from internetcar.contract.commands import State
from internetcar.contract.message import Value

log = logging.getLogger(__name__)

MOST_ROWS = 100_000
"""Some 30 MB, at most 100; the oldest of whoever has the most go first."""
_ROWS_TO_SPARE = 1_000
_ROWS_LOOKED_AT = 20_000
"""Among the newest so many stands whatever was not at its end when the gateway died."""
_MOST_WAITING = 1_000
_RETRY_S = 1.0
_REFUSALS_LAG_S = 1.0
"""Refusals are written together: a flood of them must not wear out a memory card."""
_RESTARTED = "the gateway was started again; nothing is sent again"


class Audit:
    """Writes in a thread of its own; an accepted command is answered once it is on disk.

    Args:
        path: The database; a damaged one is set aside. It tells what a person did: it is its
            owner's alone.
        on_written: Called in the writer's thread when `written` or `unwritten` has something new.

    Attributes:
        written: Keys of accepted commands that are on disk now; read and removed by the user.
        unwritten: Those that could not be written.
    """

    def __init__(self, path: Path, on_written: Callable[[], None] = lambda: None) -> None:
        """Open it.

        Raises:
            StorageError: It cannot be written.
        """
        self.written: deque[Key] = deque()
        self.unwritten: deque[Key] = deque()
        self.lost = 0
        """Reports that were given up, since the disk took none for long."""
        self.is_failing = False
        self._path = path
        self._on_written = on_written
        self._waiting: deque[Report] = deque()
        self._wake = threading.Condition()
        self._is_closing = False
        self._thread = threading.Thread(target=self._run, name="audit", daemon=True)
        keep_private(path)
        self._db = self._open()
        self._reader = self._connect()
        [(self._rows, self._before)] = self._db.execute(
            "SELECT count(*), coalesce(max(number), 0) FROM commands"
        ).fetchall()

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def unfinished(self, at_ns: int) -> list[Report]:
        """Commands that an earlier run left without an end: they have timed out by the restart.

        Whoever calls this appends them.

        Raises:
            StorageError: It cannot be read.
        """
        rows = self._read(UNFINISHED, _ROWS_LOOKED_AT)
        return [
            Report(
                Request(requester, path, identifier, 0, has_id=True, value=json.loads(value)),
                "timeout",
                final=True,
                at_ns=at_ns,
                reason="restarted",
                detail=_RESTARTED,
                digest=digest,
            )
            for requester, identifier, path, value, digest in rows
        ]

    def outcome(self, key: Key) -> Outcome | None:
        """What became of a command, as far as it is on disk.

        What an earlier run left without an end has timed out, be that on disk yet or not.

        Raises:
            StorageError: It cannot be read.
        """
        rows = self._read(
            "SELECT digest, state, final, reason, detail, number FROM commands WHERE requester = ?"
            " AND id = ? AND digest IS NOT NULL ORDER BY number DESC LIMIT 1",
            *key,
        )
        if not rows:
            return None
        [(digest, state, final, reason, detail, number)] = rows
        if not final and number <= self._before:
            return Outcome(digest, "timeout", final=True, reason="restarted", detail=_RESTARTED)
        return Outcome(digest, _state(state), bool(final), reason, detail)

    def _read(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        try:
            return self._reader.execute(statement, values).fetchall()
        except sqlite3.DatabaseError as error:
            self.is_failing = True
            raise StorageError(f"{self._path} cannot be read ({error})") from error

    def append(self, report: Report) -> None:
        """Take one report; it is on disk soon."""
        with self._wake:
            self._waiting.append(report)
            while len(self._waiting) > _MOST_WAITING:
                self._give_up(self._waiting.popleft())
            self._wake.notify()

    def close(self) -> None:
        """Write what waits and end."""
        with self._wake:
            self._is_closing = True
            self._wake.notify()
        if self._thread.ident is not None:
            self._thread.join()
        with suppress(sqlite3.DatabaseError), closing(self._db), closing(self._reader):
            pass

    def _run(self) -> None:
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._waiting or self._is_closing, None)
                self._wake.wait_for(lambda: self._is_urgent or self._is_closing, _REFUSALS_LAG_S)
                reports = list(self._waiting)
                self._waiting.clear()
                is_closing = self._is_closing
            is_written = self._write(reports)
            if is_closing and (is_written or not reports):
                return
            if not is_written:
                if is_closing:
                    self.lost += len(reports)
                    return
                time.sleep(_RETRY_S)

    @property
    def _is_urgent(self) -> bool:
        """Whether somebody waits for what is to be written."""
        return any(report.state != "rejected" for report in self._waiting)

    def _write(self, reports: list[Report]) -> bool:
        accepted = [report.request.key for report in reports if report.state == "accepted"]
        try:
            with self._db:
                self._db.execute("BEGIN IMMEDIATE")
                self._db.executemany(
                    "INSERT INTO commands (at_ms, requester, id, path, value, state, final, reason,"
                    " detail, digest) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    [row_of(report) for report in reports],
                )
                gone = self._prune(len(reports))
        except sqlite3.DatabaseError as error:
            if not self.is_failing:
                log.error("%s cannot be written (%s): no command is sent", self._path, error)  # noqa: TRY400
            self.is_failing = True
            with self._wake:
                kept = [report for report in reports if report.state != "accepted"]
                self._waiting.extendleft(reversed(kept))
            self.unwritten.extend(accepted)
            self._on_written()
            return False
        self.is_failing = False
        self._rows += len(reports) - gone
        self.written.extend(accepted)
        if accepted:
            self._on_written()
        return True

    def _prune(self, added: int) -> int:
        """Delete the oldest rows beyond the limit; how many they were."""
        if self._rows + added <= MOST_ROWS + _ROWS_TO_SPARE:
            return 0
        return self._db.execute(PRUNE, (MOST_ROWS,)).rowcount

    def _give_up(self, report: Report) -> None:
        self.lost += 1
        if report.state == "accepted":
            self.unwritten.append(report.request.key)

    def _open(self) -> sqlite3.Connection:
        try:
            return self._prepared()
        except sqlite3.DatabaseError as error:
            if not getattr(error, "sqlite_errorname", "").startswith(
                ("SQLITE_CORRUPT", "SQLITE_NOTADB")
            ):
                raise StorageError(f"{self._path} cannot be written ({error})") from error
            log.error("%s is damaged; set aside as %s", self._path, set_aside(self._path))  # noqa: TRY400
            keep_private(self._path)
            return self._prepared()

    def _prepared(self) -> sqlite3.Connection:
        db = self._connect()
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=FULL")
        db.executescript(SCHEMA)
        db.execute("SELECT count(*), count(number) FROM commands").fetchall()  # reads every page
        return db

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(self._path, timeout=5, isolation_level=None, check_same_thread=False)
        db.execute("PRAGMA cache_size=-256")
        return db


@dataclass(frozen=True, slots=True)
class Entry:
    """One state of one command, as it was written down."""

    at: datetime
    requester: str
    id: str
    path: str
    value: Value
    state: str
    reason: str | None
    detail: str | None


def read_audit(path: Path, last: int) -> list[Entry]:
    """The newest entries, the oldest of them first; a gateway may write meanwhile.

    Raises:
        StorageError: It is no audit, or cannot be read.
    """
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)) as db:
            rows = db.execute(
                "SELECT at_ms, requester, id, path, value, state, reason, detail FROM commands"
                " ORDER BY number DESC LIMIT ?",
                (last,),
            ).fetchall()
    except sqlite3.DatabaseError as error:
        raise StorageError(f"{path} cannot be read ({error})") from error
    return [
        Entry(
            datetime.fromtimestamp(at_ms / 1000, UTC), requester, identifier, leaf,
            json.loads(value), state, reason, detail,
        )
        for at_ms, requester, identifier, leaf, value, state, reason, detail in reversed(rows)
    ]  # fmt: skip


def _state(text: str) -> State:
    state: State = text  # type: ignore[assignment]  # we wrote it
    return state
