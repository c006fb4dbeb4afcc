"""Where drone and car meet."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.drone.geodesy import Place, moved, offset, towards
from services.drone.tasks.car_motion import CarNow
from services.drone.tasks.intercept import LONGEST_S, intercept
from tests.unit.drone_model import ORIGIN


def car(bearing: float, away_m: float, heading: float, mps: float) -> CarNow:
    place = moved(ORIGIN, towards(bearing, away_m))
    return CarNow(place, *towards(heading, mps), heading, mps, 0.0)


def met_s(target: CarNow, ground_mps: float = 10.0) -> float:
    """When they meet: the drone flies all the way as fast as it may."""
    place = intercept(ORIGIN, target, ground_mps)
    assert place is not None
    return offset(ORIGIN, place).length_m / ground_mps


def test_a_standing_car_is_met_where_it_stands() -> None:
    target = car(0.0, 100.0, 0.0, 0.0)
    assert intercept(ORIGIN, target, 10.0) == target.place


def test_a_car_that_comes_is_met_halfway() -> None:
    assert met_s(car(0.0, 100.0, 180.0, 10.0)) == pytest.approx(5.0)


def test_a_fast_car_that_goes_away_is_never_met() -> None:
    assert intercept(ORIGIN, car(0.0, 100.0, 0.0, 12.0), 10.0) is None
    assert intercept(ORIGIN, car(0.0, 100.0, 0.0, 10.0), 10.0) is None


def test_a_fast_car_that_comes_is_met_on_its_way() -> None:
    assert met_s(car(0.0, 100.0, 180.0, 20.0)) == pytest.approx(100 / 30)


def test_a_fast_car_that_passes_far_away_is_not_met() -> None:
    assert intercept(ORIGIN, car(90.0, 1_000.0, 0.0, 20.0), 10.0) is None


def test_a_meeting_after_an_hour_is_none() -> None:
    assert intercept(ORIGIN, car(0.0, 100.0, 0.0, 9.99), 10.0) is None


def test_above_the_car_they_meet_at_once() -> None:
    for mps in (5.0, 15.0):
        assert intercept(ORIGIN, car(0.0, 0.0, 0.0, mps), 10.0) == ORIGIN


@given(
    st.floats(0, 360),
    st.floats(0, 3_000),
    st.floats(0, 360),
    st.floats(0, 30),
    st.floats(1, 15),
)
def test_where_they_meet_both_can_be(
    bearing: float, away_m: float, heading: float, mps: float, ground: float
) -> None:
    target = car(bearing, away_m, heading, mps)
    if intercept(ORIGIN, target, ground) is None:
        return
    in_s = met_s(target, ground)
    assert in_s <= LONGEST_S * 1.01
    place = intercept(ORIGIN, target, ground)
    assert place is not None
    driven = offset(target.place, place)
    expected = towards(heading, mps * in_s)
    tolerance_m = 0.01 + 2e-3 * mps * in_s
    assert driven.north_m == pytest.approx(expected.north_m, abs=tolerance_m)
    assert driven.east_m == pytest.approx(expected.east_m, abs=tolerance_m)


@given(st.floats(0, 360), st.floats(1, 3_000), st.floats(0, 360), st.floats(0, 8))
def test_a_car_slower_than_the_drone_is_always_met_and_no_sooner(
    bearing: float, away_m: float, heading: float, mps: float
) -> None:
    target = car(bearing, away_m, heading, mps)
    sooner_s = met_s(target) * 0.99
    place = moved(target.place, towards(heading, mps * sooner_s))
    assert offset(ORIGIN, place).length_m > 10.0 * sooner_s * 0.999


def test_places_across_the_date_line_are_near() -> None:
    place = Place(10.0, 179.9999)
    target = CarNow(Place(10.0, -179.9999), 0.0, 0.0, 0.0, 0.0, 0.0)
    meeting = intercept(place, target, 10.0)
    assert meeting is not None
    assert offset(place, meeting).length_m < 30.0
