"""Distance, energy, behaviour and route of a trip, each by its own rules."""

import math
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from internetcar.contract.trips import HarshKind
from services.trips import leaves
from services.trips.behaviour import Behaviour, Event, engine_runs
from services.trips.energy import Energy
from services.trips.geometry import (
    MOST_POINTS,
    NEAR_M,
    Fix,
    Route,
    distance_m,
    from_line_m,
    simplified,
)
from services.trips.reading import Reading
from services.trips.travel import Spot, Travel
from tests.trip_log import Kept, TripLog

DEGREE_M = math.pi / 180 * 6_371_000.0


def spot(north_m: float, at_s: float, accuracy_m: float = 5.0) -> Spot:
    return Spot(lat_deg=north_m / DEGREE_M, lon_deg=1.0, at_ms=int(at_s * 1_000),
                accuracy_m=accuracy_m)  # fmt: skip


def test_speed_adds_up_while_it_is_known_and_no_longer() -> None:
    travel = Travel()
    travel.pass_time(1_000)
    travel.on_speed(1_000, 10.0)
    travel.pass_time(61_000)
    travel.on_speed(61_000, None)
    travel.pass_time(99_000)
    assert travel.total() == (600, "speed")
    travel.on_speed(99_000, 10.0)
    travel.pass_time(180_000)
    travel.pass_time(999_000)
    assert travel.speed_m == 600 + 810, "said once a minute at the least: then it is not known"


def test_an_odometer_that_jumps_or_runs_back_is_not_believed() -> None:
    travel = Travel(odometer_m=1_000, is_whole=True)
    for at_s, odometer_m in ((1, 1_010), (2, 9_000_000), (3, 9_000_010), (4, 5), (5, 15)):
        travel.on_odometer(at_s * 1_000, odometer_m)
    assert travel.total() == (30, "odometer")


def test_an_odometer_of_whole_kilometres_is_used_only_where_nothing_else_tells() -> None:
    travel = Travel(odometer_m=1_000, is_whole=True)
    travel.on_odometer(30_000, 2_000)
    assert travel.total() == (1_000, "odometer")
    travel.on_speed(0, 10.0)
    travel.pass_time(60_000)
    assert travel.total() == (600, "speed")


def test_fixes_alone_are_a_distance_without_their_noise() -> None:
    travel = Travel()
    assert travel.total() == (0, None)
    for second in range(101):
        assert travel.on_fix(spot(second * 10.0 + (second % 3) * 2, second))
    for second in range(101, 200):
        travel.on_fix(spot(1_000 + (second % 5), second))
    metres, source = travel.total()
    assert source == "gnss"
    assert metres == pytest.approx(1_000, abs=20)


def test_a_jump_is_refused_until_three_fixes_agree_on_it() -> None:
    travel = Travel()
    travel.on_fix(spot(0, 0))
    assert not travel.on_fix(spot(50_000, 1))
    assert travel.on_fix(spot(20, 2)), "one stray fix changes nothing"
    assert [travel.on_fix(spot(70_000 + n * 10, 3 + n)) for n in range(3)] == [False, False, True]
    assert travel.total()[0] < 30, "what it jumped was not driven"
    assert travel.on_fix(spot(70_040, 6))
    assert not travel.on_fix(spot(1, 7))
    assert not travel.on_fix(spot(40_000, 8)), "two jumps that do not agree"


def test_a_fix_that_is_none_is_not_taken() -> None:
    travel = Travel()
    assert not travel.on_fix(spot(0, 0, accuracy_m=500))
    assert not travel.on_fix(Spot(lat_deg=0, lon_deg=0, at_ms=0))


def test_a_second_hole_before_any_fix_is_bridged_from_before_the_first() -> None:
    travel = Travel()
    travel.on_fix(spot(0, 0))
    travel.on_hole()
    travel.on_speed(10_000, 10.0)
    travel.pass_time(20_000)
    travel.on_hole()
    travel.on_fix(spot(500, 60))
    assert travel.total()[0] == pytest.approx(500)


def reading(**known: object) -> Reading:
    names = {
        "power": leaves.BATTERY_POWER, "amps": leaves.BATTERY_CURRENT,
        "volts": leaves.BATTERY_VOLTAGE, "charging": leaves.IS_CHARGING, "rate": leaves.FUEL_RATE,
        "per_100": leaves.FUEL_PER_100_KM, "speed": leaves.SPEED, "runs": leaves.ENGINE_RUNNING,
        "rpm": leaves.ENGINE_SPEED, "obd": leaves.OBD_ENGINE_SPEED, "along": leaves.LONGITUDINAL,
        "across": leaves.LATERAL, "yaw": leaves.YAW_RATE,
    }  # fmt: skip
    return Reading.model_validate({"known": {names[key]: value for key, value in known.items()}})


@pytest.mark.parametrize(
    ("known", "watt_hours"),
    [
        ({"power": -36_000.0}, 600),
        ({"power": 3_600.0}, -60),
        ({"power": -36_000.0, "charging": True}, None),
        ({"amps": -100.0, "volts": 360.0}, 600),
        ({"amps": -100.0, "volts": 1e9}, None),
        ({"amps": -100.0}, None),
        ({"power": 1e12}, None),
        ({}, None),
    ],
)
def test_energy_is_what_left_the_battery(known: dict[str, object], watt_hours: float) -> None:
    energy = Energy()
    energy.pass_time(60_000, reading(**known))
    assert energy.total_wh() == (None if watt_hours is None else pytest.approx(watt_hours))


def test_without_power_the_batterys_own_count_holds_but_for_its_jumps() -> None:
    energy = Energy(meter_kwh=100.0)
    for meter_kwh in (100.5, 900.0, 900.25, 10.0):
        energy.on_meter(meter_kwh)
    assert energy.total_wh() == 750


@pytest.mark.parametrize(
    ("known", "millilitres"),
    [
        ({"rate": 6.0}, 100),
        ({"rate": -6.0}, 0),
        ({"rate": 9_999.0}, None),
        ({"per_100": 6.0, "speed": 100.0}, 100),
        ({"per_100": 6.0}, None),
        ({"per_100": 9_999.0, "speed": 100.0}, None),
    ],
)
def test_fuel_is_what_its_rate_adds_up_to(known: dict[str, object], millilitres: float) -> None:
    energy = Energy()
    energy.pass_time(60_000, reading(**known))
    assert energy.total_fuel_ml() == (None if millilitres is None else pytest.approx(millilitres))


def test_a_count_since_the_start_goes_on_over_a_restart() -> None:
    energy = Energy()
    for litres in (3.0, 3.5, 0.25, 0.5, 90.0):
        energy.on_counter(litres)
    assert energy.total_fuel_ml() == 1_000


def test_of_time_nobody_knows_nothing_is_reckoned() -> None:
    energy = Energy()
    energy.pass_time(999_000, reading(power=-36_000.0))
    energy.skip_to(2_000_000)
    energy.pass_time(1_000_000, reading(power=-36_000.0))
    assert (energy.on_ms, energy.total_wh(), energy.total_fuel_ml()) == (0, None, None)


@pytest.mark.parametrize(
    ("known", "runs"),
    [({}, None), ({"runs": True}, True), ({"runs": False, "rpm": 900.0}, False),
     ({"rpm": 0.0}, False), ({"obd": 900.0}, True)],
)  # fmt: skip
def test_an_engine_runs_by_the_best_that_is_said_of_it(
    known: dict[str, object], runs: bool | None
) -> None:
    assert engine_runs(reading(**known)) is runs


@pytest.mark.parametrize(
    ("speed_mps", "known", "idle_ms"),
    [(0.0, {}, 30_000), (5.0, {}, 0), (None, {}, 0), (0.0, {"runs": False}, 0)],
)
def test_idling_is_standing_while_on(
    speed_mps: float | None, known: dict[str, object], idle_ms: int
) -> None:
    behaviour = Behaviour()
    behaviour.pass_time(0, 30_000, speed_mps, reading(**known))
    behaviour.pass_time(30_000, 999_000, speed_mps, reading(**known))
    assert behaviour.idle_ms == idle_ms


def _harsh(speeds_kmh: list[float], each_s: float = 0.5) -> list[tuple[str, float]]:
    behaviour = Behaviour()
    found: list[tuple[HarshKind, Event]] = []
    for index, speed_kmh in enumerate(speeds_kmh):
        at_ms = int(index * each_s * 1_000)
        found += behaviour.on_moment(at_ms, speed_kmh / 3.6, {leaves.SPEED}, reading())
    found += behaviour.end()
    assert behaviour.count == len(found)
    return [(kind, round(event.peak_mps2, 1)) for kind, event in found]


def test_a_hard_stop_is_one_event_with_its_peak() -> None:
    easy = [50.0 + step for step in range(10)]
    stop = [60.0, 50.0, 40.0, 30.0, 20.0, 10.0, 0.0, 0.0, 0.0, 0.0, 0.0]
    assert _harsh(easy + stop) == [("braking", 5.6)]
    assert _harsh(list(reversed(stop)) + [60.0] * 5 + stop) == [
        ("acceleration", 5.6), ("braking", 5.6),
    ]  # fmt: skip


def test_what_no_tyre_can_do_is_a_fault_of_the_sensor() -> None:
    assert _harsh([50.0, 50.0, 50.0, 250.0, 250.0, 250.0]) == []


def test_the_cars_own_acceleration_goes_before_that_of_its_speed() -> None:
    behaviour = Behaviour()
    for at_ms in range(0, 3_000, 100):
        known = reading(along=-5.0 if 1_000 <= at_ms < 1_500 else 0.0)
        assert list(behaviour.on_moment(at_ms, None, {leaves.LONGITUDINAL}, known)) == [] or (
            at_ms == 2_400
        )
        list(behaviour.on_moment(at_ms, at_ms / 10, {leaves.SPEED}, known))
    assert (behaviour.count, behaviour.watched) == (1, ["acceleration", "braking"])


def test_a_bend_is_harsh_by_its_acceleration_or_its_yaw_rate() -> None:
    behaviour = Behaviour()
    list(behaviour.on_moment(0, None, {leaves.LATERAL}, reading(across=-6.0)))
    ((kind, event),) = behaviour.end()
    assert (kind, event.peak_mps2) == ("cornering", 6)
    list(behaviour.on_moment(9_000, None, {leaves.YAW_RATE}, reading(yaw=40.0, speed=36.0)))
    ((kind, event),) = behaviour.end()
    assert event.peak_mps2 == pytest.approx(7.0, abs=0.05)
    list(behaviour.on_moment(19_000, None, {leaves.YAW_RATE}, reading(yaw=40.0)))
    assert list(behaviour.end()) == []


def _route(points: list[Fix]) -> tuple[list[Fix], Route]:
    route = Route()
    taken = [route.add(point) for point in points]
    return [point for point in (*taken, route.end()) if point is not None], route


walks = st.lists(
    st.tuples(st.floats(-40, 40), st.floats(-40, 40)), min_size=2, max_size=120
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(walks)
def test_no_fix_lies_further_from_the_route_than_it_says(steps: list[tuple[float, float]]) -> None:
    north = east = 0.0
    fixes: list[Fix] = []
    for index, (up, right) in enumerate(steps):
        north, east = north + up, east + right
        fixes.append((north / DEGREE_M, east / DEGREE_M, float(index)))
    kept, route = _route(fixes)
    assert all(_off_m(fix, kept) <= route.tolerance_m + 0.1 for fix in fixes)
    few, tolerance_m = simplified(kept, max(2, len(kept) // 3), route.tolerance_m)
    assert len(few) <= max(2, len(kept) // 3)
    assert all(_off_m(fix, few) <= tolerance_m + 0.1 for fix in fixes)


def _off_m(fix: Fix, route: list[Fix]) -> float:
    if len(route) == 1:
        return distance_m(*fix[:2], *route[0][:2])
    return min(from_line_m(fix, *line) for line in pairwise(route))


def test_a_straight_road_is_its_ends_and_a_hairpin_keeps_its_turn() -> None:
    straight = [(metre / DEGREE_M, 0.0, float(metre)) for metre in range(0, 600, 20)]
    kept, _ = _route(straight)
    assert kept == [straight[0], straight[-1]]
    kept, _ = _route(straight + [(lat, lon, 600 - at) for lat, lon, at in reversed(straight)])
    assert max(kept)[0] == pytest.approx(580 / DEGREE_M, abs=2 * NEAR_M / DEGREE_M)


def test_a_route_without_end_stays_bounded_and_says_how_coarse_it_is() -> None:
    route = Route()
    for index in range(14_000):
        route.add((index * 60 / DEGREE_M, (index % 2) * 90 / DEGREE_M, float(index)))
    assert route.points <= MOST_POINTS
    assert route.tolerance_m > 30


def test_a_point_is_a_line_too() -> None:
    assert from_line_m((0.001, 0.0, 0), (0.0, 0.0, 0), (0.0, 0.0, 0)) == pytest.approx(
        111.2, abs=0.1
    )


def test_a_car_at_the_date_line_goes_on() -> None:
    assert from_line_m((0.0, -179.999, 0), (0.0, 179.999, 0), (0.0, -179.998, 0)) < 0.01


def test_the_mean_outside_is_by_time() -> None:
    log = TripLog().say({leaves.OUTSIDE: 10.0}).on().seconds(90, 60.0, 10)
    log.say({leaves.OUTSIDE: 20.0}).seconds(10, 60.0, 10).off().asleep(6)
    (trip,) = Kept().read(log.batches).trips
    assert trip.outside_c == pytest.approx(11.1, abs=0.1)


def test_an_absurd_temperature_is_none() -> None:
    log = TripLog().say({leaves.OUTSIDE: 9e9}).on().seconds(90, 60.0, 10).off().asleep(6)
    kept = Kept().read(log.batches)
    assert [each.outside_c for each in kept.starts] == [None]
    assert [each.outside_c for each in kept.trips] == [None]
