"""Zones from a file: what is understood, and what is refused with the zone's name and the fix."""

import json
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from internetcar.contract.message import milliseconds
from services.drone.airspace.zone import Height, Restriction, Weekly, Window
from services.drone.airspace.zones import read_zones
from services.drone.geodesy import Place, distance_m
from services.drone.moment import Moment
from tests.unit.drone_ready import (
    HERE,
    NOON,
    box,
    feature,
    file_of,
    is_inside,
    off,
    polygon,
    read_airspace,
    square,
)


def ms(text: str) -> int:
    return milliseconds(datetime.fromisoformat(text))


def inside(text: str, place: Place = HERE, height_m: float = 30.0, now: Moment = NOON) -> bool:
    return is_inside(read_airspace(text), place, height_m, now)


def test_an_ed_318_feature_is_understood() -> None:
    layer = {
        "upper": 400, "upperReference": "AMSL", "lower": 100, "lowerReference": "AGL", "uom": "ft",
    }  # fmt: skip
    geometry = {**polygon(square(0, 0, 50)), "layer": layer}
    (zone,) = read_zones(file_of(feature("GEO1", geometry, type="REQ_AUTHORIZATION", other=1)))
    assert zone.id == "GEO1"
    assert zone.restriction is Restriction.AUTHORISATION
    assert zone.lower == Height(pytest.approx(30.48))  # type: ignore[arg-type]  # pytest's number
    assert zone.upper == Height(pytest.approx(121.92), is_amsl=True)  # type: ignore[arg-type]  # pytest's number


def test_an_ed_269_feature_is_understood() -> None:
    circle = {"type": "Circle", "center": [HERE.lon_deg, HERE.lat_deg], "radius": 100}
    zone = {
        "identifier": "OLD",
        "restriction": "CONDITIONAL",
        "type": "COMMON",
        "geometry": [
            {
                "uomDimensions": "M",
                "lowerLimit": 10,
                "lowerVerticalReference": "AGL",
                "upperLimit": 50,
                "upperVerticalReference": "WGS84",
                "horizontalProjection": circle,
            }
        ],
        "applicability": [{"permanent": "YES"}],
    }
    (found,) = read_zones(json.dumps({"features": [zone]}))
    assert found.restriction is Restriction.CONDITIONAL
    assert (found.lower, found.upper, found.windows) == (Height(10.0), None, ())


@pytest.mark.parametrize(
    ("geometry", "properties"),
    [
        ({"extent": {"subType": "Circle", "radius": 100.0}}, {}),
        ({"radius": 100.0}, {}),
        ({}, {"radius": 100.0}),
    ],
)
def test_a_point_with_a_radius_is_a_circle_and_never_less(
    geometry: dict[str, Any], properties: dict[str, Any]
) -> None:
    point = {"type": "Point", "coordinates": [HERE.lon_deg, HERE.lat_deg], **geometry}
    text = file_of(feature("round", point, **properties))
    for bearing in range(0, 360, 7):
        north, east = bearing / 360, 1 - bearing / 360
        scale = 99.9 / (north**2 + east**2) ** 0.5
        assert inside(text, off(north * scale, east * scale))
        assert not inside(text, off(north * scale * 1.03, east * scale * 1.03))


def test_holes_parts_and_collections_are_kept() -> None:
    ring = polygon(square(0, 0, 100), square(0, 0, 20))
    assert not inside(file_of(feature("ring", ring)))
    assert inside(file_of(feature("ring", ring)), off(50, 0))
    parts = [polygon(square(n, 0, 20))["coordinates"] for n in (0, 500)]
    many = file_of(feature("many", {"type": "MultiPolygon", "coordinates": parts}))
    assert inside(many)
    assert inside(many, off(500, 0))
    assert not inside(many, off(250, 0))
    both = {"type": "GeometryCollection", "geometries": [polygon(square(0, 0, 9)), ring]}
    assert [zone.id for zone in read_zones(file_of(feature("two", both)))] == ["two", "two"]


def test_a_ring_that_crosses_itself_covers_all_it_encloses() -> None:
    bow = [off(-50, -50), off(50, 50), off(50, -50), off(-50, 50)]
    text = file_of(feature("bow", polygon(bow, [off(30, -5), off(30, 5), off(40, 5)])))
    assert inside(text, off(20, 0))
    assert inside(text, off(-20, 0))
    assert not inside(text, off(35, 3.5))
    assert not inside(text, off(0, 40))
    twice = [*square(0, 0, 50), *square(0, 0, 30)]
    assert inside(file_of(feature("twice", polygon(twice))))
    wild = polygon(bow, [off(0, 0), off(5, 5), off(5, 0), off(0, 5)])
    assert inside(file_of(feature("wild", wild)), off(3, 0))


def test_a_corner_said_twice_is_one() -> None:
    first, *others = square(0, 0, 50)
    assert inside(file_of(feature("twice", polygon([first, first, *others, others[-1]]))))


def test_a_zone_across_the_date_line_is_whole() -> None:
    line = Place(10.0, 180.0)
    text = file_of(box("line", 0, 0, 100, start=line))
    for east in (-90, 0, 90):
        assert inside(text, off(0, east, line))
    assert not inside(text, off(0, 200, line))
    assert not inside(text, Place(10.0, 0.0))
    holed = polygon(square(0, 0, 100, line), square(0, 50, 10, line))
    assert not inside(file_of(feature("hole", holed)), off(0, 50, line))


def test_heights_count_from_the_take_off_with_a_margin() -> None:
    agl = file_of(box("agl", 0, 0, 50, lower=50, upper=80))
    assert [inside(agl, height_m=h) for h in (0, 44, 46, 84, 86)] == [
        False, False, True, True, False,
    ]  # fmt: skip
    amsl = read_airspace(
        file_of(box("amsl", 0, 0, 50, lower=150, lowerReference="AMSL", upper=200,
                    upperReference="AMSL"))
    )  # fmt: skip
    assert is_inside(amsl, HERE, 10.0, NOON)
    assert is_inside(amsl, HERE, 400.0, NOON)
    assert not is_inside(amsl, HERE, 10.0, NOON, ground_m=100.0)
    assert is_inside(amsl, HERE, 60.0, NOON, ground_m=100.0)
    assert not is_inside(amsl, HERE, 110.0, NOON, ground_m=100.0)
    assert amsl.ceiling_m(HERE, NOON, ground_m=100.0) == 45.0
    assert amsl.ceiling_m(HERE, NOON) == 0.0
    assert amsl.ceiling_m(off(500, 0), NOON) == float("inf")


def test_permissions_open_what_can_be_opened() -> None:
    text = file_of(
        box("auth", 0, 0, 50, type="REQ_AUTHORISATION"),
        box("cond", 1000, 0, 50, type="CONDITIONAL"),
        box("never", 2000, 0, 50),
        box("free", 3000, 0, 50, type="NO_RESTRICTION"),
        box("odd", 4000, 0, 50, type="SOMETHING"),
        box("none", 5000, 0, 50, type=7),
    )
    held = frozenset({"auth", "cond", "never", "odd"})
    places = [off(north, 0) for north in range(0, 5001, 1000)]
    without, with_them = read_airspace(text), read_airspace(text, held)
    assert [is_inside(without, each, 30, NOON) for each in places] == [
        True, True, True, False, True, True,
    ]  # fmt: skip
    assert [is_inside(with_them, each, 30, NOON) for each in places] == [
        False, False, True, False, True, True,
    ]  # fmt: skip


def test_a_roof_is_no_obstacle_but_covers_the_car() -> None:
    airspace = read_airspace(file_of(box("garage", 0, 0, 20, covered=True)))
    assert airspace.is_covered(HERE)
    assert airspace.is_covered(off(24, 0))
    assert not airspace.is_covered(off(26, 0))
    assert not is_inside(airspace, HERE, 0.0, NOON)
    assert airspace.way(off(-100, 0), off(100, 0), 40, NOON) == (off(-100, 0), off(100, 0))


def windowed(*windows: Any) -> str:
    return file_of(box("timed", 0, 0, 50, limitedApplicability=list(windows)))


def test_a_window_is_in_force_between_its_ends() -> None:
    text = windowed(
        {"startDateTime": "2026-06-01T10:00:00Z", "endDateTime": "2026-06-01T14:00:00+02:00"}
    )
    for when, expected in (("09:59", False), ("10:00", True), ("12:00", True), ("12:01", False)):
        now = Moment(0.0, ms(f"2026-06-01T{when}:00Z"))
        assert inside(text, now=now) is expected
    early = Moment(0.0, ms("2026-06-01T09:45:00Z"))
    assert is_inside(read_airspace(text), now=early, ahead_s=1800)
    assert inside(windowed({"startDateTime": "2026-06-01T10:00:00Z"}))
    assert not inside(windowed({"endDateTime": "2026-05-01T10:00:00Z"}))


def test_a_schedule_is_in_force_on_its_days() -> None:
    work = {"day": ["MON", "TUE"], "startTime": "08:00:00+02:00", "endTime": "18:00:00+02:00"}
    text = windowed({"schedule": [work]})
    for when, expected in (
        ("2026-06-01T05:59:00Z", False),  # a Monday
        ("2026-06-01T06:00:00Z", True),
        ("2026-06-02T15:59:00Z", True),
        ("2026-06-02T16:01:00Z", False),
        ("2026-06-03T10:00:00Z", False),
        ("1969-12-29T10:00:00Z", True),
    ):
        assert inside(text, now=Moment(0.0, ms(when))) is expected
    night = windowed({"schedule": [{"day": "SUN", "startTime": "22:00Z", "endTime": "04:00Z"}]})
    assert inside(night, now=Moment(0.0, ms("2026-06-01T03:00:00Z")))
    assert not inside(night, now=Moment(0.0, ms("2026-06-01T05:00:00Z")))
    every = windowed({"schedule": [{"day": ["ANY"], "startTime": "08:00", "endTime": "09:00"}]})
    assert inside(every, now=Moment(0.0, ms("2026-06-06T08:30:00Z")))
    assert not inside(every, now=Moment(0.0, ms("2026-06-06T09:30:00Z")))


@pytest.mark.parametrize(
    "schedule",
    [
        "weekdays",
        [3],
        [{"day": ["HOLIDAY"], "startTime": "08:00Z", "endTime": "09:00Z"}],
        [{"day": ["MON"], "startEvent": "SR", "endEvent": "SS"}],
        [{"day": [], "startTime": "08:00Z", "endTime": "09:00Z"}],
        [{"day": ["MON"], "startTime": "25:00", "endTime": "09:00Z"}],
        [{"day": 4, "startTime": "08:00Z", "endTime": "09:00Z"}],
        [{}] * 201,
    ],
)
def test_a_schedule_that_cannot_be_read_counts_as_always(schedule: Any) -> None:
    assert inside(windowed({"schedule": schedule}))


@given(st.integers(0, 7 * 1440 - 1), st.integers(1, 1440), st.integers(0, 20_000))
def test_a_weekly_span_holds_exactly_in_its_minutes(start: int, length: int, minute: int) -> None:
    window = Window(weekly=(Weekly(start, start + length),))
    monday = ms("2026-06-01T00:00:00Z")
    at = monday + minute * 60_000
    since = (minute - start) % (7 * 1440)
    assert window.overlaps(at, at) is (since <= length)
    assert window.overlaps(at, at + 7 * 86_400_000)


def test_a_circle_far_north_still_holds_its_radius() -> None:
    pole = Place(80.0, 20.0)
    point = {"type": "Point", "coordinates": [20.0, 80.0], "radius": 5000}
    (zone,) = read_zones(file_of(feature("far", point)))
    corners = [Place(lat, lon) for lon, lat in zone.shape.exterior.coords]
    assert all(4990 < distance_m(pole, corner) < 5060 for corner in corners)
