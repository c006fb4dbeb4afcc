"""Where drone and car meet."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.drone.autopilot import Wind
from services.drone.geodesy import Place, moved, offset, towards
from services.drone.tasks.car_motion import CarNow
from services.drone.tasks.intercept import intercept
from tests.unit.drone_model import ORIGIN


def car(bearing: float, away_m: float, heading: float, mps: float) -> CarNow:
    place = moved(ORIGIN, towards(bearing, away_m))
    return CarNow(place, *towards(heading, mps), heading, mps, 0.0)


def test_a_standing_car_is_met_where_it_stands() -> None:
    meeting = intercept(ORIGIN, car(0.0, 100.0, 0.0, 0.0), 10.0)
    assert meeting is not None
    assert meeting.in_s == pytest.approx(10.0)
    assert offset(ORIGIN, meeting.place).north_m == pytest.approx(100.0)


def test_a_car_that_comes_is_met_halfway() -> None:
    meeting = intercept(ORIGIN, car(0.0, 100.0, 180.0, 10.0), 10.0)
    assert meeting is not None
    assert meeting.in_s == pytest.approx(5.0)


def test_a_fast_car_that_goes_away_is_never_met() -> None:
    assert intercept(ORIGIN, car(0.0, 100.0, 0.0, 12.0), 10.0) is None
    assert intercept(ORIGIN, car(0.0, 100.0, 0.0, 10.0), 10.0) is None


def test_a_fast_car_that_comes_is_met_on_its_way() -> None:
    meeting = intercept(ORIGIN, car(0.0, 100.0, 180.0, 20.0), 10.0)
    assert meeting is not None
    assert meeting.in_s == pytest.approx(100 / 30)


def test_a_fast_car_that_passes_far_away_is_not_met() -> None:
    assert intercept(ORIGIN, car(90.0, 1_000.0, 0.0, 20.0), 10.0) is None


def test_a_meeting_after_an_hour_is_none() -> None:
    assert intercept(ORIGIN, car(0.0, 100.0, 0.0, 9.99), 10.0) is None


def test_above_the_car_they_meet_at_once() -> None:
    for mps in (5.0, 15.0):
        meeting = intercept(ORIGIN, car(0.0, 0.0, 0.0, mps), 10.0)
        assert meeting is not None
        assert (meeting.in_s, meeting.ground_mps) == (0.0, 0.0)


def test_headwind_makes_it_later_and_too_much_of_it_never() -> None:
    target = car(0.0, 100.0, 0.0, 0.0)
    against = intercept(ORIGIN, target, 10.0, 12.0, Wind(0.0, 8.0))
    assert against is not None
    assert against.in_s == pytest.approx(25.0)
    assert intercept(ORIGIN, target, 10.0, 8.0, Wind(0.0, 9.0)) is None


def test_tailwind_makes_it_no_faster_than_the_ground_limit() -> None:
    meeting = intercept(ORIGIN, car(0.0, 100.0, 0.0, 0.0), 10.0, 12.0, Wind(180.0, 6.0))
    assert meeting is not None
    assert meeting.ground_mps == pytest.approx(10.0)


def test_a_drone_that_cannot_do_both_at_one_time_does_not_meet_it() -> None:
    """Over the ground it reaches the car before it is past; through the air only later."""
    passing = car(0.0, 100.0, 180.0, 20.0)
    assert intercept(ORIGIN, passing, 3.0) is not None
    assert intercept(ORIGIN, passing, 3.0, 4.0, Wind(0.0, 20.0)) is None


@given(
    st.floats(0, 360),
    st.floats(0, 3_000),
    st.floats(0, 360),
    st.floats(0, 30),
    st.floats(1, 15),
    st.floats(1, 20),
    st.floats(0, 360),
    st.floats(0, 15),
)
def test_where_they_meet_both_can_be(
    bearing: float, away_m: float, heading: float, mps: float,
    ground: float, air: float, from_deg: float, wind: float,
) -> None:  # fmt: skip
    target = car(bearing, away_m, heading, mps)
    meeting = intercept(ORIGIN, target, ground, air, Wind(from_deg, wind))
    if meeting is None:
        return
    driven = offset(target.place, meeting.place).length_m
    assert driven == pytest.approx(mps * meeting.in_s, rel=2e-3, abs=0.01)
    if not meeting.in_s:
        return
    way = offset(ORIGIN, target.place)
    needed = [way[i] / meeting.in_s + target.velocity[i] for i in (0, 1)]
    blows = towards(from_deg + 180.0, wind)
    assert math.hypot(*needed) <= ground * (1 + 1e-6) + 1e-6
    through = math.hypot(needed[0] - blows.north_m, needed[1] - blows.east_m)
    assert through <= air * (1 + 1e-6) + 1e-6
    assert meeting.ground_mps == pytest.approx(math.hypot(*needed), rel=1e-3, abs=1e-3)


@given(st.floats(0, 360), st.floats(1, 3_000), st.floats(0, 360), st.floats(0, 8))
def test_a_car_slower_than_the_drone_is_always_met_and_no_sooner(
    bearing: float, away_m: float, heading: float, mps: float
) -> None:
    target = car(bearing, away_m, heading, mps)
    meeting = intercept(ORIGIN, target, 10.0)
    assert meeting is not None
    sooner_s = meeting.in_s * 0.99
    place = moved(target.place, towards(heading, mps * sooner_s))
    assert offset(ORIGIN, place).length_m > 10.0 * sooner_s * 0.999


def test_places_across_the_date_line_are_near() -> None:
    place = Place(10.0, 179.9999)
    target = CarNow(Place(10.0, -179.9999), 0.0, 0.0, 0.0, 0.0, 0.0)
    meeting = intercept(place, target, 10.0)
    assert meeting is not None
    assert meeting.in_s < 3.0
