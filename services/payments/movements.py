"""What people do to the ledger: money in, money out, and what was wrong undone, with a reason."""

from dataclasses import dataclass, replace
from datetime import datetime

from internetcar.contract.money import format_minor
from services.payments.case import Decision, RefusedError, check_bounds
from services.payments.ledger import (
    FEES,
    Books,
    Entry,
    EntryKind,
    operator,
    postings,
    provider,
    receipt_id,
    spending_name,
)
from services.payments.limits import Terms

PERSON = "person"
"""The requester of what a person does by `car wallet`."""


@dataclass(frozen=True, slots=True)
class Movement:
    """Money that a provider brought in or took out.

    Attributes:
        provider: By which way.
        reference: What the way's own record calls it; the same reference is the same movement.
        owner: An account, or for a payout also `operator:{payee}`.
        amount_minor: What changed hands outside, above 0.
        currency: ISO 4217.
        fee_minor: What of it the wallet keeps.
        words: For a person.
    """

    provider: str
    reference: str
    owner: str
    amount_minor: int
    currency: str
    fee_minor: int = 0
    words: tuple[str, ...] = ()


def top_up(movement: Movement, books: Books, now: datetime) -> Decision:
    """Money in: what the provider got, less the fee, is the owner's."""
    changes = (
        (provider(movement.provider), -movement.amount_minor),
        (spending_name(movement.owner), movement.amount_minor - movement.fee_minor),
        (FEES, movement.fee_minor),
    )
    if movement.fee_minor >= movement.amount_minor:
        asked = Decision("refused", movement.amount_minor, movement.currency)
        return replace(asked, reason="malformed", detail="the fee leaves nothing of the top-up")
    return _decided(_moved("top_up", movement, changes, now), books, None)


def pay_out(movement: Movement, books: Books, now: datetime) -> Decision:
    """Money out, with the fee on top; never on credit."""
    changes = (
        (spending_name(movement.owner), -movement.amount_minor - movement.fee_minor),
        (provider(movement.provider), movement.amount_minor),
        (FEES, movement.fee_minor),
    )
    return _decided(_moved("payout", movement, changes, now), books, Terms())


def reverse(entry: Entry, reason: str, books: Books, terms: Terms, now: datetime) -> Decision:
    """Undo an entry: all of it, or of a payment what has not been given back yet.

    Args:
        entry: What was wrong; never itself a reversal, nor a hold, which is voided.
        reason: Why, for ever.
        books: The ledger; an entry is reversed once, which is the caller's to know.
        terms: Of the owner: the reversal of a top-up or refund takes money away.
        now: When.
    """
    if not reason.strip():
        return _refused(entry, RefusedError("malformed", "a reversal needs a reason"))
    if entry.kind not in ("payment", "post", "refund", "top_up", "payout"):
        return _refused(entry, RefusedError("malformed", f"a {entry.kind} cannot be reversed"))
    changes = tuple((each.name, -each.amount_minor) for each in entry.postings)
    if entry.kind in ("payment", "post"):
        left = min(-entry.booked_change, books.paid(entry.about, entry.currency))
        if left <= 0:
            gone = RefusedError("exceeds_payment", "all of it has been given back already")
            return _refused(entry, gone)
        changes = ((spending_name(entry.owner), left), (operator(entry.payee), -left))
    undone = Entry(
        entry_id=receipt_id(entry.owner, PERSON, entry.entry_id, "reversal"),
        kind="reversal",
        owner=entry.owner,
        currency=entry.currency,
        postings=postings(*changes),
        at=now,
        vehicle_id=entry.vehicle_id,
        requester=PERSON,
        request_id=entry.request_id,
        payee=entry.payee,
        purpose=entry.purpose,
        day=entry.day,
        about=entry.about,
        reverses=entry.entry_id,
        words=entry.words,
        reason=reason.strip(),
    )
    return _decided(undone, books, terms)


def _moved(
    kind: EntryKind, movement: Movement, changes: tuple[tuple[str, int], ...], now: datetime
) -> Entry:
    """The entry of a movement, whose reference is its request id."""
    scope = provider(movement.provider)
    entry_id = receipt_id(scope, PERSON, movement.reference, kind)
    return Entry(
        entry_id=entry_id,
        kind=kind,
        owner=movement.owner,
        currency=movement.currency,
        postings=postings(*changes),
        at=now,
        vehicle_id=None,
        requester=PERSON,
        request_id=entry_id,
        payee=movement.provider,
        purpose=None,
        day="",
        about=entry_id,
        words=movement.words,
    )


def _decided(entry: Entry, books: Books, terms: Terms | None) -> Decision:
    """The decision for an entry; with terms, one that takes more than is there is refused."""
    name = spending_name(entry.owner)
    available = books.balance(name, entry.currency)
    if terms is not None and entry.available_change < 0:
        least = -terms.credit_minor.get(entry.currency, 0)
        if available + entry.available_change < least:
            text = f"available: {format_minor(available, entry.currency)}"
            return _refused(entry, RefusedError("insufficient_funds", text))
    try:
        check_bounds(entry, books)
    except RefusedError as error:
        return _refused(entry, error)
    return Decision("posted", abs(entry.available_change), entry.currency, entry=entry)


def _refused(entry: Entry, error: RefusedError) -> Decision:
    return Decision(
        "refused", abs(entry.available_change), entry.currency, error.reason, error.detail
    )
