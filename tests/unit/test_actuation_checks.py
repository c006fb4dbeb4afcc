"""The checks of a command: each refusal, and which comes first."""

import inspect
import re
from pathlib import Path
from typing import Any

import pytest

import gateway
from gateway.actuation import LIFETIME_NS, MOST_WAITING
from gateway.encoding import Refusal
from internetcar.contract.commands import REASONS
from internetcar.contract.message import Value
from tests.unit.commanded import (
    BARE,
    FAN,
    HORN,
    LEVEL,
    MODE,
    SECOND_NS,
    SPEED,
    TEMPERATURE,
    Bench,
    at,
    changed,
    said,
)  # fmt: skip


def reason(
    bench: Bench, path: str, value: Value, name: str | None = "c1", **more: Any
) -> str | None:
    """Why one command is refused; nothing of it reaches the bus."""
    reports = bench.give(path, value, name, **more)
    assert bench.world.sent == []
    if said(reports) == [("accepted", None)]:
        return None
    [report] = reports
    assert (report.state, report.final) == ("rejected", True)
    assert report.detail
    assert report.reason in REASONS
    return report.reason


def test_a_command_that_is_right_is_accepted_and_waits_for_the_disk() -> None:
    bench = Bench()
    [report] = bench.give(TEMPERATURE, 21.5)
    assert (report.state, report.final, report.reason) == ("accepted", False, None)
    assert report.at_ns == bench.moment.wall_ns
    assert bench.world.sent == []
    assert bench.actuation.is_busy


def test_a_requester_may_set_only_what_the_settings_say() -> None:
    bench = Bench()
    assert reason(bench, TEMPERATURE, 21.5, requester="radio") == "not_allowed"
    assert reason(bench, TEMPERATURE, 21.5, requester="stranger") == "not_allowed"
    assert reason(bench, SPEED, 21.0) == "not_allowed"
    assert reason(bench, "Vehicle.Nothing", 21.0) == "not_allowed"


def test_what_the_mapping_does_not_let_be_set_is_refused_whatever_the_settings_say() -> None:
    bench = Bench(changed(Fan={"allow": False}))
    assert reason(bench, FAN, 1) == "not_allowed"


def test_a_retained_command_is_refused() -> None:
    assert reason(Bench(), FAN, 1, retained=True) == "retained"


def test_what_could_not_be_read_is_refused_in_the_readers_words() -> None:
    bench = Bench()
    [report] = bench.give(FAN, None, None, problem="not JSON (line 1)")
    assert said([report]) == [("rejected", "malformed")]
    assert report.detail == "not JSON (line 1)"


def test_a_command_whose_time_is_over_is_refused() -> None:
    bench = Bench()
    assert reason(bench, FAN, 1, expires_at_ns=at(bench, -0.001)) == "expired"
    assert reason(bench, FAN, 1, received_ns=bench.now_ns - LIFETIME_NS - 1) == "expired"
    assert reason(bench, FAN, 1, "c2", received_ns=bench.now_ns - LIFETIME_NS) is None


def test_a_command_lives_for_a_minute_at_most() -> None:
    bench = Bench()
    assert reason(bench, FAN, 1, expires_at_ns=at(bench, 60.001)) == "lifetime"
    assert reason(bench, FAN, 1, expires_at_ns=at(bench, 60)) is None


def test_without_a_clock_only_a_command_that_names_no_instant_is_taken() -> None:
    bench = Bench()
    bench.is_trusted = False
    assert reason(bench, FAN, 1, expires_at_ns=at(bench, 5)) == "clock_unsynchronized"
    assert reason(bench, FAN, 1) is None


def test_a_push_needs_an_id() -> None:
    bench = Bench()
    assert reason(bench, HORN, True, None) == "id_required"
    assert reason(bench, HORN, True) is None


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        (FAN, "21", "datatype"),
        (FAN, True, "datatype"),
        (FAN, 21.5, "datatype"),
        (FAN, [21], "datatype"),
        (HORN, 1, "datatype"),
        (HORN, "true", "datatype"),
        (MODE, 1, "datatype"),
        (TEMPERATURE, "warm", "datatype"),
        (TEMPERATURE, False, "datatype"),
        (MODE, "eco", "not_in_allowed"),
        (MODE, "\N{SNOWMAN}" * 500, "not_in_allowed"),
        (FAN, -1, "out_of_range"),
        (FAN, 101, "out_of_range"),  # of the leaf
        (FAN, 2**64 - 1, "out_of_range"),
        (TEMPERATURE, 15.5, "out_of_range"),  # of the leaf: its signal goes down to 10
        (TEMPERATURE, 31.0, "out_of_range"),  # of the signal: the leaf has no maximum
        (TEMPERATURE, 1.7e308, "out_of_range"),
        (MODE, "RACE", "transform"),
        (LEVEL, 31, "reserved"),
        (BARE, 5, "missing_signal"),
    ],
)
def test_a_value_that_is_none_of_the_leafs_is_refused(
    path: str, value: Value, expected: str
) -> None:
    assert reason(Bench(), path, value) == expected


def test_a_missing_signal_is_named() -> None:
    [report] = Bench().give(BARE, 5)
    assert report.detail == ("Bare_Command: Bare_Other was never seen and has no initial value")


def test_the_car_must_be_as_the_mapping_wants_it() -> None:
    bench = Bench()
    bench.world.values[SPEED] = 120.0
    assert reason(bench, TEMPERATURE, 21.5) == "only_when"
    del bench.world.values[SPEED]
    assert reason(bench, TEMPERATURE, 21.5, "c2") == "only_when"
    assert reason(bench, FAN, 1, "c3") is None  # whose mapping wants nothing


def test_an_actuator_is_not_asked_too_often() -> None:
    bench = Bench(changed(Fan={"rate_limit_hz": 2}))
    assert reason(bench, FAN, 1, "a") is None
    assert reason(bench, FAN, 2, "b") == "rate_limited"
    assert reason(bench, FAN, 2, "c", requester="radio") == "rate_limited"
    bench.now_ns += SECOND_NS // 2
    assert reason(bench, FAN, 2, "d") is None


def test_a_requester_does_not_ask_too_often_and_disturbs_no_other() -> None:
    bench = Bench(changed(Fan={"rate_limit_hz": 1000}), rate_hz=1.0)
    answers = []
    for number in range(21):
        bench.now_ns += SECOND_NS // 1000
        answers.append(reason(bench, FAN, number, f"c{number}"))
    assert answers == [None] * 20 + ["rate_limited"]
    bench.now_ns += SECOND_NS // 1000
    assert reason(bench, FAN, 1, "r", requester="radio") is None
    bench.now_ns += SECOND_NS
    assert reason(bench, FAN, 1, "again") is None


def test_what_is_refused_does_not_count_towards_a_rate() -> None:
    bench = Bench(changed(Bare={"rate_limit_hz": 1}))
    assert [reason(bench, BARE, 5, f"c{n}") for n in range(3)] == ["missing_signal"] * 3


def test_another_rate_holds_as_soon_as_its_mapping_is_loaded() -> None:
    bench = Bench(changed(Fan={"rate_limit_hz": 1000}))
    assert reason(bench, FAN, 1, "a") is None
    bench.rebind(changed(Fan={"rate_limit_hz": 0.1}))
    bench.actuation.take_reports()
    assert reason(bench, FAN, 1, "b") is None
    bench.rebind(changed(Fan={"rate_limit_hz": 0.1, "timeout_ms": 5}))
    bench.actuation.take_reports()
    bench.now_ns += SECOND_NS
    assert reason(bench, FAN, 1, "c") == "rate_limited"


def test_while_the_disk_does_not_answer_only_so_many_commands_wait() -> None:
    bench = Bench(changed(Fan={"rate_limit_hz": 1000}))
    bench.allowed = {f"r{number}": frozenset([FAN]) for number in range(MOST_WAITING + 1)}
    bench.use()
    answers = []
    for number in range(MOST_WAITING + 1):
        bench.now_ns += SECOND_NS // 1000
        answers.append(reason(bench, FAN, 1, requester=f"r{number}"))
    assert answers == [None] * MOST_WAITING + ["busy"]
    bench.durable("c1", "r0")
    bench.world.sent.clear()
    bench.now_ns += SECOND_NS // 1000
    assert reason(bench, FAN, 1, "c2", requester="r0") is None


def test_a_bus_that_only_listens_and_one_that_is_off_refuse() -> None:
    for name in ("not_transmitting", "bus"):
        bench = Bench()
        bench.world.refusal = Refusal(name, "for a reason")
        assert reason(bench, FAN, 1) == name


def test_a_message_that_another_node_sends_is_not_ours_to_send() -> None:
    bench = Bench()
    bench.world.others.add(258)
    assert reason(bench, MODE, "ECO") == "other_sender"
    assert reason(bench, FAN, 1, "c2") is None


def test_there_must_be_something_to_let_go_of() -> None:
    assert reason(Bench(), FAN, None) == "not_held"


def test_the_checks_come_in_their_order() -> None:
    """One command that is wrong in every way, mended step by step."""
    bench = Bench(
        changed(Level={"rate_limit_hz": 0.01, "only_when": f"{SPEED} == 0", "momentary": True})
    )
    assert bench.send(LEVEL, 3, "first")[-1].state == "sent"
    bench.world.sent.clear()
    bench.world.values[SPEED] = 50.0
    bench.world.refusal = Refusal("not_transmitting", "it only listens")
    bench.world.others.add(258)
    bench.is_trusted = False
    wrong: dict[str, Any] = {
        "requester": "radio", "retained": True, "problem": "unreadable", "id": "first",
        "expires_at_ns": at(bench, 70), "value": "high",
    }  # fmt: skip
    order = []

    def step(**mended: Any) -> None:
        wrong.update(mended)
        rest = {key: value for key, value in wrong.items() if key not in ("id", "value")}
        order.append(reason(bench, LEVEL, wrong["value"], wrong["id"], **rest))

    step()
    step(requester="phone")
    step(retained=False)
    step(problem=None)
    step(id=None)
    bench.is_trusted = True
    step()
    step(expires_at_ns=at(bench, -1))
    step(expires_at_ns=None)
    step(id="c2")
    step(id="c3", value=300)
    bench.now_ns += SECOND_NS
    step(id="c4", value=30, received_ns=bench.now_ns)
    bench.world.values[SPEED] = 0.0
    step(id="c5")
    bench.now_ns += 100 * SECOND_NS
    step(id="c6", received_ns=bench.now_ns)
    bench.world.refusal = None
    step(id="c7")
    bench.world.others.clear()
    step(id="c8")
    assert order == [
        "not_allowed", "retained", "malformed", "id_conflict", "clock_unsynchronized", "lifetime",
        "expired", "id_required", "datatype", "out_of_range", "only_when", "rate_limited",
        "not_transmitting", "other_sender", None,
    ]  # fmt: skip


def test_an_allowed_value_comes_before_a_range() -> None:
    leaves = changed()
    leaves[FAN]["allowed"] = [0, 50, 300]
    assert reason(Bench(leaves), FAN, 200) == "not_in_allowed"
    assert reason(Bench(leaves), FAN, 300) == "out_of_range"


def test_every_reason_is_one_that_the_contract_explains_and_each_is_used() -> None:
    package = Path(inspect.getfile(gateway)).parent
    used = set()
    names = ("actuation", "execution", "encoding", "targets", "live_world", "audit", "commander")
    for name in names:
        text = (package / f"{name}.py").read_text(encoding="utf-8")
        used |= set(re.findall(r'"([a-z]+(?:_[a-z]+)*)"', text)) & REASONS.keys()
        raised = re.findall(r'Refusal\(\s*"(\w+)"', text)
        ended = re.findall(r'\.(?:end|_forget)\(\w+, "(\w+)"', text)
        assert set(raised + ended) <= REASONS.keys()
    assert used == REASONS.keys()
