"""How to connect to a database so that a transaction means the same on each kind."""

import logging
import os
import stat
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from services.database_errors import StorageError, StoreError

log = logging.getLogger(__name__)

BUSY_S = 30
_CONNECT_S = 5


def make_engine(url: str, service: str, *, may_create: bool = True) -> Engine:
    """An engine whose transactions are the same on both databases; connects to nothing yet.

    Args:
        url: A path, `sqlite:///…` or `postgresql://…`.
        service: The schema its tables live in, on PostgreSQL.
        may_create: Make a file that is not there.

    Raises:
        StoreError: It is no such URL, the driver is missing, or the file cannot be made.
    """
    if "://" not in url:
        parsed = URL.create("sqlite", database=str(Path(url).expanduser()))
    else:
        try:
            parsed = make_url(url)
        except (ArgumentError, ValueError) as error:
            raise StoreError("the store's URL cannot be read: sqlite:///… or postgresql://…") from (
                error
            )
    kind = parsed.drivername.split("+")[0]
    if kind == "sqlite" and parsed.database and parsed.database != ":memory:":
        return _sqlite(parsed.set(drivername="sqlite"), Path(parsed.database), may_create)
    if kind in ("postgresql", "postgres"):
        return _postgresql(parsed.set(drivername="postgresql+psycopg"), service)
    shown = parsed.set(query={}).render_as_string(hide_password=True)
    raise StoreError(f"{shown!r} is no store: a path, sqlite:///… or postgresql://…")


def _sqlite(url: URL, path: Path, may_create: bool) -> Engine:
    if not may_create and not path.is_file():
        raise StoreError(
            f"{path}: no such file yet: start the service, or name its store by --store"
        )
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Opened only to create it: closing a file would let go of SQLite's locks on it.
        if not path.exists():
            try:
                os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
            except FileExistsError:
                log.debug("%s: another replica made it", path)
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            path.chmod(0o600)
    except OSError as error:
        raise StorageError(f"{path}: cannot be opened ({error.strerror})") from error
    engine = create_engine(url, connect_args={"timeout": BUSY_S})

    @event.listens_for(engine, "connect")
    def on_connect(connection: Any, _: object) -> None:
        connection.isolation_level = None  # the driver begins nothing by itself
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "secure_delete=ON",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def on_begin(connection: Connection) -> None:
        # A deferred transaction that reads before it writes may find that it cannot write.
        reads = connection.get_execution_options().get("reads", False)
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")

    return engine


def _postgresql(url: URL, service: str) -> Engine:
    try:
        engine = create_engine(
            url,
            isolation_level="READ COMMITTED",
            pool_pre_ping=True,
            connect_args={"connect_timeout": _CONNECT_S},
        )
    except ModuleNotFoundError as error:
        raise StoreError(
            "PostgreSQL needs the driver psycopg: pip install 'internetcar[postgres]'"
        ) from error

    @event.listens_for(engine, "connect")
    def on_connect(connection: Any, _: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f'SET search_path TO "{service}"')
            cursor.execute("SET synchronous_commit TO on")
        connection.commit()

    return engine
