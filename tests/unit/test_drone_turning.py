"""How the car turned, by its yaw rate and its steering wheel."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.drone.broker.leaves import wanted
from services.drone.events import CarFix, CarSignal
from services.drone.geodesy import distance_m
from services.drone.moment import Moment
from services.drone.tasks.car_motion import where
from services.drone.tasks.turning import Turn, between, turns
from services.drone.view import STEERING, YAW, View, seen
from tests.unit.drone_model import on_course

SPEED_MPS = 20 / 3.6
LEG_M, RADIUS_M = 100.0, 8.0
CORNER_DPS = math.degrees(SPEED_MPS / RADIUS_M)


def driven(until_s: float, last_fix_s: float, path: str = "", sign: float = 1.0) -> View:
    """A right corner that begins at 10 s; the positions end before the other leaf does."""
    view = View()
    for tick in range(round(until_s * 10) + 1):
        at_s = tick / 10
        now = Moment(at_s, round(at_s * 1000))
        truth = on_course(LEG_M + (at_s - 10.0) * SPEED_MPS, SPEED_MPS)
        if at_s <= last_fix_s:
            view = seen(view, CarFix(truth.place, 1.0, truth.heading_deg, 20.0, 0.0), now)
        rate = -CORNER_DPS if at_s > 10.0 else 0.0
        if path == STEERING:
            rate = math.degrees(math.atan(math.radians(rate) * 2.8 / SPEED_MPS)) * 15.5
        if path and at_s > 8.0:
            view = seen(view, CarSignal(path, sign * rate, "valid", 0.0), now)
    return view


def miss_m(view: View, at_s: float) -> float:
    car = where(view.fixes, at_s, turns=turns(view))
    assert car is not None
    return distance_m(car.place, on_course(LEG_M + (at_s - 10.0) * SPEED_MPS, SPEED_MPS).place)


@pytest.mark.parametrize("path", [YAW, STEERING])
def test_a_corner_is_followed_without_a_position_from_it(path: str) -> None:
    assert miss_m(driven(10.7, 10.0), 10.7) > 0.8
    assert miss_m(driven(10.7, 10.0, path), 10.7) < 0.2


@pytest.mark.parametrize("path", [YAW, STEERING])
def test_a_wrong_sign_is_not_believed_once_the_headings_tell(path: str) -> None:
    without = miss_m(driven(11.2, 11.0), 11.2)
    assert miss_m(driven(11.2, 11.0, path, sign=-1.0), 11.2) == pytest.approx(without)


def test_what_is_older_than_the_position_tells_nothing() -> None:
    view = driven(10.5, 10.5, YAW)
    assert turns(view) == ()


def test_values_that_come_late_are_kept_in_their_own_order() -> None:
    view = View()
    for at_s, value in ((1.0, 1.0), (3.0, 3.0), (2.0, 2.0), (2.0, 2.5)):
        view = seen(view, CarSignal(YAW, value, "valid", 5.0 - at_s), Moment(5.0, 5000))
    assert [(each.at_s, each.value) for each in view.series[YAW]] == [(1, 1), (2, 2.5), (3, 3)]


@pytest.mark.parametrize(
    ("value", "quality"), [("left", "valid"), (True, "valid"), (None, "valid"), (3.0, "invalid")]
)
def test_what_is_no_valid_number_ends_what_was_known(value: object, quality: str) -> None:
    view = driven(10.7, 10.0, YAW)
    event = CarSignal(YAW, value, quality, 0.0)  # type: ignore[arg-type]  # hostile
    assert turns(seen(view, event, Moment(10.8, 10800))) == ()


def test_a_value_from_the_future_is_not_kept() -> None:
    view = seen(View(), CarSignal(YAW, 3.0, "valid", -9.0), Moment(5.0, 5000))
    assert not view.series


def test_a_change_is_taken_to_have_come_shortly_before_it_was_said() -> None:
    said = [Turn(0.0, 0.0), Turn(10.0, 40.0)]
    turned = sum(each.lasts_s * each.rate_dps for each in between(said, 5.0, 11.0))
    assert turned == pytest.approx(40.0 * 0.3 / 2 + 40.0)


@given(st.lists(st.tuples(st.floats(0, 5), st.floats(-90, 90)), min_size=1, max_size=9))
def test_the_pieces_cover_exactly_the_time_asked_for(told: list[tuple[float, float]]) -> None:
    said = sorted(Turn(*each) for each in told)
    pieces = list(between(said, 1.0, 4.0))
    assert sum(each.lasts_s for each in pieces) == pytest.approx(3.0)
    rates = [each.rate_dps for each in said]
    assert all(min(rates) - 1e-6 <= each.rate_dps <= max(rates) + 1e-6 for each in pieces)


def test_the_service_listens_to_both() -> None:
    assert {YAW, STEERING} <= wanted({})
