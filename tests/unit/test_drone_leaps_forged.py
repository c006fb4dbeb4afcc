"""Whoever says positions in the car's place: how far what is believed can be led, and how fast."""

from collections.abc import Iterable
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.drone.events import CarFix
from services.drone.geodesy import Place, distance_m
from services.drone.leaps import FASTEST_MPS, NAMED_S, WANDERS_M
from services.drone.moment import Moment
from services.drone.view import View, seen
from tests.unit.drone_pilot_world import place_at
from tests.unit.drone_ready import Case

Said = tuple[float, Place, float]
"""When a position comes, where it is, and how old it is then."""


def real(until_s: float, every_s: float, mps: float = 0.0, age_s: float = 0.06) -> list[Said]:
    times = [number * every_s for number in range(round(until_s / every_s))]
    return [(at_s, place_at(mps * (at_s - age_s)), age_s) for at_s in times]


def heard(said: Iterable[Said]) -> list[tuple[float, View]]:
    """The view after each moment."""
    view, found = View(), dict[float, View]()
    for at_s, place, age_s in sorted(said, key=lambda each: each[0]):
        fix = CarFix(place, 1.0, 0.0, 0.0, age_s)
        view = seen(view, fix, Moment(100.0 + at_s, round(at_s * 1000)))
        found[at_s] = view
    return list(found.items())


def place(view: View) -> Place:
    assert view.car is not None
    return view.car.fix.place


@pytest.mark.parametrize("age_s", [0.0, -0.45, -3_600.0])
@pytest.mark.parametrize("every_s", [0.1, 1.0])
def test_real_positions_end_a_leap_whatever_stamps_the_forged_ones_bear(
    age_s: float, every_s: float
) -> None:
    forged = [(0.5 + number * 0.05 - 0.001, place_at(11_000.0), age_s) for number in range(600)]
    for _, view in heard([*real(30.0, every_s), *forged]):
        assert distance_m(place(view), place_at(0.0)) < 1.0


@pytest.mark.parametrize("every_s", [0.1, 0.05, 0.001])
def test_a_walk_is_no_faster_than_a_car(every_s: float) -> None:
    said = [(number * every_s, place_at(45.0 * number), 0.0) for number in range(200)]
    for at_s, view in heard(said):
        assert distance_m(place(view), place_at(0.0)) <= WANDERS_M + FASTEST_MPS * at_s + 0.1


def test_what_comes_in_one_turn_shares_one_way() -> None:
    burst = [(1.0, place_at(45.0 * number), 0.5 - number * 0.01) for number in range(50)]
    _, view = heard([(0.9, place_at(0.0), 0.0), *burst])[-1]
    assert distance_m(place(view), place_at(0.0)) <= WANDERS_M + FASTEST_MPS * 0.1


@pytest.mark.parametrize("steps", [1, 10])
def test_positions_that_come_late_leave_no_time_to_be_led_away(steps: int) -> None:
    """By their stamps a car had 4 s for it, by their arrival half a second."""
    late = real(10.0, 1.0, age_s=4.0)
    led = [(9.5, place_at(250.0 * n / steps), 4.0 * (1 - n / steps)) for n in range(1, steps + 1)]
    _, view = heard([*late, *led])[-1]
    assert distance_m(place(view), place_at(0.0)) <= WANDERS_M + FASTEST_MPS * 0.5 + 0.1


def test_five_seconds_of_a_fast_car_that_come_at_once_are_no_leap() -> None:
    drive = real(20.0, 0.1, mps=40.0)
    late = [(10.0, where, age_s + 10.0 - at_s) for at_s, where, age_s in drive if 5 <= at_s < 10]
    rest = [each for each in drive if not 5 <= each[0] < 10]
    assert all(view.doubt.named is None for _, view in heard([*rest, *late]))


def test_noise_of_a_receiver_is_no_leap() -> None:
    off = [0.0, 12.0, -9.0, 4.0, -14.0, 7.0]
    said = [
        (at_s, place_at(20.0 * at_s, off[number % 6]), 0.06)
        for number, (at_s, _, _) in enumerate(real(60.0, 0.1))
    ]
    assert all(view.doubt.named is None for _, view in heard(said))


def test_two_that_speak_for_one_car_are_told_of_as_long_as_they_do() -> None:
    said = [*real(20.0, 0.1), *[(3.03 + number, place_at(900.0), 0.0) for number in range(5)]]
    for at_s, view in heard(said):
        found = Case(view=view, now=Moment(100.0 + at_s, round(at_s * 1000)))
        is_told = found.one("car_gnss_steady").result == "tripped"
        assert is_told == (at_s == 0.0 or 3.03 <= at_s <= 7.03 + NAMED_S)


@pytest.mark.parametrize("ages", [[20.0 - number for number in range(20)], [0.0] * 20])
def test_a_leap_of_one_moment_has_not_lasted(ages: list[float]) -> None:
    burst = [(30.0, place_at(50_000.0), age_s) for age_s in ages]
    _, view = heard([*real(1.0, 0.1), *burst])[-1]
    assert distance_m(place(view), place_at(0.0)) < 1.0


FORGED = st.lists(
    st.tuples(
        st.floats(0.0, 12.0), st.floats(-3_000.0, 3_000.0), st.floats(-3_000.0, 3_000.0),
        st.floats(-1.0, 15.0),
    ),
    max_size=60,
)  # fmt: skip
WALKS = st.tuples(
    st.floats(-100.0, 100.0), st.floats(0.001, 0.5), st.floats(-1.0, 1.0), st.integers(0, 60)
)
"""Metres a step, seconds a step, how old each is, how many."""


@settings(deadline=None, max_examples=150)
@given(FORGED, WALKS, st.sampled_from([0.1, 0.37, 1.0]), st.floats(-40.0, 40.0))
def test_the_believed_place_never_moves_faster_than_a_car_and_a_receivers_error(
    forged: list[tuple[float, float, float, float]],
    walk: tuple[float, float, float, int],
    every_s: float,
    mps: float,
) -> None:
    step_m, step_s, walk_age_s, steps = walk
    said = real(12.0, every_s, mps)
    said += [(at_s, place_at(north, east), age_s) for at_s, north, east, age_s in forged]
    walked = [n for n in range(steps) if n * step_s < 17.0]  # no 10 s alone: then it is believed
    said += [(3.0 + n * step_s, place_at(n * step_m), walk_age_s) for n in walked]
    last: View | None = None
    believed: list[tuple[float, float, Place]] = []
    for at_s, view in heard(said):
        if view.car is not None and (last is None or view.car is not last.car):
            believed.append((at_s, view.car.at_s, view.car.fix.place))
        last = view
    for (one_s, one_at_s, one), (two_s, two_at_s, two) in combinations(believed, 2):
        passed_s = min(two_s - one_s, two_at_s - one_at_s)
        assert distance_m(one, two) <= (WANDERS_M + FASTEST_MPS * passed_s) * 1.001 + 0.1


@settings(deadline=None, max_examples=100)
@given(
    st.lists(st.tuples(st.floats(0.0, 15.0), st.floats(-0.5, 10.0)), max_size=150),
    st.sampled_from([0.1, 0.5, 1.0]),
    st.floats(700.0, 5_000.0),
)
def test_among_real_positions_a_forged_place_is_never_believed(
    forged: list[tuple[float, float]], every_s: float, away_m: float
) -> None:
    said = [(at_s, place_at(0.0, away_m), age_s) for at_s, age_s in forged if at_s > 0.5]
    for _, view in heard([*real(15.0, every_s, 30.0), *said]):
        assert distance_m(place(view), place_at(0.0, away_m)) > 500.0
