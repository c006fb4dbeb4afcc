"""`car trips` lists, shows, exports, imports and forgets, and refuses with a line."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from internetcar.contract.message import InputError
from internetcar.launcher.trips import app
from services.tables import outgoing
from services.trips import store
from services.trips.tables import trip
from tests.trip_log import DRIVER, Kept, TripLog
from tests.unit.test_trips_files import COLUMNS, HEAD, TAIL, drive, point


@pytest.fixture
def url(tmp_path: Path) -> str:
    return str(tmp_path / "trips.sqlite")


def car(url: str, *arguments: str) -> str:
    """What a subcommand says; what it refuses is raised."""
    done = CliRunner().invoke(app, [*arguments, "--store", url])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.output


def refused(url: str, *arguments: str) -> str:
    with pytest.raises(InputError) as refusal:
        car(url, *arguments)
    assert "\n" not in str(refusal.value)
    return str(refusal.value)


def fill(url: str) -> list[str]:
    """Two trips of two drivers; their ids, the newest first."""
    log = TripLog()
    for name in ("anna", "bert"):
        log.say({DRIVER: name, "Vehicle.Exterior.AirTemperature": 4.5})
        log.drive().say({"Vehicle.Powertrain.FuelSystem.ConsumptionSinceStart": 1}).asleep(6)
    ends = Kept().read(log.batches).ends
    database = store.open_store(url)
    store.keep_all(database, ((end, "run") for end in ends), 0, say=False)
    database.close()
    return [end.trip_id for end in reversed(ends)]


def test_trips_are_listed_the_newest_first_and_by_driver(url: str) -> None:
    newest, oldest = fill(url)
    lines = car(url, "list").splitlines()
    assert newest[:12] in lines[1]
    assert oldest[:12] in lines[2]
    assert "anna" in car(url, "list", "--driver", "anna")
    assert "bert" not in car(url, "list", "--driver", "anna")
    assert len(car(url, "list", "--last", "1").splitlines()) == 2
    assert len(car(url, "list", "--vehicle-id", "other").splitlines()) == 1


def test_one_trip_is_shown_by_the_beginning_of_its_id(url: str) -> None:
    newest, _ = fill(url)
    shown = car(url, "show", newest[:8])
    for words in (newest, "bert", "2000 m by speed", "4.5 °C", "power off", "points"):
        assert words in shown
    assert "no such trip" in refused(url, "show", "zzz")
    assert "no such trip" in refused(url, "show", "")
    assert "no such trip" in refused(url, "show", "%")


def test_an_id_that_more_than_one_begins_with_is_refused(url: str) -> None:
    fill(url)
    database = store.open_store(url)
    with database.begin() as connection:
        for name in ("same-1", "same-2"):
            row = connection.execute(select(trip).limit(1)).mappings().one()
            connection.execute(trip.insert().values({**row, "trip_id": name}))
    database.close()
    assert "more than one" in refused(url, "show", "same")


def test_export_writes_each_format_and_refuses_others(url: str) -> None:
    newest, oldest = fill(url)
    assert [each["trip_id"] for each in json.loads(car(url, "export"))] == [newest, oldest]
    assert len(json.loads(car(url, "export", "--trip", oldest))) == 1
    assert car(url, "export", "--format", "csv").startswith("trip_id,")
    assert car(url, "export", "--format", "gpx", "--driver", "anna").count("<trk>") == 1
    assert "json, csv or gpx" in refused(url, "export", "--format", "xml")


def test_forgetting_everything_needs_a_word_more(url: str) -> None:
    fill(url)
    assert "--yes" in refused(url, "forget")
    assert "0 trips" in car(url, "forget", "--before", "2026-11-01T00:00:00Z")
    assert "1 trips erased" in car(url, "forget", "--driver", "anna")
    assert "1 trips erased" in car(url, "forget", "--yes")
    assert json.loads(car(url, "export")) == []


def test_bytes_that_cannot_be_erased_while_somebody_reads_are_not_said_to_be_gone(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(url)
    monkeypatch.setattr("services.engine.BUSY_S", 0.05)
    database = store.open_store(url)
    with database.read() as connection:
        assert store.find(connection)
        assert "run it again" in refused(url, "forget", "--yes")
    assert "0 trips erased" in car(url, "forget", "--yes")
    database.close()


def test_without_a_store_it_says_how_to_have_one(url: str) -> None:
    assert "start the service" in refused(url, "list")


def test_a_track_is_imported_once_though_given_twice(url: str, tmp_path: Path) -> None:
    file = tmp_path / "drive.gpx"
    file.write_text(HEAD + "".join(map(point, range(90))) + "<trkpt/>" + TAIL)
    assert "--vehicle-id" in refused(url, "import", str(file))
    said = car(url, "import", str(file), "--vehicle-id", "kona")
    assert "1 trips, 1 of them new" in said
    assert "1 lines could not be read" in said
    assert "lat '' is no number" in said
    assert "0 of them new" in car(url, "import", str(file), "--vehicle-id", "kona")
    assert len(json.loads(car(url, "export"))) == 1


def test_the_dataset_is_imported_by_its_own_clock_and_said_if_wanted(
    url: str, tmp_path: Path
) -> None:
    file = tmp_path / "VED_171101_week.csv"
    file.write_text("\n".join([",".join(COLUMNS), *drive(), *["?"] * 9]))
    said = car(url, "import", str(file), "--time-zone", "America/Detroit", "--say")
    assert "1 trips, 1 of them new" in said
    assert "… and 4 more such lines" in said
    (found,) = json.loads(car(url, "export"))
    assert found["started_at"] == "2017-11-01T16:00:00.000Z"
    assert found["vehicle_id"] == "ved-8"
    database = store.open_store(url)
    with database.read() as connection:
        assert connection.execute(select(outgoing.c.topic)).scalars().all() == [
            "v1/vehicle/ved-8/trip/ended"
        ]
    database.close()


@pytest.mark.parametrize(
    ("name", "text", "arguments", "words"),
    [
        ("a.txt", "", [], "neither .gpx nor .csv"),
        ("a.csv", "a,b", [], "lacks the columns"),
        ("a.csv", "a,b", ["--vehicle-id", "kona"], "names its vehicles itself"),
        ("a.csv", "a,b", ["--time-zone", "../../etc/passwd"], "no such zone"),
        ("a.gpx", "<!DOCTYPE a []><gpx/>", ["--vehicle-id", "kona"], "document type"),
        ("a.gpx", "", ["--vehicle-id", "a/b"], "--vehicle-id"),
    ],
)
def test_what_cannot_be_imported_is_refused_and_named(
    url: str, tmp_path: Path, name: str, text: str, arguments: list[str], words: str
) -> None:
    file = tmp_path / name
    file.write_text(text)
    said = refused(url, "import", str(file), *arguments)
    assert words in said
    assert name in said


def test_a_file_that_is_not_there_is_named(url: str, tmp_path: Path) -> None:
    assert "nothing.gpx" in refused(
        url, "import", str(tmp_path / "nothing.gpx"), "--vehicle-id", "a"
    )


def test_one_endless_line_is_read_in_portions(url: str, tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("\n".join([",".join(COLUMNS), "9" * 300_000, *drive()]))
    assert "1 trips" in car(url, "import", str(file))


def test_what_was_imported_is_kept_from_now_on_though_it_is_old(url: str, tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("\n".join([",".join(COLUMNS), *drive()]))
    car(url, "import", str(file))
    database = store.open_store(url)
    with database.read() as connection:
        kept_ms = connection.execute(select(trip.c.kept_ms)).scalar_one()
    database.close()
    assert kept_ms > datetime(2026, 1, 1, tzinfo=UTC).timestamp() * 1_000
