"""How near the drone is to where it should be, while the car drives round corners."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.drone.autopilot import Track
from services.drone.events import CarFix
from services.drone.geodesy import distance_m, moved, offset, towards
from services.drone.leaps import SeenFix
from services.drone.tasks.car_motion import CarNow, where
from services.drone.tasks.follow import follow
from tests.unit.drone_model import (
    ORIGIN,
    Copter,
    errors_of_following,
    on_course,
)


def above(fixes: tuple[SeenFix, ...], now_s: float) -> Track | None:
    car = where(fixes, now_s)
    return follow(car, 20.0) if car is not None else None


def percentiles(errors: list[float]) -> tuple[float, float]:
    return errors[len(errors) // 2], errors[int(len(errors) * 0.95)]


@pytest.fixture
def prompt(monkeypatch: pytest.MonkeyPatch) -> None:
    """A copter that needs a tenth of a second for its whole acceleration."""
    monkeypatch.setattr(Copter, "jerk_mps3", 25.0)


@pytest.mark.usefixtures("prompt")
def test_it_stays_above_the_car_round_corners() -> None:
    p50, p95 = percentiles(errors_of_following(above, lambda car: car.place))
    assert p50 <= 0.2
    assert p95 <= 6.0


@pytest.mark.usefixtures("prompt")
def test_it_stays_above_a_car_that_is_heard_late_and_not_always() -> None:
    errors = [
        error
        for seed in range(5)
        for error in errors_of_following(above, lambda car: car.place, 0.3, 0.2, seed)
    ]
    p50, p95 = percentiles(sorted(errors))
    assert p50 <= 1.2
    assert p95 <= 6.8


def test_a_copter_that_is_slow_to_lean_is_later_in_corners_only() -> None:
    p50, p95 = percentiles(errors_of_following(above, lambda car: car.place))
    assert p50 <= 0.2
    assert p95 <= 7.2


def test_without_the_velocity_it_lags_far_behind() -> None:
    def bare(fixes: tuple[SeenFix, ...], now_s: float) -> Track | None:
        track = above(fixes, now_s)
        return Track(track.place, track.height_m) if track is not None else None

    assert percentiles(errors_of_following(bare, lambda car: car.place))[0] > 4.0


def test_behind_a_car_that_turns_the_place_swings_with_it() -> None:
    place = moved(ORIGIN, towards(90.0, 30.0))
    car = CarNow(place, *towards(90.0, 5.0), 90.0, 5.0, 0.0, 20.0)
    track = follow(car, 20.0, 10.0, lead_s=0.0)
    assert offset(ORIGIN, track.place).east_m == pytest.approx(20.0, abs=0.01)
    north, east, up = track.velocity
    assert east == pytest.approx(5.0)
    assert up == 0.0
    assert north == pytest.approx(10 * math.radians(20.0), abs=1e-6)
    assert track.heading_deg == 90.0


def test_a_car_without_a_heading_is_hovered_above() -> None:
    assert follow(CarNow(ORIGIN, 0, 0, None, 0, 0), 20.0, 10.0) == Track(ORIGIN, 20.0)


def test_no_copter_is_told_the_speed_of_a_racing_car() -> None:
    track = follow(CarNow(ORIGIN, 80.0, 0.0, 0.0, 80.0, 0.0), 20.0)
    assert math.hypot(*track.velocity) == pytest.approx(15.0)


@given(st.floats(101.0, 900.0), st.floats(0.0, 12.0), st.floats(0.0, 20.0))
def test_a_track_has_no_leaps(start_m: float, mps: float, behind_m: float) -> None:
    """Whatever the course, from one turn to the next and from one position to the next."""
    fixes: tuple[SeenFix, ...] = ()
    before: Track | None = None
    for tick in range(40):
        now_s = tick * 0.05
        if tick % 2 == 0:
            truth = on_course(start_m + now_s * mps, mps)
            fix = CarFix(truth.place, 1.0, truth.heading_deg, mps * 3.6, 0.0)
            fixes = (*fixes, SeenFix(fix, now_s))
        car = where(fixes, now_s)
        assert car is not None
        track = follow(car, 20.0, behind_m)
        if before is not None:
            # On a corner of 8 m the place behind the car moves with 1 + behind/8 of its speed.
            fastest = mps * (1 + behind_m / 8.0)
            assert distance_m(before.place, track.place) <= 0.05 * fastest * 2 + 0.3
        before = track
