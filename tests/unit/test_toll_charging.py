"""What is owed, and the one difference that is asked for."""

from datetime import timedelta
from typing import get_args

import pytest

from internetcar.contract.payments import PaymentReason
from internetcar.contract.tolls import ExceptionEntry, ExceptionList
from services.tolls.passages.charging import (
    FINAL_REFUSALS,
    LONGEST_RETRY_MS,
    RETRY_MS,
    Billing,
    Movement,
    Treatment,
    answered,
    asked_minor,
    counts,
    next_movement,
    owed,
    retry_at_ms,
    treatment_of,
)
from services.tolls.passages.reckoning import instant

NOW_MS = 1_790_000_000_000
AT = instant(NOW_MS)


def asked(owed_minor: int, before: tuple[Movement, ...] = (), now_ms: int = NOW_MS) -> Movement:
    movement = next_movement("p1", before, owed_minor, now_ms)
    assert movement is not None
    return movement


def refused(movement: Movement, reason: PaymentReason = "limit", now_ms: int = NOW_MS) -> Movement:
    return answered(movement, is_refused=True, reason=reason, now_ms=now_ms)


def posted(movement: Movement) -> Movement:
    return answered(movement, is_refused=False, reason=None, now_ms=NOW_MS)


def test_only_the_difference_is_asked_for_and_back() -> None:
    first = posted(asked(300))
    assert (first.kind, first.amount_minor, first.number) == ("charge", 300, 1)
    assert next_movement("p1", (first,), 300, NOW_MS) is None
    more = posted(asked(450, (first,)))
    assert (more.kind, more.amount_minor, more.number) == ("charge", 150, 2)
    back = asked(100, (first, more))
    assert (back.kind, back.amount_minor, back.number) == ("refund", 350, 3)
    assert len({first.charge_id, more.charge_id, back.charge_id}) == 3
    assert asked_minor((first, more, back)) == 100


def test_nothing_is_asked_for_what_costs_nothing() -> None:
    assert next_movement("p1", (), 0, NOW_MS) is None


def test_a_difference_waits_until_payments_has_answered() -> None:
    first = asked(300)
    assert next_movement("p1", (first,), 0, NOW_MS) is None
    assert next_movement("p1", (posted(first),), 0, NOW_MS) is not None


def test_a_refusal_is_asked_again_under_a_new_id_after_an_hour_doubling() -> None:
    movements: tuple[Movement, ...] = ()
    now_ms = NOW_MS
    for attempt in range(12):
        movement = asked(300, movements, now_ms)
        assert movement.number == attempt + 1
        movements = (*movements, refused(movement, "insufficient_funds", now_ms))
        assert asked_minor(movements) == 0
        due_ms = retry_at_ms(movements)
        assert due_ms is not None
        assert due_ms - now_ms == min(RETRY_MS * 2**attempt, LONGEST_RETRY_MS)
        assert next_movement("p1", movements, 300, due_ms - 1) is None
        now_ms = due_ms
    assert len({movement.charge_id for movement in movements}) == 12


def test_what_was_refused_is_never_given_back() -> None:
    assert next_movement("p1", (refused(asked(300)),), 0, NOW_MS) is None
    assert next_movement("p1", (refused(asked(300)),), 0, NOW_MS + 2 * RETRY_MS) is None


def test_after_a_refusal_only_what_is_owed_then_is_asked_for() -> None:
    paid = posted(asked(100))
    unpaid = refused(asked(300, (paid,)))
    again = asked(250, (paid, unpaid), NOW_MS + RETRY_MS)
    assert (again.kind, again.amount_minor) == ("charge", 150)


@pytest.mark.parametrize("reason", get_args(PaymentReason))
def test_what_would_be_refused_for_ever_is_not_asked_again(reason: PaymentReason) -> None:
    movements = (refused(asked(300), reason),)
    again = next_movement("p1", movements, 300, NOW_MS + 10**12)
    assert (again is None) == (reason in FINAL_REFUSALS)
    assert (retry_at_ms(movements) is None) == (reason in FINAL_REFUSALS)


@pytest.mark.parametrize("reason", ["conflict", "limit"])
def test_a_refused_charge_holds_up_no_refund_of_what_was_paid(reason: PaymentReason) -> None:
    paid = posted(asked(300))
    movements = (paid, refused(asked(450, (paid,)), reason))
    assert next_movement("p1", movements, 400, NOW_MS) is None
    back = asked(100, movements)
    assert (back.kind, back.amount_minor, back.number) == ("refund", 200, 3)


def test_nothing_is_retried_once_money_moved() -> None:
    assert retry_at_ms(()) is None
    assert retry_at_ms((refused(asked(300)), posted(asked(300)))) is None


def test_the_first_answer_counts() -> None:
    movement = posted(asked(300))
    assert refused(movement) is movement
    assert (movement.state, movement.reason) == ("posted", None)
    assert refused(asked(300)).reason == "limit"


@pytest.mark.parametrize(
    ("verdict", "bar", "treatment", "billings", "text"),
    [
        ("proven", None, None, (), None),
        ("proven", "recording", None, (), "not charged: recording"),
        ("unresolved", None, None, (), "not proven, so not charged"),
        ("rejected", None, None, (), "not passed"),
        ("proven", None, Treatment("exempt", "ambulance"), (), "exempt from"),
        ("proven", None, Treatment("blocked", ""), (), "blocked by"),
        ("proven", None, None, (Billing(3, "rejected", 0, "not seen"),), "operator: not seen"),
        ("proven", None, None, (Billing(3, "rejected", 0),), "no reason given"),
        ("proven", None, None, (Billing(3, "confirmed", 3),), None),
    ],
)  # fmt: skip
def test_what_is_no_part_of_the_tariffs_set_says_why(
    verdict: str, bar: str | None, treatment: Treatment | None, billings: tuple[Billing, ...],
    text: str | None,
) -> None:  # fmt: skip
    said = counts(verdict, bar, treatment, billings)  # type: ignore[arg-type]  # a literal
    assert (said is None) == (text is None)
    assert text is None or text in (said or "")


def test_a_correction_replaces_the_fee_that_was_declared_and_no_other() -> None:
    billing = Billing(300, "corrected", 250, "smaller class")
    said = owed(300, ["rule"], [Billing(300, "confirmed", 300), billing], pays_dearer=False)
    assert (said.amount_minor, said.reason) == (250, "corrected by the operator: smaller class")
    assert said.words == ("rule", "corrected by the operator: smaller class")
    assert owed(310, ["rule"], [billing], pays_dearer=False).amount_minor == 310
    assert owed(300, ["rule"], [], pays_dearer=False).reason is None
    latest = [billing, Billing(300, "corrected", 200)]
    assert owed(300, [], latest, pays_dearer=False).amount_minor == 200


def test_more_than_the_fee_is_paid_on_the_operators_word_only_where_that_is_set() -> None:
    dearer = [Billing(300, "corrected", 900, "larger class")]
    disputed = owed(300, ["rule"], dearer, pays_dearer=False)
    assert disputed.amount_minor == 300
    assert disputed.reason is None
    assert "disputed: larger class" in disputed.words[-1]
    assert owed(300, ["rule"], dearer, pays_dearer=True).amount_minor == 900


def test_the_exception_list_holds_from_and_until_and_for_its_vehicle() -> None:
    later = AT + timedelta(hours=1)
    entries = [
        ExceptionEntry(vehicle_id="car", treatment="blocked", valid_from=AT, reason="no account"),
        ExceptionEntry(vehicle_id="car", treatment="exempt", valid_from=later, valid_until=later
                       + timedelta(hours=1), reason="ambulance"),
    ]  # fmt: skip
    exceptions = ExceptionList(operator="lta", version=1, entries=entries)

    def said(seconds: float, vehicle: str = "car") -> str | None:
        found = treatment_of(exceptions, vehicle, AT + timedelta(seconds=seconds))
        return found.kind if found else None

    assert [said(-1), said(0), said(3_600), said(7_199), said(7_200)] == [
        None, "blocked", "exempt", "exempt", "blocked",
    ]  # fmt: skip
    assert said(0, "other") is None
    assert treatment_of(None, "car", AT) is None
