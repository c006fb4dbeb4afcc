"""Missions, fences and rally points go up and down, and AUTO flies them."""

import pytest
from pymavlink.dialects.v20 import ardupilotmega as dialect

from simulator.copter.items import Item
from simulator.copter.state import Landed, Mode, Result
from tests.unit.piloted import PLANE, Pilot, square

HOME = (16, 0.0, 0.0, 0.0, 0.0)
DELIVERY = [
    HOME,
    (22, 0.0, 0.0, 0.0, 25.0),
    (16, 3.0, 80.0, 0.0, 25.0),
    (16, 0.0, 80.0, 60.0, 30.0),
    (20, 0.0, 0.0, 0.0, 0.0),
]


def download(pilot: Pilot, list_type: int) -> list[dialect.MAVLink_message]:
    pilot.send(dialect.MAVLink_mission_request_list_message(1, 1, list_type))
    count = pilot.last("MISSION_COUNT")
    assert count.mission_type == list_type
    pilot.heard.clear()
    for number in range(count.count):
        pilot.send(dialect.MAVLink_mission_request_int_message(1, 1, number, list_type))
    return pilot.all("MISSION_ITEM_INT")


@pytest.mark.parametrize(
    ("list_type", "items"),
    [(0, DELIVERY), (1, square(100, 50, 20)), (2, [(5100, 0.0, 10.0, 20.0, 30.0)])],
)
def test_what_goes_up_comes_down(
    list_type: int, items: list[tuple[int, float, float, float, float]]
) -> None:
    pilot = Pilot()
    assert pilot.upload(list_type, items) == 0
    back = download(pilot, list_type)
    assert [item.command for item in back] == [item[0] for item in items]
    for got, sent in zip(back, items, strict=True):
        place = PLANE.north_east(got.x * 1e-7, got.y * 1e-7)
        assert place == pytest.approx((sent[2], sent[3]), abs=0.02)
    pilot.send(dialect.MAVLink_mission_clear_all_message(1, 1, list_type))
    assert pilot.last("MISSION_ACK").type == 0
    assert download(pilot, list_type) == []


def test_an_item_that_is_lost_is_asked_for_again_and_given_up_in_the_end() -> None:
    pilot = Pilot()
    pilot.send(dialect.MAVLink_mission_count_message(1, 1, 2, 0))
    pilot.fly(1.5)
    assert [request.seq for request in pilot.all("MISSION_REQUEST")] == [0, 0]
    pilot.send(pilot.item(0, 0, HOME))
    assert pilot.last("MISSION_REQUEST").seq == 1
    pilot.fly(10)
    assert pilot.last("MISSION_ACK").type == 15
    assert pilot.copter.state.mission == ()


def test_an_item_out_of_turn_is_refused_and_the_right_one_still_taken() -> None:
    pilot = Pilot()
    pilot.send(dialect.MAVLink_mission_count_message(1, 1, 1, 0))
    pilot.send(pilot.item(0, 1, HOME))
    assert pilot.last("MISSION_ACK").type == 13
    pilot.send(pilot.item(0, 0, HOME))
    assert pilot.last("MISSION_ACK").type == 0


def test_an_item_that_nobody_asked_for_is_an_error() -> None:
    pilot = Pilot()
    pilot.send(pilot.item(0, 0, HOME))
    assert pilot.last("MISSION_ACK").type == 1


def test_a_second_writer_is_denied_while_the_first_writes() -> None:
    pilot = Pilot()
    pilot.send(dialect.MAVLink_mission_count_message(1, 1, 1, 0))
    pilot.codec.srcSystem = 77
    pilot.send(dialect.MAVLink_mission_count_message(1, 1, 1, 0))
    assert pilot.last("MISSION_ACK").type == 14
    pilot.send(pilot.item(0, 0, HOME))
    assert pilot.last("MISSION_ACK").type == 14
    pilot.send(dialect.MAVLink_mission_clear_all_message(1, 1, 0))
    assert pilot.last("MISSION_ACK").type == 1


def test_lists_that_do_not_exist_and_lists_too_long_are_refused() -> None:
    pilot = Pilot()
    pilot.send(dialect.MAVLink_mission_count_message(1, 1, 3, 9))
    assert pilot.last("MISSION_ACK").type == 3
    pilot.send(dialect.MAVLink_mission_count_message(1, 1, 5_000, 0))
    assert pilot.last("MISSION_ACK").type == 4
    pilot.send(dialect.MAVLink_mission_request_list_message(1, 1, 9))
    assert pilot.last("MISSION_ACK").type == 3
    pilot.send(dialect.MAVLink_mission_request_int_message(1, 1, 0, 9))
    assert pilot.last("MISSION_ACK").type == 3
    pilot.send(dialect.MAVLink_mission_request_int_message(1, 1, 0, 0))
    assert pilot.last("MISSION_ACK").type == 13
    pilot.send(dialect.MAVLink_mission_clear_all_message(1, 1, 9))
    assert pilot.last("MISSION_ACK").type == 3


@pytest.mark.parametrize(
    "items",
    [
        square(0, 0, 10)[:3],
        [(5002, 2.0, 0.0, 0.0, 0.0)] * 2,
        [(5004, 0.0, 0.0, 0.0, 0.0)],
        [*square(0, 0, 10)[:3], (5001, 4.0, 0.0, 0.0, 0.0)],
        [(5002, float("nan"), 0.0, 0.0, 0.0)] * 3,
    ],
)
def test_a_fence_that_is_none_is_refused_and_the_old_one_stays(
    items: list[tuple[int, float, float, float, float]],
) -> None:
    pilot = Pilot()
    pilot.upload(1, square(100, 0, 10))
    assert pilot.upload(1, items) == 1
    assert len(pilot.copter.state.fence) == 1
    assert pilot.copter.state.parameters["FENCE_TOTAL"] == 4


def test_items_of_another_kind_of_list_or_off_the_earth_are_refused() -> None:
    pilot = Pilot()
    assert pilot.upload(1, [HOME]) == 3
    assert pilot.upload(0, [(5002, 3.0, 0.0, 0.0, 0.0)]) == 3
    assert pilot.upload(2, [HOME]) == 3
    assert pilot.upload(0, [(16, 0.0, 0.0, 0.0, float("inf"))]) == 5
    pilot.send(dialect.MAVLink_mission_count_message(1, 1, 1, 1))
    pilot.send(
        dialect.MAVLink_mission_item_int_message(
            1, 1, 0, 1, 5003, 0, 1, 10.0, 0.0, 0.0, 0.0, 0, 0, 0.0, 1
        )
    )
    assert pilot.last("MISSION_ACK").type == 2


def test_a_return_point_of_the_fence_is_kept_and_means_nothing() -> None:
    pilot = Pilot()
    assert pilot.upload(1, [(5000, 0.0, 0.0, 0.0, 0.0), *square(100, 0, 10)]) == 0
    assert len(pilot.copter.state.fence) == 1


def test_everything_is_cleared_at_once() -> None:
    pilot = Pilot()
    pilot.upload(0, DELIVERY)
    pilot.upload(1, square(100, 0, 10))
    pilot.send(dialect.MAVLink_mission_clear_all_message(1, 1, 255))
    assert pilot.copter.state.mission == ()
    assert pilot.copter.state.fence == ()


def test_auto_flies_the_mission_and_comes_home() -> None:
    pilot = Pilot()
    pilot.upload(0, DELIVERY)
    pilot.mode(Mode.GUIDED)
    pilot.arm()
    assert pilot.command(300) is Result.ACCEPTED
    pilot.fly_until_landed()
    assert [message.seq for message in pilot.all("MISSION_ITEM_REACHED")] == [1, 2, 3]
    assert pilot.north_east == pytest.approx((0, 0), abs=0.1)
    assert pilot.copter.truth.take_offs == 1


def test_auto_waits_on_the_ground_until_it_is_started() -> None:
    pilot = Pilot()
    pilot.upload(0, DELIVERY)
    pilot.mode(Mode.GUIDED)
    pilot.arm()
    assert pilot.mode(Mode.AUTO) is Result.ACCEPTED
    pilot.fly(8)
    assert pilot.copter.truth.is_on_ground
    assert pilot.command(300, 1) is Result.DENIED


def test_auto_is_refused_without_a_mission_or_without_its_take_off() -> None:
    pilot = Pilot()
    pilot.arm()
    assert pilot.mode(Mode.AUTO) is Result.FAILED
    assert pilot.command(300) is Result.FAILED
    pilot.upload(0, [HOME, (16, 0.0, 50.0, 0.0, 20.0)])
    assert pilot.mode(Mode.AUTO) is Result.FAILED
    assert "Mode change to AUTO failed: Missing Takeoff Cmd" in pilot.texts


def test_a_mission_may_end_with_a_landing_elsewhere() -> None:
    pilot = Pilot()
    speed = (178, 0.0, 0.0, 0.0, 0.0)
    pilot.upload(0, [HOME, (22, 0.0, 0.0, 0.0, 15.0), speed, (21, 0.0, 60.0, 0.0, 0.0)])
    pilot.mode(Mode.GUIDED)
    pilot.arm()
    pilot.command(300)
    while not pilot.is_now(Landed.LANDING):
        pilot.fly(0.5)
        assert pilot.copter.now_s < 100
    pilot.fly_until_landed()
    assert pilot.north_east == pytest.approx((60, 0), abs=0.3)


def test_a_mission_changes_the_speed_and_a_waypoint_without_a_place_is_here() -> None:
    pilot = Pilot()
    pilot.upload(0, [HOME, (22, 0.0, 0.0, 0.0, 15.0), (16, 0.0, 200.0, 0.0, 15.0), HOME])
    slower = Item(3, 178, (1.0, 4.0, 0.0, 0.0), 0, 0, 0.0)
    nowhere = Item(3, 16, (0.0, 0.0, 0.0, 0.0), 0, 0, 25.0)
    home, take_off, waypoint, _ = pilot.copter.state.mission
    pilot.copter.state.mission = (home, take_off, slower, waypoint, nowhere)
    pilot.mode(Mode.GUIDED)
    pilot.arm()
    pilot.command(300)
    pilot.fly(4)
    assert pilot.is_now(Landed.TAKING_OFF)
    pilot.fly(20)
    assert pilot.copter.truth.north_mps == pytest.approx(4.0, abs=0.05)
    pilot.fly(80)
    assert pilot.north_east == pytest.approx((200, 0), abs=0.2)
    assert pilot.copter.truth.height_m == pytest.approx(25, abs=0.1)


def test_on_the_ground_a_mission_begins_with_its_take_off_or_not_at_all() -> None:
    pilot = Pilot()
    pilot.upload(0, DELIVERY)
    pilot.mode(Mode.GUIDED)
    pilot.arm()
    pilot.command(300)
    pilot.command(224, 2)
    pilot.fly(8)
    assert pilot.copter.truth.is_on_ground


def test_a_mission_that_ends_in_the_air_hovers_there() -> None:
    pilot = Pilot()
    pilot.upload(0, [HOME, (22, 0.0, 0.0, 0.0, 15.0), (16, 0.0, 40.0, 0.0, 20.0)])
    pilot.take_off(15)
    pilot.mode(Mode.AUTO)
    pilot.command(224, 2)
    assert pilot.command(178, 1, 3) is Result.ACCEPTED
    pilot.fly(6)
    assert pilot.copter.truth.north_mps == pytest.approx(3.0, abs=0.1)
    pilot.fly(40)
    assert pilot.north_east == pytest.approx((40, 0), abs=0.2)
    assert pilot.is_now(Landed.IN_AIR)


def test_the_current_item_can_be_set_and_only_to_one_there_is() -> None:
    pilot = Pilot()
    pilot.upload(0, DELIVERY)
    pilot.send(dialect.MAVLink_mission_set_current_message(1, 1, 3))
    assert pilot.last("MISSION_CURRENT").seq == 3
    assert pilot.command(224, 2) is Result.ACCEPTED
    assert pilot.command(224, 50) is Result.FAILED
    pilot.heard.clear()
    pilot.send(dialect.MAVLink_mission_set_current_message(1, 1, 50))
    assert not pilot.all("MISSION_CURRENT")
