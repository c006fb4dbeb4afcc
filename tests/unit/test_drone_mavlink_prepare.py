from collections.abc import Callable
from typing import Any

import pytest

from services.drone.autopilot import FenceArea, Preparation, Prepare
from services.drone.geodesy import Place
from tests.unit.drone_mavlink_vehicle import Link, mav

ZONE = FenceArea((Place(52.0, 13.0), Place(52.1, 13.0), Place(52.1, 13.1)))
FIELD = FenceArea((*ZONE.corners, Place(52.0, 13.1)), is_inclusion=True)
PREPARE = Prepare((ZONE, FIELD), ceiling_m=80.0, return_height_m=32.5)


def prepared(link: Link, intent: Prepare = PREPARE, seconds: float = 30.0) -> Preparation:
    link.perform(5, intent)
    link.step(seconds)
    preparation = link.status.preparation
    assert preparation is not None
    assert preparation.is_done
    assert link.results == []
    return preparation


def test_what_differs_is_written_read_again_and_reported() -> None:
    link = Link().meet()
    preparation = prepared(link)
    assert (preparation.id, preparation.problems) == (5, ())
    values = link.vehicle.parameters
    assert values["SYSID_MYGCS"] == 247
    assert (values["FENCE_ALT_MAX"], values["FENCE_TYPE"], values["RTL_ALT"]) == (80.0, 5.0, 3250.0)
    assert (values["BATT_LOW_MAH"], values["BATT_CRT_MAH"]) == (750.0, 400.0)
    assert values["FS_OPTIONS"] == 0.0
    assert "SYSID_MYGCS 255 → 247" in preparation.written
    assert not any(words.startswith("FS_GCS_TIMEOUT") for words in preparation.written)
    again = prepared(link)
    assert (again.problems, again.written) == ((), ())


def test_a_newer_name_with_another_unit_is_found_by_itself() -> None:
    link = Link().meet()
    for old, new in (("RTL_ALT", "RTL_ALT_M"), ("SYSID_MYGCS", "MAV_GCS_SYSID")):
        link.vehicle.parameters[new] = link.vehicle.parameters.pop(old)
    assert prepared(link).problems == ()
    assert link.vehicle.parameters["RTL_ALT_M"] == 32.5
    assert link.vehicle.parameters["MAV_GCS_SYSID"] == 247


def test_a_value_that_cannot_be_written_keeps_it_on_the_ground_in_words() -> None:
    link = Link().meet()
    link.vehicle.read_only = {"FS_GCS_ENABLE"}
    (problem,) = prepared(link).problems
    assert problem.startswith("FS_GCS_ENABLE is 0, not 1: ")
    assert "heartbeats stop" in problem


def test_a_parameter_that_must_be_there_and_is_not_is_a_problem() -> None:
    link = Link().meet()
    del link.vehicle.parameters["FS_GCS_TIMEOUT"]
    (problem,) = prepared(link).problems
    assert problem.startswith("FS_GCS_TIMEOUT cannot be read")


def test_without_a_capacity_the_levels_of_the_battery_cannot_be_checked() -> None:
    link = Link().meet()
    del link.vehicle.parameters["BATT_CAPACITY"]
    problems = prepared(link).problems
    assert [words.split()[0] for words in problems] == [
        "BATT_CAPACITY", "BATT_LOW_MAH", "BATT_CRT_MAH"
    ]  # fmt: skip


def test_what_only_a_person_can_set_is_not_written() -> None:
    link = Link().meet()
    link.vehicle.parameters["BATT_CAPACITY"] = 0.0
    problems = prepared(link).problems
    assert problems[0].startswith("BATT_CAPACITY is 0, not 100")
    assert link.vehicle.parameters["BATT_CAPACITY"] == 0.0


def test_a_written_parameter_that_is_silent_afterwards_is_a_problem() -> None:
    link = Link().meet()

    def on_set(message: Any) -> None:
        link.vehicle.parameters.pop(message.param_id, None)

    link.vehicle.on_param_set = on_set  # type: ignore[method-assign]
    problems = prepared(link).problems
    assert any(words.startswith("RTL_ALT cannot be read again") for words in problems)


def test_a_parameter_error_ends_the_waiting_at_once() -> None:
    link = Link().meet()
    inner = link.vehicle.on_param_request_read

    def on_read(message: Any) -> None:
        inner(message)
        if message.param_id not in link.vehicle.parameters:
            name = message.param_id.encode()
            link.vehicle.say(mav.MAVLink_param_error_message(247, 190, name, -1, 1))

    link.vehicle.on_param_request_read = on_read  # type: ignore[method-assign]
    assert prepared(link, seconds=0.5).problems == ()


def test_the_fence_is_uploaded_corner_by_corner_and_read_back() -> None:
    link = Link().meet()
    prepared(link, Prepare((ZONE, FIELD), 80.0, 32.555))
    assert link.vehicle.parameters["RTL_ALT"] == 3256.0
    stored = link.vehicle.stored
    assert [item.command for item in stored] == [5002] * 3 + [5001] * 4
    assert [item.param1 for item in stored] == [3.0] * 3 + [4.0] * 4
    assert (stored[1].x, stored[1].y) == (521_000_000, 130_000_000)
    assert len(link.vehicle.of("MISSION_REQUEST_INT")) == 7
    assert {item.mission_type for item in stored} == {mav.MAV_MISSION_TYPE_FENCE}


def test_an_empty_fence_clears_the_one_that_is_there() -> None:
    link = Link().meet()
    prepared(link)
    assert prepared(link, Prepare((), 80.0, 32.5)).problems == ()
    assert link.vehicle.stored == []


@pytest.mark.parametrize("name", [
    "MISSION_COUNT", "MISSION_REQUEST", "MISSION_ITEM_INT", "MISSION_ACK", "MISSION_REQUEST_LIST",
    "MISSION_REQUEST_INT", "PARAM_VALUE", "PARAM_SET", "PARAM_REQUEST_READ",
])  # fmt: skip
def test_every_third_packet_of_a_kind_may_be_lost(name: str) -> None:
    link = Link().meet()
    count = 0

    def loses(message: Any) -> bool:
        nonlocal count
        is_of_kind = bool(message.get_type() == name)
        count += is_of_kind
        return is_of_kind and count % 3 == 1

    link.vehicle.loses = loses
    assert prepared(link, seconds=90.0).problems == ()
    assert len(link.vehicle.stored) == 7


def test_a_fence_stored_with_another_corner_is_a_problem() -> None:
    link = Link().meet()

    def mangle(item: Any) -> None:
        item.x += 1

    link.vehicle.mangle = mangle
    (problem,) = prepared(link).problems
    assert problem.startswith("fence: item 6 is stored as ")


def test_a_fence_of_which_less_is_stored_is_a_problem() -> None:
    link = Link().meet()
    list_them = link.vehicle.on_mission_request_list

    def on_list(message: Any) -> None:
        del link.vehicle.stored[5:]
        list_them(message)

    link.vehicle.on_mission_request_list = on_list  # type: ignore[method-assign]
    assert prepared(link).problems == ("fence: 5 items are stored, not 7",)


def answering(link: Link, result: int, times: int) -> Callable[[Any], None]:
    inner = link.vehicle.on_mission_count
    left = times

    def on_count(message: Any) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            inner(message)
            return
        link.vehicle.say(mav.MAVLink_mission_ack_message(247, 190, result, message.mission_type))

    return on_count


def test_a_cancelled_upload_begins_again_and_a_refused_one_is_a_problem() -> None:
    link = Link().meet()
    link.vehicle.on_mission_count = answering(link, 15, 1)  # type: ignore[method-assign, assignment]
    assert prepared(link).problems == ()
    link.vehicle.on_mission_count = answering(link, 4, 1)  # type: ignore[method-assign, assignment]
    assert prepared(link).problems == ("fence: refused: MAV_MISSION_NO_SPACE",)
    link.vehicle.on_mission_count = answering(link, 99, 1)  # type: ignore[method-assign, assignment]
    assert prepared(link).problems == ("fence: refused: 99",)


def test_a_fence_that_nobody_asks_for_is_given_up() -> None:
    link = Link().meet()
    link.vehicle.loses = lambda message: message.get_type() == "MISSION_REQUEST"
    assert prepared(link).problems == ("fence: no answer while at count",)


def test_mission_messages_for_others_or_out_of_turn_change_nothing() -> None:
    link = Link().meet()
    inner = link.vehicle.on_mission_count

    def on_count(message: Any) -> None:
        kind = message.mission_type
        for refusal in (
            mav.MAVLink_mission_ack_message(255, 190, 4, kind),
            mav.MAVLink_mission_ack_message(247, 1, 4, kind),
            mav.MAVLink_mission_ack_message(247, 190, 4, 0),
            mav.MAVLink_mission_ack_message(247, 190, 13, kind),
            mav.MAVLink_mission_ack_message(247, 190, 0, kind),
            mav.MAVLink_mission_count_message(247, 190, 1, kind),
            mav.MAVLink_mission_request_message(247, 190, 700, kind),
        ):
            link.vehicle.say(refusal)
        inner(message)

    link.vehicle.on_mission_count = on_count  # type: ignore[method-assign]
    assert prepared(link).problems == ()


def test_a_link_that_says_everything_twice_changes_nothing() -> None:
    link = Link().meet()
    inner = link.vehicle.say

    def say(message: Any) -> bytes:
        inner(message)
        return inner(message)

    link.vehicle.say = say  # type: ignore[method-assign]
    assert prepared(link).problems == ()
    assert len(link.vehicle.stored) == 7


def test_an_acceptance_before_the_last_item_is_not_believed() -> None:
    link = Link().meet()
    inner = link.vehicle.on_mission_item_int

    def on_item(message: Any) -> None:
        if message.seq == 3:
            link.vehicle.say(mav.MAVLink_mission_ack_message(247, 190, 0, message.mission_type))
        inner(message)

    link.vehicle.on_mission_item_int = on_item  # type: ignore[method-assign]
    assert prepared(link).problems == ()
    assert len(link.vehicle.of("MISSION_REQUEST_LIST")) == 1


@pytest.mark.parametrize(("lost", "problems"), [
    (1, ()), (9, ("fence: 0 items are stored, not 7",)),
])  # fmt: skip
def test_an_upload_whose_end_is_lost_begins_again_a_few_times(
    lost: int, problems: tuple[str, ...]
) -> None:
    link = Link().meet()
    uploads = 0
    is_sent = False

    def loses(message: Any) -> bool:
        nonlocal uploads, is_sent
        if message.get_type() == "MISSION_COUNT":
            uploads, is_sent = uploads + 1, False
        is_item = bool(message.get_type() == "MISSION_ITEM_INT" and message.seq == 6)
        is_request = message.get_type() == "MISSION_REQUEST" and is_sent
        is_sent = is_sent or is_item
        return uploads <= lost and (is_item or is_request)

    link.vehicle.loses = loses
    assert prepared(link).problems == problems
    assert len(link.vehicle.of("MISSION_COUNT")) == (5 if problems else 2)


def test_areas_that_are_none_and_lists_that_are_too_long_are_not_sent() -> None:
    link = Link().meet()
    line = FenceArea(ZONE.corners[:2])
    assert prepared(link, Prepare((line,), 80.0, 30.0)).problems == (
        "fence: an area has fewer than three corners",
    )
    (problem,) = prepared(link, Prepare((ZONE,) * 300, 80.0, 30.0)).problems
    assert problem.startswith("fence: 900 items are more than")
    assert link.vehicle.of("MISSION_COUNT") == []


def test_nothing_is_changed_while_it_is_armed() -> None:
    link = Link().meet()
    link.vehicle.heartbeat(armed=True)
    link.exchange()
    link.perform(6, PREPARE)
    preparation = link.status.preparation
    assert preparation is not None
    assert preparation.is_done
    assert preparation.problems[0].startswith("it is armed")
    assert link.vehicle.of("PARAM_SET") == []


def test_a_restart_in_the_middle_is_told_and_a_finished_preparation_is_forgotten() -> None:
    def says_boot(link: Link, boot_ms: int) -> None:
        link.vehicle.say(mav.MAVLink_system_time_message(0, boot_ms))
        link.exchange()

    link = Link().meet()
    says_boot(link, 60_000)
    link.vehicle.loses = lambda message: message.get_type() == "MISSION_COUNT"
    link.perform(5, PREPARE)
    link.step(0.5)
    says_boot(link, 1_000)
    preparation = link.status.preparation
    assert preparation is not None
    assert preparation.is_done
    assert preparation.problems == ("the autopilot was started anew meanwhile",)
    link.vehicle.loses = lambda _message: False
    link.step(1.0)
    says_boot(link, 30_000)
    prepared(link)
    says_boot(link, 1_000)
    assert link.status.preparation is None
