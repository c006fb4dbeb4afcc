"""Whether the ledger is what it must be, added up anew from its postings; and what can be rebuilt.

The database's triggers refuse what would make it wrong; this finds out also where somebody has gone
around them.
"""

from collections.abc import Iterator

from sqlalchemy import ColumnElement, Connection, Select, func, select

from services.payments.tables import balances, entries, open_holds, owners, postings
from services.payments.triggers import PRESENT, trigger_ddl, trigger_names

_MOST_NAMED = 20

_KEPT = select(
    postings.c.name, postings.c.currency, func.sum(postings.c.amount_minor).label("total")
).join(entries, entries.c.entry_id == postings.c.entry_id)
_TOTALS = _KEPT.group_by(postings.c.name, postings.c.currency)


def findings(connection: Connection) -> list[str]:
    """What is wrong, one line each; none is well."""
    found: list[str] = []
    for check in (
        _unguarded, _unbalanced, _unsealed, _wrong_changes, _wrong_afters, _wrong_sums,
        _wrong_holds, _wrong_counts,
    ):  # fmt: skip
        found += check(connection)
    return found


def rebuild(connection: Connection) -> None:
    """Write anew what only follows from the entries: balances, open holds, counts of owners.

    Triggers that somebody has taken away are made again.
    """
    for statement in trigger_ddl(connection.dialect.name):
        connection.exec_driver_sql(statement)
    if connection.dialect.name == "postgresql":  # until the end nobody books between the steps
        connection.exec_driver_sql("LOCK TABLE owners, balances, open_holds IN EXCLUSIVE MODE")
    connection.execute(balances.delete())
    connection.execute(
        balances.insert().from_select(["name", "currency", "balance_minor"], _TOTALS)
    )
    connection.execute(open_holds.delete())
    connection.execute(
        open_holds.insert().from_select(["entry_id", "owner", "expires_at_ms"], _open())
    )
    connection.execute(owners.delete())
    connection.execute(
        owners.insert().from_select(
            ["owner", "entries", "last_at_ms"],
            select(entries.c.owner, func.count(), func.max(entries.c.at_ms)).group_by(
                entries.c.owner
            ),
        )
    )


def sums(connection: Connection) -> dict[str, int]:
    """What all postings of each currency add up to: 0, whatever happens."""
    rows = connection.execute(
        select(postings.c.currency, func.sum(postings.c.amount_minor).label("total")).group_by(
            postings.c.currency
        )
    )
    return {row.currency: int(row.total) for row in rows}


def _unguarded(connection: Connection) -> Iterator[str]:
    present = connection.exec_driver_sql(PRESENT[connection.dialect.name]).scalars()
    for name in sorted(trigger_names(connection.dialect.name) - set(present)):
        yield f"trigger {name}: missing or off; `car wallet check --rebuild` makes it again"


def _unbalanced(connection: Connection) -> Iterator[str]:
    rows = connection.execute(
        select(postings.c.entry_id, postings.c.currency)
        .group_by(postings.c.entry_id, postings.c.currency)
        .having((func.sum(postings.c.amount_minor) != 0) | (func.count() < 2))
        .limit(_MOST_NAMED)
    )
    for row in rows:
        yield f"entry {row.entry_id}: its postings in {row.currency} do not add up to 0"
    bare = connection.execute(
        select(entries.c.entry_id)
        .outerjoin(postings, postings.c.entry_id == entries.c.entry_id)
        .where(postings.c.entry_id.is_(None))
        .limit(_MOST_NAMED)
    )
    for row in bare:
        yield f"entry {row.entry_id}: it has no postings"


def _unsealed(connection: Connection) -> Iterator[str]:
    rows = connection.execute(
        select(postings.c.entry_id)
        .distinct()
        .outerjoin(entries, entries.c.entry_id == postings.c.entry_id)
        .where(entries.c.entry_id.is_(None))
        .limit(_MOST_NAMED)
    )
    for row in rows:
        yield f"entry {row.entry_id}: postings without their entry"


def _wrong_changes(connection: Connection) -> Iterator[str]:
    """Entries whose stated changes are not those of their postings."""
    own = func.sum(postings.c.amount_minor)
    is_spending = postings.c.name.in_(("driver:" + entries.c.owner, entries.c.owner))
    is_held = postings.c.name == "holding:" + entries.c.owner
    totals = (
        select(
            entries.c.entry_id,
            func.coalesce(own.filter(is_spending), 0).label("available"),
            func.coalesce(own.filter(is_spending | is_held), 0).label("booked"),
        )
        .join(postings, postings.c.entry_id == entries.c.entry_id)
        .group_by(entries.c.entry_id)
        .subquery()
    )
    rows = connection.execute(
        select(entries.c.entry_id)
        .join(totals, totals.c.entry_id == entries.c.entry_id)
        .where(
            (totals.c.available != entries.c.available_change)
            | (totals.c.booked != entries.c.booked_change)
        )
        .limit(_MOST_NAMED)
    )
    for row in rows:
        yield f"entry {row.entry_id}: it says another change than its postings"


def _wrong_afters(connection: Connection) -> Iterator[str]:
    """Entries of drivers after which another balance is stated than all before them make."""

    def so_far(change: ColumnElement[int]) -> ColumnElement[int]:
        whose = (entries.c.owner, entries.c.currency)
        return func.sum(change).over(partition_by=whose, order_by=entries.c.number)

    totals = select(
        entries.c.entry_id,
        entries.c.available_after,
        (entries.c.available_after + entries.c.held_after).label("booked_after"),
        so_far(entries.c.available_change).label("available"),
        so_far(entries.c.booked_change).label("booked"),
    ).where(
        entries.c.owner.not_like("%:%")
    )  # an operator's money is also moved by drivers' entries
    made = totals.subquery()
    rows = connection.execute(
        select(made.c.entry_id)
        .where(
            (made.c.available != made.c.available_after) | (made.c.booked != made.c.booked_after)
        )
        .limit(_MOST_NAMED)
    )
    for row in rows:
        yield f"entry {row.entry_id}: it says another amount available after it than there was"


def _wrong_sums(connection: Connection) -> Iterator[str]:
    added = {(row.name, row.currency): int(row.total) for row in connection.execute(_TOTALS)}
    kept = {
        (row.name, row.currency): row.balance_minor for row in connection.execute(select(balances))
    }
    for name, currency in sorted(added.keys() | kept.keys()):
        true, said = added.get((name, currency), 0), kept.get((name, currency), 0)
        if true != said:
            yield f"balance of {name} in {currency}: {said} is kept, its postings make {true}"


def _wrong_holds(connection: Connection) -> Iterator[str]:
    true = {row.entry_id for row in connection.execute(_open())}
    kept = set(connection.execute(select(open_holds.c.entry_id)).scalars())
    for entry_id in sorted(true ^ kept):
        yield f"hold {entry_id}: " + ("kept as open, and is not" if entry_id in kept else "lost")


def _wrong_counts(connection: Connection) -> Iterator[str]:
    counted = connection.execute(select(entries.c.owner, func.count()).group_by(entries.c.owner))
    true: dict[str, int] = {row[0]: row[1] for row in counted}
    kept = {row.owner: row.entries for row in connection.execute(select(owners))}
    for owner in sorted(true.keys() | kept.keys()):
        if kept.get(owner, 0) != true.get(owner, 0):
            yield f"owner {owner}: {kept.get(owner, 0)} entries are kept, not {true.get(owner, 0)}"


def _open() -> Select[tuple[str, str, int]]:
    ended = select(entries.c.ends).where(entries.c.ends.is_not(None))
    return select(entries.c.entry_id, entries.c.owner, entries.c.expires_at_ms).where(
        entries.c.kind == "hold", entries.c.entry_id.not_in(ended)
    )
