"""Holds: money set aside, then posted, voided, or given back when its time is over."""

from datetime import datetime, timedelta

from internetcar.contract.money import format_minor
from services.payments.case import Case, Decision, RefusedError, check_debit, referred
from services.payments.ledger import (
    Entry,
    Posting,
    driver,
    holding,
    operator,
    receipt_id,
)

_HOLD_LASTS = timedelta(hours=24)


def hold(case: Case) -> Decision:
    """Set an amount aside until it is posted, voided, or its time is over."""
    asked = case.asked
    expires_at = asked.expires_at or case.now + _HOLD_LASTS
    if expires_at <= case.now:
        raise RefusedError("expired", "the hold would have ended before it began")
    day = check_debit(case)
    changes = (
        (driver(case.owner), -asked.amount_minor),
        (holding(case.owner), asked.amount_minor),
    )
    entry = case.entry("hold", changes, day=day, about=case.group, expires_at=expires_at)
    return Decision("held", asked.amount_minor, asked.currency, entry=entry)


def post(case: Case) -> Decision:
    """Pay at most what is held; the rest goes back."""
    asked = case.asked
    hold = _open_hold(case)
    if asked.amount_minor == 0:
        raise RefusedError("malformed", "a post of 0: void the hold instead")
    if asked.amount_minor > hold.held_change:
        raise RefusedError(
            "exceeds_hold", f"{format_minor(hold.held_change, hold.currency)} is held, not more"
        )
    changes = (
        (holding(case.owner), -hold.held_change),
        (operator(asked.payee), asked.amount_minor),
        (driver(case.owner), hold.held_change - asked.amount_minor),
    )
    entry = case.entry("post", changes, day=hold.day, about=hold.about, ends=hold.entry_id)
    return Decision("posted", asked.amount_minor, asked.currency, entry=entry)


def void(case: Case) -> Decision:
    """End a hold without paying."""
    if case.asked.amount_minor:
        raise RefusedError("malformed", "a void has no amount: all that is held goes back")
    hold = _open_hold(case)
    changes = ((holding(case.owner), -hold.held_change), (driver(case.owner), hold.held_change))
    entry = case.entry("void", changes, day=hold.day, about=hold.about, ends=hold.entry_id)
    return Decision("voided", hold.held_change, hold.currency, entry=entry)


def expire(hold: Entry, now: datetime) -> Entry:
    """The entry that ends a hold whose time is over: all of it goes back."""
    assert hold.vehicle_id is not None
    return Entry(
        entry_id=receipt_id(hold.vehicle_id, hold.requester, hold.request_id, "expiry"),
        kind="expiry",
        owner=hold.owner,
        currency=hold.currency,
        postings=tuple(Posting(each.name, -each.amount_minor) for each in hold.postings),
        at=now,
        vehicle_id=hold.vehicle_id,
        requester=hold.requester,
        request_id=hold.request_id,
        payee=hold.payee,
        purpose=hold.purpose,
        day=hold.day,
        about=hold.about,
        ends=hold.entry_id,
        words=hold.words,
    )


def _open_hold(case: Case) -> Entry:
    hold = referred(case, ("hold",), "unknown_hold")
    ending = case.books.ending(hold.entry_id)
    if ending is not None and ending != "expiry":
        raise RefusedError("hold_ended", f"the hold has ended: {ending}")
    assert hold.expires_at is not None
    if ending == "expiry" or hold.expires_at <= case.now:
        raise RefusedError("expired", "the hold's time was over")
    return hold
