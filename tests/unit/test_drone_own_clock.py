"""Our own clock that is set in the air: ages go by the steady one until it has landed."""

import pytest

from services.drone.events import CarFix, CarSignal
from services.drone.moment import Moment
from services.drone.own_clock import OwnClock, true, watched
from tests.unit.drone_pilot_world import HOME

FIX = CarFix(HOME, 1.0, 0.0, 0.0, 0.2)
HOUR_S = 3_600.0
AGREED = watched(OwnClock(), FIX, Moment(100.0, 1_000_000), is_armed=False, is_on_ground=True)


def after(clock: OwnClock, at_s: float, ahead_s: float, age_s: float, **drone: bool) -> OwnClock:
    """With a position, at a time, by a clock that was set ahead by so much."""
    fix = CarFix(HOME, 1.0, 0.0, 0.0, age_s)
    now = Moment(at_s, round((at_s + 900.0 + ahead_s) * 1000))
    is_armed, is_on_ground = drone.get("is_armed", True), drone.get("is_on_ground", False)
    return watched(clock, fix, now, is_armed=is_armed, is_on_ground=is_on_ground)


def hour_later(is_armed: bool = True, age_s: float = HOUR_S) -> OwnClock:
    return after(AGREED, 101.0, HOUR_S, age_s, is_armed=is_armed, is_on_ground=not is_armed)


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
    clock = after(AGREED, 101.0, -HOUR_S, old.age_s)
    event = true(clock, old)
    assert isinstance(event, CarFix)
    assert abs(event.age_s - HOUR_S) < 1e-6


def test_on_the_ground_the_clock_is_what_it_is() -> None:
    assert hour_later(is_armed=False) == AGREED


def test_a_clock_that_is_right_again_is_as_if_it_had_never_been_wrong() -> None:
    back = after(hour_later(), 102.0, 0.0, 0.2)
    assert (back.offset_s, back.set_s) == (AGREED.offset_s, 0.0)


def test_a_clock_that_landed_wrong_is_not_set_any_more() -> None:
    clock = hour_later()
    for tick in range(1, 8):
        clock = after(clock, 101.0 + tick, HOUR_S, HOUR_S, is_armed=False, is_on_ground=True)
    assert clock == AGREED


@pytest.mark.parametrize("is_on_ground", [True, False])
def test_a_heartbeat_that_cannot_be_forgets_nothing(is_on_ground: bool) -> None:
    clock = hour_later()
    for tick in range(1, 40):
        is_odd = tick % 4 == 0
        drone = {"is_armed": not is_odd, "is_on_ground": is_odd and is_on_ground}
        clock = after(clock, 101.0 + tick, HOUR_S, 0.0, **drone)
        assert clock.set_s == HOUR_S


def test_what_is_disarmed_but_not_said_to_stand_is_not_down() -> None:
    clock = hour_later()
    for tick in range(1, 100):
        clock = after(clock, 101.0 + tick, HOUR_S, 0.0, is_armed=False)
    assert clock.set_s == HOUR_S


def test_a_service_that_begins_in_the_air_knows_of_no_earlier_clock() -> None:
    assert after(OwnClock(), 101.0, HOUR_S, HOUR_S).set_s == 0.0
