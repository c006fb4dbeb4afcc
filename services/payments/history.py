"""What was: the entries of an owner in a time, and of everybody, in the order they were made."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, func, select

from services.payments.books import as_ms, read_entries
from services.payments.ledger import Balances, Booked, Period, holding, spending_name
from services.payments.tables import balances, entries, owners

_PORTION = 1000


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
        owner: Whose.
        currency: In which.
        from_at: First instant.
        until_at: First instant after it.
        most: How many lines at most.
    """
    chosen = select(entries).where(entries.c.owner == owner, entries.c.currency == currency)
    within = (
        chosen.where(
            entries.c.at_ms >= as_ms(from_at),
            entries.c.at_ms < as_ms(until_at),
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


def latest(connection: Connection, owner: str, most: int) -> list[Booked]:
    """The last movements of an owner in all currencies, newest first."""
    rows = _rows(
        connection,
        select(entries)
        .where(entries.c.owner == owner, entries.c.booked_change != 0)
        .order_by(entries.c.number.desc())
        .limit(most),
    )
    return _booked(connection, rows)


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
    """Whether anything was ever booked for an owner."""
    return bool(
        connection.execute(
            select(func.count()).select_from(owners).where(owners.c.owner == owner)
        ).scalar_one()
    )


def _by_currency(connection: Connection, name: str) -> dict[str, int]:
    return {
        row.currency: row.balance_minor
        for row in connection.execute(
            select(balances).where(balances.c.name == name).order_by(balances.c.currency)
        )
    }


def _balance_before(connection: Connection, chosen: Select[Any], instant: datetime) -> int:
    rows = _rows(
        connection,
        chosen.where(entries.c.at_ms < as_ms(instant))
        .order_by(entries.c.at_ms.desc(), entries.c.number.desc())
        .limit(1),
    )
    return sum(row["available_after"] + row["held_after"] for row in rows)


def _rows(connection: Connection, statement: Select[Any]) -> Sequence[RowMapping]:
    return connection.execute(statement).mappings().all()


def _booked(connection: Connection, rows: Sequence[RowMapping]) -> list[Booked]:
    return [
        Booked(entry, row["available_after"], row["held_after"], 0)
        for entry, row in zip(read_entries(connection, rows), rows, strict=True)
    ]
