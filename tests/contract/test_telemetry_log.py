"""A vehicle's log is applied once and in order, whatever comes, dies or is hostile."""

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, func, select

from internetcar.contract.message import Message
from internetcar.contract.reader import Gap, TelemetryReader
from internetcar.contract.telemetry import Telemetry, TelemetryRequest
from services.database import Database, insert_new
from services.database_errors import UnavailableError
from services.points import AFTER_COMMIT, BEFORE_COMMIT
from services.tables import log_position
from services.telemetry_log import LogReader
from tests.services import HANDLED, CrashError, crashing_at, opened

AT = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)


@pytest.fixture
def database(store_url: str) -> Iterator[Database]:
    with opened(store_url) as each:
        yield each


def batch(sequence: int, *, vehicle_id: str = "kona") -> Telemetry:
    at = AT + timedelta(seconds=sequence)
    return Telemetry(
        vehicle_id=vehicle_id, journal="j1", sequence=sequence, start_at=at, end_at=at,
        kind="snapshot" if sequence == 1 else "changes", clock="synchronized", origin="live",
    )  # fmt: skip


class Reading:
    """A log reader of one replica, and what it asks for."""

    def __init__(self, database: Database, **bounds: object) -> None:
        self.now_s = 0.0
        self.requests: list[Message] = []
        self.failures = 0
        self.logs = LogReader(
            database,
            TelemetryReader("test"),
            self.handle,
            publish=self.requests.append,
            clock_s=lambda: self.now_s,
            **bounds,  # type: ignore[arg-type]  # the tests name them
        )

    def handle(
        self,
        connection: Connection,
        vehicle_id: str,
        batches: Sequence[Telemetry],
        gaps: Sequence[Gap],
    ) -> None:
        for each in batches:
            done = connection.execute(select(func.count()).select_from(HANDLED)).scalar_one()
            name = f"{vehicle_id} {each.sequence}"
            assert insert_new(connection, HANDLED, id=name, times=done)
        if self.failures:
            self.failures -= 1
            raise UnavailableError("gone")


def applied(database: Database) -> list[str]:
    with database.read() as connection:
        statement = select(HANDLED.c.id).order_by(HANDLED.c.times)
        return list(connection.execute(statement).scalars())


def upto(last: int) -> list[str]:
    return [f"kona {sequence}" for sequence in range(1, last + 1)]


@pytest.mark.parametrize("seed", range(4))
def test_any_order_and_number_of_deliveries_to_two_replicas_is_applied_once_in_order(
    store_url: str, seed: int
) -> None:
    chance = random.Random(seed)
    with opened(store_url) as one, opened(store_url) as other:
        replicas = Reading(one), Reading(other)
        replicas[0].logs.accept(batch(1))
        dealt = [batch(sequence) for sequence in range(2, 16)] * 2
        chance.shuffle(dealt)
        for each in dealt:
            chance.choice(replicas).logs.accept(each)
        for replica in replicas * 2:
            replica.now_s += 2
            replica.logs.turn()
        assert applied(one) == upto(15)


def test_a_hole_is_asked_for_and_what_waited_follows_it(database: Database) -> None:
    reading = Reading(database)
    for sequence in (1, 3, 4):
        reading.logs.accept(batch(sequence))
    assert applied(database) == upto(1)
    for reading.now_s in (1.0, 3.0, 3.5):
        reading.logs.turn()
    assert reading.requests == [
        TelemetryRequest(vehicle_id="kona", journal="j1", first=2, last=2, reply_to="test")
    ]
    reading.logs.accept(batch(2))
    assert applied(database) == upto(4)


@pytest.mark.parametrize("point", [BEFORE_COMMIT, AFTER_COMMIT])
def test_a_crash_around_the_commit_applies_each_batch_once(store_url: str, point: str) -> None:
    with opened(store_url) as database:
        Reading(database).logs.accept(batch(1))
    with opened(store_url) as database, pytest.raises(CrashError), crashing_at(point):
        Reading(database).logs.accept(batch(2))
    with opened(store_url) as database:
        reading = Reading(database)
        reading.logs.accept(batch(2))  # it was not acknowledged
        reading.logs.accept(batch(3))
        assert applied(database) == upto(3)


def test_a_transaction_that_must_be_repeated_applies_what_had_waited_as_well(
    database: Database,
) -> None:
    reading = Reading(database)
    for sequence in (1, 3, 4):
        reading.logs.accept(batch(sequence))
    reading.failures = 2
    reading.logs.accept(batch(2))
    assert applied(database) == upto(4)


def test_a_vehicle_that_is_not_named_leaves_no_trace(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    reading = Reading(database, vehicles={"kona"})
    reading.logs.accept(batch(1))
    for number in range(20):
        reading.logs.accept(batch(1, vehicle_id=f"stranger-{number}"))
    assert applied(database) == upto(1)
    assert len(caplog.records) == 1


def test_the_number_of_vehicles_is_bounded_on_disk_and_in_memory(database: Database) -> None:
    reading = Reading(database, most_vehicles=5, most_waiting=3)
    for number in range(20):
        for sequence in (2, 1, 3, 5):
            reading.logs.accept(batch(sequence, vehicle_id=f"stranger-{number}"))
    with database.read() as connection:
        stored = connection.execute(select(func.count()).select_from(log_position)).scalar_one()
    assert stored <= 5
    assert len(reading.logs._waiting) == 3
    assert len(reading.logs._reader._vehicles) == 3


def test_without_a_snapshot_nothing_of_a_vehicle_is_kept(database: Database) -> None:
    reading = Reading(database)
    reading.logs.accept(batch(2))
    with database.read() as connection:
        assert connection.execute(select(log_position)).first() is None
