import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.drone.autopilot import Arm, DroneStatus, Home, Landed, Mode, Prepare, Wind
from services.drone.geodesy import Place
from services.drone.mavlink.copter import ArduCopter
from services.drone.mavlink.shipped import load_profile
from services.drone.moment import Moment
from tests.unit.drone_mavlink_vehicle import UTC_MS, Link, Vehicle, mav

PREARM = mav.MAV_SYS_STATUS_PREARM_CHECK


def position(boot_ms: int = 60_000, heading: int = 9_000, lat: int = 525_000_000) -> Any:
    return mav.MAVLink_global_position_int_message(
        boot_ms, lat, 134_000_000, 84_500, 50_000, 300, -400, 250, heading
    )


def sys_status(
    *, enabled: int = PREARM, health: int = PREARM, current: int = 1800, pct: int = 81
) -> Any:
    return mav.MAVLink_sys_status_message(
        PREARM, enabled, health, 0, 15_200, current, pct, 0, 0, 0, 0, 0, 0
    )


def battery(consumed: int, number: int = 0, pct: int = 81) -> Any:
    return mav.MAVLink_battery_status_message(
        number, 0, 0, 0, [65_535] * 10, 1800, consumed, -1, pct
    )


def gps(fix: int = 3, satellites: int = 14) -> Any:
    return mav.MAVLink_gps_raw_int_message(0, fix, 0, 0, 0, 0, 0, 0, 0, satellites)


def ekf(flags: int) -> Any:
    return mav.MAVLink_ekf_status_report_message(flags, 0.1, 0.1, 0.1, 0.1, 0.1)


def complaints(link: Link) -> list[str]:
    return list(link.status.complaints)


def hear(link: Link, *messages: Any) -> DroneStatus:
    for message in messages:
        link.vehicle.say(message)
    link.exchange()
    return link.status


def test_nothing_is_known_of_an_autopilot_that_was_never_heard() -> None:
    assert Link().status == DroneStatus()


def test_place_speed_and_heading_come_in_units_of_people() -> None:
    link = Link().meet()
    seen = hear(link, position()).position
    assert seen is not None
    assert seen.place == Place(52.5, 13.4)
    assert (seen.altitude_m, seen.height_m, seen.heading_deg) == (84.5, 50.0, 90.0)
    assert (seen.north_mps, seen.east_mps, seen.up_mps) == (3.0, -4.0, -2.5)
    assert seen.at_s == link.now.s
    link.step(30.0)
    assert link.status.position == seen
    again = hear(link, position(61_000, 65_535)).position
    assert again is not None
    assert again.heading_deg == 90.0


@pytest.mark.parametrize(("lat", "lon"), [(0, 0), (900_000_001, 0), (1, -1_800_000_001)])
def test_a_place_that_is_none_is_not_taken(lat: int, lon: int) -> None:
    link = Link().meet()
    zeros = (0.0, 0.0, 0.0)
    status = hear(
        link,
        mav.MAVLink_global_position_int_message(1, lat, lon, 0, 0, 0, 0, 0, 0),
        mav.MAVLink_home_position_message(lat, lon, 0, *zeros, (1.0, *zeros), *zeros),
    )
    assert (status.position, status.home) == (None, None)


def test_home_and_wind_are_the_autopilots_own() -> None:
    link = Link().meet()
    zeros = (0.0, 0.0, 0.0)
    status = hear(
        link,
        mav.MAVLink_home_position_message(
            525_000_000, 134_000_000, 34_500, *zeros, (1.0, *zeros), *zeros
        ),
        mav.MAVLink_wind_message(-90.0, 6.5, 0.0),
    )
    assert status.home == Home(Place(52.5, 13.4), 34.5)
    assert status.wind == Wind(270.0, 6.5)
    assert hear(link, mav.MAVLink_wind_message(math.nan, 6.5, 0.0)).wind is None


@pytest.mark.parametrize(("number", "landed"), [
    (0, Landed.UNKNOWN), (1, Landed.ON_GROUND), (2, Landed.IN_AIR), (3, Landed.TAKING_OFF),
    (4, Landed.LANDING), (99, Landed.UNKNOWN),
])  # fmt: skip
def test_what_it_says_of_the_ground(number: int, landed: Landed) -> None:
    link = Link().meet()
    status = hear(link, mav.MAVLink_extended_sys_state_message(0, number))
    assert (status.landed, status.landed_s) == (landed, status.heard_s)
    link.step(6.0)
    assert link.status.landed is Landed.UNKNOWN


@pytest.mark.parametrize(("flags", "fix", "is_good"), [
    (16 | 2, 3, True), (16 | 2, 2, False), (16, 3, False), (2, 3, False), (16 | 2 | 128, 3, False),
    (16 | 2 | 1024, 3, False), (16 | 2 | 32_768, 3, False), (831, 6, True),
])  # fmt: skip
def test_a_position_is_good_by_the_estimators_word_and_a_fix(
    flags: int, fix: int, is_good: bool
) -> None:
    link = Link().meet()
    assert hear(link, gps(fix), ekf(flags)).is_position_good is is_good
    link.step(6.0)
    assert not link.status.is_position_good
    assert (link.status.has_fix, link.status.satellites) == (False, 0)


def test_satellites_are_counted_unless_it_does_not_know() -> None:
    link = Link().meet()
    assert hear(link, gps()).satellites == 14
    assert hear(link, gps(satellites=255)).satellites == 0


def test_it_would_arm_when_the_check_is_on_and_healthy() -> None:
    link = Link().meet()
    assert hear(link, sys_status()).is_prearm_good
    assert not hear(link, sys_status(health=0)).is_prearm_good
    assert not hear(link, sys_status(enabled=0)).is_prearm_good
    hear(link, sys_status())
    link.step(6.0)
    assert not link.status.is_prearm_good


def test_the_charge_is_finer_than_percents_where_the_capacity_is_known() -> None:
    link = Link().meet()
    status = hear(link, sys_status(), battery(963), battery(4000, number=1))
    assert status.battery_pct == pytest.approx(80.74)
    assert status.voltage_v == 15.2
    assert status.burn_pct_per_s == pytest.approx(18.0 * 1000 / 3600 / 5000 * 100)
    assert hear(link, sys_status(pct=60), battery(963, pct=60)).battery_pct == 60.0
    assert hear(link, sys_status(pct=-1), battery(9000, pct=-1)).battery_pct == 0.0
    assert hear(link, sys_status(pct=55, current=-1), battery(-1)).battery_pct == 55.0


def test_without_a_capacity_the_charge_is_what_it_says_and_the_burn_is_not_known() -> None:
    vehicle = Vehicle()
    del vehicle.parameters["BATT_CAPACITY"]
    link = Link(vehicle).meet()
    status = hear(link, sys_status(), battery(963))
    assert (status.battery_pct, status.burn_pct_per_s) == (81.0, None)
    link.step(6.0)
    assert link.status.battery_pct is None
    assert link.status.voltage_v is None


@pytest.mark.parametrize(("number", "mode", "name"), [
    (4, Mode.GUIDED, "GUIDED"), (3, Mode.AUTO, "AUTO"), (17, Mode.BRAKE, "BRAKE"),
    (6, Mode.RTL, "RTL"), (21, Mode.RTL, "SMART_RTL"), (9, Mode.LAND, "LAND"),
    (5, Mode.OTHER, "LOITER"), (99, Mode.OTHER, "mode 99"),
])  # fmt: skip
def test_modes_are_told_apart_by_the_profile(number: int, mode: Mode, name: str) -> None:
    link = Link().meet()
    link.vehicle.heartbeat(number, armed=True, state=mav.MAV_STATE_CRITICAL)
    link.exchange()
    status = link.status
    assert (status.mode, status.mode_name) == (mode, name)
    assert (status.is_armed, status.is_failsafe, status.heard_s) == (True, True, link.now.s)


def test_a_version_that_is_never_told_is_asked_for_five_times() -> None:
    link = Link()
    link.vehicle.heartbeat()
    link.exchange()
    link.step(60.0)
    assert len(link.vehicle.of("COMMAND_LONG", mav.MAV_CMD_REQUEST_MESSAGE)) == 5
    assert link.status.firmware == "ArduCopter"


def test_make_and_version_are_asked_for() -> None:
    link = Link()
    link.vehicle.heartbeat()
    link.exchange()
    assert link.status.firmware == "ArduCopter"
    (asked,) = link.vehicle.of("COMMAND_LONG", mav.MAV_CMD_REQUEST_MESSAGE)
    assert asked.param1 == 148
    version = 4 << 24 | 6 << 16 | 1 << 8
    eight, none = [0] * 8, [0] * 18
    for kind, name in ((255, "ArduCopter 4.6.1"), (0, "ArduCopter 4.6.1-dev")):
        said = mav.MAVLink_autopilot_version_message(
            0, version | kind, 0, 0, 0, eight, eight, eight, 0, 0, 0, none
        )
        assert hear(link, said).firmware == name
    link.step(30.0)
    assert len(link.vehicle.of("COMMAND_LONG", mav.MAV_CMD_REQUEST_MESSAGE)) == 1


def test_a_profile_without_a_capacity_asks_for_none() -> None:
    profile = replace(load_profile(), rows=())
    copter = ArduCopter(profile)
    vehicle = Vehicle()
    vehicle.heartbeat()
    copter.receive(vehicle.out.pop(), Moment(0.0, UTC_MS))
    (packet,) = copter.outgoing()
    assert vehicle.link.parse_buffer(packet)[0].get_type() == "COMMAND_LONG"


def test_lost_packets_are_counted_by_the_gaps_of_ten_seconds() -> None:
    link = Link().meet()
    link.step(11.0)
    assert link.status.loss_share == 0.0
    numbers = iter(range(10_000))
    link.vehicle.loses = lambda _message: next(numbers) % 4 == 0
    for _ in range(100):
        hear(link, gps())
    link.step(1.0)
    assert link.status.loss_share == pytest.approx(0.2, abs=0.06)
    link.vehicle.loses = lambda _message: False
    late = link.vehicle.say(gps())
    link.exchange()
    before = link.status.loss_share
    link.copter.receive(late, link.now)
    assert link.status.loss_share == before
    link.vehicle.loses = lambda _message: True
    link.step(11.0)
    assert link.status.loss_share == 1.0


def test_warnings_are_kept_for_a_minute_whole_and_printable() -> None:
    link = Link().meet()
    link.vehicle.text("information", severity=6)
    link.vehicle.text("  ")
    link.vehicle.text("Bad\x07 battery\nnow")
    link.vehicle.text("a" * 50, number=7, chunk=0)
    link.vehicle.text("b" * 50, number=7, chunk=1)
    link.vehicle.text("end", number=7, chunk=2)
    link.exchange()
    assert complaints(link) == ["Bad  battery now", "a" * 50 + "b" * 50 + "end"]
    link.step(61.0)
    assert complaints(link) == []


def test_a_text_whose_rest_is_lost_is_kept_as_far_as_it_came() -> None:
    link = Link().meet()
    link.vehicle.text("b" * 50, number=7, chunk=1)
    link.step(1.0)
    assert complaints(link) == []
    link.step(2.0)
    assert complaints(link) == ["b" * 50]


def test_texts_are_bounded_however_many_and_long_they_are() -> None:
    link = Link().meet()
    for number in range(1, 30):
        for chunk in range(0, 60, 2):
            link.vehicle.text("x" * 50, number=number, chunk=chunk)
        link.exchange()
    link.step(5.0)
    assert len(link.status.complaints) == 10
    assert max(len(text) for text in link.status.complaints) <= 200


def test_messages_are_asked_for_at_their_rates() -> None:
    link = Link(is_clock=True)
    link.vehicle.heartbeat()
    link.exchange()
    link.step(1.0)
    asked = link.vehicle.of("COMMAND_LONG", mav.MAV_CMD_SET_MESSAGE_INTERVAL)
    rates = {int(message.param1): 1e6 / message.param2 for message in asked}
    assert rates == {0: 2, 33: 10, 1: 2, 24: 2, 245: 2, 193: 2, 242: 1, 147: 1, 168: 1, 2: 10}


def test_what_stays_silent_is_asked_for_again_unless_it_was_refused() -> None:
    link = Link()
    command = mav.MAV_CMD_SET_MESSAGE_INTERVAL
    link.vehicle.results[command] = [*([0] * 8), 3]
    link.vehicle.heartbeat()
    link.exchange()
    link.step(9.0)
    link.vehicle.heard.clear()
    link.step(2.0)
    again = {int(message.param1) for message in link.vehicle.of("COMMAND_LONG", command)}
    assert again == {33, 1, 24, 245, 193, 242, 147}


def test_after_a_restart_all_is_unknown_and_asked_for_again() -> None:
    link = Link().meet()
    link.vehicle.heartbeat(4, armed=True)
    hear(link, position(), gps(), ekf(18), sys_status(), battery(963))
    link.vehicle.heard.clear()
    status = hear(link, mav.MAVLink_system_time_message(0, 900))
    assert (status.position, status.battery_pct, status.home) == (None, None, None)
    assert (status.is_armed, status.mode, status.has_fix) == (False, Mode.OTHER, False)
    link.step(1.0)
    assert len(link.vehicle.of("COMMAND_LONG", mav.MAV_CMD_SET_MESSAGE_INTERVAL)) == 9
    assert [m.param_id for m in link.vehicle.of("PARAM_REQUEST_READ")] == ["BATT_CAPACITY"]


def test_a_packet_that_comes_late_is_no_restart() -> None:
    link = Link().meet()
    hear(link, position(60_000))
    hear(link, position(59_500))
    assert link.vehicle.of("COMMAND_LONG") == []
    hear(link, position(60_100), position(58_000))
    assert link.vehicle.of("COMMAND_LONG") != []


def test_two_autopilots_that_say_the_same_ids_are_refused_on_the_ground() -> None:
    link = Link().meet()
    for _ in range(3):
        hear(link, position(900_000), position(1_000))
    assert link.status.refusal.startswith("two autopilots say that they are system 1")
    link.step(11.0)
    assert link.status.refusal == ""


@pytest.mark.parametrize(("autopilot", "kind", "words"), [
    (mav.MAV_AUTOPILOT_PX4, mav.MAV_TYPE_QUADROTOR, "PX4 is not flown"),
    (mav.MAV_AUTOPILOT_GENERIC, mav.MAV_TYPE_QUADROTOR, "GENERIC is not flown"),
    (199, mav.MAV_TYPE_QUADROTOR, "MAV_AUTOPILOT 199 is not flown"),
    (mav.MAV_AUTOPILOT_ARDUPILOTMEGA, mav.MAV_TYPE_FIXED_WING, "type FIXED_WING is not flown"),
])  # fmt: skip
def test_what_has_no_profile_is_refused_by_name_and_gets_heartbeats_only(
    autopilot: int, kind: int, words: str
) -> None:
    link = Link(Vehicle(autopilot=autopilot, kind=kind))
    link.vehicle.heartbeat()
    link.exchange()
    link.step(5.0)
    assert words in link.status.refusal
    link.perform(1, Arm())
    link.perform(2, Prepare((), 80.0, 30.0))
    link.step(2.0)
    assert words in link.results[0].detail
    preparation = link.status.preparation
    assert preparation is not None
    assert words in preparation.problems[0]
    assert {message.get_type() for message in link.vehicle.heard} == {"HEARTBEAT"}


def test_only_the_first_autopilot_is_heard() -> None:
    link = Link(Vehicle(system=9))
    others = [Vehicle(system=255, kind=mav.MAV_TYPE_GCS, autopilot=8),
              Vehicle(system=3, component=154), Vehicle(system=3)]  # fmt: skip
    for vehicle in (*others, link.vehicle):
        vehicle.heartbeat(4)
        link.copter.receive(vehicle.out.pop(), link.now)
    for vehicle in (*others, link.vehicle):
        vehicle.say(position(lat=vehicle.link.srcSystem * 1_000_000))
        link.copter.receive(vehicle.out.pop(), link.now)
    seen = link.status.position
    assert seen is not None
    assert seen.place.lat_deg == 3 / 10


def test_another_make_under_the_same_ids_does_not_confuse() -> None:
    link = Link().meet()
    twin = Vehicle(autopilot=mav.MAV_AUTOPILOT_PX4)
    twin.heartbeat(9, armed=True)
    link.copter.receive(twin.out.pop(), link.now)
    assert not link.status.is_armed
    assert link.status.refusal == ""


@settings(max_examples=150, deadline=None)
@given(st.lists(st.one_of(st.binary(max_size=80), st.integers(0, 3)), max_size=12))
def test_junk_is_counted_and_what_is_right_between_it_is_heard(parts: list[bytes | int]) -> None:
    vehicle = Vehicle()
    whole = [vehicle.say(message) for message in (gps(), sys_status(), position(), ekf(18))]
    copter = ArduCopter(load_profile())
    now = Moment(0.0, UTC_MS)
    for part in parts:
        copter.receive(whole[part] if isinstance(part, int) else part, now)
    copter.receive(bytes(300), now)
    copter.receive(vehicle.say(mav.MAVLink_heartbeat_message(2, 3, 1, 4, 3, 3)), now)
    copter.turn(now)
    assert copter.status(now).heard_s == 0.0


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_message_of_the_autopilot_ends_the_loop(data: st.DataObject) -> None:
    number = data.draw(st.sampled_from(
        [0, 1, 2, 22, 24, 33, 40, 44, 47, 51, 73, 77, 147, 148, 168, 193, 242, 245, 253, 345]
    ))  # fmt: skip
    cls = mav.mavlink_map[number]
    size = cls.unpacker.size
    payload = data.draw(st.binary(min_size=size, max_size=size))
    link = Link().meet()
    header = bytes([0xFD, size, 0, 0, 0, 1, 1, number & 255, number >> 8, 0])
    checksum = mav.x25crc(header[1:] + payload)
    checksum.accumulate(bytes([cls.crc_extra]))
    link.copter.receive(header + payload + checksum.crc.to_bytes(2, "little"), link.now)
    link.copter.turn(link.now)
    link.copter.outgoing()
    assert link.status.loss_share >= 0


def test_a_message_that_stops_coming_is_asked_for_again_and_one_that_comes_is_not() -> None:
    link = Link().meet()
    for _ in range(10):
        hear(link, gps(), position())
        link.step(1.0)
    link.vehicle.heard.clear()
    for _ in range(8):
        hear(link, gps())
        link.step(1.0)
    command = mav.MAV_CMD_SET_MESSAGE_INTERVAL
    again = {int(message.param1) for message in link.vehicle.of("COMMAND_LONG", command)}
    assert 33 in again
    assert 24 not in again
