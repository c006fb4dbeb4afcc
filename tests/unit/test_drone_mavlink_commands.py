import math

import pytest

from services.drone.autopilot import (
    Arm,
    Disarm,
    GoTo,
    HomeHere,
    Mode,
    MoveHome,
    OperatorAt,
    Result,
    SetMode,
    TakeOff,
    TakePicture,
    Track,
)
from services.drone.geodesy import Place
from services.drone.moment import Moment
from tests.unit.drone_mavlink_vehicle import UTC_MS, Link, Vehicle, mav

PLACE = Place(52.5, 13.4)


def home(link: Link) -> None:
    zeros = (0.0, 0.0, 0.0)
    link.vehicle.say(mav.MAVLink_home_position_message(
        525_000_000, 134_000_000, 34_500, *zeros, (1.0, *zeros), *zeros
    ))  # fmt: skip
    link.exchange()


def test_a_heartbeat_goes_out_twice_a_second_and_only_when_time_passes() -> None:
    link = Link()
    link.step(5.0, beat=False)
    beats = link.vehicle.of("HEARTBEAT")
    assert len(beats) == 10
    assert {(beat.get_srcSystem(), beat.type) for beat in beats} == {(247, mav.MAV_TYPE_GCS)}
    link.vehicle.heartbeat()
    link.copter.receive(link.vehicle.out.pop(), Moment(2000.0, UTC_MS))
    names = [link.vehicle.link.parse_buffer(packet)[0].get_type()
             for packet in link.copter.outgoing()]  # fmt: skip
    assert "HEARTBEAT" not in names


def test_before_an_autopilot_is_heard_nothing_but_heartbeats_is_sent() -> None:
    link = Link()
    link.perform(1, Arm())
    link.perform(2, Track(PLACE, 10.0))
    link.perform(3, OperatorAt(PLACE))
    link.step(3.0, beat=False)
    assert link.results == [Result(1, "failed", "no autopilot has been heard yet")]
    assert {message.get_type() for message in link.vehicle.heard} == {"HEARTBEAT"}


def test_an_unanswered_command_is_sent_three_times_with_a_growing_confirmation() -> None:
    link = Link().meet()
    link.vehicle.results[mav.MAV_CMD_COMPONENT_ARM_DISARM] = []
    link.perform(7, Arm())
    link.step(0.9)
    assert len(link.vehicle.of("COMMAND_LONG")) == 1
    link.step(5.0)
    sent = link.vehicle.of("COMMAND_LONG")
    assert [message.confirmation for message in sent] == [0, 1, 2]
    assert {message.param1 for message in sent} == {1.0}
    assert link.results == [Result(7, "timeout")]


def test_a_take_off_is_sent_once_and_never_again() -> None:
    link = Link().meet()
    link.vehicle.results[mav.MAV_CMD_NAV_TAKEOFF] = []
    link.perform(8, TakeOff(12.5))
    link.step(20.0)
    (sent,) = link.vehicle.of("COMMAND_LONG", mav.MAV_CMD_NAV_TAKEOFF)
    assert (sent.param7, sent.confirmation) == (12.5, 0)
    assert link.results == [Result(8, "timeout")]


def test_in_progress_gives_it_more_time_and_nothing_is_repeated() -> None:
    link = Link().meet()
    command = mav.MAV_CMD_NAV_TAKEOFF
    link.vehicle.results[command] = [mav.MAV_RESULT_IN_PROGRESS]
    link.perform(9, TakeOff(10.0))
    link.step(8.0)
    assert link.results == []
    link.vehicle.say(mav.MAVLink_command_ack_message(command, 0, 0, 0, 247, 190))
    link.exchange()
    assert link.results == [Result(9, "accepted")]
    assert len(link.vehicle.of("COMMAND_LONG", command)) == 1


def test_in_progress_for_ever_ends_in_a_timeout() -> None:
    link = Link().meet()
    link.vehicle.results[mav.MAV_CMD_COMPONENT_ARM_DISARM] = [mav.MAV_RESULT_IN_PROGRESS]
    link.perform(9, Arm())
    link.step(12.0)
    assert link.results == [Result(9, "timeout")]


@pytest.mark.parametrize(
    ("result", "outcome"),
    [(0, "accepted"), (1, "denied"), (2, "denied"), (3, "unsupported"), (4, "failed"),
     (6, "failed"), (7, "unsupported"), (8, "unsupported"), (9, "unsupported"), (77, "failed")],
)  # fmt: skip
def test_what_the_autopilot_answers_becomes_an_outcome(result: int, outcome: str) -> None:
    link = Link().meet()
    link.vehicle.results[mav.MAV_CMD_COMPONENT_ARM_DISARM] = [result]
    link.perform(3, Disarm())
    link.step(1.0)
    assert [(got.id, got.outcome) for got in link.results] == [(3, outcome)]


def test_a_refusal_comes_with_the_words_that_follow_it() -> None:
    link = Link().meet()
    link.vehicle.text("before: not of this command")
    link.step(0.2)
    link.vehicle.results[mav.MAV_CMD_COMPONENT_ARM_DISARM] = [mav.MAV_RESULT_FAILED]
    link.perform(3, Arm())
    link.vehicle.text("Arm: compass not healthy")
    link.step(0.2)
    assert link.results == []
    link.step(0.2)
    assert link.results == [Result(3, "failed", "Arm: compass not healthy")]


def test_an_answer_to_another_station_or_command_is_none_of_ours() -> None:
    link = Link().meet()
    command = mav.MAV_CMD_COMPONENT_ARM_DISARM
    link.vehicle.results[command] = []
    link.perform(3, Arm())
    for other, system, component in ((command, 255, 190), (command, 247, 1), (400 + 1, 247, 190)):
        link.vehicle.say(mav.MAVLink_command_ack_message(other, 0, 0, 0, system, component))
    stranger = Vehicle(system=2)
    stranger.say(mav.MAVLink_command_ack_message(command, 0, 0, 0, 247, 190))
    link.copter.receive(stranger.out[0], link.now)
    link.exchange()
    assert link.results == []
    link.vehicle.say(mav.MAVLink_command_ack_message(command, 0, 0, 0, 0, 0))
    link.exchange()
    assert link.results == [Result(3, "accepted")]


def test_commands_of_one_id_go_out_one_after_the_other() -> None:
    link = Link().meet()
    command = mav.MAV_CMD_DO_SET_MODE
    link.vehicle.results[command] = []
    link.perform(1, SetMode(Mode.BRAKE))
    link.perform(2, SetMode(Mode.RTL))
    assert [message.param2 for message in link.vehicle.of("COMMAND_LONG")] == [17.0]
    link.vehicle.results[command] = [0]
    link.step(1.0)
    link.vehicle.say(mav.MAVLink_command_ack_message(command, 0, 0, 0, 247, 190))
    link.exchange()
    assert [message.param2 for message in link.vehicle.of("COMMAND_LONG")] == [17.0, 17.0, 6.0]
    assert [(got.id, got.outcome) for got in link.results] == [(1, "accepted"), (2, "accepted")]


def test_too_many_waiting_commands_of_one_id_are_refused() -> None:
    link = Link().meet()
    link.vehicle.results[mav.MAV_CMD_DO_SET_MODE] = []
    for number in range(18):
        link.perform(number, SetMode(Mode.LAND))
    link.step(0.5)
    assert [(got.id, got.outcome) for got in link.results] == [(17, "failed")]


def test_a_mode_that_is_nobodys_to_ask_for_is_refused() -> None:
    link = Link().meet()
    link.perform(1, SetMode(Mode.OTHER))
    assert link.results[0].outcome == "failed"
    assert link.vehicle.of("COMMAND_LONG") == []


def test_a_place_travels_as_integers_and_leaves_the_mode_alone() -> None:
    link = Link().meet()
    link.perform(4, GoTo(Place(-33.1234567, 151.7654321), 40.0, 7.5))
    (sent,) = link.vehicle.of("COMMAND_INT")
    assert (sent.command, sent.x, sent.y, sent.z) == (192, -331_234_567, 1_517_654_321, 40.0)
    assert sent.frame == mav.MAV_FRAME_GLOBAL_RELATIVE_ALT_INT
    assert (sent.param1, sent.param2) == (-1.0, 0.0)
    assert math.isnan(sent.param4)
    (speed,) = link.vehicle.of("COMMAND_LONG", mav.MAV_CMD_DO_CHANGE_SPEED)
    assert (speed.param1, speed.param2) == (1.0, 7.5)
    assert link.results == [Result(4, "accepted")]


def test_a_place_without_a_speed_or_one_refused_changes_no_speed() -> None:
    link = Link().meet()
    link.perform(4, GoTo(PLACE, 40.0))
    link.vehicle.results[mav.MAV_CMD_DO_REPOSITION] = [mav.MAV_RESULT_FAILED]
    link.perform(5, GoTo(PLACE, 40.0, 5.0))
    link.step(1.0)
    assert link.vehicle.of("COMMAND_LONG") == []
    assert [got.outcome for got in link.results] == ["accepted", "failed"]


def test_home_moves_on_the_ground_and_keeps_its_altitude() -> None:
    link = Link().meet()
    link.perform(1, MoveHome(PLACE))
    assert link.results.pop().outcome == "failed"
    home(link)
    link.perform(2, MoveHome(Place(52.6, 13.5)))
    (sent,) = link.vehicle.of("COMMAND_INT")
    assert (sent.command, sent.frame) == (mav.MAV_CMD_DO_SET_HOME, mav.MAV_FRAME_GLOBAL)
    assert (sent.x, sent.y, sent.z, sent.param1) == (526_000_000, 135_000_000, 34.5, 0.0)
    assert link.results == [Result(2, "accepted")]


def test_home_is_where_it_stands_when_that_is_asked_for() -> None:
    link = Link().meet()
    link.perform(1, HomeHere())
    (sent,) = link.vehicle.of("COMMAND_LONG")
    assert (sent.command, sent.param1) == (mav.MAV_CMD_DO_SET_HOME, 1.0)
    assert link.results == [Result(1, "accepted")]


def test_a_moving_place_is_sent_with_its_velocity_and_without_a_yaw_unless_given() -> None:
    link = Link().meet()
    link.perform(1, Track(PLACE, 15.0, (1.0, 2.0, 3.0)))
    link.perform(2, Track(PLACE, 15.0, (0.0, 0.0, 0.0), 270.0))
    first, second = link.vehicle.of("SET_POSITION_TARGET_GLOBAL_INT")
    assert (first.lat_int, first.lon_int, first.alt) == (525_000_000, 134_000_000, 15.0)
    assert (first.vx, first.vy, first.vz) == (1.0, 2.0, -3.0)
    assert first.coordinate_frame == mav.MAV_FRAME_GLOBAL_RELATIVE_ALT_INT
    assert (first.type_mask, second.type_mask) == (0b1101_1100_0000, 0b1001_1100_0000)
    assert second.yaw == pytest.approx(-math.pi / 2)
    assert link.results == []


def test_the_operator_is_where_the_car_is() -> None:
    link = Link().meet()
    link.perform(1, OperatorAt(PLACE, 40.0))
    link.perform(2, OperatorAt(PLACE))
    first, second = link.vehicle.of("OPEN_DRONE_ID_SYSTEM_UPDATE")
    assert (first.operator_latitude, first.operator_altitude_geo) == (525_000_000, 40.0)
    assert second.operator_altitude_geo == -1000.0
    assert first.timestamp == link.now.utc_ms // 1000 - 1_546_300_800


def test_every_picture_has_its_own_number() -> None:
    link = Link().meet()
    link.perform(1, TakePicture())
    link.perform(2, TakePicture())
    sent = link.vehicle.of("COMMAND_LONG", mav.MAV_CMD_IMAGE_START_CAPTURE)
    assert [(message.param3, message.param4) for message in sent] == [(1.0, 1.0), (1.0, 2.0)]


def test_a_late_answer_to_an_earlier_try_is_not_taken_for_the_next_commands() -> None:
    link = Link().meet()
    command = mav.MAV_CMD_DO_SET_MODE
    link.vehicle.results[command] = []
    link.perform(1, SetMode(Mode.BRAKE))
    link.perform(2, SetMode(Mode.RTL))
    link.step(1.5)
    for _ in range(2):
        link.vehicle.say(mav.MAVLink_command_ack_message(command, 0, 0, 0, 247, 190))
    link.exchange()
    assert link.results == [Result(1, "accepted")]
    link.vehicle.results[command] = [mav.MAV_RESULT_DENIED]
    link.step(2.0)
    assert [(got.id, got.outcome) for got in link.results] == [(1, "accepted"), (2, "denied")]


def test_late_answers_are_waited_for_no_longer_than_two_seconds() -> None:
    link = Link().meet()
    command = mav.MAV_CMD_COMPONENT_ARM_DISARM
    link.vehicle.results[command] = []
    link.perform(1, Arm())
    link.step(6.0)
    link.vehicle.results[command] = [0]
    link.perform(2, Disarm())
    assert link.results == [Result(1, "timeout"), Result(2, "accepted")]


def test_an_answer_that_comes_when_nothing_is_asked_is_counted_off() -> None:
    link = Link().meet()
    command = mav.MAV_CMD_COMPONENT_ARM_DISARM
    link.vehicle.results[command] = []
    link.perform(1, Arm())
    link.step(1.5)
    for _ in range(2):
        link.vehicle.say(mav.MAVLink_command_ack_message(command, 0, 0, 0, 247, 190))
    link.exchange()
    link.vehicle.results[command] = [0]
    link.perform(2, Disarm())
    assert link.results == [Result(1, "accepted"), Result(2, "accepted")]


def test_a_restart_ends_what_was_asked_before_it() -> None:
    link = Link().meet()
    link.vehicle.results[mav.MAV_CMD_DO_SET_MODE] = []
    link.perform(1, SetMode(Mode.BRAKE))
    link.perform(2, SetMode(Mode.RTL))
    for boot_ms in (60_000, 1_000):
        link.vehicle.say(mav.MAVLink_system_time_message(0, boot_ms))
    link.exchange()
    assert link.results == [Result(1, "timeout"), Result(2, "timeout")]
    link.step(5.0)
    assert len(link.vehicle.of("COMMAND_LONG", mav.MAV_CMD_DO_SET_MODE)) == 1
