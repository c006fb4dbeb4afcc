"""A service's database: the same on SQLite and on PostgreSQL, and clear about what is wrong."""

import os
import sqlite3
import stat
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import (
    Column,
    Connection,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    create_engine,
    func,
    select,
)
from sqlalchemy.exc import DBAPIError, IntegrityError

from internetcar.contract.message import ContractError
from internetcar.launcher.broker import free_port
from services import points
from services.database import Database, insert_new, locked, note_erased, open_database
from services.database_errors import DamagedError, StorageError, StoreError, UnavailableError
from services.tables import outgoing
from tests.postgres import Cluster

METADATA = MetaData()
ACCOUNTS = Table(
    "accounts",
    METADATA,
    Column("account", String(36), primary_key=True),
    Column("amount_minor", Integer, nullable=False),
)
ENTRIES = Table(
    "entries",
    METADATA,
    Column("number", Integer, primary_key=True),
    Column("account", ForeignKey(ACCOUNTS.c.account), nullable=False),
)
NEVER_CHANGED = {
    "sqlite": [
        "CREATE TRIGGER IF NOT EXISTS entries_stay BEFORE DELETE ON entries"
        " BEGIN SELECT raise(ABORT, 'entries stay'); END"
    ],
    "postgresql": [
        "CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'entries stay'; END $$",
        "CREATE OR REPLACE TRIGGER entries_stay BEFORE DELETE ON entries"
        " FOR EACH ROW EXECUTE FUNCTION refuse()",
    ],
}


@contextmanager
def opened(url: str, *, service: str = "payments", version: int = 1) -> Iterator[Database]:
    database = open_database(
        url, METADATA, service=service, version=version, extra_ddl=NEVER_CHANGED.__getitem__
    )
    try:
        yield database
    finally:
        database.close()


@pytest.fixture
def database(store_url: str) -> Iterator[Database]:
    with opened(store_url) as each:
        yield each


def add_one(connection: Connection) -> None:
    connection.execute(select(ACCOUNTS)).all()  # a transaction that reads before it writes
    insert_new(connection, ACCOUNTS, account="alice", amount_minor=0)
    row = locked(connection, ACCOUNTS.c.account, "alice")
    assert row is not None
    connection.execute(ACCOUNTS.update().values(amount_minor=row["amount_minor"] + 1))


def amount(database: Database) -> int | None:
    with database.read() as connection:
        return connection.execute(select(ACCOUNTS.c.amount_minor)).scalar()


def test_what_is_committed_is_there_for_the_next_process(store_url: str) -> None:
    with opened(store_url) as database:
        database.run(add_one)
    with opened(store_url) as database:
        assert amount(database) == 1


def test_an_error_undoes_the_transaction_and_goes_through(database: Database) -> None:
    def fail(connection: Connection) -> None:
        add_one(connection)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        database.run(fail)
    assert amount(database) is None


def test_a_row_is_inserted_once(database: Database) -> None:
    with database.begin() as connection:
        assert insert_new(connection, ACCOUNTS, account="alice", amount_minor=1)
        assert not insert_new(connection, ACCOUNTS, account="alice", amount_minor=2)
        assert locked(connection, ACCOUNTS.c.account, "bob") is None
    assert amount(database) == 1


def test_many_at_once_lose_no_update_and_none_has_to_try_again(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    with ThreadPoolExecutor(4) as pool:
        for each in [pool.submit(database.run, add_one) for _ in range(40)]:
            each.result()
    assert amount(database) == 40
    assert caplog.records == []


def test_replicas_that_start_at_once_all_find_their_tables(store_url: str) -> None:
    barrier = threading.Barrier(6)

    def start() -> None:
        barrier.wait()
        with opened(store_url) as database:
            database.run(add_one)

    with ThreadPoolExecutor(6) as pool:
        for each in [pool.submit(start) for _ in range(6)]:
            each.result()
    with opened(store_url) as database:
        assert amount(database) == 6


def test_a_reader_sees_one_moment_while_others_write(database: Database) -> None:
    database.run(add_one)
    with database.read() as connection:
        first = connection.execute(select(ACCOUNTS.c.amount_minor)).scalar()
        database.run(add_one)
        assert connection.execute(select(ACCOUNTS.c.amount_minor)).scalar() == first
    assert amount(database) == 2


def test_triggers_and_foreign_keys_hold(database: Database) -> None:
    with pytest.raises(IntegrityError), database.begin() as connection:
        connection.execute(ENTRIES.insert().values(number=1, account="nobody"))
    with database.begin() as connection:
        add_one(connection)
        connection.execute(ENTRIES.insert().values(number=1, account="alice"))
    with pytest.raises(DBAPIError, match="entries stay"), database.begin() as connection:
        connection.execute(ENTRIES.delete())


def test_a_newer_store_is_refused_and_an_older_one_is_taken_along(store_url: str) -> None:
    with opened(store_url) as database:
        database.run(add_one)
    with opened(store_url, version=2) as database:
        assert amount(database) == 1
    with pytest.raises(StoreError, match="version 2, this program knows 1: update it"):
        open_database(store_url, METADATA, service="payments")


def test_the_tables_of_the_floor_are_there(database: Database) -> None:
    with database.read() as connection:
        assert connection.execute(select(func.count()).select_from(outgoing)).scalar() == 0


def test_the_points_around_a_commit_are_reached_in_order(database: Database) -> None:
    reached: list[tuple[str, int | None]] = []
    points.install(lambda point: reached.append((point, amount(database))))
    try:
        database.run(add_one)
    finally:
        points.install(None)
    assert reached == [(points.BEFORE_COMMIT, None), (points.AFTER_COMMIT, 1)]


def test_a_crash_before_the_commit_leaves_nothing(database: Database) -> None:
    def crash(point: str) -> None:
        if point == points.BEFORE_COMMIT:
            raise KeyboardInterrupt

    points.install(crash)
    try:
        with pytest.raises(KeyboardInterrupt):
            database.run(add_one)
    finally:
        points.install(None)
    assert amount(database) is None


def test_two_services_share_a_postgresql_but_never_a_file(store_url: str) -> None:
    with opened(store_url) as payments:
        payments.run(add_one)
        if payments.dialect == "sqlite":
            with pytest.raises(StoreError, match="this is the store of payments: give tolls one"):
                open_database(store_url, METADATA, service="tolls")
        else:
            with opened(store_url, service="tolls") as tolls:
                assert amount(tolls) is None
        assert amount(payments) == 1


def test_a_file_is_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "state" / "tolls" / "tolls.sqlite"
    with opened(str(path)) as database:
        database.run(add_one)
        modes = {stat.S_IMODE(each.stat().st_mode) for each in path.parent.iterdir()}
    assert modes == {0o600}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    path.chmod(0o644)
    with opened(str(path)):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_what_is_noted_as_erased_is_in_no_byte_of_the_files(tmp_path: Path) -> None:
    path = tmp_path / "tolls.sqlite"
    with opened(str(path)) as database:
        with database.begin() as connection:
            for number in range(600):  # in an order in which pages are divided and rows move
                key = f"{number * 7919 % 600:03}-{'anna' if number % 2 else 'bert'}-{'x' * 20}"
                insert_new(connection, ACCOUNTS, account=key, amount_minor=number)
        with database.begin() as connection:
            note_erased(connection)
            mine = ACCOUNTS.c.account.contains("anna")
            connection.execute(ACCOUNTS.delete().where(mine))
        assert database.scrub()
        whole = b"".join(each.read_bytes() for each in tmp_path.iterdir())
        assert (b"anna" in whole, b"bert" in whole) == (False, True)


def test_what_somebody_keeps_from_being_erased_is_erased_the_next_time(tmp_path: Path) -> None:
    with opened(str(tmp_path / "tolls.sqlite")) as database:
        with database.begin() as connection:
            insert_new(connection, ACCOUNTS, account="anna", amount_minor=1)
        with database.begin() as connection:
            note_erased(connection)
            connection.execute(ACCOUNTS.delete())
        with sqlite3.connect(tmp_path / "tolls.sqlite") as other:
            other.execute("BEGIN")
            other.execute("SELECT * FROM accounts").fetchall()
            assert not database.scrub()
            other.rollback()
        other.close()
        assert database.scrub()


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    path = tmp_path / "tolls.sqlite"
    path.write_bytes(b"no database at all\n" * 500)
    with pytest.raises(DamagedError, match=r"tolls\.sqlite.*restore it from a copy"):
        open_database(str(path), METADATA)


def test_a_damaged_page_is_named(tmp_path: Path) -> None:
    path = tmp_path / "tolls.sqlite"
    with opened(str(path)) as database, database.begin() as connection:
        for number in range(3000):
            insert_new(connection, ACCOUNTS, account=f"account-{number}", amount_minor=1)
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(size // 2)
        file.write(os.urandom(size // 2))
    everything = select(ACCOUNTS).order_by(ACCOUNTS.c.amount_minor)
    with (
        pytest.raises(DamagedError, match="restore it"),
        opened(str(path)) as database,
        database.read() as connection,
    ):
        connection.execute(everything).all()


def test_a_full_disk_is_named_and_the_transaction_undone(tmp_path: Path) -> None:
    def fill(connection: Connection) -> None:
        connection.exec_driver_sql("PRAGMA max_page_count=40")
        for number in range(20_000):
            insert_new(connection, ACCOUNTS, account=f"account-{number}", amount_minor=1)

    with opened(str(tmp_path / "tolls.sqlite")) as database:
        with pytest.raises(StorageError, match="make room"):
            database.run(fill)
        assert amount(database) is None


def test_a_place_where_no_file_can_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError, match="cannot be opened"):
        open_database(str(tmp_path / "file" / "tolls.sqlite"), METADATA)
    with pytest.raises(StoreError):
        open_database(str(tmp_path), METADATA)


@pytest.mark.parametrize(
    "url",
    [
        "mysql://alice:secret@host/x?password=secret",
        "sqlite://",
        "sqlite:///:memory:",
        "://",
        "postgresql:///a b:c@d:e/f",
    ],
)
def test_a_url_that_leads_nowhere_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(StoreError, match=r"postgresql://|no store|server there") as refused:
        open_database(url, METADATA)
    assert "secret" not in str(refused.value)


def test_a_server_that_does_not_answer_is_named_without_the_password() -> None:
    url = f"postgresql://alice:secret@127.0.0.1:{free_port()}/x"
    with pytest.raises(UnavailableError, match="is the server there") as refused:
        open_database(url, METADATA)
    assert "secret" not in str(refused.value)


def test_a_missing_driver_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(StoreError, match=r"internetcar\[postgres\]"):
        open_database("postgresql://127.0.0.1/x", METADATA)


def test_a_deadlock_is_done_again_until_both_are_through(postgresql: Cluster) -> None:
    both_hold_one = threading.Barrier(2)
    runs: list[str] = []

    def cross(store: Database, first: str, second: str) -> None:
        def transfer(connection: Connection) -> None:
            runs.append(first)
            assert locked(connection, ACCOUNTS.c.account, first)
            if len(runs) <= 2:
                both_hold_one.wait()
            row = locked(connection, ACCOUNTS.c.account, second)
            assert row is not None
            connection.execute(
                ACCOUNTS.update().where(ACCOUNTS.c.account == second)
                .values(amount_minor=row["amount_minor"] + 1)
            )  # fmt: skip

        store.run(transfer)

    with opened(postgresql.database()) as database:
        with database.begin() as connection:
            insert_new(connection, ACCOUNTS, account="alice", amount_minor=0)
            insert_new(connection, ACCOUNTS, account="bob", amount_minor=0)
        with ThreadPoolExecutor(2) as pool:
            for each in [
                pool.submit(cross, database, *order)
                for order in (("alice", "bob"), ("bob", "alice"))
            ]:
                each.result()
        with database.read() as connection:
            assert connection.execute(select(ACCOUNTS.c.amount_minor)).scalars().all() == [1, 1]
    assert len(runs) == 3


def test_a_connection_that_is_cut_is_made_anew_and_the_transaction_done_again(
    postgresql: Cluster,
) -> None:
    runs: list[int] = []

    def cut_once(connection: Connection) -> None:
        add_one(connection)
        runs.append(1)
        if len(runs) == 1:
            with other.begin() as killer:
                killer.exec_driver_sql(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )

    url = postgresql.database()
    with opened(url) as database, opened(url) as other:
        database.run(cut_once)
        assert amount(database) == 1
    assert len(runs) == 2


def test_a_text_that_postgresql_cannot_hold_is_that_message_s_fault(postgresql: Cluster) -> None:
    with opened(postgresql.database()) as database:
        with pytest.raises(ContractError, match="NUL"):
            database.run(
                lambda connection: insert_new(connection, ACCOUNTS, account="\0", amount_minor=0)
            )
        with pytest.raises(DBAPIError), database.begin() as connection:
            insert_new(connection, ACCOUNTS, account="greedy", amount_minor=1 << 40)
        assert amount(database) is None


def test_a_password_in_the_query_is_not_shown() -> None:
    url = "postgresql+psycopg://host/books?password=very-secret&user=me"
    name = Database(create_engine(url)).name
    assert "very-secret" not in name
    assert name == "postgresql+psycopg://host/books"
