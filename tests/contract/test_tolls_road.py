"""The real detector, tariff and store behind one another, without a broker."""

from pathlib import Path

from internetcar.contract.message import milliseconds
from internetcar.contract.reader import TelemetryReader
from services.database import open_database
from services.settings import load_settings
from services.telemetry_log import LogReader
from services.tolls import inquiry
from services.tolls.logs import Logs
from services.tolls.posting import Poster
from services.tolls.service import make_terms
from services.tolls.settings import TollSettings
from services.tolls.tables import TOLLS, VERSION
from tests.toll_road import BEGIN, TRUSTED, drive, write_road


def test_a_drive_on_the_road_is_proven_and_priced_gate_by_gate(tmp_path: Path) -> None:
    settings = load_settings(
        TollSettings, None, contexts=[str(write_road(tmp_path))], trusted=TRUSTED,
        state=str(tmp_path / "state"), origin="simulation",
    )  # fmt: skip
    terms, watcher = make_terms(settings)
    url = str(tmp_path / "tolls.sqlite")
    database = open_database(url, TOLLS, service="tolls", version=VERSION)
    logs = Logs(watcher, Poster(terms), lambda: milliseconds(BEGIN))
    reader = LogReader(
        database, TelemetryReader("tolls"), logs.apply, publish=lambda message: None,
        clock_s=lambda: 0.0,
    )  # fmt: skip
    for batch in drive():
        reader.accept(batch)
    with database.read() as connection:
        found = inquiry.newest(connection, "car", 10)
        whole = inquiry.stretches(connection, "car", 0)
    database.close()
    assert [(e.account.known.finding.gate, e.account.state, e.fee_minor) for e in found] == [
        ("north-1", "proven", 100), ("north-2", "proven", 250), ("north-3", "proven", 40),
    ]  # fmt: skip
    crossed_s = [(e.account.crossed_at - BEGIN).total_seconds() for e in found]
    assert [round(s) for s in crossed_s] == [50, 125, 200]
    assert len(whole) == 1
    assert all(e.account.known.finding.evidence.fixes for e in found)
