"""What was: the entries of an owner in a time, and of everybody, in the order they were made."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, bindparam, func, select

from internetcar.contract.message import milliseconds
from services.payments.books import read_entries
from services.payments.ledger import (
    Balances,
    Booked,
    Entry,
    Period,
    holding,
    operator,
    spending_name,
)
from services.payments.tables import balances, entries, owners, postings

_PORTION = 1000
_OF_NAME = (
    select(balances).where(balances.c.name == bindparam("name")).order_by(balances.c.currency)
)
"""Made once, since every request runs it."""


def period(
    connection: Connection,
    owner: str,
    currency: str,
    from_at: datetime,
    until_at: datetime,
    most: int,
) -> Period:
    """The movements of an owner from one instant up to, and without, another.

    Args:
        connection: To read.
        owner: Whose; of an operator also what drivers paid to it.
        currency: In which.
        from_at: First instant.
        until_at: First instant after it.
        most: How many lines at most.
    """
    if _is_operator(owner):
        return _operator_period(connection, owner, currency, from_at, until_at, most)
    chosen = select(entries).where(entries.c.owner == owner, entries.c.currency == currency)
    within = (
        chosen.where(
            entries.c.at_ms >= milliseconds(from_at),
            entries.c.at_ms < milliseconds(until_at),
            entries.c.booked_change != 0,
        )
        .order_by(entries.c.at_ms, entries.c.number)
        .limit(most + 1)
    )
    rows = _rows(connection, within)
    return Period(
        _balance_before(connection, chosen, from_at),
        tuple(_booked(connection, rows[:most])),
        _balance_before(connection, chosen, max(from_at, until_at)),
        len(rows) > most,
    )


def latest(connection: Connection, owner: str, most: int) -> list[Entry]:
    """The last entries that moved an owner's money in all currencies, newest first."""
    mine = entries.c.owner == owner
    if _is_operator(owner):
        mine = entries.c.entry_id.in_(select(postings.c.entry_id).where(postings.c.name == owner))
    rows = _rows(
        connection,
        select(entries)
        .where(mine, entries.c.booked_change != 0)
        .order_by(entries.c.number.desc())
        .limit(most),
    )
    found = read_entries(connection, rows)
    return [_seen_by(owner, entry) for entry in found] if _is_operator(owner) else found


def journal(connection: Connection) -> Iterator[Booked]:
    """Every entry of everybody, oldest first."""
    last = -1
    while rows := _rows(
        connection,
        select(entries).where(entries.c.number > last).order_by(entries.c.number).limit(_PORTION),
    ):
        yield from _booked(connection, rows)
        last = rows[-1]["number"]


def owner_balances(connection: Connection, owner: str) -> Balances:
    """What an owner has now."""
    counted = connection.execute(select(owners.c.entries).where(owners.c.owner == owner)).scalar()
    return Balances(
        _by_currency(connection, spending_name(owner)),
        _by_currency(connection, holding(owner)),
        int(counted or 0),
    )


def all_balances(connection: Connection) -> list[tuple[str, str, int]]:
    """Every ledger account: name, currency, and what is on it."""
    return [
        (row.name, row.currency, row.balance_minor)
        for row in connection.execute(
            select(balances).order_by(balances.c.name, balances.c.currency)
        )
    ]


def is_owner(connection: Connection, owner: str) -> bool:
    """Whether anything was ever booked for an owner, or paid to an operator."""
    known = select(owners.c.owner).where(owners.c.owner == owner)
    if _is_operator(owner):
        known = select(balances.c.name).where(balances.c.name == owner).limit(1)
    return connection.execute(known).first() is not None


def _is_operator(owner: str) -> bool:
    return owner.startswith(operator(""))


def _seen_by(name: str, entry: Entry) -> Entry:
    """A driver's entry as it changed an operator's money; from whom it was."""
    return entry if entry.owner == name else replace(entry, owner=name, payee=entry.owner)


def _operator_period(
    connection: Connection,
    name: str,
    currency: str,
    from_at: datetime,
    until_at: datetime,
    most: int,
) -> Period:
    of_name = entries.join(postings, postings.c.entry_id == entries.c.entry_id)
    mine = (postings.c.name == name, postings.c.currency == currency)

    def before(instant: datetime) -> int:
        added = select(func.sum(postings.c.amount_minor)).select_from(of_name)
        return int(
            connection.execute(added.where(*mine, entries.c.at_ms < milliseconds(instant))).scalar()
            or 0
        )

    rows = _rows(
        connection,
        select(entries)
        .select_from(of_name)
        .where(
            *mine,
            entries.c.at_ms >= milliseconds(from_at),
            entries.c.at_ms < milliseconds(until_at),
        )
        .order_by(entries.c.at_ms, entries.c.number)
        .limit(most + 1),
    )
    opening_minor = balance_minor = before(from_at)
    lines = []
    for entry in read_entries(connection, rows[:most]):
        seen = _seen_by(name, entry)
        balance_minor += seen.booked_change
        lines.append(Booked(seen, balance_minor, 0))
    closing_minor = before(max(from_at, until_at))
    return Period(opening_minor, tuple(lines), closing_minor, len(rows) > most)


def _by_currency(connection: Connection, name: str) -> dict[str, int]:
    return {row.currency: row.balance_minor for row in connection.execute(_OF_NAME, {"name": name})}


def _balance_before(connection: Connection, chosen: Select[Any], instant: datetime) -> int:
    rows = _rows(
        connection,
        chosen.where(entries.c.at_ms < milliseconds(instant))
        .order_by(entries.c.at_ms.desc(), entries.c.number.desc())
        .limit(1),
    )
    return sum(row["available_after"] + row["held_after"] for row in rows)


def _rows(connection: Connection, statement: Select[Any]) -> Sequence[RowMapping]:
    return connection.execute(statement).mappings().all()


def _booked(connection: Connection, rows: Sequence[RowMapping]) -> list[Booked]:
    return [
        Booked(entry, row["available_after"], row["held_after"])
        for entry, row in zip(read_entries(connection, rows), rows, strict=True)
    ]
