"""An invoice held against the evidence."""

from datetime import UTC, datetime, timedelta

import pytest

from internetcar.contract.tolls import PassageState
from services.tolls.passages.invoice import Billed
from services.tolls.passages.reconcile import NEAR, Held, Line, Stretch, covers, reconcile

AT = datetime(2026, 5, 1, 8, tzinfo=UTC)
LOG = [Stretch(AT - timedelta(hours=1), AT + timedelta(hours=1))]


def billed(
    minutes: float = 0, place: str = "42", amount: int = 250, line: int = 2, resolution_ms: int = 0
) -> Billed:
    return Billed(line, (AT + timedelta(minutes=minutes),), resolution_ms, place, amount)


def held(
    minutes: float = 0, state: PassageState = "proven", passage_id: str = "p1", fee: int = 250,
    gate: str = "42",
) -> Held:  # fmt: skip
    at = AT + timedelta(minutes=minutes)
    return Held(passage_id, gate, ("CTE Braddell Road (42)", "cte-1"), at, 500, state, fee)


def kinds(lines: list[Line]) -> list[str]:
    return [line.kind for line in lines]


def test_a_line_that_the_evidence_proves_names_its_passage() -> None:
    (line,) = reconcile([billed(1)], [held()], LOG, "SGD")
    assert (line.kind, line.difference_minor) == ("proven", 0)
    assert line.held is not None
    assert line.held.passage_id == "p1"
    assert "2.50 SGD" in line.words


@pytest.mark.parametrize(("amount", "word"), [(300, "above"), (200, "below")])
def test_another_amount_is_proven_and_the_difference_said(amount: int, word: str) -> None:
    (line,) = reconcile([billed(amount=amount)], [held()], LOG, "SGD")
    assert (line.kind, line.difference_minor) == ("proven", amount - 250)
    assert f"0.50 SGD {word} our fee" in line.words


@pytest.mark.parametrize(
    ("state", "kind"),
    [("unresolved", "unresolved"), ("free", "unresolved"), ("rejected", "contradicted")],
)
def test_what_the_evidence_does_not_prove(state: PassageState, kind: str) -> None:
    assert kinds(reconcile([billed()], [held(state=state)], LOG, "SGD")) == [kind]


def test_a_line_without_any_passage_is_contradicted_only_where_the_log_is_whole() -> None:
    assert kinds(reconcile([billed()], [], LOG, "SGD")) == ["contradicted"]
    assert kinds(reconcile([billed()], [], [], "SGD")) == ["unresolved"]
    assert kinds(reconcile([billed(58)], [], LOG, "SGD")) == ["unresolved"]
    (line,) = reconcile([billed()], [held(gate="7", state="rejected")], LOG, "SGD")
    assert (line.kind, line.held) == ("contradicted", None)


def test_a_passage_answers_one_line_and_the_second_is_billed_twice() -> None:
    lines = reconcile([billed(), billed(0.5, line=3)], [held()], LOG, "SGD")
    assert kinds(lines) == ["proven", "contradicted"]
    assert "billed twice: p1" in lines[1].words
    two = [held(), held(5, passage_id="p2")]
    lines = reconcile([billed(2), billed(4, line=3)], two, LOG, "SGD")
    assert [line.held and line.held.passage_id for line in lines] == ["p1", "p2"]


def test_what_was_proven_and_not_billed_is_missing_unless_it_costs_nothing() -> None:
    passages = [
        held(passage_id="p3", minutes=30),
        held(passage_id="p2", minutes=20),
        held(fee=0),
        held(state="unresolved"),
    ]
    lines = reconcile([], passages, LOG, "SGD")
    assert [(line.kind, line.held and line.held.passage_id) for line in lines] == [
        ("missing", "p2"), ("missing", "p3"),
    ]  # fmt: skip


def test_the_time_is_trusted_as_far_as_it_is_written() -> None:
    edge = NEAR.total_seconds() / 60 + 1.5 / 60
    assert kinds(reconcile([billed(edge)], [held()], LOG, "SGD"))[0] == "proven"
    assert kinds(reconcile([billed(edge + 0.01)], [held()], LOG, "SGD"))[0] == "contradicted"
    rough = billed(edge + 1, resolution_ms=60_000)
    assert kinds(reconcile([rough], [held()], LOG, "SGD"))[0] == "proven"


@pytest.mark.parametrize(
    ("place", "is_it"),
    [
        ("42", True), ("042", True), ("Gantry 42", True), ("cte-1", True), ("", True),
        ("CTE Braddell Road", True), ("braddell road", True), ("4", False), ("AYE", False),
        ("Road", False), ("Gantry 43", False), ("addell", False),
        ("ERP: CTE Braddell Road (42) inbound", True),
    ],
)  # fmt: skip
def test_a_place_is_its_number_or_its_name(place: str, is_it: bool) -> None:
    (line, *_) = reconcile([billed(place=place)], [held()], LOG, "SGD")
    assert (line.kind == "proven") == is_it


def test_an_hour_that_comes_twice_is_the_nearer_one() -> None:
    double = Billed(2, (AT - timedelta(hours=1), AT), 0, "42", 250)
    assert kinds(reconcile([double], [held()], LOG, "SGD")) == ["proven"]
    assert kinds(reconcile([double], [], LOG, "SGD")) == ["unresolved"]


def test_a_time_is_whole_where_one_stretch_holds_it_whatever_stands_around() -> None:
    hour = timedelta(hours=1)
    inside = Stretch(AT - timedelta(minutes=1), AT + timedelta(minutes=1))
    assert kinds(reconcile([billed()], [], [inside, *LOG], "SGD")) == ["contradicted"]
    halves = [Stretch(AT - hour, AT), Stretch(AT, AT + hour)]
    assert kinds(reconcile([billed()], [], halves, "SGD")) == ["unresolved"]
    assert kinds(reconcile([billed()], [], [Stretch(AT, AT + hour)], "SGD")) == ["unresolved"]


def test_a_years_lines_find_each_its_own_passage() -> None:
    bills = [billed(60 * n, line=n) for n in range(300)]
    passages = [held(60 * n, passage_id=f"p{n}") for n in reversed(range(300))]
    lines = reconcile(bills, passages, [], "SGD")
    assert [line.held and line.held.passage_id for line in lines] == [f"p{n}" for n in range(300)]


def test_what_is_given_back_is_no_passage() -> None:
    assert kinds(reconcile([billed(amount=-250)], [held()], LOG, "SGD")) == [
        "unresolved", "missing",
    ]  # fmt: skip


def test_an_invoice_covers_the_time_of_its_lines() -> None:
    assert covers([]) is None
    assert covers([billed(3), billed(-3)]) == (AT - timedelta(minutes=3), AT + timedelta(minutes=3))
