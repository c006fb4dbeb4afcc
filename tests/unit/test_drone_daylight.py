"""The sun's elevation against values of almanacs."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from internetcar.contract.message import milliseconds
from services.drone.geodesy import Place
from services.drone.interlocks.daylight import sun_elevation_deg

NORTH, SOUTH = Place(90.0, 0.0), Place(-90.0, 0.0)


def at(text: str) -> int:
    return milliseconds(datetime.fromisoformat(text))


@pytest.mark.parametrize(
    ("when", "declination_deg"),
    [
        ("2024-03-20T03:06Z", 0.0),  # equinox
        ("2024-06-20T20:51Z", 23.44),  # solstice
        ("2024-09-22T12:44Z", 0.0),
        ("2023-12-22T03:27Z", -23.44),
        ("1992-10-13T00:00Z", -7.785),  # Meeus, Astronomical Algorithms, example 25.a
    ],
)
def test_at_a_pole_it_stands_as_high_as_its_declination(when: str, declination_deg: float) -> None:
    assert sun_elevation_deg(NORTH, at(when)) == pytest.approx(declination_deg, abs=0.02)
    assert sun_elevation_deg(SOUTH, at(when)) == pytest.approx(-declination_deg, abs=0.02)


@pytest.mark.parametrize(
    ("place", "when"),
    [
        (Place(51.5074, -0.1278), "2024-06-20T20:21:30Z"),  # sunset in London
        (Place(51.5074, -0.1278), "2024-12-21T08:04Z"),  # sunrise
        (Place(40.7128, -74.0060), "2024-12-21T21:32Z"),  # sunset in New York
        (Place(-33.8688, 151.2093), "2024-06-20T21:00Z"),  # sunrise in Sydney
    ],
)
def test_it_rises_and_sets_as_almanacs_say(place: Place, when: str) -> None:
    """To the minute; they reckon with the upper limb and refraction."""
    assert sun_elevation_deg(place, at(when)) == pytest.approx(-0.833, abs=0.2)


@pytest.mark.parametrize(
    ("noon", "before", "after"),
    [
        ("2024-11-03T11:43:34Z", "2024-11-03T10:43:34Z", "2024-11-03T12:43:34Z"),
        ("2024-02-11T12:14:13Z", "2024-02-11T11:14:13Z", "2024-02-11T13:14:13Z"),
    ],
)
def test_noon_is_early_in_november_and_late_in_february(noon: str, before: str, after: str) -> None:
    greenwich = Place(51.4769, 0.0)
    lower = sun_elevation_deg(greenwich, at(before))
    assert lower == pytest.approx(sun_elevation_deg(greenwich, at(after)), abs=0.06)
    assert sun_elevation_deg(greenwich, at(noon)) > lower + 1.0


@given(st.floats(-90, 90), st.integers(at("1970-01-01T00:00Z"), at("2100-01-01T00:00Z")))
def test_both_sides_of_the_date_line_are_one(lat_deg: float, utc_ms: int) -> None:
    west = sun_elevation_deg(Place(lat_deg, -180.0), utc_ms)
    assert west == pytest.approx(sun_elevation_deg(Place(lat_deg, 180.0), utc_ms), abs=1e-6)
    assert -90.0 <= west <= 90.0


@given(st.floats(-180, 180), st.integers(at("1970-01-01T00:00Z"), at("2100-01-01T00:00Z")))
def test_at_the_poles_longitude_means_nothing(lon_deg: float, utc_ms: int) -> None:
    for lat_deg in (90.0, -90.0):
        here = sun_elevation_deg(Place(lat_deg, lon_deg), utc_ms)
        assert here == pytest.approx(sun_elevation_deg(Place(lat_deg, 0.0), utc_ms), abs=1e-6)
        assert abs(here) <= 23.46
