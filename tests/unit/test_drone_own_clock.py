"""Our own clock that is set in the air: ages go by the steady one until it has landed."""

from services.drone.events import CarFix, CarSignal
from services.drone.moment import Moment
from services.drone.own_clock import OwnClock, true, watched
from tests.unit.drone_pilot_world import HOME

FIX = CarFix(HOME, 1.0, 0.0, 0.0, 0.2)
HOUR_MS, HOUR_S = 3_600_000, 3_600.0
AGREED = watched(OwnClock(), FIX, Moment(100.0, 1_000_000), is_armed=False)


def hour_later(is_armed: bool = True, age_s: float = HOUR_S) -> OwnClock:
    fix = CarFix(HOME, 1.0, 0.0, 0.0, age_s)
    return watched(AGREED, fix, Moment(101.0, 1_001_000 + HOUR_MS), is_armed=is_armed)


def test_a_clock_that_is_set_in_the_air_changes_no_age() -> None:
    event = true(hour_later(), CarSignal("Vehicle.Speed", 0.0, "valid", HOUR_S + 0.1))
    assert isinstance(event, CarSignal)
    assert abs(event.age_s - 0.1) < 1e-6


def test_what_was_old_before_stays_old() -> None:
    replayed = CarFix(HOME, 1.0, 0.0, 0.0, 2 * HOUR_S)
    event = true(hour_later(), replayed)
    assert isinstance(event, CarFix)
    assert abs(event.age_s - HOUR_S) < 1e-6


def test_an_old_position_replayed_with_a_clock_set_back_does_not_become_new() -> None:
    old = CarFix(HOME, 1.0, 0.0, 0.0, 0.0)  # an hour old, and our clock is an hour behind
    clock = watched(AGREED, old, Moment(101.0, 1_001_000 - HOUR_MS), is_armed=True)
    event = true(clock, old)
    assert isinstance(event, CarFix)
    assert abs(event.age_s - HOUR_S) < 1e-6


def test_on_the_ground_the_clock_is_what_it_is() -> None:
    assert hour_later(is_armed=False) == AGREED


def test_a_clock_that_is_right_again_is_as_if_it_had_never_been_wrong() -> None:
    back = watched(hour_later(), FIX, Moment(102.0, 1_002_000), is_armed=True)
    assert back == AGREED


def test_a_clock_that_landed_wrong_is_not_set_any_more() -> None:
    old = CarFix(HOME, 1.0, 0.0, 0.0, HOUR_S)
    down = watched(hour_later(), old, Moment(102.0, 1_002_000 + HOUR_MS), is_armed=False)
    assert down == AGREED
