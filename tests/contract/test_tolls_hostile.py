"""Whatever a vehicle says, the service goes on, and only its own account can be meant."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from internetcar.contract.telemetry import Telemetry
from services.database import Database, open_database
from services.settings import load_settings
from services.tolls.detection.samples import LEAVES
from services.tolls.logs import Logs
from services.tolls.passages.reckoning import instant
from services.tolls.posting import Poster
from services.tolls.service import make_terms
from services.tolls.settings import TollSettings
from services.tolls.tables import TOLLS, VERSION
from tests.toll_road import LAT_DEG, LON_DEG, TRUSTED, write_road

LONGEST = 1 << 44
VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-(10**30), 10**30), st.text(max_size=5),
    st.floats(allow_nan=False, allow_infinity=False), st.lists(st.integers(), max_size=2),
    st.floats(LAT_DEG - 0.01, LAT_DEG + 0.01), st.just(LON_DEG), st.just(LAT_DEG),
)  # fmt: skip
OFFSETS = st.one_of(st.integers(-LONGEST, LONGEST), st.integers(0, 1000))
EARLIEST_MS, LATEST_MS, NOON_MS = -30_000_000_000_000, 221_000_000_000_000, 1_777_593_600_000
INSTANTS = st.one_of(
    st.integers(EARLIEST_MS, LATEST_MS), st.integers(NOON_MS, NOON_MS + 60_000)
).map(instant)


@st.composite
def batches(draw: st.DrawFn) -> Telemetry:
    start = draw(INSTANTS)
    samples = draw(
        st.dictionaries(
            st.sampled_from(LEAVES), st.lists(st.tuples(OFFSETS, VALUES), max_size=4), max_size=9
        )
    )
    return Telemetry(
        vehicle_id="car", journal=draw(st.sampled_from("ab")), sequence=draw(st.integers(1, 9)),
        kind=draw(st.sampled_from(["changes", "snapshot", "dropped"])), start_at=start,
        end_at=draw(st.one_of(st.just(start + timedelta(seconds=1)), INSTANTS)),
        clock=draw(st.sampled_from(["synchronized", "free", "recorded"])),
        origin=draw(st.sampled_from(["live", "simulation"])), samples=samples,
    )  # fmt: skip


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    each = open_database(str(tmp_path / "t.sqlite"), TOLLS, service="tolls", version=VERSION)
    yield each
    each.close()


class UndoneError(Exception):
    """So that one example leaves nothing to the next."""


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(told=st.lists(batches(), min_size=1, max_size=5))
def test_any_log_is_applied(database: Database, tmp_path: Path, told: list[Telemetry]) -> None:
    read = load_settings(
        TollSettings, None, contexts=[str(write_road(tmp_path))], trusted=TRUSTED,
        state=str(tmp_path / "state"), tariff_time=datetime(2026, 5, 1, tzinfo=UTC),
        origin="simulation",
    )  # fmt: skip
    terms, watcher = make_terms(read)
    logs = Logs(watcher, Poster(terms), lambda: 1_800_000_000_000)

    def apply(connection: Connection) -> None:
        for batch in told:
            logs.apply(connection, "car", [batch], [])
        raise UndoneError

    with pytest.raises(UndoneError):
        database.run(apply)
