"""How the simulated copter flies: speeds, accelerations, following, wind and energy."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymavlink.dialects.v20 import ardupilotmega as dialect

from simulator.copter.copter import Settings
from simulator.copter.plane import Plane
from simulator.copter.state import Mode
from tests.unit.piloted import PLACE, POSITION_ONLY, VELOCITY_ONLY, Pilot

CAR_MPS = 20 / 3.6


def hovering(settings: Settings | None = None, height_m: float = 30.0) -> Pilot:
    pilot = Pilot(settings)
    pilot.take_off(height_m)
    return pilot


def windy(speed_mps: float, from_deg: float = 0.0, gusts_mps: float = 0.0) -> Settings:
    return Settings(
        *PLACE, ready_after_s=0.0, wind_from_deg=from_deg, wind_mps=speed_mps, gusts_mps=gusts_mps
    )


def test_it_flies_ten_metres_a_second_and_stops_at_the_place() -> None:
    pilot = hovering()
    pilot.go_to(300, 0)
    fastest_mps = 0.0
    for _ in range(120):
        pilot.fly(0.5)
        fastest_mps = max(fastest_mps, pilot.copter.truth.north_mps)
    assert fastest_mps == pytest.approx(10.0, abs=0.1)
    assert pilot.north_east == pytest.approx((300, 0), abs=0.02)


def test_it_never_accelerates_more_than_it_can_and_hardly_overshoots() -> None:
    pilot = hovering()
    pilot.go_to(100, 0)
    speed_mps, farthest_m = 0.0, 0.0
    for _ in range(1_500):
        pilot.fly(0.02, 0.02)
        truth = pilot.copter.truth
        assert abs(truth.north_mps - speed_mps) <= 2.5 * 0.02 + 1e-9
        speed_mps = truth.north_mps
        farthest_m = max(farthest_m, pilot.north_east[0])
    assert farthest_m < 100.2


def test_it_climbs_at_two_and_a_half_and_descends_at_one_and_a_half() -> None:
    pilot = hovering()
    pilot.go_to(0, 0, 100)
    pilot.fly(10)
    assert pilot.copter.truth.up_mps == pytest.approx(2.5, abs=0.02)
    pilot.fly(40)
    assert pilot.copter.truth.height_m == pytest.approx(100, abs=0.05)
    pilot.go_to(0, 0, 20)
    pilot.fly(10)
    assert pilot.copter.truth.up_mps == pytest.approx(-1.5, abs=0.02)


def follow(pilot: Pilot, seconds: float, mask: int) -> float:
    """How far it is behind a car at 20 km/h that is told five times a second."""
    begin_s = pilot.copter.now_s
    while pilot.copter.now_s < begin_s + seconds:
        car_m = CAR_MPS * (pilot.copter.now_s - begin_s)
        pilot.target((car_m, 0), (CAR_MPS, 0), mask=mask)
        pilot.fly(0.2)
    return CAR_MPS * (pilot.copter.now_s - begin_s) - pilot.north_east[0]


def test_position_and_velocity_together_follow_closely() -> None:
    assert abs(follow(hovering(), 30, 0xDC0)) < 0.1


def test_a_position_alone_is_followed_thirteen_metres_behind() -> None:
    assert follow(hovering(), 40, POSITION_ONLY) == pytest.approx(13.0, abs=0.3)


def test_a_place_that_moves_goes_on_for_three_seconds_and_stops() -> None:
    pilot = hovering()
    follow(pilot, 20, 0xDC0)
    last_m = pilot.north_east[0]
    pilot.fly(15)
    assert pilot.north_east[0] - last_m == pytest.approx(3 * CAR_MPS, abs=1.5)


def test_a_velocity_is_flown_for_three_seconds() -> None:
    pilot = hovering()
    for _ in range(50):
        pilot.target((0, 0), (0, 5), mask=VELOCITY_ONLY)
        pilot.fly(0.2)
    assert pilot.copter.truth.east_mps == pytest.approx(5, abs=0.05)
    pilot.fly(2)
    assert pilot.copter.truth.east_mps == pytest.approx(5, abs=0.05)
    pilot.fly(6)
    assert pilot.copter.truth.east_mps == pytest.approx(0, abs=0.05)


@pytest.mark.parametrize(
    ("mask", "frame", "velocity"),
    [
        (0xFFF, 6, (0.0, 0.0)),
        (0xDC0, 2, (0.0, 0.0)),
        (0xDC0, 6, (2_000.0, 0.0)),
        (0xDC0, 6, (math.nan, 0.0)),
        (0x238, 6, (0.0, 0.0)),
        (0xC38, 6, (0.0, 0.0)),
    ],
)
def test_a_target_that_makes_no_sense_stops_it(
    mask: int, frame: int, velocity: tuple[float, float]
) -> None:
    pilot = hovering()
    pilot.go_to(500, 0)
    pilot.fly(8)
    pilot.target((0, 500), velocity, mask=mask, frame=frame)
    pilot.fly(8)
    assert pilot.copter.truth.north_mps == pytest.approx(0, abs=0.05)


def test_targets_do_nothing_outside_guided_or_on_the_ground() -> None:
    pilot = Pilot()
    pilot.mode(Mode.GUIDED)
    pilot.target((50, 0))
    pilot.fly(5)
    assert pilot.copter.truth.is_on_ground
    flying = hovering()
    flying.mode(Mode.LOITER)
    flying.target((50, 0))
    flying.send(local((0, 50, -30), 1))
    flying.fly(10)
    assert flying.north_east == pytest.approx((0, 0), abs=0.1)


def local(
    point: tuple[float, float, float],
    frame: int,
    mask: int = POSITION_ONLY,
    velocity: tuple[float, float, float] = (0.0, 0.0, 0.0),
    yaw: float = 0.0,
) -> dialect.MAVLink_message:
    return dialect.MAVLink_set_position_target_local_ned_message(
        0, 1, 1, frame, mask, *point, *velocity, 0.0, 0.0, 0.0, yaw, 0.0
    )


def test_local_targets_count_from_the_origin_from_here_or_from_the_nose() -> None:
    pilot = hovering()
    pilot.send(local((40, 0, -20), 1, mask=0x9F8, yaw=math.pi / 2))
    pilot.fly(25)
    assert pilot.north_east == pytest.approx((40, 0), abs=0.1)
    assert pilot.copter.truth.height_m == pytest.approx(20, abs=0.1)
    assert pilot.copter.state.body.heading_deg == pytest.approx(90)
    pilot.send(local((10, 0, 0), 7))
    pilot.fly(20)
    assert pilot.north_east == pytest.approx((50, 0), abs=0.2)
    pilot.copter.state.body.heading_deg = 90.0
    pilot.send(local((10, 0, 0), 8))
    pilot.fly(20)
    assert pilot.north_east == pytest.approx((50, 10), abs=0.2)


def test_local_targets_that_make_no_sense_stop_it() -> None:
    for message in (local((1, 1, 1), 5), local((math.nan, 1, 1), 1)):
        pilot = hovering()
        pilot.go_to(500, 0)
        pilot.fly(8)
        pilot.send(message)
        pilot.fly(8)
        assert pilot.copter.truth.north_mps == pytest.approx(0, abs=0.05)


def test_a_velocity_downwards_ends_on_the_ground() -> None:
    pilot = hovering(height_m=5)
    for _ in range(60):
        pilot.send(local((0, 0, 0), 1, mask=VELOCITY_ONLY, velocity=(0, 0, 1)))
        pilot.fly(0.2)
    assert pilot.copter.truth.is_on_ground


def test_a_wind_within_its_limits_moves_it_nowhere_and_costs_power() -> None:
    calm, windblown = hovering(), hovering(windy(10, 45))
    for pilot in (calm, windblown):
        pilot.fly(60)
        assert pilot.north_east == pytest.approx((0, 0), abs=0.02)
    assert windblown.copter.state.battery.current_a > 1.1 * calm.copter.state.battery.current_a


def test_a_storm_carries_it_away() -> None:
    pilot = hovering(windy(5))
    pilot.copter.set_wind(0, 22)
    pilot.fly(10)
    assert pilot.north_east[0] < -30


def test_gusts_come_from_the_seed_and_the_wind_is_told() -> None:
    pilots = [hovering(windy(5, 270, 2.0)) for _ in range(2)]
    assert pilots[0].copter.state.air == pilots[1].copter.state.air
    assert pilots[0].copter.state.air != (0.0, 5.0)
    pilots[0].copter.set_wind(270, 5)
    pilots[0].fly(0.5)
    pilots[0].command(512, 168)
    wind = pilots[0].last("WIND")
    assert (wind.direction, wind.speed) == pytest.approx((-90, 5))


def test_a_battery_of_five_ampere_hours_hovers_for_some_eighteen_minutes() -> None:
    pilot = hovering()
    used_mah = pilot.copter.truth.battery_mah
    pilot.fly(60, 1.0)
    a_minute_mah = pilot.copter.truth.battery_mah - used_mah
    assert 5_000 / a_minute_mah == pytest.approx(18.75, abs=0.1)


def test_climbing_draws_more_and_standing_next_to_nothing() -> None:
    pilot = hovering()
    hover_a = pilot.copter.state.battery.current_a
    pilot.go_to(0, 0, 100)
    pilot.fly(8)
    assert pilot.copter.state.battery.current_a == pytest.approx(hover_a + 7.5, abs=0.1)
    assert Pilot().copter.state.battery.current_a < 1


@given(st.floats(-80, 80), st.floats(-180, 180), st.floats(-5_000, 5_000), st.floats(-5e3, 5e3))
def test_places_and_metres_are_each_others_inverse(
    lat_deg: float, lon_deg: float, north_m: float, east_m: float
) -> None:
    plane = Plane(lat_deg, lon_deg)
    there = plane.north_east(*plane.place(north_m, east_m))
    assert there == pytest.approx((north_m, east_m), abs=1e-4)
