"""Money for passages: what is owed, and the difference to what was asked for (pure)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from internetcar.contract.payments import PaymentReason
from internetcar.contract.tolls import ExceptionList
from services.tolls.facts import Verdict
from services.tolls.passages.matching import derived_id

EXPIRES_MS = 3_600_000
"""So long an unresolved passage waits for evidence, by the vehicle's own log; then it is free."""

RETRY_MS = 3_600_000
LONGEST_RETRY_MS = 7 * 24 * 3_600_000
FINAL_REFUSALS = frozenset[PaymentReason]({"malformed", "conflict", "origin"})
"""Asking again would bring the same answer for ever."""


@dataclass(frozen=True, slots=True)
class Movement:
    """Money that was asked for, once; a further attempt is another movement.

    Attributes:
        charge_id: Derived from the passage and `number`.
        number: Which movement of its passage, from 1.
        kind: To the operator, or back.
        amount_minor: How much, more than 0.
        state: `asked` until payments answered.
        at_ms: When it was asked for and, once answered, when that was; UTC milliseconds.
        reason: Why payments refused.
    """

    charge_id: str
    number: int
    kind: Literal["charge", "refund"]
    amount_minor: int
    state: Literal["asked", "posted", "refused"]
    at_ms: int
    reason: PaymentReason | None = None


@dataclass(frozen=True, slots=True)
class Billing:
    """What the toll charger said to a declaration.

    Attributes:
        declared_minor: The fee that was declared.
        verdict: Its word.
        amount_minor: What it bills.
        reason: Why it rejects or corrects.
    """

    declared_minor: int
    verdict: Literal["confirmed", "rejected", "corrected"]
    amount_minor: int
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Treatment:
    """What the exception list says of a vehicle at an instant."""

    kind: Literal["exempt", "blocked"]
    reason: str


@dataclass(frozen=True, slots=True)
class Owed:
    """What a passage costs when all is said.

    Attributes:
        amount_minor: What all its movements shall add up to.
        words: How that comes about, rule by rule.
        reason: Of what differs from the fee: why.
    """

    amount_minor: int
    words: tuple[str, ...]
    reason: str | None = None


def counts(
    verdict: Verdict, bar: str | None, treatment: Treatment | None, billings: Sequence[Billing]
) -> str | None:
    """Why a passage is no part of the set that the tariff sees; `None` if it is.

    Args:
        verdict: Of its evidence.
        bar: Why it may not cost money whatever was proven, such as `recording`.
        treatment: The exception list's at the instant of the crossing.
        billings: All that the charger said of this passage.
    """
    if bar is not None:
        return f"not charged: {bar}"
    if verdict != "proven":
        return "not proven, so not charged" if verdict == "unresolved" else "not passed"
    if treatment is not None:
        because = f": {treatment.reason}" if treatment.reason else ""
        word = "exempt from" if treatment.kind == "exempt" else "blocked by"
        return f"not charged: {word} the operator's tolls{because}"
    rejected = [billing for billing in billings if billing.verdict == "rejected"]
    if rejected:
        return f"rejected by the operator: {rejected[0].reason or 'no reason given'}"
    return None


def owed(
    fee_minor: int, words: Sequence[str], billings: Sequence[Billing], *, pays_dearer: bool
) -> Owed:
    """What a passage of the tariff's set costs once the charger has spoken.

    A correction is of the fee that was declared: when the fee has changed since, it says nothing.

    Args:
        fee_minor: By the tariff, of the whole set.
        words: The fee, rule by rule.
        billings: All that the charger said of this passage, the oldest first.
        pays_dearer: Whether more than the fee is paid on the operator's word alone.
    """
    corrected = [
        billing
        for billing in billings
        if billing.verdict == "corrected" and billing.declared_minor == fee_minor
    ]
    if not corrected:
        return Owed(fee_minor, tuple(words))
    billing = corrected[-1]
    because = billing.reason or "no reason given"
    if billing.amount_minor > fee_minor and not pays_dearer:
        line = f"the operator bills {billing.amount_minor} minor units, disputed: {because}"
        return Owed(fee_minor, (*words, line))
    reason = f"corrected by the operator: {because}"
    return Owed(billing.amount_minor, (*words, reason), reason)


def asked_minor(movements: Sequence[Movement]) -> int:
    """What was posted or may still be, charges less refunds."""
    return sum(
        movement.amount_minor if movement.kind == "charge" else -movement.amount_minor
        for movement in movements
        if movement.state != "refused"
    )


def retry_at_ms(movements: Sequence[Movement]) -> int | None:
    """When money that was refused may be asked for again; `None`: never, or nothing waits."""
    refused = 0
    for movement in reversed(movements):
        if movement.state != "refused":
            break
        refused += 1
    if refused == 0 or movements[-1].reason in FINAL_REFUSALS:
        return None
    delay_ms = min(RETRY_MS << min(refused - 1, 30), LONGEST_RETRY_MS)
    return movements[-1].at_ms + delay_ms


def next_movement(
    passage_id: str, movements: Sequence[Movement], owed_minor: int, now_ms: int
) -> Movement | None:
    """The money to ask for now, so that all movements come to what is owed; `None`: none.

    One at a time: while payments owes an answer the difference waits, so that a refund never
    overtakes its charge, and what was refused is never counted as paid.

    Args:
        passage_id: Whose money it is.
        movements: All so far, in order.
        owed_minor: What they shall add up to.
        now_ms: UTC milliseconds.
    """
    difference = owed_minor - asked_minor(movements)
    if difference == 0:
        return None
    kind: Literal["charge", "refund"] = "charge" if difference > 0 else "refund"
    if movements and _must_wait(movements, kind, now_ms):
        return None
    number = len(movements) + 1
    return Movement(
        charge_id=derived_id("c", passage_id, number),
        number=number,
        kind=kind,
        amount_minor=abs(difference),
        state="asked",
        at_ms=now_ms,
    )


def _must_wait(
    movements: Sequence[Movement], kind: Literal["charge", "refund"], now_ms: int
) -> bool:
    """Whether payments owes an answer, or has refused the like too short a while ago."""
    last = movements[-1]
    if last.state != "refused":
        return last.state == "asked"
    retry_ms = retry_at_ms(movements)
    return last.kind == kind and (retry_ms is None or retry_ms > now_ms)


def answered(
    movement: Movement, *, is_refused: bool, reason: PaymentReason | None, now_ms: int
) -> Movement:
    """A movement once payments has spoken; the first answer counts."""
    if movement.state != "asked":
        return movement
    return Movement(
        charge_id=movement.charge_id,
        number=movement.number,
        kind=movement.kind,
        amount_minor=movement.amount_minor,
        state="refused" if is_refused else "posted",
        at_ms=now_ms,
        reason=reason if is_refused else None,
    )


def treatment_of(
    exceptions: ExceptionList | None, vehicle_id: str, crossed_at: datetime
) -> Treatment | None:
    """What the operator's exception list says of a vehicle at an instant; exempt goes first."""
    if exceptions is None:
        return None
    found = [
        entry
        for entry in exceptions.entries
        if entry.vehicle_id == vehicle_id
        and entry.valid_from <= crossed_at
        and (entry.valid_until is None or crossed_at < entry.valid_until)
    ]
    found.sort(key=lambda entry: (entry.treatment != "exempt", entry.valid_from))
    return Treatment(found[0].treatment, found[0].reason) if found else None
