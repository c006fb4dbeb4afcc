"""The simulated copter answers commands as ArduCopter was observed to."""

import pytest
from pymavlink.dialects.v20 import ardupilotmega as dialect

from simulator.copter.copter import Settings
from simulator.copter.state import Landed, Mode, Result
from tests.unit.piloted import PLACE, PLANE, Pilot, square

ACCEPTED, DENIED, FAILED = Result.ACCEPTED, Result.DENIED, Result.FAILED


def test_arming_when_armed_is_accepted() -> None:
    pilot = Pilot()
    assert [pilot.arm(), pilot.arm()] == [ACCEPTED, ACCEPTED]
    assert pilot.copter.truth.is_armed


def test_a_take_off_in_the_air_fails_and_changes_nothing() -> None:
    pilot = Pilot()
    pilot.take_off(20.0)
    assert pilot.command(22, 0, 0, 0, 0, 0, 0, 50) is FAILED
    pilot.fly(10)
    assert pilot.copter.truth.height_m == pytest.approx(20.0, abs=0.2)
    assert pilot.copter.truth.take_offs == 1


def test_a_take_off_told_twice_before_it_rises_is_one_take_off() -> None:
    pilot = Pilot()
    pilot.mode(Mode.GUIDED)
    pilot.arm()
    assert [pilot.command(22, 0, 0, 0, 0, 0, 0, 9) for _ in range(2)] == [ACCEPTED, ACCEPTED]
    pilot.fly(20)
    assert pilot.copter.truth.take_offs == 1


def test_a_take_off_disarmed_fails() -> None:
    pilot = Pilot()
    pilot.mode(Mode.GUIDED)
    assert pilot.command(22, 0, 0, 0, 0, 0, 0, 10) is FAILED


@pytest.mark.parametrize("mode", [Mode.LOITER, Mode.STABILIZE])
def test_a_take_off_outside_guided_fails(mode: Mode) -> None:
    pilot = Pilot()
    pilot.mode(mode)
    pilot.arm()
    assert pilot.command(22, 0, 0, 0, 0, 0, 0, 10) is FAILED


def test_a_take_off_is_relative_to_home_or_denied() -> None:
    pilot = Pilot()
    pilot.mode(Mode.GUIDED)
    pilot.arm()
    pilot.send(dialect.MAVLink_command_int_message(1, 1, 0, 22, 0, 0, 0, 0, 0, 0, 0, 0, 10.0))
    assert pilot.last("COMMAND_ACK").result == DENIED


def test_disarming_in_the_air_fails_unless_it_is_forced() -> None:
    pilot = Pilot()
    pilot.take_off()
    assert pilot.command(400, 0) is FAILED
    assert pilot.copter.truth.is_armed
    assert pilot.command(400, 0, 21196) is ACCEPTED
    pilot.fly(10)
    truth = pilot.copter.truth
    assert truth.has_crashed
    assert truth.height_m == 0.0


def test_disarming_on_the_ground_is_accepted() -> None:
    pilot = Pilot()
    assert pilot.command(400, 0) is ACCEPTED
    pilot.arm()
    assert pilot.command(400, 0) is ACCEPTED
    assert not pilot.copter.truth.is_armed


def test_neither_arming_nor_disarming_is_not_supported() -> None:
    assert Pilot().command(400, 0.5) is Result.UNSUPPORTED


def test_a_reposition_into_a_zone_fails() -> None:
    pilot = Pilot(FENCE_ENABLE=1, FENCE_TYPE=4)
    assert pilot.upload(1, square(200, 0, 50)) == 0
    pilot.take_off()
    assert pilot.go_to(200, 0) is FAILED
    pilot.fly(5)
    assert pilot.north_east == pytest.approx((0, 0), abs=0.1)


def test_a_reposition_above_the_ceiling_fails() -> None:
    pilot = Pilot(FENCE_ENABLE=1, FENCE_TYPE=1, FENCE_ALT_MAX=60)
    pilot.take_off()
    assert pilot.go_to(10, 0, 60.5) is FAILED
    assert pilot.go_to(10, 0, 59) is ACCEPTED


def test_a_reposition_through_a_zone_is_accepted_and_breaches_it() -> None:
    pilot = Pilot(FENCE_ENABLE=1, FENCE_TYPE=4, FENCE_ACTION=1)
    pilot.upload(1, square(100, 0, 30))
    pilot.take_off()
    assert pilot.go_to(200, 0) is ACCEPTED
    pilot.fly(20)
    truth = pilot.copter.truth
    assert truth.breaches == 1
    assert truth.mode is Mode.RTL
    assert "Polygon fence breached" in pilot.texts


def test_a_reposition_needs_guided_or_the_leave_to_change_into_it() -> None:
    pilot = Pilot()
    pilot.take_off()
    pilot.mode(Mode.LOITER)
    assert pilot.go_to(50, 0) is DENIED
    assert pilot.command_at(192, PLANE.place(50, 0), 30.0, -1, 1) is ACCEPTED
    assert pilot.flies_in(Mode.GUIDED)
    pilot.fly(30)
    assert pilot.north_east == pytest.approx((50, 0), abs=0.3)


def test_a_place_off_the_earth_is_denied() -> None:
    pilot = Pilot()
    pilot.take_off()
    message = dialect.MAVLink_command_int_message(
        1, 1, 6, 192, 0, 0, -1, 0, 0, 0, 2_000_000_000, 0, 30.0
    )
    pilot.send(message)
    assert pilot.last("COMMAND_ACK").result == DENIED


def test_a_height_that_is_none_is_denied() -> None:
    pilot = Pilot()
    pilot.take_off()
    assert pilot.go_to(10, 0, float("nan")) is DENIED


def test_without_a_position_a_reposition_cannot_change_into_guided() -> None:
    pilot = Pilot()
    pilot.take_off()
    pilot.copter.lose_gnss()
    pilot.fly(9)
    assert pilot.flies_in(Mode.LAND)
    assert pilot.command_at(192, PLANE.place(50, 0), 30.0, -1, 1) is FAILED


def test_to_land_on_the_ground_is_to_disarm() -> None:
    pilot = Pilot()
    pilot.arm()
    assert pilot.mode(Mode.LAND) is ACCEPTED
    pilot.fly(0.2)
    assert not pilot.copter.truth.is_armed


def test_it_is_ready_43_seconds_after_boot_though_a_flag_says_so_18_seconds_too_early() -> None:
    pilot = Pilot(Settings(*PLACE))
    pilot.mode(Mode.GUIDED)

    def says_ready() -> bool:
        pilot.command(512, 1)
        return bool(pilot.last("SYS_STATUS").onboard_control_sensors_health & 0x1000_0000)

    pilot.fly(20)
    assert not says_ready()
    assert pilot.arm() is FAILED
    pilot.fly(6)
    assert says_ready()
    assert pilot.arm() is FAILED
    assert "Arm: Need Position Estimate" in pilot.texts
    pilot.fly(17)
    assert pilot.arm() is ACCEPTED


@pytest.mark.parametrize("mode", [Mode.RTL, Mode.LAND, Mode.BRAKE, Mode.AUTO])
def test_modes_that_fly_by_themselves_are_not_armed_in(mode: Mode) -> None:
    pilot = Pilot()
    assert pilot.mode(mode) is ACCEPTED
    assert pilot.arm() is FAILED
    assert f"Arm: {mode.name} mode not armable" in pilot.texts


def test_an_unknown_mode_fails_and_a_base_mode_alone_is_denied() -> None:
    pilot = Pilot()
    assert pilot.command(176, 1, 99) is FAILED
    assert pilot.command(176, 0, 4) is DENIED
    assert pilot.command(176, 1, float("nan")) is FAILED


def test_the_old_message_changes_the_mode_too() -> None:
    pilot = Pilot()
    pilot.send(dialect.MAVLink_set_mode_message(1, 1, 4))
    assert pilot.last("COMMAND_ACK").command == 11
    assert pilot.flies_in(Mode.GUIDED)


def test_an_unknown_command_is_not_supported_and_the_answer_names_who_asked() -> None:
    pilot = Pilot(system_id=42)
    assert pilot.command(31_000) is Result.UNSUPPORTED
    ack = pilot.last("COMMAND_ACK")
    assert (ack.target_system, ack.target_component) == (42, 190)


def test_a_command_for_another_system_is_not_answered() -> None:
    pilot = Pilot()
    pilot.send(dialect.MAVLink_command_long_message(2, 1, 400, 0, 1, 0, 0, 0, 0, 0, 0))
    assert not pilot.all("COMMAND_ACK")
    assert not pilot.copter.truth.is_armed


def test_it_disarms_when_nothing_takes_off_within_ten_seconds() -> None:
    pilot = Pilot()
    pilot.mode(Mode.GUIDED)
    pilot.arm()
    pilot.fly(9)
    assert pilot.copter.truth.is_armed
    pilot.fly(2)
    assert not pilot.copter.truth.is_armed


def test_it_says_what_it_does_on_the_way_up_and_down() -> None:
    pilot = Pilot()
    assert pilot.is_now(Landed.ON_GROUND)
    pilot.mode(Mode.GUIDED)
    pilot.arm()
    pilot.command(22, 0, 0, 0, 0, 0, 0, 10)
    pilot.fly(4)
    assert pilot.is_now(Landed.TAKING_OFF)
    pilot.fly(12)
    assert pilot.is_now(Landed.IN_AIR)
    assert pilot.command(21) is ACCEPTED
    assert pilot.is_now(Landed.LANDING)
    pilot.fly_until_landed()
    assert pilot.is_now(Landed.ON_GROUND)


def test_pictures_are_counted_and_the_operators_place_is_kept() -> None:
    pilot = Pilot()
    assert pilot.command(2000, 0, 0, 1) is ACCEPTED
    pilot.send(
        dialect.MAVLink_open_drone_id_system_update_message(
            1, 1, 520_000_000, 130_000_000, 41.0, 1_000
        )
    )
    assert pilot.copter.truth.pictures == 1
    assert pilot.copter.truth.operator == pytest.approx((52.0, 13.0, 41.0))


def test_a_speed_is_taken_in_guided_and_forgotten_when_the_kind_of_target_changes() -> None:
    pilot = Pilot()
    assert pilot.command(178, 1, 4) is FAILED
    pilot.take_off()
    pilot.go_to(500, 0)
    assert pilot.command(178, 1, 4) is ACCEPTED
    assert pilot.command(178, 1, 0) is DENIED
    pilot.fly(15)
    assert pilot.copter.truth.north_mps == pytest.approx(4.0, abs=0.1)
    pilot.target((900, 0), mask=0xDC7)
    pilot.go_to(900, 0)
    pilot.fly(15)
    assert pilot.copter.truth.north_mps == pytest.approx(10.0, abs=0.1)


def test_climb_and_descent_have_speeds_of_their_own() -> None:
    pilot = Pilot()
    pilot.take_off()
    pilot.go_to(0, 0, 90)
    assert pilot.command(178, 2, 1.0) is ACCEPTED
    pilot.fly(10)
    assert pilot.copter.truth.up_mps == pytest.approx(1.0, abs=0.05)
    pilot.go_to(0, 0, 2)
    assert pilot.command(178, 3, 0.7) is ACCEPTED
    pilot.fly(10)
    assert pilot.copter.truth.up_mps == pytest.approx(-0.7, abs=0.05)


def test_it_turns_to_a_heading_when_told() -> None:
    pilot = Pilot()
    pilot.take_off()
    pilot.go_to(0, 0)
    assert pilot.command(115, 90, 0, 1, 0) is ACCEPTED
    pilot.fly(5)
    assert pilot.copter.state.body.heading_deg == pytest.approx(90)
    assert pilot.command(115, 45, 0, -1, 1) is ACCEPTED
    pilot.fly(5)
    assert pilot.copter.state.body.heading_deg == pytest.approx(45)
    assert pilot.command(115, 500) is FAILED


def test_termination_stops_the_motors_wherever_it_is() -> None:
    pilot = Pilot()
    pilot.take_off()
    assert pilot.command(185, 0) is FAILED
    assert pilot.command(185, 1) is ACCEPTED
    pilot.fly(8)
    assert pilot.copter.truth.has_crashed


def test_the_check_before_arming_says_what_is_wrong() -> None:
    pilot = Pilot(Settings(*PLACE))
    assert pilot.command(401) is ACCEPTED
    assert "PreArm: Need Position Estimate" in pilot.texts
    armed = Pilot()
    assert armed.command(401) is ACCEPTED
    assert not [text for text in armed.texts if text.startswith("PreArm")]
    armed.arm()
    assert armed.command(401) is Result.TEMPORARILY_REJECTED
