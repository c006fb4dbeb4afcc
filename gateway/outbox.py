"""The outbox's file: one SQLite database, one process, and what to do when the disk is full.

Pages are small, and checkpoints rare, or each batch would be written to disk many times over.
"""

import fcntl
import logging
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from internetcar.contract.message import InputError

log = logging.getLogger(__name__)

_PAGE_BYTES = 512
_CHECKPOINT_PAGES = 1000
_WAL_BYTES = _CHECKPOINT_PAGES * (_PAGE_BYTES + 24)
_MOST_PAGES = 1 << 30
_PAGES_TO_SPARE = 64
_ROWS_AT_ONCE = 256
"""A transaction that removes more spills out of the page cache, and a full disk has no room."""
_SCHEMA = """
CREATE TABLE IF NOT EXISTS vehicle (id TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS journals (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,
                                     base INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS batches (number INTEGER PRIMARY KEY, first INTEGER,
                                    behind INTEGER NOT NULL, payload BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS dictionaries (number INTEGER PRIMARY KEY, payload BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS marks (number INTEGER PRIMARY KEY, running_s INTEGER NOT NULL);
"""


@dataclass(frozen=True, slots=True)
class Limits:
    """What the outbox may use; bytes are as stored, deflated.

    Attributes:
        unsent_bytes: Beyond this the oldest unsent batches become a stated loss.
        history_bytes: How much of what the broker has is kept for repair.
        history_s: How long it is kept, in seconds of running; the wall clock may be wrong.
        reserve_bytes: Disk kept for the time when it is full.
        waiting_batches: How many batches may wait in memory for a slow or full disk.
    """

    unsent_bytes: int = 256 << 20
    history_bytes: int = 256 << 20
    history_s: int = 24 * 3600
    reserve_bytes: int = 1 << 20
    waiting_batches: int = 64


class OutboxError(InputError):
    """The outbox cannot be used as asked; the text says why and what to do."""


class StorageError(OutboxError):
    """Nothing can be written now: the disk is full, read-only or failing."""


class DamagedError(OutboxError):
    """The file is not a database, or one that was damaged."""


class OutboxFile:
    """The open database.

    While the disk is full the file is `tight`: it may not grow, what is written takes the place
    of what was removed, and the reserve beside it is given up, so that removing is possible.

    Args:
        path: The database; beside it lie a lock, a reserve and SQLite's write-ahead log. They tell
            where a person was: they, and a folder made for them, are their owner's alone.
        vehicle_id: Whose batches it holds.
        reserve_bytes: How much disk is kept for the time when there is no more; at least 1 MiB
            lets a whole write-ahead log be folded in.

    Raises:
        OutboxError: Another process holds it, or it is another vehicle's.
        DamagedError: The file is damaged.
        StorageError: It cannot be opened or written.
    """

    def __init__(self, path: Path, vehicle_id: str, reserve_bytes: int) -> None:
        self.path = path
        self.tight = False
        self._reserve = path.with_name(path.name + ".reserve")
        self._reserve_bytes = reserve_bytes
        self._lock = _lock(path)
        try:
            keep_private(path)
            with self._plain_errors():
                self._db = sqlite3.connect(
                    path, timeout=0, isolation_level=None, check_same_thread=False
                )
            self._prepare(vehicle_id)
        except BaseException:
            with suppress(AttributeError):
                self._db.close()
            self._lock.close()
            raise

    def _prepare(self, vehicle_id: str) -> None:
        for name, value in (
            ("page_size", _PAGE_BYTES),
            ("locking_mode", "EXCLUSIVE"),
            ("journal_mode", "WAL"),
            ("synchronous", "FULL"),
            ("wal_autocheckpoint", _CHECKPOINT_PAGES),
            ("cache_size", -1024),
        ):
            self.rows(f"PRAGMA {name}={value}")
        with self.transaction():
            for statement in _SCHEMA.split(";"):
                self.rows(statement)
            owner = self.row("SELECT id FROM vehicle")
            if owner is None:
                self.rows("INSERT INTO vehicle VALUES (?)", vehicle_id)
            elif owner[0] != vehicle_id:
                raise OutboxError(
                    f"{self.path} belongs to vehicle {owner[0]}: give {vehicle_id} its own folder"
                )
        self._fill_reserve()

    def rows(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Run one statement and give all it returns."""
        with self._plain_errors():
            return self._db.execute(statement, values).fetchall()

    def row(self, statement: str, *values: object) -> tuple[Any, ...] | None:
        """Run one statement and give the first row it returns."""
        found = self.rows(statement, *values)
        return found[0] if found else None

    def stored_bytes(self, after: int, through: int) -> int:
        """What the batches beyond the one and up to the other number take."""
        [(size,)] = self.rows(
            "SELECT sum(length(payload)) FROM batches WHERE number > ? AND number <= ?",
            after,
            through,
        )
        return size or 0

    def cut(self, after: int, through: int, wanted_bytes: int) -> int:
        """The number up to which `wanted_bytes` lie, or few enough rows to remove at once."""
        for number, size in self.rows(
            "SELECT number, length(payload) FROM batches WHERE number > ? AND number <= ?"
            " ORDER BY number LIMIT ?",
            after,
            through,
            _ROWS_AT_ONCE,
        ):
            if wanted_bytes <= 0:
                break
            after = number
            wanted_bytes -= size
        return after

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of it is on disk when this ends, or nothing of it if it ends in an error."""
        self.rows("BEGIN IMMEDIATE")
        try:
            yield
            self.rows("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.rollback()
            raise

    def checkpoint(self) -> None:
        """Fold the write-ahead log into the database, and begin it anew in its own place."""
        self.rows("PRAGMA wal_checkpoint(RESTART)")

    def keep_log_short(self) -> None:
        """Fold the log in if that failed quietly before and it has grown past its length."""
        with suppress(FileNotFoundError):
            if self.path.with_name(self.path.name + "-wal").stat().st_size > 2 * _WAL_BYTES:
                self.rows("PRAGMA wal_checkpoint(TRUNCATE)")

    @property
    def has_room(self) -> bool:
        """Whether a tight file has free pages to live on."""
        free = self.row("PRAGMA freelist_count")
        return free is not None and free[0] >= _PAGES_TO_SPARE

    def tighten(self) -> None:
        """The disk is full: free the reserve, and fold the log in."""
        if not self.tight:
            log.warning("the disk is full: %s grows no more, history goes first", self.path)
        self.tight = True
        self._reserve.unlink(missing_ok=True)
        self.checkpoint()
        pages = self.row("PRAGMA page_count") or (_MOST_PAGES,)
        self.rows(f"PRAGMA max_page_count={pages[0]}")

    def relax(self) -> None:
        """Take the reserve again and let the file grow, if the disk has room by now."""
        if self.tight and shutil.disk_usage(self.path.parent).free > 2 * self._reserve_bytes:
            self.tight = not self._fill_reserve()
            if not self.tight:
                self.rows(f"PRAGMA max_page_count={_MOST_PAGES}")
                log.info("the disk has room again for %s", self.path)

    def close(self) -> None:
        """Let go of the files; what was committed stays."""
        with closing(self._lock), self._plain_errors():
            self._db.close()

    def abandon(self) -> None:
        """Let go of a damaged file, whatever it says."""
        with closing(self._lock), suppress(sqlite3.DatabaseError):
            self._db.close()

    def _fill_reserve(self) -> bool:
        try:
            with open(self._reserve, "ab", opener=_open_private) as reserve:
                if self._reserve_bytes:
                    os.posix_fallocate(reserve.fileno(), 0, self._reserve_bytes)
        except OSError as error:
            self._reserve.unlink(missing_ok=True)
            log.warning("no room to reserve %s bytes: %s", self._reserve_bytes, error)
            return False
        return True

    @contextmanager
    def _plain_errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            name = getattr(error, "sqlite_errorname", "")
            if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
                raise DamagedError(f"{self.path} is damaged ({error})") from error
            if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
                raise OutboxError(f"{self.path} is in use by another process") from error
            if name.startswith(
                ("SQLITE_FULL", "SQLITE_IOERR", "SQLITE_READONLY", "SQLITE_CANTOPEN")
            ):
                raise StorageError(f"{self.path} cannot be written ({error})") from error
            raise


def set_aside(path: Path) -> Path:
    """Rename a damaged database and its log, so that a new one can begin; gives the new name."""
    for number in range(1, 1_000_000):
        aside = path.with_name(f"{path.name}.damaged-{number}")
        if not aside.exists():
            break
    for suffix in ("", "-wal"):
        with suppress(FileNotFoundError):
            path.with_name(path.name + suffix).rename(aside.with_name(aside.name + suffix))
    return aside


def _lock(path: Path) -> IO[bytes]:
    """Hold the lock beside the database until closed; it goes with the process that holds it."""
    try:
        for folder in reversed([path.parent, *path.parent.parents]):
            if not folder.exists():
                folder.mkdir(mode=0o700, exist_ok=True)
        beside = path.with_name(path.name + ".lock")
        lock = open(beside, "wb", opener=_open_private)  # noqa: SIM115 - held until closed
    except OSError as error:
        raise StorageError(f"{path.parent} cannot be written ({error})") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise OutboxError(
            f"{path} is in use by another process: stop that gateway or choose another state folder"
        ) from error
    return lock


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def keep_private(path: Path) -> None:
    """Make the database ours alone, also one of before; SQLite gives its log the same mode."""
    try:
        os.close(_open_private(str(path), os.O_RDWR | os.O_CREAT))
        for each in (path, path.with_name(path.name + "-wal")):
            with suppress(FileNotFoundError):
                each.chmod(0o600)
    except OSError as error:
        raise StorageError(f"{path} cannot be written ({error})") from error
