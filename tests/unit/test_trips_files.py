"""Trips out of GPX files and the Vehicle Energy Dataset, and into JSON, CSV and GPX."""

import csv
import io
import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from internetcar.contract.message import milliseconds
from internetcar.contract.trips import TripEnded
from services.trips import ved
from services.trips.complaints import Complaints
from services.trips.formats import exported
from services.trips.gpx import GpxError, Point, Reader
from services.trips.importing import Importer, TooManyVehiclesError, follow_gpx, follow_ved
from tests.trip_log import Kept, TripLog

AT = datetime(2024, 5, 1, 8, 0, tzinfo=UTC)
HEAD = '<gpx version="1.1" xmlns="http://www.topografix.com/GPX/1/1"><trk><trkseg>'
TAIL = "</trkseg></trk></gpx>"


def point(second: int, lat: object = None, inner: str = "") -> str:
    at = f"{AT + timedelta(seconds=second):%Y-%m-%dT%H:%M:%SZ}"
    latitude = 1.3 + second * 1e-4 if lat is None else lat  # 11 m a second
    return f'<trkpt lat="{latitude}" lon="103.8"><ele>3</ele><time>{at}</time>{inner}</trkpt>\n'


def points(text: str, complaints: Complaints | None = None, portion: int = 7) -> list[Point]:
    data = text.encode()
    reader = Reader(complaints or Complaints())
    return list(reader.points(data[at : at + portion] for at in range(0, len(data), portion)))


def of_gpx(text: str) -> list[TripEnded]:
    importer = Importer()
    found = follow_gpx(importer, "kona", points(text))
    return [trip for trip, _ in found]


def test_a_track_is_a_trip_with_its_route_and_distance() -> None:
    text = HEAD + "".join(point(second) for second in range(120)) + TAIL
    (trip,) = of_gpx(text)
    assert trip.started_at == AT
    assert trip.ended_at == AT + timedelta(seconds=119)
    assert (trip.distance_from, trip.origin) == ("gnss", "recording")
    assert trip.distance_m == pytest.approx(119 * 11.12, rel=0.02)
    assert trip.route[0][:2] == (1.3, 103.8)
    assert [trip] == of_gpx(text), "the same file is the same trip"


def test_segments_near_in_time_are_one_trip_and_a_long_silence_makes_two() -> None:
    first = "".join(point(second) for second in range(60))
    second = "".join(point(second) for second in range(160, 220))
    late = "".join(point(second) for second in range(1_000, 1_060))
    trips = of_gpx(HEAD + first + "</trkseg><trkseg>" + second + late + TAIL)
    assert [(trip.ended_at - trip.started_at).total_seconds() for trip in trips] == [219, 59]
    assert trips[0].stopped_s == 101


def test_a_speed_in_the_track_is_used() -> None:
    text = HEAD + "".join(point(n, inner="<speed>12.5</speed>") for n in range(61)) + TAIL
    (trip,) = of_gpx(text)
    assert (trip.distance_m, trip.distance_from) == (750, "speed")


def test_a_track_that_goes_back_in_time_is_two_trips() -> None:
    first = "".join(point(second) for second in range(900, 960))
    assert len(of_gpx(HEAD + first + "".join(map(point, range(60))) + TAIL)) == 2


def test_a_file_without_points_has_no_trips() -> None:
    assert of_gpx(HEAD + TAIL) == []


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ('<trkpt lat="91" lon="1"><time>2024-05-01T08:00:00Z</time></trkpt>', "lat '91'"),
        ('<trkpt lat="nan" lon="1"><time>2024-05-01T08:00:00Z</time></trkpt>', "lat 'nan'"),
        ('<trkpt lon="1"><time>2024-05-01T08:00:00Z</time></trkpt>', "lat ''"),
        ('<trkpt lat="1" lon="1"></trkpt>', "without a time"),
        ('<trkpt lat="1" lon="1"><time>yesterday</time></trkpt>', "'yesterday' is no instant"),
        ('<trkpt lat="1" lon="1"><time>0001-01-01T00:00:00Z</time></trkpt>', "too far away"),
        ('<trkpt lat="1" lon="1"><time>9999-12-31T23:59:59-10:00</time></trkpt>', "too far"),
        (f'<trkpt lat="1" lon="1"><time>{"9" * 99_999}</time></trkpt>', "no instant"),
        ('<trkpt lat="1" lon="1"><time>2024-05-01T08:00:00</time><speed>x</speed></trkpt>',
         "speed 'x'"),
    ],
)  # fmt: skip
def test_a_point_that_is_none_is_named_by_its_line_and_left_out(bad: str, words: str) -> None:
    complaints = Complaints()
    found = points(HEAD + "\n" + point(0) + bad + point(1) + TAIL, complaints, portion=4_096)
    assert len(found) == 2
    assert complaints.count == 1
    assert complaints.named[0].startswith("line 3: ")
    assert words in complaints.named[0]


def entity(number: int) -> str:
    """One that is ten times the one before."""
    tenfold = f"&a{number - 1};" * 10
    return f"<!ENTITY a{number} '{tenfold}'>"


BOMB = (
    '<?xml version="1.0"?><!DOCTYPE gpx [<!ENTITY a0 "aaaaaaaaaa">'
    + "".join(map(entity, range(1, 10)))
    + "]><gpx>&a9;</gpx>"
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (BOMB, "declares a document type"),
        ('<!DOCTYPE gpx SYSTEM "file:///etc/passwd"><gpx/>', "declares a document type"),
        ("<a>" * 100, "nested too deep"),
        ("no xml", "no XML"),
        (HEAD, "no XML"),
        ("", "no XML"),
        ("<gpx>\x00</gpx>", "no XML"),
    ],
    ids=["bomb", "external", "deep", "text", "half", "empty", "nul"],
)
def test_what_is_no_gpx_is_refused_with_the_line(text: str, words: str) -> None:
    with pytest.raises(GpxError, match=rf"line \d+: .*{words}"):
        points(text)


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_points_or_refused(data: bytes) -> None:
    try:
        list(Reader(Complaints()).points([data]))
    except GpxError as error:
        assert "\n" not in str(error)


COLUMNS = [*ved.NEEDED, *ved.OPTIONAL]


def row(**cells: object) -> str:
    told = {"DayNum": 1.5, "VehId": 8, "Trip": 706, "Timestamp(ms)": 0, "Latitude[deg]": 42.27,
            "Longitude[deg]": -83.76} | cells  # fmt: skip
    return ",".join(str(told.get(name, "")) for name in COLUMNS)


def drive(**cells: object) -> list[str]:
    return [
        row(**{"Timestamp(ms)": second * 1_000, "Latitude[deg]": 42.27 + second * 1e-4,
               "Vehicle Speed[km/h]": 36, **cells})
        for second in range(61)
    ]  # fmt: skip


def of_ved(lines: Iterable[str], complaints: Complaints | None = None) -> list[TripEnded]:
    rows = ved.rows([",".join(COLUMNS), *lines], complaints or Complaints())
    return [trip for trip, _ in follow_ved(Importer(), rows, lambda shown_ms: shown_ms)]


def test_a_trip_of_the_dataset_is_a_trip() -> None:
    cells = {"OAT[DegC]": 4, "HV Battery Current[A]": -10, "HV Battery Voltage[V]": 360}
    (trip,) = of_ved(drive(**cells))
    assert trip.vehicle_id == "ved-8"
    assert trip.started_at == datetime(2017, 11, 1, 12, tzinfo=UTC)
    assert (trip.distance_m, trip.distance_from) == (600, "speed")
    assert trip.outside_c == 4
    assert trip.energy_wh == pytest.approx(60)
    assert trip.fuel_ml is None


def test_fuel_is_the_rate_that_is_said_else_that_of_the_air() -> None:
    (said,) = of_ved(drive(**{"Fuel Rate[L/hr]": 6.0, "MAF[g/sec]": 99}))
    assert said.fuel_ml == pytest.approx(100)
    (by_air,) = of_ved(drive(**{"MAF[g/sec]": 10.0}))
    assert by_air.fuel_ml == pytest.approx(10 * 60 / 14.7 / 745 * 1_000, abs=0.1)
    trims = {"Short Term Fuel Trim Bank 1[%]": 4, "Long Term Fuel Trim Bank 1[%]": 6,
             "Long Term Fuel Trim Bank 2[%]": 10}  # fmt: skip
    (richer,) = of_ved(drive(**{"MAF[g/sec]": 10.0}, **trims))
    assert richer.fuel_ml == pytest.approx(1.1 * (by_air.fuel_ml or 0), abs=0.1)


def test_trips_and_vehicles_are_kept_apart_and_short_stops_merged() -> None:
    day = 1 / 1_440
    lines = [
        *drive(), *drive(VehId=9), *drive(Trip=707, DayNum=1.5 + 3 * day),
        *drive(Trip=708, DayNum=1.5 + 30 * day), *drive(Trip=709, DayNum=1.2),
    ]  # fmt: skip
    trips = of_ved(lines)
    told = sorted((trip.vehicle_id, trip.distance_m, trip.stopped_s) for trip in trips)
    assert told == [
        ("ved-8", 600, 0), ("ved-8", 600, 0), ("ved-8", 1_200, 120), ("ved-9", 600, 0),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (row(VehId=""), "VehId is empty"),
        (row(DayNum="soon"), "DayNum: 'soon' is no number"),
        (row(DayNum=-1), "DayNum -1"),
        (row(DayNum=1e11), "DayNum 1e+11"),
        (row(VehId=1.5), "beyond what can be"),
        (row(**{"Timestamp(ms)": 1e11}), "beyond what can be"),
        (row(**{"MAF[g/sec]": "inf"}), "beyond what can be"),
        ("1.5,8", "Trip is empty"),
        ("\x1b[31mred", "is no number"),
    ],
)
def test_a_line_that_is_none_is_named_and_left_out(bad: str, words: str) -> None:
    complaints = Complaints()
    (trip,) = of_ved([*drive(), bad, ""], complaints)
    assert trip.distance_m == 600
    assert complaints.count == 1
    assert complaints.named[0].startswith("line 63: ")
    assert words in complaints.named[0]
    assert complaints.named[0].isprintable()


def test_only_the_first_bad_lines_are_named_and_all_are_counted() -> None:
    complaints = Complaints()
    assert of_ved(["x"] * 50, complaints) == []
    assert (complaints.count, len(complaints.named)) == (50, 5)


def test_another_file_is_refused_with_what_it_lacks() -> None:
    with pytest.raises(ved.VedError, match=r"lacks the columns DayNum, .*Longitude"):
        list(ved.rows(["a,b,c"], Complaints()))
    with pytest.raises(ved.VedError, match="empty"):
        list(ved.rows([], Complaints()))


def test_a_file_of_endlessly_many_vehicles_is_refused() -> None:
    lines = [",".join(COLUMNS), *(row(VehId=number) for number in range(6))]
    rows = ved.rows(lines, Complaints())
    with pytest.raises(TooManyVehiclesError):
        list(follow_ved(Importer(most_vehicles=5), rows, lambda shown_ms: shown_ms))


def test_what_moved_too_little_is_counted_and_none() -> None:
    importer = Importer()
    text = HEAD + "".join(point(second) for second in range(10)) + TAIL
    assert list(follow_gpx(importer, "kona", points(text))) == []
    assert importer.dropped == 1


def trips() -> list[TripEnded]:
    log = TripLog().say({"Vehicle.Occupant.Row1.DriverSide.Identifier.Subject": "=cmd()"})
    return Kept().read(log.drive().asleep(6).drive().asleep(6).batches).trips


def test_json_has_all_there_is() -> None:
    found = trips()
    read = json.loads("".join(exported(found, "json")))
    assert [each["trip_id"] for each in read] == [each.trip_id for each in found]
    assert [TripEnded.model_validate(each) for each in read] == found
    assert json.loads("".join(exported([], "json"))) == []


def test_csv_is_a_table_without_formulas() -> None:
    found = trips()
    rows = list(csv.DictReader(io.StringIO("".join(exported(found, "csv")))))
    assert [each["distance_m"] for each in rows] == [str(each.distance_m) for each in found]
    assert rows[0]["driver"] == "'=cmd()"
    assert rows[0]["fuel_ml"] == ""
    assert float(rows[0]["start_latitude"]) == pytest.approx(1.3)
    bare = found[0].model_copy(update={"start": None})
    (row,) = csv.DictReader(io.StringIO("".join(exported([bare], "csv"))))
    assert row["start_latitude"] == ""


def test_gpx_that_is_written_is_read_as_the_same_route() -> None:
    found = trips()
    read = points("".join(exported(found, "gpx")), portion=1_000)
    wanted = [
        (round(latitude, 6), milliseconds(trip.started_at) + round(offset_s * 1_000))
        for trip in found
        for latitude, _, offset_s in trip.route
    ]
    assert [(each.lat_deg, each.at_ms) for each in read] == wanted
    assert [each.begins for each in read].count(True) == len(found)
