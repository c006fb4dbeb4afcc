"""Accepted commands to their frames: when one is sent, and when not."""

import pytest

from gateway.checks import Check, CheckRule
from gateway.databases import parse_database
from gateway.encoding import Refusal
from tests.unit.commanded import (
    BARE,
    DBC,
    FAN,
    HORN,
    LEVEL,
    MODE,
    SPEED,
    TEMPERATURE,
    Bench,
    at,
    changed,
    said,
    states,
)

RULE = CheckRule("Sum", "crc8_sae_j1850", counter="Count")


def climate_check() -> Check:
    message = parse_database(DBC, "test.dbc", "dbc").messages[0]
    return Check(RULE, message.signals)


def test_a_frame_is_sent_when_its_command_is_on_disk_and_once() -> None:
    bench = Bench()
    bench.give(MODE, "SPORT")
    assert bench.after(1000) == []
    assert bench.world.sent == []
    [report] = bench.durable()
    assert (report.state, report.final) == ("sent", False)
    bench.durable()
    assert bench.world.sent == [b"\x04"]


def test_what_cannot_be_written_down_is_not_sent() -> None:
    bench = Bench()
    bench.give(MODE, "SPORT")
    bench.actuation.failed(("phone", "c1"), bench.moment)
    [report] = bench.actuation.take_reports()
    assert (report.state, report.reason, report.final) == ("rejected", "audit", True)
    bench.durable()
    assert bench.world.sent == []
    assert not bench.actuation.is_busy


def test_news_of_the_disk_that_come_late_twice_or_of_nobody_change_nothing() -> None:
    bench = Bench()
    bench.send(FAN, 20)
    bench.world.show(FAN, 20)
    assert states(bench.after(1)) == ["confirmed"]
    bench.actuation.failed(("phone", "c1"), bench.moment)
    bench.actuation.failed(("phone", "nobody"), bench.moment)
    bench.actuation.durable(("phone", "nobody"), bench.moment)
    assert bench.actuation.take_reports() == []
    assert len(bench.world.sent) == 1


def test_a_command_may_expire_while_it_waits_for_the_disk() -> None:
    bench = Bench()
    bench.give(MODE, "SPORT", "soon", expires_at_ns=at(bench, 2))
    bench.give(FAN, 20, "later")
    assert said(bench.after(2001)) == [("rejected", "expired")]
    assert said(bench.durable("soon")) == []
    assert said(bench.after(10_000)) == [("rejected", "expired")]
    assert said(bench.durable("later")) == []
    assert bench.world.sent == []


def test_a_step_of_the_wall_clock_makes_no_accepted_command_older() -> None:
    bench = Bench()
    bench.give(MODE, "SPORT", expires_at_ns=at(bench, 2))
    bench.is_trusted = False
    assert states(bench.durable()) == ["sent"]


@pytest.mark.parametrize("reason", ["only_when", "bus", "other_sender", "missing_signal"])
def test_the_checks_hold_also_just_before_the_frame(reason: str) -> None:
    bench = Bench(changed(Bare={"only_when": f"{SPEED} == 0"}))
    bench.world.seen[261] = b"\0\7"
    bench.give(BARE, 5)
    match reason:
        case "only_when":
            bench.world.values[SPEED] = 1.0
        case "bus":
            bench.world.refusal = Refusal("bus", "off")
        case "other_sender":
            bench.world.others.add(261)
        case _:
            del bench.world.seen[261]
    assert said(bench.durable()) == [("rejected", reason)]
    assert bench.world.sent == []
    assert not bench.actuation.is_busy


def test_a_frame_that_the_bus_does_not_take_is_a_refusal() -> None:
    bench = Bench()
    bench.world.lost = Refusal("bus", "no buffer space")
    assert said(bench.send(MODE, "ECO")) == [("accepted", None), ("rejected", "bus")]
    assert not bench.actuation.is_busy


def test_other_signals_keep_what_was_seen_of_them() -> None:
    bench = Bench(changed(Bare={"override": True}))
    bench.world.seen[261] = b"\x01\x63"
    bench.send(BARE, 5)
    assert bench.world.sent == [b"\x05\x63"]


def test_what_we_sent_ourselves_was_not_seen() -> None:
    bench = Bench()
    bench.send(MODE, "SPORT", "a")
    bench.after(100)
    bench.send(LEVEL, 3, "b")
    assert bench.world.sent == [b"\x04", b"\x18"]  # the mode is as the database begins


def test_the_counter_goes_on_and_the_checksum_is_right() -> None:
    bench = Bench(changed(Temperature={"rate_limit_hz": 1000}))
    accept = climate_check().accept
    for number in range(20):
        bench.after(10)
        bench.send(TEMPERATURE, 20.0 + number % 4 / 2, f"c{number}")
    assert len(bench.world.sent) == 20
    assert [payload[2] & 15 for payload in bench.world.sent] == [n % 16 for n in range(20)]
    assert all(accept(payload) for payload in bench.world.sent)


def test_where_the_mapping_overrides_we_count_on_from_the_other_sender() -> None:
    bench = Bench(changed(Temperature={"override": True, "rate_limit_hz": 1000}))
    bench.world.others.add(256)
    bench.world.seen[256] = bytes.fromhex("32 0a 0e 00")
    bench.send(TEMPERATURE, 20.0, "a")
    assert bench.world.sent[-1][:3] == bytes.fromhex("28 0a 0f")
    bench.world.seen[256] = bytes.fromhex("32 0b 04 00")
    bench.after(10)
    bench.send(TEMPERATURE, 20.5, "b")
    assert bench.world.sent[-1][:3] == bytes.fromhex("29 0b 05")


def test_where_the_other_sender_fell_silent_our_own_count_goes_on() -> None:
    """A counter that stands still is a frame that nobody believes."""
    bench = Bench(changed(Temperature={"override": True, "rate_limit_hz": 1000}))
    bench.world.others.add(256)
    bench.world.seen[256] = bytes.fromhex("32 0a 0e 00")
    for number in range(4):
        bench.after(10)
        bench.send(TEMPERATURE, 20.0, f"c{number}")
    assert [payload[2] for payload in bench.world.sent] == [15, 0, 1, 2]


def test_without_feedback_the_last_state_is_sent() -> None:
    bench = Bench()
    reports = bench.send(HORN, True)
    assert states(reports) == ["accepted", "sent"]
    assert reports[-1].final
    assert bench.after(10_000) == []
    assert not bench.actuation.is_busy


def test_a_newer_command_for_a_leaf_takes_the_place_of_one_that_waits_for_feedback() -> None:
    bench = Bench()
    bench.send(MODE, "ECO", "old")
    bench.after(200)
    reports = bench.send(MODE, "SPORT", "new")
    assert [(r.request.id, r.state, r.reason) for r in reports] == [
        ("new", "accepted", None),
        ("old", "timeout", "superseded"),
        ("new", "sent", None),
    ]
    bench.world.show(MODE, "SPORT")
    assert [(r.request.id, r.state) for r in bench.after(1)] == [("new", "confirmed")]


def test_a_newer_command_that_cannot_be_sent_takes_nobodys_place() -> None:
    bench = Bench()
    bench.send(FAN, 20, "old")
    bench.after(500)
    bench.give(FAN, 30, "new")
    bench.world.lost = Refusal("bus", "no buffer space")
    reports = bench.durable("new")
    assert [(r.request.id, r.reason) for r in reports] == [("new", "bus")]
    bench.world.lost = None
    bench.after(100)
    assert bench.world.sent[-1][1] == 20


def test_a_newer_command_that_waits_does_not_end_an_older_one() -> None:
    bench = Bench()
    bench.send(MODE, "ECO", "old")
    bench.after(200)
    assert states(bench.give(MODE, "SPORT", "new")) == ["accepted"]
    bench.world.show(MODE, "ECO")
    assert states(bench.after(1)) == ["confirmed"]


@pytest.mark.parametrize("is_on_disk", [False, True])
def test_what_is_under_way_ends_when_the_gateway_does(is_on_disk: bool) -> None:
    bench = Bench()
    bench.give(MODE, "ECO")
    if is_on_disk:
        bench.durable()
    bench.actuation.end_all("shutdown", bench.moment)
    assert said(bench.actuation.take_reports()) == [("timeout", "shutdown")]
    bench.durable()
    assert len(bench.world.sent) == is_on_disk
    assert not bench.actuation.is_busy


def test_what_is_under_way_ends_when_its_command_is_no_longer_in_the_mapping() -> None:
    bench = Bench()
    bench.give(MODE, "ECO", "a")
    bench.send(LEVEL, 3, "b")
    bench.rebind({path: leaf for path, leaf in changed().items() if path != MODE})
    assert said(bench.actuation.take_reports()) == [("timeout", "withdrawn")]
    assert bench.durable("a") == []


def test_what_is_under_way_ends_when_its_command_is_another() -> None:
    bench = Bench()
    bench.give(MODE, "ECO")
    bench.rebind(changed(Mode={"timeout_ms": 1}))
    assert said(bench.actuation.take_reports()) == [("timeout", "withdrawn")]


def test_what_is_under_way_ends_when_its_requester_may_no_longer() -> None:
    bench = Bench()
    bench.give(MODE, "ECO")
    bench.allowed = {"radio": frozenset([MODE])}
    bench.use()
    assert said(bench.actuation.take_reports()) == [("timeout", "withdrawn")]


def test_what_is_under_way_goes_on_with_the_same_rule_in_another_mapping() -> None:
    bench = Bench()
    bench.give(MODE, "ECO")
    bench.rebind(changed(Fan={"timeout_ms": 1}))
    assert bench.actuation.take_reports() == []
    assert states(bench.durable()) == ["sent"]


def test_nothing_is_due_while_nothing_is_under_way() -> None:
    bench = Bench()
    assert bench.actuation.next_due_ns is None
    bench.give(MODE, "ECO")
    assert bench.actuation.next_due_ns is None  # the disk says when
    bench.durable()
    assert bench.actuation.next_due_ns == bench.now_ns + 2_000_000_000
    bench.world.show(MODE, "ECO")
    bench.after(1)
    assert bench.actuation.next_due_ns is None
    assert not bench.actuation.is_busy
