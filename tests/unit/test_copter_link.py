"""What the simulated copter says by itself and when asked, and what it makes of nonsense."""

import pytest
from pymavlink.dialects.v20 import ardupilotmega as dialect

from simulator.copter.copter import Settings
from simulator.copter.parameters import DEFAULTS, Parameters
from simulator.copter.state import Mode, Result
from tests.unit.piloted import PLACE, Pilot

NAN = float("nan")


def test_it_sends_hardly_anything_but_heartbeats_until_it_is_asked() -> None:
    pilot = Pilot()
    pilot.heard.clear()
    pilot.fly(10)
    assert {message.get_type() for message in pilot.heard} == {"HEARTBEAT"}
    assert len(pilot.all("HEARTBEAT")) == 10
    beat = pilot.last("HEARTBEAT")
    assert (beat.type, beat.autopilot, beat.custom_mode) == (2, 3, 0)


def test_the_heartbeat_tells_mode_arming_and_failsafe() -> None:
    pilot = Pilot(FS_GCS_ENABLE=1)
    pilot.mode(Mode.GUIDED)
    pilot.arm()
    pilot.fly(1)
    beat = pilot.last("HEARTBEAT")
    assert (beat.custom_mode, beat.base_mode & 128, beat.system_status) == (4, 128, 3)
    pilot.command(22, 0, 0, 0, 0, 0, 0, 10)
    pilot.fly(6)
    assert pilot.last("HEARTBEAT").system_status == 4
    pilot.beats = False
    pilot.fly(7)
    assert pilot.last("HEARTBEAT").system_status == 5


def test_a_message_comes_as_often_as_it_was_asked_for() -> None:
    pilot = Pilot()
    assert pilot.command(511, 33, 200_000) is Result.ACCEPTED
    assert pilot.command(511, 2, 1_000_000) is Result.ACCEPTED
    pilot.fly(10)
    assert len(pilot.all("GLOBAL_POSITION_INT")) == pytest.approx(50, abs=1)
    assert len(pilot.all("SYSTEM_TIME")) == pytest.approx(10, abs=1)
    assert pilot.command(510, 33) is Result.ACCEPTED
    assert pilot.last("MESSAGE_INTERVAL").interval_us == 200_000
    assert pilot.command(511, 33, -1) is Result.ACCEPTED
    pilot.heard.clear()
    pilot.fly(3)
    assert not pilot.all("GLOBAL_POSITION_INT")
    pilot.command(510, 33)
    assert pilot.last("MESSAGE_INTERVAL").interval_us == -1


def test_the_heartbeat_falls_back_to_once_a_second_and_all_can_be_switched_off() -> None:
    pilot = Pilot()
    pilot.command(511, 0, 100_000)
    pilot.command(511, 0, 0)
    pilot.heard.clear()
    pilot.fly(5)
    assert len(pilot.all("HEARTBEAT")) == 5
    pilot.command(511, 0, -1)
    pilot.heard.clear()
    pilot.fly(5)
    assert not pilot.heard


def test_unknown_messages_are_denied_at_an_interval_and_fail_when_requested() -> None:
    pilot = Pilot()
    assert pilot.command(511, 31_337, 1_000) is Result.DENIED
    assert pilot.command(511, 33, NAN) is Result.DENIED
    assert pilot.command(512, 31_337) is Result.FAILED
    assert pilot.command(510, 31_337) is Result.FAILED
    assert pilot.command(512, NAN) is Result.FAILED


def test_a_stream_switches_its_messages_on_and_off() -> None:
    pilot = Pilot()
    pilot.send(dialect.MAVLink_request_data_stream_message(1, 1, 6, 4, 1))
    pilot.fly(2)
    assert len(pilot.all("GLOBAL_POSITION_INT")) == pytest.approx(8, abs=1)
    pilot.send(dialect.MAVLink_request_data_stream_message(1, 1, 0, 4, 0))
    pilot.heard.clear()
    pilot.fly(2)
    assert not pilot.all("GLOBAL_POSITION_INT")


@pytest.mark.parametrize("number", [0, 1, 2, 24, 30, 33, 42, 74, 147, 148, 162, 168, 193, 242, 245])
def test_every_message_it_knows_can_be_requested(number: int) -> None:
    pilot = Pilot()
    assert pilot.command(512, number) is Result.ACCEPTED
    assert any(message.get_msgId() == number for message in pilot.heard)


def test_the_version_and_home_have_commands_of_their_own() -> None:
    pilot = Pilot()
    assert pilot.command(520) is Result.ACCEPTED
    assert pilot.last("AUTOPILOT_VERSION").flight_sw_version >> 16 == 0x0406
    assert pilot.command(410) is Result.ACCEPTED
    assert pilot.last("HOME_POSITION").altitude == 40_000


def test_simulated_time_is_told_twice_over() -> None:
    pilot = Pilot(Settings(*PLACE, start_unix_s=1_800_000_000.0))
    pilot.fly(59.5)
    pilot.command(512, 2)
    told = pilot.last("SYSTEM_TIME")
    assert told.time_boot_ms == 60_000
    assert told.time_unix_usec == 1_800_000_060_000_000


def test_its_clock_is_told_to_who_asks_for_it() -> None:
    pilot = Pilot()
    pilot.send(dialect.MAVLink_timesync_message(0, 42))
    assert (pilot.last("TIMESYNC").tc1, pilot.last("TIMESYNC").ts1) == (500_000_000, 42)
    pilot.heard.clear()
    pilot.send(dialect.MAVLink_timesync_message(1, 42))
    assert not pilot.heard


def test_place_height_and_speed_are_told_in_mavlinks_units() -> None:
    pilot = Pilot()
    pilot.take_off()
    pilot.go_to(200, 0)
    pilot.fly(10)
    pilot.command(512, 33)
    told, truth = pilot.last("GLOBAL_POSITION_INT"), pilot.copter.truth
    assert told.lat == pytest.approx(truth.lat_deg * 1e7, abs=1)
    assert (told.alt, told.relative_alt) == pytest.approx((70_000, 30_000), abs=100)
    assert told.vx == pytest.approx(truth.north_mps * 100, abs=1)
    pilot.command(512, 74)
    assert pilot.last("VFR_HUD").airspeed == pytest.approx(truth.north_mps, abs=0.01)


def test_before_there_is_a_fix_there_is_no_place() -> None:
    pilot = Pilot(Settings(*PLACE))
    pilot.command(512, 33)
    assert pilot.last("GLOBAL_POSITION_INT").lat == 0
    pilot.command(512, 24)
    assert pilot.last("GPS_RAW_INT").fix_type == 1
    pilot.command(512, 193)
    assert not pilot.last("EKF_STATUS_REPORT").flags & 16
    pilot.fly(10)
    pilot.command(512, 24)
    assert pilot.last("GPS_RAW_INT").fix_type == 6
    pilot.command(512, 33)
    assert pilot.last("GLOBAL_POSITION_INT").lat == 520_000_000


def test_a_home_that_is_not_known_yet_is_not_told() -> None:
    pilot = Pilot(Settings(*PLACE, ready_after_s=5.0))
    pilot.command(511, 242, 1e6)
    pilot.fly(4)
    assert not pilot.all("HOME_POSITION")
    pilot.fly(3)
    assert len(pilot.all("HOME_POSITION")) > 1


def test_what_is_wrong_shows_in_the_health_of_the_sensors() -> None:
    pilot = Pilot(FENCE_ENABLE=1, FENCE_TYPE=1, FENCE_ALT_MAX=20, BATT_LOW_MAH=4_999)
    pilot.copter.lose_gnss()
    pilot.copter.state.body.up_m = 30.0
    pilot.copter.drain(50)
    pilot.fly(3)
    pilot.command(512, 1)
    health = pilot.last("SYS_STATUS").onboard_control_sensors_health
    assert not health & (0x20 | 0x10_0000 | 0x200_0000 | 0x1000_0000)
    pilot.command(512, 162)
    assert pilot.last("FENCE_STATUS").breach_type == 2


def test_the_battery_is_told_as_the_parameters_count_it() -> None:
    pilot = Pilot()
    pilot.copter.drain(60)
    pilot.command(512, 147)
    told = pilot.last("BATTERY_STATUS")
    assert (told.current_consumed, told.battery_remaining) == (2_000, 60)
    pilot.copter.state.parameters["BATT_CAPACITY"] = 0
    pilot.command(512, 1)
    assert pilot.last("SYS_STATUS").battery_remaining == -1


def read(pilot: Pilot, name: str) -> float:
    pilot.heard.clear()
    pilot.send(dialect.MAVLink_param_request_read_message(1, 1, name.encode(), -1))
    value = pilot.last("PARAM_VALUE")
    assert value.param_id == name
    return float(value.param_value)


def test_parameters_are_read_and_set_and_unknown_ones_are_not_answered() -> None:
    pilot = Pilot()
    assert read(pilot, "FS_GCS_TIMEOUT") == 5
    pilot.send(dialect.MAVLink_param_set_message(1, 1, b"FS_GCS_TIMEOUT", 3.5, 9))
    assert pilot.last("PARAM_VALUE").param_value == 3.5
    assert read(pilot, "FS_GCS_TIMEOUT") == 3.5
    pilot.heard.clear()
    pilot.send(dialect.MAVLink_param_set_message(1, 1, b"FS_GCS_TIMEOUT", NAN, 9))
    pilot.send(dialect.MAVLink_param_set_message(1, 1, b"NO_SUCH", 1.0, 9))
    pilot.send(dialect.MAVLink_param_request_read_message(1, 1, b"NO_SUCH", -1))
    pilot.send(dialect.MAVLink_param_request_read_message(1, 1, b"", 9_999))
    assert not pilot.all("PARAM_VALUE")


def test_whole_numbers_stay_whole_and_within_what_they_are_stored_in() -> None:
    parameters = Parameters()
    assert parameters.set_from_wire("FENCE_TYPE", 3.4)
    assert parameters["FENCE_TYPE"] == 3
    parameters.set_from_wire("FENCE_TYPE", 9_999.0)
    assert parameters["FENCE_TYPE"] == 127
    with pytest.raises(KeyError):
        parameters["NO_SUCH"] = 1


def test_all_parameters_come_when_asked_for_each_once() -> None:
    pilot = Pilot()
    pilot.send(dialect.MAVLink_param_request_list_message(1, 1))
    pilot.fly(5)
    values = pilot.all("PARAM_VALUE")
    assert [value.param_index for value in values] == list(range(len(DEFAULTS)))
    assert {value.param_count for value in values} == {len(DEFAULTS)}
    pilot.send(dialect.MAVLink_param_request_read_message(1, 1, b"", 3))
    assert pilot.last("PARAM_VALUE").param_id == values[3].param_id


def test_newer_firmware_has_names_of_its_own_in_metres() -> None:
    pilot = Pilot(Settings(*PLACE, ready_after_s=0.0, new_names=True))
    assert read(pilot, "RTL_ALT_M") == 15
    assert read(pilot, "MAV_GCS_SYSID") == 255
    pilot.send(dialect.MAVLink_param_set_message(1, 1, b"RTL_ALT_M", 22.5, 9))
    assert pilot.copter.state.parameters["RTL_ALT"] == 2_250
    pilot.heard.clear()
    pilot.send(dialect.MAVLink_param_request_read_message(1, 1, b"RTL_ALT", -1))
    assert not pilot.heard
    pilot.command(520)
    assert pilot.last("AUTOPILOT_VERSION").flight_sw_version >> 16 == 0x0407


KEY = bytes(range(32))


def test_with_a_key_only_signed_messages_are_heard() -> None:
    config = Settings(*PLACE, ready_after_s=0.0, signing_key=KEY)
    signed = Pilot(config, key=KEY)
    assert signed.mode(Mode.GUIDED) is Result.ACCEPTED
    assert all(message.get_signed() for message in signed.heard)
    unsigned = Pilot(config)
    unsigned.heard.clear()
    unsigned.send(dialect.MAVLink_command_long_message(1, 1, 176, 0, 1, 4, 0, 0, 0, 0, 0))
    assert not unsigned.all("COMMAND_ACK")
    assert unsigned.copter.junk > 0
    before = unsigned.copter.junk
    unsigned.send(dialect.MAVLink_radio_status_message(1, 1, 1, 1, 1, 1, 1))
    assert unsigned.copter.junk == before
    other = Pilot(config, key=bytes(32))
    other.send(dialect.MAVLink_command_long_message(1, 1, 176, 0, 1, 4, 0, 0, 0, 0, 0))
    assert other.flies_in(Mode.STABILIZE)


def test_a_signed_message_is_taken_only_once() -> None:
    pilot = Pilot(Settings(*PLACE, ready_after_s=0.0, signing_key=KEY), key=KEY)
    arm = pilot.pack(dialect.MAVLink_command_long_message(1, 1, 400, 0, 1, 0, 0, 0, 0, 0, 0))
    disarm = pilot.pack(dialect.MAVLink_command_long_message(1, 1, 400, 0, 0, 0, 0, 0, 0, 0, 0))
    for data in (arm, disarm, arm):
        pilot.copter.receive(data)
    assert not pilot.copter.truth.is_armed
