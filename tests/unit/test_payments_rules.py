"""What the wallet does with each instruction, and what it refuses."""

from datetime import timedelta, timezone
from typing import Any

import pytest

from internetcar.contract.money import MOST_MINOR
from services.payments.case import EarlyError
from services.payments.holds import expire
from services.payments.ledger import driver, holding, operator, postings
from services.payments.limits import Terms
from services.payments.movements import Movement, pay_out, reverse, top_up
from tests.wallet import NOW, MemoryBooks, ask, charge, funded, request, told

ALICE, SHELL, LTA = driver("alice"), operator("shell"), operator("lta")


def balances(books: MemoryBooks, currency: str = "SGD") -> dict[str, int]:
    return {name: books.balance(name, currency) for name in sorted(books.names())}


def test_a_payment_goes_from_the_driver_to_the_payee() -> None:
    books = funded(2000)
    decision = ask(books, request(amount=500))
    assert (decision.state, decision.amount_minor, decision.reason) == ("posted", 500, None)
    assert balances(books) == {ALICE: 1500, SHELL: 500, "provider:cash": -2000}


def test_prepaid_money_is_spent_to_the_last_cent_and_not_beyond() -> None:
    books = funded(500)
    assert ask(books, request("a", amount=501)).reason == "insufficient_funds"
    assert ask(books, request("b", amount=500)).state == "posted"
    assert ask(books, request("c", amount=1)).reason == "insufficient_funds"
    assert balances(books)[ALICE] == 0


def test_credit_goes_as_far_as_was_agreed_in_each_currency() -> None:
    books, terms = MemoryBooks(), Terms(credit_minor={"SGD": 100})
    assert ask(books, request("a", amount=101), terms).reason == "insufficient_funds"
    assert ask(books, request("b", amount=100), terms).state == "posted"
    assert ask(books, request("c", amount=1, currency="EUR"), terms).reason == "insufficient_funds"


def test_what_is_held_cannot_be_spent() -> None:
    books = funded(1000)
    assert ask(books, request("h", "hold", 700)).state == "held"
    assert balances(books)[holding("alice")] == 700
    assert ask(books, request("p", amount=301)).reason == "insufficient_funds"
    assert ask(books, request("q", amount=300)).state == "posted"


@pytest.mark.parametrize(("amount", "back"), [(1, 699), (700, 0), (450, 250)])
def test_a_post_pays_at_most_what_is_held_and_the_rest_goes_back(amount: int, back: int) -> None:
    books = funded(1000)
    ask(books, request("h", "hold", 700))
    assert ask(books, request("big", "post", 701, refers_to="h")).reason == "exceeds_hold"
    assert ask(books, request("p", "post", amount, refers_to="h")).state == "posted"
    assert balances(books)[ALICE] == 300 + back
    assert balances(books)[holding("alice")] == 0
    assert balances(books)[SHELL] == amount
    assert ask(books, request("p2", "post", 1, refers_to="h")).reason == "hold_ended"
    assert ask(books, request("v", "void", 0, refers_to="h")).reason == "hold_ended"


def test_a_void_gives_all_of_it_back() -> None:
    books = funded(1000)
    ask(books, request("h", "hold", 700))
    decision = ask(books, request("v", "void", 0, refers_to="h"))
    assert (decision.state, decision.amount_minor) == ("voided", 700)
    assert balances(books)[ALICE] == 1000
    assert ask(books, request("p", "post", 1, refers_to="h")).reason == "hold_ended"


def test_a_hold_whose_time_is_over_is_over_before_and_after_it_is_taken_down() -> None:
    books, later = funded(1000), NOW + timedelta(hours=24)
    ask(books, request("h", "hold", 700))
    just_before = later - timedelta(milliseconds=1)
    assert ask(books, request("big", "post", 800, refers_to="h"), now=just_before).reason == (
        "exceeds_hold"
    )
    assert ask(books, request("p", "post", 1, refers_to="h"), now=later).reason == "expired"
    hold = books.entries[-1]
    books.entries.append(expire(hold, later))
    assert balances(books)[ALICE] == 1000
    assert ask(books, request("q", "void", 0, refers_to="h"), now=later).reason == "expired"


def test_a_hold_that_would_have_ended_is_refused() -> None:
    assert ask(funded(), request("h", "hold", 1, expires_at=NOW)).reason == "expired"


def test_a_refund_gives_back_at_most_what_was_paid_and_needs_a_reason() -> None:
    books = funded(1000)
    ask(books, request("p", amount=600))

    def refund(name: str, amount: int, **fields: Any) -> str | None:
        asked = request(name, "refund", amount, **{"refers_to": "p", "reason": "bad", **fields})
        return ask(books, asked).reason

    assert refund("a", 601) == "exceeds_payment"
    assert refund("b", 100, reason="  ") == "malformed"
    assert refund("b", 100, reason=None) == "malformed"
    assert refund("c", 400) is None
    assert refund("d", 201) == "exceeds_payment"
    assert refund("e", 200) is None
    assert refund("f", 1) == "exceeds_payment"
    assert balances(books) == {ALICE: 1000, SHELL: 0, "provider:cash": -1000}


def test_a_posted_hold_is_refunded_like_a_payment_and_a_hold_is_not() -> None:
    books = funded(1000)
    ask(books, request("h", "hold", 700))
    refund = {"refers_to": "h", "reason": "bad"}
    assert ask(books, request("r", "refund", 1, **refund)).reason == "unknown_payment"
    ask(books, request("p", "post", 300, refers_to="h"))
    refund["refers_to"] = "p"
    assert ask(books, request("r1", "refund", 301, **refund)).reason == "exceeds_payment"
    assert ask(books, request("r2", "refund", 300, **refund)).state == "refunded"
    assert balances(books)[ALICE] == 1000


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"amount": 0}, "malformed"),
        ({"refers_to": "x"}, "malformed"),
        ({"action": "hold", "amount": 0}, "malformed"),
        ({"action": "post"}, "malformed"),
        ({"action": "void"}, "malformed"),
        ({"action": "void", "amount": 0}, "malformed"),
        ({"action": "refund", "reason": "x"}, "malformed"),
        ({"action": "post", "refers_to": "x"}, "unknown_hold"),
        ({"action": "void", "refers_to": "x", "amount": 0}, "unknown_hold"),
        ({"action": "post", "refers_to": "h", "amount": 0}, "malformed"),
        ({"action": "post", "refers_to": "h", "currency": "EUR"}, "currency"),
        ({"action": "post", "refers_to": "h", "payee": "bp"}, "malformed"),
        ({"action": "post", "refers_to": "h", "purpose": "toll"}, "malformed"),
        ({"action": "post", "refers_to": "h", "requester": "other"}, "unknown_hold"),
        ({"action": "post", "refers_to": "h", "vehicle_id": "other"}, "unknown_hold"),
        ({"action": "refund", "refers_to": "h", "reason": "x"}, "unknown_payment"),
        ({"action": "refund", "refers_to": "p", "reason": "x", "amount": 0}, "malformed"),
        ({"currency": "XXX"}, "currency"),
        ({"currency": "XAU"}, "currency"),
        ({"amount": MOST_MINOR}, "insufficient_funds"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_and_moves_nothing(
    fields: dict[str, Any], reason: str
) -> None:
    books = funded(1000)
    ask(books, request("h", "hold", 100))
    ask(books, request("p", "pay", 100))
    before = list(books.entries)
    decision = ask(books, request(**{"request_id": "bad", **fields}))
    assert (decision.state, decision.reason) == ("refused", reason)
    assert decision.detail
    assert books.entries == before


def test_no_account_holds_more_than_a_message_can_say() -> None:
    books = funded(MOST_MINOR)
    more = top_up(Movement("transfer", "more", "alice", 1, "SGD"), books, NOW)
    assert more.reason == "limit"
    terms = Terms(credit_minor={"SGD": MOST_MINOR})
    ask(books, request("a", amount=MOST_MINOR), terms)
    assert ask(books, request("b", amount=1), terms).reason == "limit"


def test_the_day_s_limit_counts_what_is_paid_and_held_less_what_came_back() -> None:
    books, terms = funded(), Terms(day_limits_minor={"fuel": {"SGD": 1000}})
    ask(books, request("h", "hold", 400), terms)
    ask(books, request("p", amount=600), terms)
    assert ask(books, request("a", amount=1), terms).reason == "limit"
    ask(books, request("post", "post", 100, refers_to="h"), terms)
    assert ask(books, request("b", amount=301), terms).reason == "limit"
    ask(books, request("r", "refund", 50, refers_to="p", reason="x"), terms)
    assert ask(books, request("c", amount=350), terms).state == "posted"
    assert ask(books, request("d", amount=1), terms).reason == "limit"
    assert ask(books, request("e", amount=1, purpose="parking"), terms).state == "posted"
    assert ask(books, request("f", amount=1), terms, NOW + timedelta(days=1)).state == "posted"


def test_a_limit_cannot_be_passed_by_in_another_currency() -> None:
    books, terms = funded(100, "EUR"), Terms(day_limits_minor={"fuel": {"SGD": 1000}})
    assert ask(books, request(amount=1, currency="EUR"), terms).reason == "limit"


def test_the_limit_s_day_is_the_account_s_own() -> None:
    singapore = timezone(timedelta(hours=8))
    terms = Terms(day_limits_minor={"fuel": {"SGD": 100}}, zone=singapore)
    books, evening = funded(), NOW.replace(hour=15, minute=59)  # 23:59 in Singapore
    assert ask(books, request("a", amount=100), terms, evening).state == "posted"
    assert ask(books, request("b", amount=1), terms, evening).reason == "limit"
    assert ask(books, request("c", amount=100), terms, evening + timedelta(minutes=1)).state == (
        "posted"
    )


def test_a_passage_counts_for_the_day_it_happened_however_late_it_is_charged() -> None:
    books, terms = funded(), Terms(day_limits_minor={"toll": {"SGD": 300}})
    late = NOW + timedelta(days=2)
    assert ask(books, charge("a", amount=300), terms, late).state == "posted"
    assert ask(books, charge("b", amount=1, passage_id="p2"), terms, late).reason == "limit"


def test_a_toll_is_charged_and_given_back_by_its_passage() -> None:
    books = funded(1000)
    assert ask(books, charge("a", amount=300)).state == "posted"
    assert ask(books, charge("b", amount=200, fee_minor=500)).state == "posted"
    assert ask(books, charge("c", "refund", 501)).reason == "exceeds_payment"
    assert ask(books, charge("d", "refund", 400, passage_id="p2")).reason == "exceeds_payment"
    assert ask(books, charge("e", "refund", 400, operator="other")).reason == "exceeds_payment"
    assert ask(books, charge("f", "refund", 400, fee_minor=100)).state == "refunded"
    assert ask(books, charge("g", "refund", 101)).reason == "exceeds_payment"
    assert ask(books, charge("h", "refund", 100)).state == "refunded"
    assert balances(books) == {ALICE: 1000, LTA: 0, "provider:cash": -1000}


def test_a_free_passage_is_answered_and_moves_nothing() -> None:
    books = funded()
    assert ask(books, charge("a", amount=0)).state == "posted"
    assert ask(books, charge("b", "refund", 0)).state == "refunded"
    assert len(books.entries) == 1


def test_a_toll_refund_without_a_reason_is_refused() -> None:
    books = funded()
    ask(books, charge("a"))
    assert ask(books, charge("b", "refund", 300, reason=None)).reason == "malformed"


def test_a_toll_refund_waits_for_a_charge_that_is_still_to_come() -> None:
    books = funded()
    refund = charge("b", "refund", 100, fee_minor=200)
    with pytest.raises(EarlyError, match="still to come"):
        ask(books, refund, may_wait=True)
    assert ask(books, refund).reason == "exceeds_payment"
    first = charge("a")
    ask(books, first)
    books.claims.append((f"car/lta/{first.passage_id}", "SGD", 300))
    assert ask(books, refund, may_wait=True).state == "refunded"


def test_a_toll_refund_of_a_charge_that_was_refused_does_not_wait() -> None:
    books = MemoryBooks()
    assert ask(books, charge("a")).reason == "insufficient_funds"
    books.claims.append(("car/lta/p1", "SGD", 300))
    refund = charge("b", "refund", 300)
    assert ask(books, refund, may_wait=True).reason == "exceeds_payment"


def test_strangers_words_become_one_line_each() -> None:
    asked = request(description="a\u202eb\ufeffc\u200e[31m", reason="  why\xa0")
    assert told(asked).words == ("a b c [31m",)
    assert told(asked).reason == "why"


def test_a_payout_takes_what_is_there_and_never_credit() -> None:
    books = funded(1000)
    fee = Movement("cash", "x", "alice", 900, "SGD", fee_minor=101)
    assert pay_out(fee, books, NOW).reason == "insufficient_funds"
    decision = pay_out(Movement("cash", "x", "alice", 900, "SGD", fee_minor=100), books, NOW)
    assert decision.entry is not None
    books.entries.append(decision.entry)
    assert balances(books) == {ALICE: 0, "fees": 100, "provider:cash": -100}


def test_an_operator_is_paid_out_what_it_has_earned() -> None:
    books = funded(1000)
    ask(books, request(amount=400))
    assert pay_out(Movement("cash", "x", SHELL, 401, "SGD"), books, NOW).state == "refused"
    assert pay_out(Movement("cash", "x", SHELL, 400, "SGD"), books, NOW).state == "posted"


def test_a_top_up_s_fee_leaves_something() -> None:
    books = MemoryBooks()
    movement = Movement("cash", "x", "alice", 100, "SGD", fee_minor=100)
    assert top_up(movement, books, NOW).reason == "malformed"


def test_a_reversal_gives_back_what_is_left_of_a_payment_and_needs_a_reason() -> None:
    books = funded(1000)
    ask(books, request("h", "hold", 700))
    payment = ask(books, request("p", "post", 600, refers_to="h")).entry
    ask(books, request("r", "refund", 100, refers_to="p", reason="x"))
    assert payment is not None
    assert reverse(payment, " ", books, Terms(), NOW).reason == "malformed"
    undone = reverse(payment, "typed wrongly", books, Terms(), NOW)
    assert undone.amount_minor == 500
    assert undone.entry is not None
    assert (undone.entry.reverses, undone.entry.reason) == (payment.entry_id, "typed wrongly")
    books.entries.append(undone.entry)
    assert balances(books)[ALICE] == 1000
    assert reverse(payment, "again", books, Terms(), NOW).reason == "exceeds_payment"
    assert reverse(undone.entry, "no", books, Terms(), NOW).reason == "malformed"


def test_a_reversed_refund_is_paid_again_and_can_be_refunded_again() -> None:
    books = funded(1000)
    ask(books, request("p", amount=600))
    refund = ask(books, request("r", "refund", 600, refers_to="p", reason="x")).entry
    assert refund is not None
    undone = reverse(refund, "it was right", books, Terms(), NOW).entry
    assert undone is not None
    books.entries.append(undone)
    assert balances(books)[ALICE] == 400
    again = request("r2", "refund", 600, refers_to="p", reason="x")
    assert ask(books, again).state == "refunded"


def test_a_top_up_that_is_spent_cannot_be_reversed_below_the_credit() -> None:
    books = funded(1000)
    start = books.entries[0]
    ask(books, request(amount=1))
    assert reverse(start, "never came", books, Terms(), NOW).reason == "insufficient_funds"
    assert reverse(start, "never came", books, Terms({"SGD": 1}), NOW).state == "posted"


@pytest.mark.parametrize(
    "changes", [(("a", 1), ("b", -2)), (("a", 0), ("b", 0)), (("a", 1), ("a", -1))]
)
def test_an_entry_has_two_accounts_that_balance(changes: tuple[tuple[str, int], ...]) -> None:
    with pytest.raises(ValueError, match=r"add up to 0|two accounts"):
        postings(*changes)
