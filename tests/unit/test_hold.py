"""Frames that are held: repeated in their cycle, together where they can be, and ended."""

import pytest

from gateway.encoding import Refusal
from internetcar.contract.message import Value
from tests.unit.commanded import (
    FAN,
    LEAVES,
    LIGHT,
    MIRROR,
    MODE,
    MS,
    SEAT,
    SPEED,
    TEMPERATURE,
    Bench,
    bound,
    changed,
    said,
    states,
)
from tests.unit.test_execution import climate_check


def held(value: Value = 20) -> Bench:
    """The fan, held for a second in a cycle of 50 ms, and confirmed."""
    bench = Bench()
    bench.send(FAN, value)
    bench.world.show(FAN, value)
    assert states(bench.after(1)) == ["confirmed"]
    return bench


def fan_frames(bench: Bench) -> list[int]:
    return [payload[1] for payload in bench.world.sent]


def test_a_held_frame_is_repeated_in_its_cycle_until_its_time_is_over() -> None:
    bench = held()
    times: list[int] = []
    for ms in range(1, 1200):
        reports = bench.after(1)
        if len(bench.world.sent) > len(times) + 1:
            times.append(ms + 1)
        if reports:
            break
    assert times == list(range(50, 1000, 50))
    assert said(reports) == [("ended", "over")]
    assert bench.after(500) == []
    assert not bench.actuation.is_busy
    accept = climate_check().accept
    assert all(accept(payload) for payload in bench.world.sent)


def test_the_next_frame_is_due_in_a_cycle() -> None:
    bench = Bench()
    bench.send(FAN, 20)
    assert bench.actuation.next_due_ns == bench.now_ns + 50 * MS
    bench.after(75)
    assert bench.actuation.next_due_ns == bench.now_ns + 50 * MS


def test_a_message_whose_database_says_no_cycle_has_one() -> None:
    bench = Bench()
    bench.send(SEAT, 9)
    bench.after(99)
    assert len(bench.world.sent) == 1
    bench.after(1)
    assert len(bench.world.sent) == 2


def test_what_ended_says_nothing_of_the_command_itself() -> None:
    bench = held()
    [ended] = bench.after(1000)
    assert (ended.state, ended.final, ended.digest) == ("ended", True, None)
    [again] = bench.give(FAN, 20)
    assert (again.state, again.is_repeated) == ("confirmed", True)


def test_feedback_may_come_after_the_hold_is_over() -> None:
    bench = Bench()
    bench.send(FAN, 20)
    assert bench.after(1500) == []
    bench.world.show(FAN, 20)
    assert said(bench.after(1)) == [("confirmed", None)]
    assert not bench.actuation.is_busy


def test_without_feedback_in_time_a_frame_is_no_longer_held() -> None:
    bench = Bench(changed(Fan={"hold_s": 60, "timeout_ms": 200}))
    bench.send(FAN, 20)
    bench.after(50)
    assert said(bench.after(150)) == [("timeout", "no_feedback")]
    sent = len(bench.world.sent)
    bench.after(1000)
    assert len(bench.world.sent) == sent


def test_letting_go_ends_what_is_held_and_needs_no_condition_and_no_rate() -> None:
    bench = held()
    bench.world.values.clear()
    bench.world.refusal = Refusal("bus", "off")
    reports = bench.give(FAN, None, "c2")
    assert [(r.request.id, r.state, r.reason, r.final) for r in reports] == [
        ("c1", "ended", "released", True),
        ("c2", "released", None, True),
    ]
    bench.after(100)
    assert len(bench.world.sent) == 1
    [again] = bench.give(FAN, None, "c2")
    assert (again.state, again.is_repeated) == ("released", True)
    assert said(bench.give(FAN, None, "c3")) == [("rejected", "not_held")]


def test_letting_go_before_the_feedback_is_no_confirmation() -> None:
    bench = Bench()
    bench.send(FAN, 20)
    assert said(bench.give(FAN, None, "c2", requester="radio")) == [
        ("timeout", "released"),
        ("released", None),
    ]
    assert not bench.actuation.is_busy


def test_a_newer_command_ends_what_is_held() -> None:
    bench = held()
    bench.after(99)
    reports = bench.send(FAN, 30, "c2")
    assert [(r.request.id, r.state, r.reason) for r in reports] == [
        ("c2", "accepted", None),
        ("c1", "ended", "superseded"),
        ("c2", "sent", None),
    ]
    bench.after(50)
    assert fan_frames(bench)[-2:] == [30, 30]


def test_a_newer_command_by_another_leaf_for_the_same_signal_ends_what_is_held() -> None:
    leaves = {**LEAVES, "Vehicle.Blower": LEAVES[FAN]}
    bench = Bench(leaves)
    bench.send(FAN, 20, "fan")
    bench.world.show(FAN, 20)
    bench.after(10)
    reports = bench.send("Vehicle.Blower", 30, "blower")
    assert ("fan", "ended", "superseded") in [(r.request.id, r.state, r.reason) for r in reports]
    bench.after(50)
    assert fan_frames(bench) == [20, 30, 30]


@pytest.mark.parametrize("reason", ["only_when", "bus", "other_sender"])
def test_a_held_frame_ends_when_its_checks_no_longer_hold(reason: str) -> None:
    bench = Bench(changed(Fan={"only_when": f"{SPEED} == 0"}))
    bench.send(FAN, 20)
    bench.world.show(FAN, 20)
    bench.after(1)
    match reason:
        case "only_when":
            bench.world.values[SPEED] = 1.0
        case "bus":
            bench.world.refusal = Refusal("bus", "bus-off")
        case _:
            bench.world.others.add(256)
    [ended] = bench.after(50)
    assert (ended.state, ended.reason) == ("ended", reason)
    assert ended.detail
    assert len(bench.world.sent) == 1
    assert not bench.actuation.is_busy


def test_a_hold_that_fails_before_its_feedback_is_no_confirmation() -> None:
    bench = Bench()
    bench.send(FAN, 20)
    bench.world.lost = Refusal("bus", "no buffer space")
    assert said(bench.after(50)) == [("timeout", "bus")]
    bench.world.show(FAN, 20)
    assert bench.after(1) == []


def test_a_held_frame_ends_with_its_rule_and_with_the_gateway() -> None:
    bench = held()
    bench.rebind({path: leaf for path, leaf in changed().items() if path != FAN})
    assert said(bench.actuation.take_reports()) == [("ended", "withdrawn")]
    bench = held()
    bench.actuation.end_all("shutdown", bench.moment)
    assert said(bench.actuation.take_reports()) == [("ended", "shutdown")]
    assert bench.after(100) == []
    assert len(bench.world.sent) == 1


def test_two_held_signals_of_one_message_share_its_frames() -> None:
    bench = Bench(changed(Fan={"hold_s": 10}, Temperature={"hold_s": 10}))
    bench.send(FAN, 20, "fan")
    bench.after(25)
    bench.send(TEMPERATURE, 21.5, "temperature")
    for _ in range(20):
        bench.after(5)
    frames = [(payload[0], payload[1]) for payload in bench.world.sent]
    assert frames == [(40, 20), (43, 20), (43, 20), (43, 20)]


def test_a_frame_of_one_page_holds_up_none_of_another() -> None:
    bench = Bench()
    bench.send(SEAT, 9, "seat")
    bench.send(MIRROR, 7, "mirror")
    bench.world.sent.clear()
    for _ in range(40):
        bench.after(10)
    assert bench.world.sent == [b"\x01\x09", b"\x02\x07"] * 4


def test_what_is_in_every_page_goes_with_the_page_that_is_held() -> None:
    bench = Bench()
    bench.send(SEAT, 9, "seat")
    bench.send(LIGHT, 1, "light")
    bench.after(100)
    assert bench.world.sent == [b"\x01\x09", b"\x11\x09", b"\x11\x09"]


def test_held_pages_that_exclude_each_other_never_share_a_frame() -> None:
    bench = Bench()
    bench.send(SEAT, 9, "seat")
    bench.send(MIRROR, 7, "mirror")
    bench.send(LIGHT, 1, "light")
    for _ in range(30):
        bench.after(10)
    assert set(bench.world.sent) == {b"\x01\x09", b"\x02\x07", b"\x11\x09", b"\x12\x07"}


def test_a_selector_that_is_set_itself_shares_no_frame_with_another_page() -> None:
    leaves = {
        **LEAVES,
        "Vehicle.Page": {"datatype": "uint8", "vss2dbc": {"signal": "Page", "hold_s": 1}},
    }
    bench = Bench(leaves)
    bench.send(SEAT, 9, "seat")
    bench.send("Vehicle.Page", 5, "page")
    bench.after(100)
    assert set(bench.world.sent) == {b"\x01\x09", b"\x05\x00"}


CASCADE = """\
BO_ 300 Cascade: 4 Gateway
 SG_ Outer M : 0|8@1+ (1,0) [0|0] "" Car
 SG_ Inner m1M : 8|8@1+ (1,0) [0|0] "" Car
 SG_ Left m1 : 16|8@1+ (1,0) [0|0] "" Car
 SG_ Right m2 : 24|8@1+ (1,0) [0|0] "" Car
SG_MUL_VAL_ 300 Inner Outer 1-1;
SG_MUL_VAL_ 300 Left Inner 1-1;
SG_MUL_VAL_ 300 Right Inner 2-2;
"""


def test_pages_within_pages_share_a_frame_only_where_all_selectors_agree() -> None:
    leaves = {
        f"Vehicle.{name}": {"datatype": "uint8", "vss2dbc": {"signal": name, "hold_s": 1}}
        for name in ("Outer", "Left", "Right")
    }
    bench = Bench()
    bench.actuators = bound(CASCADE, leaves).by_path
    bench.allowed = {"phone": frozenset(bench.actuators)}
    bench.use()
    bench.send("Vehicle.Left", 9, "left")
    bench.send("Vehicle.Right", 7, "right")
    bench.send("Vehicle.Outer", 1, "outer")
    for _ in range(30):
        bench.after(10)
    assert set(bench.world.sent) == {b"\1\1\x09\0", b"\1\2\0\x07"}


def test_what_was_never_seen_of_a_page_does_not_end_what_is_held_on_another() -> None:
    bench = Bench()
    bench.send(MODE, "ECO", "mode")
    bench.send(SEAT, 9, "seat")
    assert bench.after(100) == []
    assert bench.world.sent[-1] == b"\x01\x09"


def test_a_command_that_waits_for_the_disk_is_let_go_before_its_frame() -> None:
    bench = Bench()
    bench.give(FAN, 20, "push")
    assert said(bench.give(FAN, None, "let-go")) == [("timeout", "released"), ("released", None)]
    assert said(bench.durable("push")) == []
    assert bench.world.sent == []
