"""The wallet's state: entries and answers, written once and for ever, with the locks they need."""

from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, select, update

from internetcar.contract.message import instant, milliseconds
from services.database import Database, insert_new, locked, open_database
from services.payments.books import StoredBooks, entry_row
from services.payments.ledger import Booked, Entry, Posting, holding, spending_name
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

# What every request runs is made once: making a statement costs more than running it.
_ANSWERS = select(answers).where(
    answers.c.scope == bindparam("scope"),
    answers.c.requester == bindparam("requester"),
    answers.c.request_id == bindparam("request_id"),
)
_REMEMBER = answers.insert()
_POST = postings.insert()
_SEAL = entries.insert()
_ADDITION = (
    update(balances)
    .where(balances.c.name == bindparam("its"), balances.c.currency == bindparam("code"))
    .values(balance_minor=balances.c.balance_minor + bindparam("more"))
)
_COUNT = (
    update(owners)
    .where(owners.c.owner == bindparam("whose"))
    .values(entries=owners.c.entries + 1, last_at_ms=bindparam("at"))
)
_FORGET_EARLY = early.delete().where(
    early.c.vehicle_id == bindparam("its"), early.c.digest == bindparam("digest")
)


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
        if locked(self.connection, vehicles.c.vehicle_id, scope) is None:
            insert_new(self.connection, vehicles, vehicle_id=scope)
            locked(self.connection, vehicles.c.vehicle_id, scope)

    def lock_owner(self, owner: str, now: datetime) -> datetime:
        """Let nobody else move this owner's money until the end.

        Returns:
            The time to decide with: now, but not before the owner's last entry, whatever the
            clocks of several replicas say.
        """
        row = locked(self.connection, owners.c.owner, owner)
        if row is None:
            insert_new(self.connection, owners, owner=owner, entries=0, last_at_ms=0)
            row = locked(self.connection, owners.c.owner, owner)
        assert row is not None
        return instant(max(milliseconds(now), row["last_at_ms"]))

    def answers_to(self, scope: str, requester: str, request_id: str) -> dict[str, Answer]:
        """What was answered under a request id, by the digest of the request."""
        rows = self.connection.execute(
            _ANSWERS, {"scope": scope, "requester": requester, "request_id": request_id}
        ).mappings()
        return {row["digest"]: Answer(**row) for row in rows}

    def remember(self, answer: Answer) -> None:
        """Keep an answer for ever."""
        self.connection.execute(_REMEMBER, asdict(answer))

    def book(self, entry: Entry) -> Booked:
        """Write an entry and everything that is counted by it; the owner is locked."""
        for each in entry.postings:
            self._add(each, entry.currency)
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
        self.connection.execute(_POST, lines)
        self.connection.execute(
            _SEAL, {**entry_row(entry), "available_after": available, "held_after": held}
        )
        self._count_hold(entry)
        self.connection.execute(_COUNT, {"whose": entry.owner, "at": milliseconds(entry.at)})
        return Booked(entry, available, held)

    def due_holds(self, now: datetime, most: int) -> list[str]:
        """The open holds whose time is over, the earliest first."""
        return list(
            self.connection.execute(
                select(open_holds.c.entry_id)
                .where(open_holds.c.expires_at_ms <= milliseconds(now))
                .order_by(open_holds.c.expires_at_ms, open_holds.c.entry_id)
                .limit(most)
            ).scalars()
        )

    def early_since(self, vehicle_id: str, digest: str, now: datetime) -> datetime:
        """Since when a toll refund waits for its charge; from now on, if it is new."""
        key = (early.c.vehicle_id == vehicle_id, early.c.digest == digest)
        insert_new(
            self.connection, early, vehicle_id=vehicle_id, digest=digest, since_ms=milliseconds(now)
        )
        return instant(self.connection.execute(select(early.c.since_ms).where(*key)).scalar_one())

    def forget_early(self, vehicle_id: str, digest: str) -> None:
        """A toll refund does not wait any more."""
        self.connection.execute(_FORGET_EARLY, {"its": vehicle_id, "digest": digest})

    def _add(self, posting: Posting, currency: str) -> None:
        adding = {"its": posting.name, "code": currency, "more": posting.amount_minor}
        if self.connection.execute(_ADDITION, adding).rowcount == 0:
            insert_new(
                self.connection, balances, name=posting.name, currency=currency, balance_minor=0
            )
            self.connection.execute(_ADDITION, adding)

    def _count_hold(self, entry: Entry) -> None:
        if entry.kind == "hold":
            assert entry.expires_at is not None
            self.connection.execute(
                open_holds.insert().values(
                    entry_id=entry.entry_id,
                    owner=entry.owner,
                    expires_at_ms=milliseconds(entry.expires_at),
                )
            )
        elif entry.ends is not None:
            self.connection.execute(open_holds.delete().where(open_holds.c.entry_id == entry.ends))
