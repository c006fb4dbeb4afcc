"""Trips end, and are forgotten, also where the clock of the service was set back."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import update

from services.database import Database
from services.trips import store
from services.trips.tables import trip
from tests.contract.test_trips_store import DAY_MS, Service
from tests.trip_log import TripLog

YEAR_MS = 365 * DAY_MS


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = store.open_store(str(tmp_path / "trips.sqlite"))
    yield opened
    opened.close()


def test_a_silent_trip_ends_though_the_clock_was_set_back_in_it(database: Database) -> None:
    service = Service(database, now_ms=YEAR_MS)
    service.hear(TripLog().on().seconds(120, 60).batches)
    service.now_ms -= YEAR_MS // 2
    service.wait(600)
    assert [each.why for each in service.ends()] == ["signal_lost"]


def test_a_trip_after_the_clock_was_set_back_ends_for_silence(database: Database) -> None:
    service = Service(database, now_ms=YEAR_MS)
    service.now_ms -= YEAR_MS // 2
    service.hear(TripLog().on().seconds(120, 60).batches)
    service.wait(600)
    assert [each.why for each in service.ends()] == ["signal_lost"]


def test_what_is_old_is_forgotten_though_the_clock_was_set_back(database: Database) -> None:
    service = Service(database, now_ms=10 * YEAR_MS)
    service.forgetting.turn()
    service.now_ms -= 8 * YEAR_MS
    service.hear(TripLog().on().seconds(120, 60).batches).wait(600)
    database.run(lambda each: each.execute(update(trip).values(kept_ms=0)))
    service.forgetting.turn()
    assert service.trips() == []
