"""One morning of the simulated car: the road, the toll lines, energy, climate and receiver."""

import json
import math
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise
from random import Random
from typing import Any

import pytest

from simulator import cabin, vehicle
from simulator.car import Car, Truth
from simulator.garage import SINGAPORE, load_route
from simulator.gnss import REACQUIRE_S, SIGMA_M, Fix, Receiver
from simulator.route import Gantry, Route, RouteError, Waypoint, parse_route
from simulator.vehicle import Parameters, VehicleState
from tests.data import data_path

STEP_S = 0.1
SINGAPORE_TIME = timezone(timedelta(hours=8))
Point = tuple[float, float]


@dataclass(frozen=True)
class Moment:
    truth: Truth
    state: VehicleState
    fix: Fix | None
    rain_pct: float
    cabin_c: float
    signals: dict[str, float]


@pytest.fixture(scope="module")
def route() -> Route:
    return load_route(SINGAPORE)


@pytest.fixture(scope="module")
def drive(route: Route) -> list[Moment]:
    """A loop, the pause at home and the start of the next one, every fifth second as fixes."""
    car = Car(route, seed=3)
    moments = []
    for step in range(37_000):
        car.advance(STEP_S)
        if step % 5 == 0:
            car.observe()
        signals = dict(car.body.signals) if step % 5 == 0 else {}
        moments.append(
            Moment(car.truth, car.state, car.fix, car.weather.rain_pct, car.cabin_c, signals)
        )
    return moments


def side(a: Point, b: Point, p: Point) -> float:
    return (b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0])


def crosses(a: Point, b: Point, line: tuple[Point, Point]) -> bool:
    start, end = line
    return side(a, b, start) * side(a, b, end) < 0 and side(start, end, a) * side(start, end, b) < 0


def crossings(drive: list[Moment], line: tuple[Point, Point]) -> list[Truth]:
    found = []
    for before, after in pairwise(moment.truth for moment in drive):
        a, b = (before.lat_deg, before.lon_deg), (after.lat_deg, after.lon_deg)
        if crosses(a, b, line):
            found.append(after)
    return found


def local_time(route: Route, truth: Truth) -> datetime:
    start = datetime.fromtimestamp(route.starts_at_ms / 1_000, UTC).astimezone(SINGAPORE_TIME)
    return start + timedelta(seconds=truth.at_s)


def first_lap(drive: list[Moment], route: Route) -> list[Moment]:
    return [moment for moment in drive if moment.truth.distance_m < route.length_m - 10]


def angle_deg(a: float, b: float) -> float:
    return abs((a - b + 180) % 360 - 180)


def test_six_gantries_and_more_are_crossed_in_the_direction_that_is_charged(
    drive: list[Moment], route: Route
) -> None:
    lap = first_lap(drive, route)
    assert len(route.gantries) >= 6
    for gantry in route.gantries:
        (passage,) = crossings(lap, gantry.line)
        assert angle_deg(passage.heading_deg, gantry.direction_deg) < 60, gantry.number
        assert passage.speed_mps > 3


def test_the_gantries_are_the_real_ones_and_charge_at_that_hour(
    drive: list[Moment], route: Route
) -> None:
    facts = json.loads(data_path("tolls/singapore/erp-data.json").read_text())
    real = {g["gantryNo"]: g for g in facts["gantries"]}
    for gantry in route.gantries:
        official = real[gantry.number]
        assert [list(end) for end in gantry.line] == [official["line"][0], official["line"][-1]]
        assert gantry.direction_deg == official["directionDegrees"]
        assert gantry.group == official["groupId"]
        (passage,) = crossings(first_lap(drive, route), gantry.line)
        assert amount(facts, gantry, local_time(route, passage)) > 0


def amount(facts: dict[str, Any], gantry: Gantry, at: datetime) -> float:
    assert at.weekday() < 5
    clock, day = at.strftime("%H:%M"), at.strftime("%Y-%m-%d")
    bands = facts["baseRates"] + [
        change
        for change in facts["adjustments"]
        if change["fromDate"] <= day <= (change["toDate"] or day)
    ]
    valid = [b for b in bands if b["groupId"] == gantry.group and b["start"] <= clock < b["end"]]
    return float(valid[-1]["amount"]) if valid else 0.0


def test_no_other_gantry_is_crossed(drive: list[Moment], route: Route) -> None:
    facts = json.loads(data_path("tolls/singapore/erp-data.json").read_text())
    ours = {gantry.number for gantry in route.gantries}
    for gantry in facts["gantries"]:
        if gantry["gantryNo"] not in ours and len(gantry["line"]) >= 2:
            first, *_, last = (tuple(end) for end in gantry["line"])
            assert not crossings(drive, (first, last)), gantry["gantryNo"]


def test_the_car_keeps_to_the_limit_and_never_goes_backwards(
    drive: list[Moment], route: Route
) -> None:
    for before, after in pairwise(drive):
        assert after.state.speed_mps >= 0
        assert after.state.distance_m >= before.state.distance_m
        assert -8 < after.state.acceleration_mps2 < 3
        assert after.state.speed_mps <= route.at(after.state.distance_m).limit_mps + 1.5


def test_the_car_parks_at_home_charges_and_leaves_again(drive: list[Moment], route: Route) -> None:
    parked = [m for m in drive if m.signals and m.signals["Charging_State"] == 1]
    assert parked
    for moment in parked:
        assert abs(moment.state.distance_m - route.length_m) < 4
        assert moment.signals["Power_Mode"] == 1
        assert moment.signals["Belt_Driver"] == 0
    assert parked[-1].state.battery_kwh > parked[0].state.battery_kwh + 5
    assert drive[-1].state.distance_m > route.length_m + 500


def test_it_stops_at_red_lights_before_the_line(drive: list[Moment], route: Route) -> None:
    stops = [
        after.state.distance_m
        for before, after in pairwise(drive)
        if before.state.speed_mps >= 0.05 > after.state.speed_mps
    ]
    at_lights = [s for s in stops if any(0 < light - s < 8 for light in route.lights_m)]
    assert len(at_lights) >= 2


def test_much_changes_while_it_drives(drive: list[Moment]) -> None:
    watched = ("Light_Brake", "Light_Left", "Light_Right", "Light_Low_Beam", "Wiper_Mode")
    more = ("Door_FrontDriver_Open", "Door_FrontDriver_Lock", "Media_Track", "HVAC_Fan_Driver")
    for name in (*watched, *more, "Gear_Selected", "Belt_Driver", "HVAC_Recirculation"):
        assert len({m.signals[name] for m in drive if m.signals}) > 1, name


def test_the_work_of_the_motor_is_found_again(drive: list[Moment]) -> None:
    mass = Parameters().mass_kg
    for moment in drive[:: len(drive) // 50]:
        ledger = moment.state.ledger
        kinetic = mass * moment.state.speed_mps**2 / 2
        spent = ledger.drag_j + ledger.rolling_j + ledger.friction_brake_j + ledger.climb_j
        assert math.isclose(ledger.motor_j, kinetic + spent, rel_tol=1e-6, abs_tol=1.0)


def test_climbing_is_paid_by_height(drive: list[Moment]) -> None:
    weight = Parameters().mass_kg * vehicle.GRAVITY_MPS2
    rise = drive[9_000].truth.altitude_m - drive[0].truth.altitude_m
    assert drive[9_000].state.ledger.climb_j == pytest.approx(weight * rise, abs=weight * 0.1)


def test_the_battery_gives_what_the_power_says(drive: list[Moment], route: Route) -> None:
    lap = first_lap(drive, route)
    drawn_kwh = sum(m.state.battery_power_w for m in lap[1:]) * STEP_S / 3.6e6
    lost_kwh = lap[0].state.battery_kwh - lap[-1].state.battery_kwh
    assert drawn_kwh == pytest.approx(lost_kwh, rel=1e-9)
    assert 5 < lost_kwh < 12
    assert lost_kwh > lap[-1].state.ledger.motor_j / 3.6e6
    assert 200 < vehicle.range_km(lap[-1].state) < 500


def test_braking_gives_energy_back() -> None:
    state = VehicleState(speed_mps=25.0, battery_kwh=40.0)
    slower = vehicle.step(state, Parameters(), -1.5, 0.0, 0.0, 0.1)
    assert slower.battery_power_w < 0
    assert slower.battery_kwh > state.battery_kwh
    assert slower.consumed_kwh == state.consumed_kwh


def test_the_motor_cannot_do_more_than_it_can() -> None:
    p = Parameters()
    fast = vehicle.step(VehicleState(speed_mps=40.0), p, 5.0, 0.0, 0.0, 0.1)
    assert fast.motor_force_n * 40.0 <= p.motor_power_w * 1.0001
    hard = vehicle.step(VehicleState(speed_mps=20.0), p, -5.0, 0.0, 0.0, 0.1)
    assert -hard.motor_force_n <= p.regeneration_force_n
    assert hard.acceleration_mps2 == pytest.approx(-5.0)


def test_the_cabin_cools_with_the_climate_on_and_warms_without() -> None:
    climate = cabin.Climate(22.0, 60.0, air_conditioning=True, recirculation=False)
    cooled = warm = 34.0
    for _ in range(6_000):
        cooled, power_w = cabin.step(cooled, 31.0, 600.0, climate, 0.1)
        warm, nothing_w = cabin.step(warm, 31.0, 600.0, None, 0.1)
    assert 21.5 < cooled < 24.5
    assert warm > 37
    assert 100 < power_w < 2_500
    assert nothing_w == 0


def test_without_air_conditioning_the_climate_heats_but_does_not_cool() -> None:
    heat = cabin.Climate(22.0, 60.0, air_conditioning=False, recirculation=True)
    cold, hot = 5.0, 27.0
    for _ in range(6_000):
        cold, _ = cabin.step(cold, 5.0, 0.0, heat, 0.1)
        hot, _ = cabin.step(hot, 31.0, 300.0, heat, 0.1)
    assert cold > 18
    assert hot > 29


def test_there_is_no_fix_in_a_tunnel_nor_right_after(drive: list[Moment]) -> None:
    observed = drive[::5]
    covered = [m.fix for m in observed if m.truth.in_tunnel]
    assert len(covered) > 40
    assert covered == [None] * len(covered)
    left_at_s = [
        after.truth.at_s
        for before, after in pairwise(observed)
        if before.truth.in_tunnel and not after.truth.in_tunnel
    ]
    assert len(left_at_s) >= 2
    for at_s in left_at_s:
        soon = [m for m in observed if 0 <= m.truth.at_s - at_s < REACQUIRE_S - 1]
        later = [m for m in observed if REACQUIRE_S + 1 < m.truth.at_s - at_s < 10]
        assert all(m.fix is None for m in soon)
        assert all(m.fix is not None and m.fix.accuracy_m > 1.5 * SIGMA_M for m in later)


def test_noise_has_the_size_and_the_memory_it_says() -> None:
    receiver = Receiver(Random(5))
    north_m = []
    for second in range(20_000):
        fix = receiver.observe(float(second), 1.3, 103.8, 15.0, 90.0, 10.0, covered=False)
        assert fix is not None
        north_m.append((fix.lat_deg - 1.3) * 111_195)
    spread = math.sqrt(sum(x * x for x in north_m) / len(north_m))
    after_30_s = sum(a * b for a, b in zip(north_m, north_m[30:], strict=False))
    assert spread == pytest.approx(SIGMA_M, rel=0.15)
    assert after_30_s / len(north_m) / spread**2 == pytest.approx(math.exp(-1), abs=0.12)


def test_a_standing_car_keeps_its_heading() -> None:
    receiver = Receiver(Random(5))
    first = receiver.observe(0.0, 1.3, 103.8, 15.0, 90.0, 10.0, covered=False)
    second = receiver.observe(1.0, 1.3, 103.8, 15.0, 200.0, 0.0, covered=False)
    assert first is not None
    assert second is not None
    assert second.heading_deg == first.heading_deg
    assert second.speed_kmh == 0


def test_the_road_is_closed_and_smooth(route: Route) -> None:
    start, end = route.at(0.0), route.at(route.length_m - 1e-6)
    assert (start.lat_deg, start.lon_deg) == pytest.approx((end.lat_deg, end.lon_deg), abs=1e-7)
    assert start.altitude_m == pytest.approx(end.altitude_m, abs=1e-3)
    assert route.at(route.length_m * 3 + 5).lat_deg == pytest.approx(route.at(5).lat_deg)
    headings = [route.at(10.0 * i).heading_deg for i in range(int(route.length_m / 10))]
    assert max(angle_deg(a, b) for a, b in pairwise(headings)) < 20


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "not a route"),
        ("[]", "not a route"),
        ('{"title": "x", "starts_at": "2026-07-07", "waypoints": []}', "four way points"),
        ('{"title": "x", "waypoints": [{"at": [1, 2], "limit_kmh": -1}]}', "out of range"),
        ('{"title": "x", "waypoints": [{"at": [1, 2], "limit_kmh": 5, "marks": ["a"]}]}', "mark"),
    ],
)
def test_a_file_that_is_no_route_is_refused_in_words(text: str, words: str) -> None:
    with pytest.raises(RouteError, match=words):
        parse_route(text, "road.json")


def test_charging_ends_at_its_limit(route: Route) -> None:
    car = Car(route, seed=1)
    car.state = replace(car.state, battery_kwh=0.8998 * car.parameters.capacity_kwh)
    car.body.set({"Charging_State": 1, "Charging_Limit": 90})
    car.advance(STEP_S)
    assert car.body.signals["Charging_State"] == 1
    for _ in range(6):
        car.advance(STEP_S)
    assert car.body.signals["Charging_State"] == 2


def test_a_road_without_lights_is_driven_all_the_same() -> None:
    corners = [(1.300, 103.80), (1.300, 103.81), (1.305, 103.81), (1.305, 103.80)]
    road = Route("ring", [Waypoint(lat, lon, 50.0) for lat, lon in corners], [])
    car = Car(road, seed=1)
    for _ in range(600):
        car.advance(STEP_S)
    assert car.state.distance_m > 200
