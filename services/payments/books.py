"""The ledger as the rules ask it, from the database's tables."""

from collections.abc import Iterable, Sequence
from typing import Any, cast

import orjson
from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    bindparam,
    func,
    literal_column,
    select,
)

from internetcar.contract.message import instant, milliseconds
from services.payments.ledger import Entry, EntryKind, Posting
from services.payments.tables import answers, balances, entries, postings

_BITS = 24
_LOW_BITS: ColumnElement[int] = literal_column(str(_BITS))
_LOW_MASK: ColumnElement[int] = literal_column(str((1 << _BITS) - 1))
_AT_ONCE = 500
"""How many ids one query names."""

_BALANCE = select(balances.c.balance_minor).where(
    balances.c.name == bindparam("name"), balances.c.currency == bindparam("currency")
)
"""Made once: making a statement costs more than running it."""


class StoredBooks:
    """What is committed, and what this transaction has added; see `Books`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def balance(self, name: str, currency: str) -> int:
        """The sum of a ledger account's postings, 0 where there are none."""
        found = self._connection.execute(_BALANCE, {"name": name, "currency": currency}).scalar()
        return int(found or 0)

    def entry(self, entry_id: str) -> Entry | None:
        """The entry with this id."""
        row = (
            self._connection.execute(select(entries).where(entries.c.entry_id == entry_id))
            .mappings()
            .one_or_none()
        )
        return None if row is None else read_entries(self._connection, [row])[0]

    def ending(self, hold_id: str) -> EntryKind | None:
        """How a hold ended; `None` while it is open."""
        found = self._connection.execute(
            select(entries.c.kind).where(entries.c.ends == hold_id)
        ).scalar()
        return cast(EntryKind | None, found)

    def spent(self, owner: str, purpose: str, day: str, currency: str) -> int:
        """What the owner paid and has held for a purpose on a day, less what came back."""
        return -self._sum(
            entries.c.available_change,
            entries.c.owner == owner,
            entries.c.purpose == purpose,
            entries.c.day == day,
            entries.c.currency == currency,
        )

    def paid(self, about: str, currency: str) -> int:
        """What was paid within a group of entries, less what came back."""
        return -self._sum(
            entries.c.booked_change, entries.c.about == about, entries.c.currency == currency
        )

    def claimed(self, about: str, currency: str) -> int:
        """All that was asked for within a group, less what was asked back, granted or refused."""
        return self._sum(
            answers.c.claimed_minor, answers.c.about == about, answers.c.currency == currency
        )

    def owner_about(self, about: str) -> str | None:
        """Whose entries a group's are, if it has any."""
        return self._connection.execute(
            select(entries.c.owner).where(entries.c.about == about).limit(1)
        ).scalar()

    def _sum(self, amounts: ColumnElement[int], *where: ColumnElement[bool]) -> int:
        """The exact sum of any number of amounts: a hostile thousand would not fit in 64 bits."""
        high, low = func.sum(amounts.op(">>")(_LOW_BITS)), func.sum(amounts.op("&")(_LOW_MASK))
        row = self._connection.execute(select(high, low).where(*where)).one()
        return (int(row[0] or 0) << _BITS) + int(row[1] or 0)


def read_entries(connection: Connection, rows: Sequence[RowMapping]) -> list[Entry]:
    """Entries with their postings from rows of `entries`, in the same order."""
    found: dict[str, list[Posting]] = {str(row["entry_id"]): [] for row in rows}
    for ids in _portions(list(found)):
        for posting in connection.execute(
            select(postings.c.entry_id, postings.c.name, postings.c.amount_minor)
            .where(postings.c.entry_id.in_(ids))
            .order_by(postings.c.entry_id, postings.c.name)
        ):
            found[posting.entry_id].append(Posting(posting.name, posting.amount_minor))
    return [_entry(row, tuple(found[row["entry_id"]])) for row in rows]


def _portions(ids: list[str]) -> Iterable[list[str]]:
    return (ids[start : start + _AT_ONCE] for start in range(0, len(ids), _AT_ONCE))


def _entry(row: RowMapping, made_of: tuple[Posting, ...]) -> Entry:
    expires_at_ms = row["expires_at_ms"]
    return Entry(
        entry_id=row["entry_id"],
        kind=row["kind"],
        owner=row["owner"],
        currency=row["currency"],
        postings=made_of,
        at=instant(row["at_ms"]),
        vehicle_id=row["vehicle_id"],
        requester=row["requester"],
        request_id=row["request_id"],
        payee=row["payee"],
        purpose=row["purpose"],
        day=row["day"],
        about=row["about"],
        ends=row["ends"],
        reverses=row["reverses"],
        expires_at=None if expires_at_ms is None else instant(expires_at_ms),
        words=tuple(orjson.loads(row["words"])),
        reason=row["reason"],
    )


def entry_row(entry: Entry) -> dict[str, Any]:
    """An entry's row without what depends on the ledger before it."""
    return {
        "entry_id": entry.entry_id,
        "kind": entry.kind,
        "owner": entry.owner,
        "currency": entry.currency,
        "available_change": entry.available_change,
        "booked_change": entry.booked_change,
        "at_ms": milliseconds(entry.at),
        "vehicle_id": entry.vehicle_id,
        "requester": entry.requester,
        "request_id": entry.request_id,
        "payee": entry.payee,
        "purpose": entry.purpose,
        "day": entry.day,
        "about": entry.about,
        "ends": entry.ends,
        "reverses": entry.reverses,
        "expires_at_ms": None if entry.expires_at is None else milliseconds(entry.expires_at),
        "words": orjson.dumps(entry.words).decode(),
        "reason": entry.reason,
    }
