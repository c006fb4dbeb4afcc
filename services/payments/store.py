"""The wallet's state: entries and answers, written once and for ever, with the locks they need."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select, update

from services.database import Database, insert_new, locked, open_database
from services.payments.books import StoredBooks, as_ms, entry_row, from_ms
from services.payments.ledger import Booked, Entry, holding, spending_name
from services.payments.tables import (
    TABLES,
    VERSION,
    answers,
    balances,
    early,
    entries,
    open_holds,
    owners,
    postings,
    vehicles,
)
from services.payments.triggers import trigger_ddl


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request got, for ever.

    Attributes:
        scope: The vehicle; or the provider of what a person recorded.
        requester: Who asked.
        request_id: What they call it.
        digest: Of the whole request.
        payload: The answer's bytes.
        currency: Of `claimed_minor`.
        is_binding: Whether it takes the id, so that another body is a conflict.
        about: The passage it claims money for.
        claimed_minor: How much; below 0: asked back.
    """

    scope: str
    requester: str
    request_id: str
    digest: str
    payload: bytes
    currency: str
    is_binding: bool = True
    about: str | None = None
    claimed_minor: int = 0


def open_store(url: str) -> Database:
    """Open the wallet's database, and make its tables and triggers where they are missing.

    Args:
        url: A file's path, `sqlite:///…`, or `postgresql://…`.

    Raises:
        StoreError: It cannot be used; one line.
    """
    return open_database(url, TABLES, service="payments", version=VERSION, extra_ddl=trigger_ddl)


class Ledger:
    """One transaction on the wallet's tables."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.books = StoredBooks(connection)

    def lock_scope(self, scope: str) -> None:
        """Let nobody else look up or answer requests of this vehicle until the end."""
        insert_new(self.connection, vehicles, vehicle_id=scope)
        locked(self.connection, vehicles.c.vehicle_id, scope)

    def lock_owner(self, owner: str, now: datetime) -> datetime:
        """Let nobody else move this owner's money until the end.

        Returns:
            The time to decide with: now, but not before the owner's last entry, whatever the
            clocks of several replicas say.
        """
        insert_new(self.connection, owners, owner=owner, entries=0, last_at_ms=0)
        row = locked(self.connection, owners.c.owner, owner)
        assert row is not None
        return from_ms(max(as_ms(now), row["last_at_ms"]))

    def answers_to(self, scope: str, requester: str, request_id: str) -> dict[str, Answer]:
        """What was answered under a request id, by the digest of the request."""
        rows = self.connection.execute(
            select(answers).where(
                answers.c.scope == scope,
                answers.c.requester == requester,
                answers.c.request_id == request_id,
            )
        ).mappings()
        return {row["digest"]: Answer(**row) for row in rows}

    def remember(self, answer: Answer) -> None:
        """Keep an answer for ever."""
        self.connection.execute(
            answers.insert().values(
                scope=answer.scope,
                requester=answer.requester,
                request_id=answer.request_id,
                digest=answer.digest,
                is_binding=answer.is_binding,
                payload=answer.payload,
                about=answer.about,
                currency=answer.currency,
                claimed_minor=answer.claimed_minor,
            )
        )

    def book(self, entry: Entry) -> Booked:
        """Write an entry and everything that is counted by it; the owner is locked."""
        for each in entry.postings:
            insert_new(
                self.connection,
                balances,
                name=each.name,
                currency=entry.currency,
                balance_minor=0,
            )
            self.connection.execute(
                update(balances)
                .where(balances.c.name == each.name, balances.c.currency == entry.currency)
                .values(balance_minor=balances.c.balance_minor + each.amount_minor)
            )
        available = self.books.balance(spending_name(entry.owner), entry.currency)
        held = self.books.balance(holding(entry.owner), entry.currency)
        lines = [
            {
                "entry_id": entry.entry_id,
                "name": each.name,
                "currency": entry.currency,
                "amount_minor": each.amount_minor,
            }
            for each in entry.postings
        ]
        self.connection.execute(postings.insert(), lines)
        self.connection.execute(
            entries.insert().values(**entry_row(entry), available_after=available, held_after=held)
        )
        self._count_hold(entry)
        count = self.connection.execute(
            update(owners)
            .where(owners.c.owner == entry.owner)
            .values(entries=owners.c.entries + 1, last_at_ms=as_ms(entry.at))
            .returning(owners.c.entries)
        ).scalar_one()
        return Booked(entry, available, held, count)

    def due_holds(self, now: datetime, most: int) -> list[str]:
        """The open holds whose time is over, the earliest first."""
        return list(
            self.connection.execute(
                select(open_holds.c.entry_id)
                .where(open_holds.c.expires_at_ms <= as_ms(now))
                .order_by(open_holds.c.expires_at_ms, open_holds.c.entry_id)
                .limit(most)
            ).scalars()
        )

    def early_since(self, vehicle_id: str, digest: str, now: datetime) -> datetime:
        """Since when a toll refund waits for its charge; from now on, if it is new."""
        key = (early.c.vehicle_id == vehicle_id, early.c.digest == digest)
        insert_new(
            self.connection, early, vehicle_id=vehicle_id, digest=digest, since_ms=as_ms(now)
        )
        return from_ms(self.connection.execute(select(early.c.since_ms).where(*key)).scalar_one())

    def forget_early(self, vehicle_id: str, digest: str) -> None:
        """A toll refund does not wait any more."""
        self.connection.execute(
            early.delete().where(early.c.vehicle_id == vehicle_id, early.c.digest == digest)
        )

    def _count_hold(self, entry: Entry) -> None:
        if entry.kind == "hold":
            assert entry.expires_at is not None
            self.connection.execute(
                open_holds.insert().values(
                    entry_id=entry.entry_id,
                    owner=entry.owner,
                    expires_at_ms=as_ms(entry.expires_at),
                )
            )
        elif entry.ends is not None:
            self.connection.execute(open_holds.delete().where(open_holds.c.entry_id == entry.ends))
