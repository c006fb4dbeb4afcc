"""What a person does at the wallet's desk, each thing once, however often it is typed."""

import hashlib
from dataclasses import asdict, replace
from datetime import datetime

import orjson
from sqlalchemy import Connection, select

from internetcar.contract.message import InputError
from services.database import Database
from services.payments.case import Decision
from services.payments.instruction import printable
from services.payments.ledger import Entry, provider
from services.payments.limits import Terms
from services.payments.movements import PERSON, Movement, pay_out, reverse, top_up
from services.payments.sayings import say_booked
from services.payments.store import Answer, Ledger
from services.payments.tables import entries


class DeskError(InputError):
    """It was not done; the text says why."""


def take_in(database: Database, movement: Movement, now: datetime) -> Entry:
    """Book a top-up.

    Raises:
        DeskError: It is refused, or its reference stands for another movement.
    """
    return database.run(lambda connection: _move(connection, movement, now, is_in=True))


def give_out(database: Database, movement: Movement, now: datetime) -> Entry:
    """Book a payout.

    Raises:
        DeskError: It is refused, or its reference stands for another movement.
    """
    return database.run(lambda connection: _move(connection, movement, now, is_in=False))


def undo(database: Database, entry_id: str, reason: str, terms: Terms, now: datetime) -> Entry:
    """Reverse an entry; done again with the same reason, it is the same reversal.

    Args:
        database: The wallet's.
        entry_id: The receipt's id.
        reason: Why, for ever.
        terms: Of the owner.
        now: When.

    Raises:
        DeskError: There is no such entry, or the rules do not allow it.
    """
    return database.run(lambda connection: _undo(connection, entry_id, reason, terms, now))


def owner_of(connection: Connection, entry_id: str) -> str:
    """Whose a receipt is.

    Raises:
        DeskError: There is no such receipt.
    """
    return _entry(Ledger(connection), entry_id).owner


def _move(connection: Connection, movement: Movement, now: datetime, *, is_in: bool) -> Entry:
    ledger = Ledger(connection)
    scope = provider(movement.provider)
    request_id = f"{'in' if is_in else 'out'}:{movement.reference}"
    digest = hashlib.sha256(orjson.dumps(asdict(replace(movement, words=())))).hexdigest()
    ledger.lock_scope(scope)
    known = ledger.answers_to(scope, PERSON, request_id)
    if known and digest not in known:
        raise DeskError(f"{movement.reference!r} of {movement.provider} is another movement")
    if known:
        return _entry(ledger, known[digest].payload.decode())
    now = ledger.lock_owner(movement.owner, now)
    decision = (top_up if is_in else pay_out)(movement, ledger.books, now)
    entry = _book(ledger, decision)
    ledger.remember(
        Answer(scope, PERSON, request_id, digest, entry.entry_id.encode(), movement.currency)
    )
    return entry


def _undo(connection: Connection, entry_id: str, reason: str, terms: Terms, now: datetime) -> Entry:
    ledger, reason = Ledger(connection), printable(reason)
    entry = _entry(ledger, entry_id)
    if entry.vehicle_id is not None:
        ledger.lock_scope(entry.vehicle_id)
    now = ledger.lock_owner(entry.owner, now)
    done = connection.execute(
        select(entries.c.entry_id).where(entries.c.reverses == entry_id)
    ).scalar()
    if done is not None:
        before = _entry(ledger, done)
        if before.reason != reason:
            raise DeskError(f"{entry_id}: reversed already ({before.reason})")
        return before
    return _book(ledger, reverse(entry, reason, ledger.books, terms, now))


def _entry(ledger: Ledger, entry_id: str) -> Entry:
    entry = ledger.books.entry(entry_id) if entry_id.isprintable() else None
    if entry is None:
        raise DeskError(f"{entry_id!r}: no such receipt; `car wallet receipts` names them")
    return entry


def _book(ledger: Ledger, decision: Decision) -> Entry:
    if decision.entry is None:
        raise DeskError(f"refused: {decision.detail}")
    booked = ledger.book(decision.entry)
    say_booked(ledger.connection, booked)
    return decision.entry
