"""A command's id: what is remembered of it, and that twice is once."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.ledger import MOST_RECENT, Outcome
from internetcar.contract.message import Value
from tests.unit.commanded import (
    BARE,
    FAN,
    HORN,
    MODE,
    MS,
    TEMPERATURE,
    UTC_NS,
    Bench,
    at,
    changed,
    said,
    states,
)


def test_the_same_id_and_body_get_the_stored_state_and_send_nothing() -> None:
    bench = Bench()
    bench.send(MODE, "ECO")
    bench.world.show(MODE, "ECO")
    assert said(bench.after(10)) == [("confirmed", None)]
    [report] = bench.give(MODE, "ECO")
    assert (report.state, report.final, report.is_repeated) == ("confirmed", True, True)
    assert len(bench.world.sent) == 1
    assert not bench.actuation.is_busy


def test_a_command_under_way_is_repeated_in_the_state_it_has() -> None:
    bench = Bench()
    bench.give(MODE, "ECO")
    [waiting] = bench.give(MODE, "ECO")
    assert (waiting.state, waiting.final, waiting.is_repeated) == ("accepted", False, True)
    bench.durable()
    [sent] = bench.give(MODE, "ECO")
    assert (sent.state, sent.final, sent.is_repeated) == ("sent", False, True)
    bench.durable()
    assert len(bench.world.sent) == 1


def test_a_refusal_is_repeated_in_its_own_words() -> None:
    bench = Bench()
    [first] = bench.give(FAN, 300)
    [again] = bench.give(FAN, 300)
    assert again.is_repeated
    assert (again.reason, again.detail) == (first.reason, first.detail)


@pytest.mark.parametrize("is_on_disk", [False, True])
def test_the_same_id_for_another_command_is_a_conflict_and_disturbs_nothing(
    is_on_disk: bool,
) -> None:
    bench = Bench()
    bench.give(MODE, "ECO")
    if is_on_disk:
        bench.durable()
    others: list[tuple[str, Value, dict[str, Any]]] = [
        (MODE, "SPORT", {}),
        (FAN, 3, {}),
        (MODE, None, {}),
        (MODE, "ECO", {"dry_run": True}),
        (MODE, "ECO", {"expires_at_ns": at(bench, 5)}),
    ]
    for path, value, more in others:
        assert said(bench.give(path, value, **more)) == [("rejected", "id_conflict")]
    [report] = bench.give(MODE, "ECO")
    assert (report.state, report.is_repeated) == ("sent" if is_on_disk else "accepted", True)
    bench.durable()
    assert len(bench.world.sent) == 1
    bench.world.show(MODE, "ECO")
    assert states(bench.after(1)) == ["confirmed"]


@pytest.mark.parametrize(("value", "other"), [(1, 1.0), (1, True), (0.0, -0.0), ("1", 1), (1, [1])])
def test_bodies_that_only_look_alike_are_others(value: Value, other: Value) -> None:
    bench = Bench()
    bench.give(FAN, value)
    assert said(bench.give(FAN, other)) == [("rejected", "id_conflict")]


def test_an_id_that_the_gateway_drew_is_nobodys_to_use() -> None:
    """Else who guesses one would end a held frame without a word."""
    bench = Bench()
    bench.give(MODE, "ECO", None)
    bench.give(FAN, 20, "drawn")
    assert states(bench.durable(None)) == ["sent"]
    assert states(bench.durable("drawn")) == ["sent"]
    bench.world.show(MODE, "ECO")
    bench.world.show(FAN, 20)
    assert states(bench.after(1)) == ["confirmed", "confirmed"]


def test_an_id_belongs_to_its_requester() -> None:
    bench = Bench()
    bench.send(MODE, "ECO")
    bench.after(200)
    assert states(bench.send(MODE, "SPORT", requester="radio")) == ["accepted", "timeout", "sent"]
    assert len(bench.world.sent) == 2


def test_an_id_is_known_after_a_restart() -> None:
    digest = Bench().request(MODE, "ECO").digest
    stored = Outcome(digest, "timeout", final=True, reason="restarted", detail="again")
    bench = Bench(known={("phone", "c1"): stored})
    [report] = bench.give(MODE, "ECO")
    assert (report.state, report.reason, report.detail) == ("timeout", "restarted", "again")
    assert said(bench.give(MODE, "SPORT")) == [("rejected", "id_conflict")]
    bench.durable()
    assert bench.world.sent == []


def test_an_early_refusal_spoils_nothing_of_its_id() -> None:
    bench = Bench()
    refusals: list[dict[str, Any]] = [
        {"requester": "stranger"},
        {"retained": True},
        {"problem": "unreadable"},
        {"expires_at_ns": at(bench, -1)},
        {"expires_at_ns": at(bench, 61)},
    ]
    for more in refusals:
        [report] = bench.give(MODE, "ECO", **more)
        assert (report.state, report.digest) == ("rejected", None)
    bench.is_trusted = False
    bench.give(MODE, "ECO", expires_at_ns=at(bench, 5))
    assert states(bench.send(MODE, "ECO")) == ["accepted", "sent"]
    for more in refusals[:3]:
        assert states(bench.give(MODE, "ECO", **more)) == ["rejected"]
    [report] = bench.give(MODE, "ECO")
    assert (report.state, report.is_repeated) == ("sent", True)


def test_a_known_id_is_answered_also_when_its_time_is_over_and_the_clock_is_lost() -> None:
    """Whoever missed the receipt asks again with the same packet: it must not read `expired`."""
    bench = Bench()
    expires_at_ns = at(bench, 1)
    bench.send(MODE, "ECO", expires_at_ns=expires_at_ns)
    bench.now_ns += 5000 * MS
    bench.is_trusted = False
    [report] = bench.give(MODE, "ECO", expires_at_ns=expires_at_ns)
    assert (report.state, report.is_repeated) == ("sent", True)


def test_without_an_id_each_packet_is_a_command_and_nothing_is_remembered() -> None:
    bench = Bench()
    bench.actuation.receive(bench.request(FAN, 1, None), bench.moment)
    [report] = bench.actuation.take_reports()
    assert (report.state, report.digest) == ("accepted", None)
    bench.durable(None)
    bench.after(200)
    again = bench.request(FAN, 1, None)
    bench.actuation.receive(again, bench.moment)
    assert bench.actuation.take_reports()[-1].is_repeated is False


def test_a_dry_run_says_what_would_be_sent_and_sends_and_keeps_nothing() -> None:
    bench = Bench(changed(Temperature={"rate_limit_hz": 0.01}))
    for _ in range(2):
        [report] = bench.give(TEMPERATURE, 21.5, dry_run=True)
        assert (report.state, report.final, report.digest) == ("checked", True, None)
        assert report.detail == "would send 0x100 2b 07 00 b8 on can0"
    assert said(bench.give(FAN, 300, dry_run=True)) == [("rejected", "out_of_range")]
    assert not bench.actuation.is_busy
    assert states(bench.send(TEMPERATURE, 21.5)) == ["accepted", "sent"]
    assert len(bench.world.sent) == 1


def test_a_dry_run_of_letting_go_lets_nothing_go() -> None:
    bench = Bench()
    bench.send(FAN, 20)
    [report] = bench.give(FAN, None, "c2", dry_run=True)
    assert (report.state, report.detail) == ("checked", "would let go")
    bench.after(100)
    assert len(bench.world.sent) == 2


def test_a_command_without_an_end_is_remembered_whatever_comes_after() -> None:
    bench = Bench(rate_hz=1e6)
    bench.give(MODE, "ECO", "kept")
    bench.give(HORN, True, "forgotten", retained=False)
    bench.durable("forgotten")
    for number in range(MOST_RECENT + 10):
        bench.give(BARE, 1, f"c{number}")
    [kept] = bench.give(MODE, "ECO", "kept")
    assert (kept.state, kept.is_repeated) == ("accepted", True)
    [forgotten] = bench.give(BARE, 1, "c0")
    assert not forgotten.is_repeated


@given(
    st.lists(
        st.tuples(st.sampled_from(["a", "b"]), st.sampled_from(["OFF", "ECO", "SPORT"])),
        max_size=12,
    )
)
def test_one_id_is_one_frame_whatever_is_asked_with_it(asked: list[tuple[str, str]]) -> None:
    bench = Bench()
    for name, value in asked:
        bench.send(MODE, value, name)
        bench.after(200)
    assert len(bench.world.sent) == len({name for name, _ in asked})
    first = dict(reversed(asked))
    for name, value in asked:
        [report] = bench.give(MODE, value, name)
        assert report.is_repeated is (first[name] == value)


def test_the_instant_of_a_report_is_the_wall_clock() -> None:
    bench = Bench()
    [report] = bench.give(MODE, "ECO")
    assert report.at_ns == UTC_NS + bench.now_ns
