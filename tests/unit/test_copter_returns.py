"""Home, the way back, and the landing of the simulated copter."""

import math

import pytest
from pymavlink.dialects.v20 import ardupilotmega as dialect

from simulator.copter.copter import Settings
from simulator.copter.state import Mode, Result
from tests.unit.piloted import PLACE, PLANE, Pilot


def landing_error_m(pilot: Pilot, north_m: float, east_m: float) -> float:
    landed_at = pilot.copter.truth.landed_at
    assert landed_at is not None
    return math.dist(PLANE.north_east(*landed_at), (north_m, east_m))


def away(pilot: Pilot) -> None:
    pilot.take_off()
    pilot.go_to(150, 0)
    pilot.fly(40)


def test_a_return_lands_at_home_and_disarms() -> None:
    pilot = Pilot()
    away(pilot)
    assert pilot.mode(Mode.RTL) is Result.ACCEPTED
    pilot.fly_until_landed()
    assert landing_error_m(pilot, 0, 0) < 0.1
    assert pilot.flies_in(Mode.RTL)


def test_a_return_goes_to_the_home_that_was_moved_before_it_began() -> None:
    pilot = Pilot()
    away(pilot)
    assert pilot.set_home(0, 100) is Result.ACCEPTED
    pilot.mode(Mode.RTL)
    pilot.fly_until_landed()
    assert landing_error_m(pilot, 0, 100) < 0.1


def test_a_return_ignores_a_home_moved_after_it_began() -> None:
    pilot = Pilot()
    away(pilot)
    pilot.mode(Mode.RTL)
    pilot.fly(3)
    assert pilot.set_home(0, 100) is Result.ACCEPTED
    assert pilot.mode(Mode.RTL) is Result.ACCEPTED
    pilot.fly_until_landed()
    assert landing_error_m(pilot, 0, 0) < 0.1
    assert pilot.copter.truth.home == pytest.approx(PLANE.place(0, 100))


def test_a_brake_in_between_lets_the_return_take_the_new_home() -> None:
    pilot = Pilot()
    away(pilot)
    pilot.mode(Mode.RTL)
    pilot.fly(3)
    pilot.set_home(0, 100)
    assert pilot.mode(Mode.BRAKE) is Result.ACCEPTED
    assert pilot.mode(Mode.RTL) is Result.ACCEPTED
    pilot.fly_until_landed()
    assert landing_error_m(pilot, 0, 100) < 0.1


def test_a_brake_stops_within_a_few_metres_and_holds_the_height() -> None:
    pilot = Pilot()
    pilot.take_off()
    pilot.go_to(500, 0)
    pilot.fly(15)
    before = pilot.north_east
    pilot.mode(Mode.BRAKE)
    pilot.fly(6)
    assert math.dist(before, pilot.north_east) < 15
    assert pilot.copter.truth.north_mps == pytest.approx(0, abs=0.05)
    assert pilot.copter.truth.height_m == pytest.approx(30, abs=0.2)


def test_a_return_climbs_to_its_height_first() -> None:
    pilot = Pilot(RTL_ALT=6_000)
    away(pilot)
    pilot.mode(Mode.RTL)
    pilot.fly(8)
    assert pilot.north_east == pytest.approx((150, 0), abs=1.0)
    pilot.fly(12)
    assert pilot.copter.truth.height_m == pytest.approx(60, abs=0.5)


def test_a_return_near_home_climbs_only_inside_its_cone() -> None:
    pilot = Pilot(RTL_ALT=6_000)
    pilot.take_off(5)
    pilot.mode(Mode.RTL)
    highest_m = 0.0
    while pilot.copter.truth.is_armed:
        pilot.fly(0.5)
        highest_m = max(highest_m, pilot.copter.truth.height_m)
    assert highest_m == pytest.approx(7.5, abs=0.5)


def test_without_its_cone_a_return_climbs_to_its_height_anywhere() -> None:
    pilot = Pilot(RTL_ALT=3_000, RTL_CONE_SLOPE=0)
    pilot.take_off(5)
    pilot.mode(Mode.RTL)
    pilot.fly(15)
    assert pilot.copter.truth.height_m == pytest.approx(30, abs=0.5)


def test_on_the_ground_a_return_waits_to_be_disarmed() -> None:
    pilot = Pilot()
    pilot.arm()
    pilot.mode(Mode.RTL)
    pilot.fly(5)
    assert pilot.copter.truth.is_armed
    pilot.fly(6)
    assert not pilot.copter.truth.is_armed
    assert pilot.copter.truth.take_offs == 0


def test_a_return_stays_below_the_ceiling_of_the_fence() -> None:
    pilot = Pilot(RTL_ALT=6_000, FENCE_ENABLE=1, FENCE_TYPE=1, FENCE_ALT_MAX=40)
    away(pilot)
    pilot.mode(Mode.RTL)
    pilot.fly(15)
    assert pilot.copter.truth.height_m == pytest.approx(38, abs=0.5)
    assert pilot.copter.truth.breaches == 0


def test_a_return_waits_above_home_and_may_stay_there() -> None:
    pilot = Pilot(RTL_ALT_FINAL=500, RTL_LOIT_TIME=2_000)
    away(pilot)
    pilot.mode(Mode.RTL)
    pilot.fly(90)
    assert pilot.copter.truth.height_m == pytest.approx(5, abs=0.2)
    assert pilot.north_east == pytest.approx((0, 0), abs=0.1)


def test_a_rally_point_that_is_nearer_is_where_it_returns_to() -> None:
    pilot = Pilot()
    assert pilot.upload(2, [(5100, 0, 140, 40, 0), (5100, 0, 150, 900, 0)]) == 0
    away(pilot)
    pilot.mode(Mode.RTL)
    pilot.fly_until_landed()
    assert landing_error_m(pilot, 140, 40) < 0.1


def test_landing_holds_the_place_where_it_began() -> None:
    pilot = Pilot(Settings(*PLACE, ready_after_s=0.0, wind_mps=8.0, wind_from_deg=90.0))
    away(pilot)
    pilot.mode(Mode.LAND)
    pilot.fly_until_landed()
    assert landing_error_m(pilot, 150, 0) < 0.3


def test_the_last_ten_metres_of_a_landing_are_slow() -> None:
    pilot = Pilot()
    pilot.take_off()
    pilot.mode(Mode.LAND)
    pilot.fly(8)
    assert pilot.copter.truth.up_mps == pytest.approx(-1.5, abs=0.05)
    while pilot.copter.truth.height_m > 8:
        pilot.fly(0.2)
    assert pilot.copter.truth.up_mps == pytest.approx(-0.5, abs=0.05)


def test_arming_moves_home_to_where_it_stands_unless_somebody_set_it() -> None:
    pilot = Pilot()
    pilot.copter.carry_to(*PLANE.place(0, 40))
    pilot.arm()
    assert pilot.copter.truth.home == pytest.approx(PLANE.place(0, 40))
    pilot.command(400, 0)
    pilot.set_home(0, 10)
    pilot.copter.carry_to(*PLANE.place(0, 80))
    pilot.arm()
    assert pilot.copter.truth.home == pytest.approx(PLANE.place(0, 10))


def test_home_is_set_here_when_no_place_is_given_and_is_told_at_once() -> None:
    pilot = Pilot()
    away(pilot)
    pilot.heard.clear()
    assert pilot.command(179, 1) is Result.ACCEPTED
    here = pilot.copter.truth
    assert here.home == pytest.approx((here.lat_deg, here.lon_deg))
    assert pilot.last("HOME_POSITION").latitude == pytest.approx(here.lat_deg * 1e7, abs=2)


def test_home_is_not_set_before_there_is_a_position() -> None:
    pilot = Pilot(Settings(*PLACE))
    assert pilot.command(179, 1) is Result.FAILED
    assert pilot.set_home(0, 10) is Result.FAILED
    assert pilot.command(410) is Result.FAILED
    assert pilot.copter.truth.home is None


def test_a_home_in_an_unknown_frame_is_denied() -> None:
    pilot = Pilot()
    pilot.send(dialect.MAVLink_command_int_message(1, 1, 2, 179, 0, 0, 0, 0, 0, 0, 1, 1, 0.0))
    assert pilot.last("COMMAND_ACK").result == Result.DENIED


def test_it_flies_again_after_it_landed() -> None:
    pilot = Pilot()
    away(pilot)
    pilot.mode(Mode.RTL)
    pilot.fly_until_landed()
    away(pilot)
    assert pilot.copter.truth.take_offs == 2
