"""Where the car is now, from positions that are old, late, few or poor."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.drone.events import CarFix
from services.drone.geodesy import Place, distance_m, moved, offset, towards
from services.drone.leaps import SeenFix
from services.drone.tasks.car_motion import CarNow, advanced, where
from tests.unit.drone_model import ORIGIN, on_course

LEG_START = 100.0


def seen(
    at_s: float, place: Place = ORIGIN, heading: float | None = 0.0, kmh: float | None = 36.0
) -> SeenFix:
    return SeenFix(CarFix(place, 1.0, heading, kmh, 0.0), at_s)


def now(*fixes: SeenFix, at_s: float, kept: float | None = None) -> CarNow:
    car = where(fixes, at_s, kept)
    assert car is not None
    return car


def north_m(car: CarNow) -> float:
    return offset(ORIGIN, car.place).north_m


def test_a_car_that_never_said_where_it_is_is_nowhere() -> None:
    assert where((), 5.0) is None


def test_a_position_is_carried_on_by_its_age() -> None:
    car = now(seen(10.0), at_s=10.5)
    assert north_m(car) == pytest.approx(5.0)
    assert car.north_mps == pytest.approx(10.0)
    assert (car.speed_mps, car.age_s) == (10.0, 0.5)


def test_a_position_from_the_future_is_taken_as_it_is() -> None:
    assert north_m(now(seen(10.0), at_s=9.0)) == pytest.approx(0.0, abs=1e-6)


def test_an_old_position_is_carried_on_for_three_seconds_only() -> None:
    assert north_m(now(seen(10.0), at_s=60.0)) == pytest.approx(30.0)


def test_a_corner_is_followed() -> None:
    speed = 20 / 3.6
    fixes = []
    for tick in range(10):
        truth = on_course(LEG_START + 3.0 + tick * 0.1 * speed, speed)
        fixes.append(seen(tick * 0.1, truth.place, truth.heading_deg, 20.0))
    truth = on_course(LEG_START + 3.0 + 1.3 * speed, speed)
    car = now(*fixes, at_s=1.3)
    assert distance_m(car.place, truth.place) < 0.1
    straight = moved(fixes[-1].fix.place, towards(fixes[-1].fix.heading_deg or 0.0, 0.4 * speed))
    assert distance_m(straight, truth.place) > 0.3


def test_a_turn_goes_on_for_a_second_only() -> None:
    car = now(seen(0.0, heading=0.0), seen(0.2, heading=6.0), at_s=0.2)
    assert car.turn_dps == pytest.approx(30.0)
    assert advanced(car, 1.0).heading_deg == pytest.approx(36.0)
    assert advanced(car, 2.5).heading_deg == pytest.approx(36.0)
    assert advanced(car, 2.5).turn_dps == 0.0


def test_no_car_turns_harder_than_a_car_can() -> None:
    leap = now(seen(0.0, heading=10.0), seen(0.1, heading=190.0), at_s=0.1)
    assert abs(leap.turn_dps) == pytest.approx(45.8, abs=0.1)
    slow = now(seen(0.0, kmh=6.0, heading=350.0), seen(0.1, kmh=6.0, heading=40.0), at_s=0.1)
    assert slow.turn_dps == 70.0


def test_a_turn_across_north_is_a_small_one() -> None:
    car = now(seen(0.0, heading=358.0), seen(0.2, heading=2.0), at_s=0.2)
    assert car.turn_dps == pytest.approx(20.0)


def test_what_hardly_turns_goes_straight() -> None:
    assert now(seen(0.0), seen(1.0, heading=1.0), at_s=1.0).turn_dps == 0.0


def test_a_standing_car_keeps_the_heading_it_drove_with() -> None:
    drove, stands = seen(0.0, heading=90.0), seen(1.0, heading=217.0, kmh=0.0)
    car = now(drove, stands, at_s=1.2)
    assert (car.heading_deg, car.speed_mps, car.turn_dps) == (90.0, 0.0, 0.0)


def test_a_heading_that_somebody_remembers_holds_while_the_car_stands() -> None:
    stands = seen(1.0, heading=217.0, kmh=0.0)
    assert now(stands, at_s=1.2, kept=91.0).heading_deg == 91.0
    assert now(stands, at_s=1.2).heading_deg == 217.0
    drives = seen(1.1, heading=200.0)
    assert now(stands, drives, at_s=1.2, kept=91.0).heading_deg == 200.0


def test_heading_and_speed_that_are_not_said_come_from_the_way() -> None:
    there = moved(ORIGIN, towards(90.0, 2.0))
    car = now(seen(0.0, heading=None, kmh=None), seen(0.2, there, None, None), at_s=0.2)
    assert car.heading_deg == pytest.approx(90.0)
    assert car.speed_mps == pytest.approx(10.0)


def test_one_bare_position_is_a_car_that_stands() -> None:
    car = now(seen(0.0, heading=None, kmh=None), at_s=2.0)
    assert (car.heading_deg, car.speed_mps, car.place) == (None, 0.0, ORIGIN)
    assert advanced(car, 2.0) == car


def test_a_speed_without_any_direction_moves_nothing() -> None:
    car = now(seen(0.0, heading=None), seen(0.1, heading=None), at_s=1.0, kept=None)
    assert (car.place, car.speed_mps) == (ORIGIN, 0.0)


@given(
    st.lists(
        st.tuples(
            st.floats(0.0, 3.0),
            st.none() | st.floats(-1e6, 1e6),
            st.none() | st.floats(-1e9, 1e300),
            st.floats(-90, 90),
            st.floats(-180, 180),
        ),
        min_size=1,
        max_size=20,
    ),
    st.floats(-10.0, 100.0),
)
def test_any_positions_give_a_place_on_earth_or_near_it(
    rows: list[tuple[float, float | None, float | None, float, float]], later_s: float
) -> None:
    at_s, fixes = 0.0, []
    for gap_s, heading, kmh, lat, lon in rows:
        at_s += gap_s
        fixes.append(seen(at_s, Place(lat, lon), heading, kmh))
    car = now(*fixes, at_s=at_s + later_s)
    assert abs(car.place.lat_deg) < 91.0
    assert -180.0 <= car.place.lon_deg <= 180.0
    assert 0.0 <= car.speed_mps <= 100.0
    assert abs(car.turn_dps) <= 70.0
