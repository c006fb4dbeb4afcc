"""Positions that no car can have, and when they are believed after all."""

import pytest

from services.drone.autopilot import GoTo, Track
from services.drone.events import CarFix
from services.drone.geodesy import distance_m
from services.drone.leaps import LASTS_S
from services.drone.moment import Moment
from services.drone.view import View, seen
from tests.unit.drone_pilot_world import HOME, World, place_at
from tests.unit.drone_ready import Case

FAR = place_at(100_000.0)


def after(view: View, at_s: float, north_m: float) -> View:
    fix = CarFix(place_at(north_m), 1.0, 0.0, 0.0, 0.0)
    return seen(view, fix, Moment(at_s, round(at_s * 1000)))


def test_a_leap_is_not_where_the_car_is() -> None:
    view = after(after(View(), 1.0, 0.0), 1.1, 100_000.0)
    assert view.car is not None
    assert distance_m(view.car.fix.place, HOME) < 1.0
    assert view.doubt.leap


def test_a_position_at_the_old_place_ends_a_leap() -> None:
    view = after(after(after(View(), 1.0, 0.0), 1.1, 100_000.0), 1.2, 0.0)
    assert not view.doubt.leap
    assert len(view.fixes) == 2


def test_a_leap_that_lasts_is_believed() -> None:
    view = after(View(), 1.0, 0.0)
    for tick in range(round(LASTS_S) + 1):
        assert view.car is not None
        assert distance_m(view.car.fix.place, HOME) < 1.0
        view = after(view, 2.0 + tick, 100_000.0)
    assert view.car is not None
    assert distance_m(view.car.fix.place, FAR) < 1.0
    assert not view.doubt.leap


def test_leaps_to_ever_other_places_are_never_believed() -> None:
    view = after(View(), 1.0, 0.0)
    for tick in range(100):
        view = after(view, 2.0 + tick, 100_000.0 + (tick % 2) * 5_000.0)
    assert view.car is not None
    assert distance_m(view.car.fix.place, HOME) < 1.0


@pytest.mark.parametrize("silent_s", [60.0, 3_600.0])
def test_a_long_way_after_a_long_silence_is_no_leap(silent_s: float) -> None:
    view = after(after(View(), 1.0, 0.0), 1.0 + silent_s, silent_s * 60.0)
    assert not view.doubt.leap
    assert len(view.fixes) == 2


def test_a_leap_is_named() -> None:
    view = after(after(View(), 1.0, 0.0), 1.1, 100_000.0)
    found = Case(view=view).one("car_gnss_steady")
    assert found.result == "tripped"
    assert "leaps 100.0 km in 0.1 s, which no car can" in found.words


def test_a_car_that_leaps_in_the_air_is_named_and_not_flown_to() -> None:
    world = World().airborne()
    told = len(world.effects)
    world.car.place = FAR
    world.run(5.0)
    trips = world.events("interlock_trip")
    assert any("no car can" in str(each.data) for each in trips)
    world.car.place = HOME
    world.run(5.0)
    world.ask("return_home")
    world.until_state("docked")
    assert world.miss_m < 0.5
    goals = [
        each.intent.place for each in world.effects[told:]
        if hasattr(each, "intent") and isinstance(each.intent, GoTo | Track)
    ]  # fmt: skip
    assert max(distance_m(HOME, each) for each in goals) < 50.0


def test_a_car_that_stays_where_it_leapt_to_ends_the_flight_soon() -> None:
    world = World().airborne()
    world.car.place, world.car.speed_mps = FAR, 20.0
    world.ask("return_home")
    world.until_state("docked", seconds=150.0)
    assert distance_m(world.copter.place, HOME) < 50.0
    assert world.copter.battery_pct > 70.0
