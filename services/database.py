"""A service's database: SQLite by default, PostgreSQL by URL, the same transactions on both."""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import cache
from typing import Any, TypeVar

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    Executable,
    MetaData,
    RowMapping,
    Table,
    bindparam,
    select,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from services.database_errors import (
    StoreError,
    UnavailableError,
    first_line,
    store_error,
    value_error,
)
from services.engine import BUSY_S, make_engine
from services.points import AFTER_COMMIT, BEFORE_COMMIT, reach
from services.tables import FLOOR, schema_version

log = logging.getLogger(__name__)

T = TypeVar("T")

_TRIES = 9
_OPEN_TRIES = 4
_FIRST_PAUSE_S = 0.05
_LONGEST_PAUSE_S = 5.0
_MOST_NOTED = (1 << 31) - 2
_SCRUB_WAIT_MS = 500
"""A service that scrubs does nothing else meanwhile."""
_SCHEMA_LOCK = 0x1C_CA5
"""Our number among a PostgreSQL database's advisory locks."""


class Database:
    """Transactions on one database.

    Whoever changes a vehicle's or an account's rows locks its row first (`locked`); on SQLite the
    whole database is locked from the beginning of `begin`.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.name = engine.url.set(query={}).render_as_string(hide_password=True)
        self.dialect = engine.dialect.name
        """`sqlite` or `postgresql`."""
        reading: dict[str, Any] = {"reads": True}
        if self.dialect == "postgresql":
            reading = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        self._reading = engine.execution_options(**reading)

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """One transaction that writes: committed at the end, undone where an error leaves it.

        Raises:
            StoreError: The database failed; other errors go through as they are.
        """
        with self._translated(), self._engine.begin() as connection:
            yield connection
            reach(BEFORE_COMMIT)
        reach(AFTER_COMMIT)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One consistent view of everything that is committed, for reading only.

        Raises:
            StoreError: The database failed.
        """
        with self._translated(), self._reading.connect() as connection:
            yield connection

    def run(self, function: Callable[[Connection], T], *, tries: int = _TRIES) -> T:
        """Do one transaction, and all of it again where the database was not available.

        A connection that breaks while it commits tells nobody whether it did: `function` must be
        right when it runs a second time on its own results, as it must be for redelivery.

        Raises:
            StoreError: The database failed, also after several tries in about twenty seconds.
        """
        pause_s = _FIRST_PAUSE_S
        for _ in range(tries - 1):
            try:
                with self.begin() as connection:
                    return function(connection)
            except UnavailableError as error:
                log.warning("%s; trying again", error)
                time.sleep(pause_s)
                pause_s = min(3 * pause_s, _LONGEST_PAUSE_S)
        with self.begin() as connection:
            return function(connection)

    def scrub(self) -> bool:
        """Let no erased byte stay in the files.

        SQLite overwrites what is freed (`secure_delete`), but not what it leaves behind where it
        moves rows between pages: after `note_erased` the file is written anew. Its log of what was
        written is emptied each time. PostgreSQL's server does it when it vacuums the tables.

        Returns:
            Whether none stays; false where somebody uses the store for so long that it must be
            tried again.
        """
        if self.dialect != "sqlite":
            return True
        with closing(self._engine.raw_connection()) as raw:
            cursor = raw.cursor()
            cursor.execute(f"PRAGMA busy_timeout={_SCRUB_WAIT_MS}")
            try:
                noted = _noted(cursor)
                if noted:
                    cursor.execute("VACUUM")
                    cursor.execute("BEGIN IMMEDIATE")
                    if _noted(cursor) == noted:
                        cursor.execute("PRAGMA user_version=0")
                    cursor.execute("COMMIT")
                is_busy, *_ = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            except self._engine.dialect.loaded_dbapi.OperationalError:
                return False
            finally:
                raw.rollback()
                cursor.execute(f"PRAGMA busy_timeout={BUSY_S * 1_000:.0f}")
        return not is_busy

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            if (ours := store_error(self.name, error) or value_error(self.name, error)) is None:
                raise
            raise ours from error


def note_erased(connection: Connection) -> None:
    """Note that what this transaction erases is to leave the files as well: see `scrub`."""
    if connection.dialect.name == "sqlite":
        noted = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
        connection.exec_driver_sql(f"PRAGMA user_version={noted % _MOST_NOTED + 1}")


def _noted(cursor: Any) -> int:
    """How many times something was erased that may be in the files yet."""
    count: int = cursor.execute("PRAGMA user_version").fetchone()[0]
    return count


def insert_new(connection: Connection, table: Table, **values: object) -> bool:
    """Insert a row unless one with the same key is there; whether it was inserted."""
    return (
        connection.execute(_insertion(connection.dialect.name, table), values).first() is not None
    )


def locked(connection: Connection, column: Column[Any], value: object) -> RowMapping | None:
    """The row whose unique column has this value, locked until the transaction ends, if any."""
    return connection.execute(_locking(column), {"value": value}).mappings().one_or_none()


@cache  # making a statement costs more than running it
def _insertion(dialect: str, table: Table) -> Executable:
    made = (sqlite if dialect == "sqlite" else postgresql).insert(table)
    statement: Executable = made.on_conflict_do_nothing().returning(*table.primary_key)
    return statement


@cache
def _locking(column: Column[Any]) -> Executable:
    return select(column.table).where(column == bindparam("value")).with_for_update()


def open_database(
    url: str,
    metadata: MetaData,
    *,
    service: str = "service",
    version: int = 1,
    extra_ddl: Callable[[str], Sequence[str]] = lambda dialect: (),
) -> Database:
    """Open a service's database, and make its tables and those of the floor where missing.

    Any number of replicas may do it at the same time.

    Args:
        url: A file's path, `sqlite:///…`, or `postgresql://user:password@host:port/database`.
        metadata: The service's tables, without those of `services/tables.py`.
        service: Whose tables; on PostgreSQL the schema they live in, so services may share one
            database. On SQLite each has a file of its own.
        version: Of the tables. A greater one makes missing tables and runs `extra_ddl` again.
        extra_ddl: Statements for a dialect (`sqlite`, `postgresql`), such as triggers; repeatable.

    Raises:
        StoreError: The URL or the database cannot be used; one line.
    """
    engine = make_engine(url, service)
    database = Database(engine)
    try:
        database.run(
            lambda connection: _make(connection, metadata, service, version, extra_ddl),
            tries=_OPEN_TRIES,
        )
    except StoreError:
        database.close()
        raise
    except SQLAlchemyError as error:
        database.close()
        raise StoreError(f"{database.name}: {first_line(error)}") from error
    return database


def open_existing(url: str, service: str = "", *, version: int | None = None) -> Database:
    """Open the database of a service that has run before, to look at it or to mend it.

    Args:
        url: As in `open_database`.
        service: Whose; needed on PostgreSQL.
        version: Of the tables that the caller is going to use; `None`: it uses the floor's only.

    Raises:
        StoreError: There is none, it is of another version, or it cannot be used.
    """
    engine = make_engine(url, service or "public", may_create=False)
    database = Database(engine)
    try:
        with database.read() as connection:
            found = {row.service: row.version for row in connection.execute(select(schema_version))}
    except SQLAlchemyError as error:
        database.close()
        advice = "" if engine.dialect.name == "sqlite" else "; is it the right --service?"
        raise StoreError(f"{database.name}: not the store of a service{advice}") from error
    except StoreError:
        database.close()
        raise
    if service and service not in found:
        database.close()
        raise StoreError(f"{database.name}: this is the store of {', '.join(found)}")
    if version is not None and found[service] != version:
        database.close()
        raise _other_version(service, found[service], version)
    return database


def _other_version(service: str, found: int, known: int) -> StoreError:
    advice = "update it" if found > known else f"start {service} once, which takes the store along"
    return StoreError(
        f"the store of {service} has tables of version {found}, this program knows {known}:"
        f" {advice}"
    )


def _make(
    connection: Connection,
    metadata: MetaData,
    service: str,
    version: int,
    extra_ddl: Callable[[str], Sequence[str]],
) -> None:
    dialect = connection.dialect.name
    if dialect == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _SCHEMA_LOCK})
        connection.execute(text(f'CREATE SCHEMA IF NOT EXISTS "{service}"'))
    schema_version.create(connection, checkfirst=True)
    found = {row.service: row.version for row in connection.execute(select(schema_version))}
    if others := found.keys() - {service}:
        raise StoreError(f"this is the store of {min(others)}: give {service} one of its own")
    if found.get(service, 0) > version:
        raise _other_version(service, found[service], version)
    if found.get(service) == version:
        return
    FLOOR.create_all(connection)
    metadata.create_all(connection)
    for statement in extra_ddl(dialect):
        connection.exec_driver_sql(statement)
    connection.execute(schema_version.delete())
    connection.execute(schema_version.insert().values(service=service, version=version))
