"""The weeks behind the simulated car: the same for ever, and such as a person could have lived."""

import hashlib
from itertools import pairwise
from random import Random

import pytest

from simulator.garage import SINGAPORE, load_route
from simulator.life import habits
from simulator.life.driving import drive
from simulator.life.life import UTC_OFFSET_MIN, Drive, Life
from simulator.life.plan import plan, weekday_of
from simulator.life.town import HOME, WORK, WORK_M, Town
from simulator.life.weather import outside_c
from simulator.route import Route

MONDAY = 20_780  # 2026-11-23
SPEED, POWER = "Vehicle.Speed", "Vehicle.LowVoltageSystemState"
BATTERY_W = "Vehicle.Powertrain.TractionBattery.CurrentPower"
LEVEL = "Vehicle.Powertrain.TractionBattery.StateOfCharge.Current"
LATITUDE = "Vehicle.CurrentLocation.Latitude"
FROZEN = "542eef28d0131f15"


def draws(about: str) -> Random:
    return Random(f"2 {about}")


@pytest.fixture(scope="module")
def route() -> Route:
    return load_route(SINGAPORE)


@pytest.fixture(scope="module")
def town(route: Route) -> Town:
    return Town(route, 700.0, draws)


@pytest.fixture(scope="module")
def life(town: Town) -> Life:
    return Life(town, "driver-3", 230.0, draws)


@pytest.fixture(scope="module")
def week(life: Life) -> list[Drive]:
    return [each for day in range(MONDAY, MONDAY + 7) for each in life.day(day)]


def told(drive: Drive, leaf: str) -> list[object]:
    return [moment[leaf] for _, moment in drive.moments if leaf in moment]


def day_and_minute(at_ms: int) -> tuple[int, float]:
    return divmod(at_ms / 60_000 + UTC_OFFSET_MIN, 1_440)  # type: ignore[return-value]


def test_the_same_seed_is_the_same_life_for_ever(week: list[Drive]) -> None:
    facts = [
        (each.origin, each.place, each.moments[0][0] // 1_000, len(each.moments),
         [round(float(speed)) for speed in told(each, SPEED)[::20]],  # type: ignore[arg-type]
         told(each, habits.TRACK), told(each, habits.FAN))
        for each in week
    ]  # fmt: skip
    assert hashlib.sha256(repr(facts).encode()).hexdigest()[:16] == FROZEN


def test_a_day_is_the_same_whatever_days_were_lived_before(life: Life, week: list[Drive]) -> None:
    assert list(life.day(MONDAY + 6))[-1] == week[-1]


def test_a_day_begins_and_ends_at_home_and_each_trip_where_the_last_one_ended(
    week: list[Drive],
) -> None:
    assert week[0].origin == week[-1].place == HOME
    for before, after in pairwise(week):
        assert before.place == after.origin
        assert after.moments[0][0] - before.moments[-1][0] >= 600_000
    for each in week:
        instants = [at_ms for at_ms, _ in each.moments]
        assert instants == sorted(set(instants))
        assert day_and_minute(instants[0])[0] == day_and_minute(instants[-1])[0]


def test_there_are_three_or_four_trips_a_day_and_work_on_workdays() -> None:
    errands = {day: plan(draws, day) for day in range(MONDAY, MONDAY + 140)}
    assert 2.8 <= sum(map(len, errands.values())) / len(errands) <= 4.2
    for day, found in errands.items():
        places = [each.place for each in found]
        assert places[-1] == HOME
        assert WORK not in places or weekday_of(day) < 5
        assert [each.minute for each in found] == sorted(each.minute for each in found)
    every = [each.place for found in errands.values() for each in found]
    assert every.count(WORK) > 80
    assert {"gym", "market", "friend", "park", "canteen"} < set(every)
    assert any(place.startswith("new-") for place in every)


def test_it_is_warm_in_singapore_and_warmest_after_noon() -> None:
    found = [
        [outside_c(draws, day, hour * 60.0) for hour in range(24)] for day in range(MONDAY, 20_850)
    ]
    assert all(24 <= each <= 34 for hours in found for each in hours)
    assert all(hours[13] > hours[6] + 4 for hours in found)
    assert any(hours[14] - hours[15] > 1.5 for hours in found), "it never rained"
    assert outside_c(draws, MONDAY, 1_500.0) == outside_c(draws, MONDAY, 1_440.0)


def test_a_trip_moves_as_a_car_does_and_takes_what_such_a_car_takes(
    week: list[Drive], town: Town
) -> None:
    for each in week:
        speeds = [float(speed) for speed in told(each, SPEED)]  # type: ignore[arg-type]
        assert speeds[-1] == 0 < max(speeds) < 95
        assert told(each, POWER) == ["ON", "OFF"]
        way = town.way(each.origin, each.place)
        length_m = sum(town.metres(*pair) for pair in pairwise(way))
        assert abs(sum(speeds) / 3.6 * 2 - length_m) < 0.06 * length_m
        used_wh = -sum(map(float, told(each, BATTERY_W))) * 2 / 3_600  # type: ignore[arg-type]
        assert 80 < used_wh / length_m * 1_000 < 230
        levels = [float(level) for level in told(each, LEVEL)]  # type: ignore[arg-type]
        assert 80 >= levels[0] > levels[-1] > 50
        lat_deg = float(told(each, LATITUDE)[-1])  # type: ignore[arg-type]
        assert abs(lat_deg - town.place(each.place).lat_deg) < 2e-4


def test_home_is_where_the_simulated_car_starts_and_work_is_on_its_loop(
    town: Town, route: Route
) -> None:
    way = town.way(HOME, WORK)
    start, end = route.at(700.0), route.at(700.0 + WORK_M)
    assert way[0][:2] == (start.lat_deg, start.lon_deg) == town.place(HOME)[:2]
    assert way[-1][:2] == (end.lat_deg, end.lon_deg) == town.place(WORK)[:2]
    assert town.way(WORK, HOME) == way[::-1]
    assert town.way("gym", "park") == town.way("park", "gym")[::-1]
    assert town.place("new-1") == town.place("new-1") != town.place("new-2")


def test_on_mild_mornings_it_is_set_warmer_than_the_car_has_it(life: Life) -> None:
    for day in range(MONDAY, MONDAY + 5):
        first = next(iter(life.day(day))).moments[0][1]
        assert first[habits.SET_POINT] == habits.MILD_C >= habits.CAR_C + 1
        assert first["Vehicle.Occupant.Row1.DriverSide.Identifier.Subject"] == "driver-3"
    assert habits.standing(31.0, has_passenger=True, is_left=False)[habits.SET_POINT] == 24.0


def test_in_the_heat_the_seat_is_ventilated_and_songs_that_are_not_liked_are_skipped() -> None:
    found = [
        each
        for number in range(40)
        for each in habits.changes(draws(f"{number}"), MONDAY, 900.0, 31.0, 900, is_left=False)
    ]
    assert (habits.SEAT_CLIMATE, -40) in {(each.path, each.value) for each in found}
    assert {24.5} == {each.value for each in found if each.path == habits.SET_POINT}
    tracks = [each for each in found if each.path == habits.TRACK]
    skipped = [
        after.after_s - each.after_s
        for each, after in pairwise(tracks)
        if each.value == habits.SKIPPED and after.after_s > each.after_s
    ]
    assert skipped
    assert max(skipped) < 30


def test_a_driver_who_leaves_it_as_it_is_sets_nothing_and_may_begin_later(life: Life) -> None:
    late_ms = (MONDAY * 1_440 + 600 - UTC_OFFSET_MIN) * 60_000
    drives = list(life.day(MONDAY, not_before_ms=late_ms, is_left=True))
    assert drives[0].moments[0][0] == late_ms
    for each in drives:
        assert told(each, habits.SET_POINT) == [habits.CAR_C]
        assert len(told(each, habits.FAN)) == 1
    assert len(drives) == len(list(life.day(MONDAY)))


def test_a_way_that_never_ends_is_given_up() -> None:
    seconds = list(drive(draws("far"), 1e6, [13.9], 500.0))
    assert len(seconds) == 7_201
