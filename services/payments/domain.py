"""The rules of the wallet: an instruction in; an entry and an answer out, or a refusal."""

from datetime import datetime

from internetcar.contract.money import format_minor
from internetcar.contract.payments import PaymentReason
from services.payments import holds
from services.payments.case import (
    Case,
    Decision,
    EarlyError,
    RefusedError,
    check_bounds,
    check_debit,
    referred,
)
from services.payments.currencies import CURRENCIES
from services.payments.instruction import Instruction
from services.payments.ledger import Books, Entry, driver, operator
from services.payments.limits import Terms


def decide(
    instruction: Instruction,
    owner: str,
    books: Books,
    terms: Terms,
    now: datetime,
    *,
    may_wait: bool = False,
) -> Decision:
    """What becomes of an instruction that is trusted and has an account.

    Args:
        instruction: What is asked.
        owner: The account: of what it refers to, else the vehicle's.
        books: The ledger up to now.
        terms: What was agreed for the account.
        now: When it is decided, UTC.
        may_wait: Whether a toll refund may wait for its charge rather than be refused.

    Raises:
        EarlyError: The refund has to wait; only with `may_wait`.
    """
    rules = {
        "pay": _pay, "hold": holds.hold, "post": holds.post, "void": holds.void, "refund": _refund,
        "toll_refund": _refund_passage,
    }  # fmt: skip
    case = Case(instruction, owner, books, terms, now)
    try:
        _check_currency(instruction.currency)
        if may_wait:
            _check_order(case)
        decision = rules[instruction.action](case)
        if decision.entry is not None:
            check_bounds(decision.entry, books)
    except RefusedError as error:
        return refused(instruction, error.reason, error.detail)
    return decision


def refused(instruction: Instruction, reason: PaymentReason, detail: str) -> Decision:
    """The answer to what the wallet does not do."""
    return Decision("refused", instruction.amount_minor, instruction.currency, reason, detail)


def _check_currency(currency: str) -> None:
    if currency not in CURRENCIES:
        raise RefusedError("currency", f"{currency} is no currency of ISO 4217 with a minor unit")


def _pay(case: Case) -> Decision:
    asked = case.asked
    if asked.amount_minor == 0 and asked.passage is not None:
        return Decision("posted", 0, asked.currency)
    day = check_debit(case)
    changes = (
        (driver(case.owner), -asked.amount_minor),
        (operator(asked.payee), asked.amount_minor),
    )
    entry = case.entry("payment", changes, day=day, about=case.group)
    return Decision("posted", asked.amount_minor, asked.currency, entry=entry)


def _refund(case: Case) -> Decision:
    asked = case.asked
    payment = referred(case, ("payment", "post"), "unknown_payment")
    entry = _give_back(case, payment.about, payment.day)
    return Decision("refunded", asked.amount_minor, asked.currency, entry=entry)


def _refund_passage(case: Case) -> Decision:
    asked = case.asked
    if asked.amount_minor == 0:
        return Decision("refunded", 0, asked.currency)
    assert asked.occurred_at is not None
    entry = _give_back(case, case.group, case.terms.local_day(asked.occurred_at))
    return Decision("refunded", asked.amount_minor, asked.currency, entry=entry)


def _check_order(case: Case) -> None:
    """Let a toll refund wait that speaks of charges which have not been heard yet."""
    asked = case.asked
    if (
        asked.action == "toll_refund"
        and asked.amount_minor > case.books.paid(case.group, asked.currency)
        and asked.claimed_before > case.books.claimed(case.group, asked.currency)
    ):
        raise EarlyError(f"{asked.request_id} corrects a charge that is still to come")


def _give_back(case: Case, about: str, day: str) -> Entry:
    """The entry of a refund of what was paid within a group of entries."""
    asked = case.asked
    if asked.amount_minor == 0:
        raise RefusedError("malformed", "a refund of 0")
    if not asked.reason:
        raise RefusedError("malformed", "a refund needs a reason")
    paid_minor = case.books.paid(about, asked.currency)
    if asked.amount_minor > paid_minor:
        raise RefusedError(
            "exceeds_payment",
            f"{format_minor(paid_minor, asked.currency)} of the payment is left to give back",
        )
    changes = (
        (operator(asked.payee), -asked.amount_minor),
        (driver(case.owner), asked.amount_minor),
    )
    return case.entry("refund", changes, day=day, about=about)
