"""What is said to the owners of accounts, in the transaction that it tells of."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from services.database import locked
from services.outgoing import enqueue
from services.payments import papers
from services.payments.history import owner_balances
from services.payments.ledger import Booked
from services.payments.tables import owners


def say_booked(connection: Connection, booked: Booked) -> None:
    """Say to an account's owner what an entry did to it; an operator has no topic."""
    entry = booked.entry
    if ":" in entry.owner:
        return
    receipt = papers.receipt(booked)
    if receipt is not None:
        enqueue(connection, receipt)
    now_has = owner_balances(connection, entry.owner)
    enqueue(connection, papers.balance(entry.owner, now_has, entry.at))


def say_balances(connection: Connection, accounts: Sequence[str], at: datetime) -> None:
    """Say what accounts have.

    Args:
        connection: To write.
        accounts: In one order everywhere, since their owners are locked: what another replica
            books meanwhile must not be followed by an older balance.
        at: Now.
    """
    for account in accounts:
        locked(connection, owners.c.owner, account)
        enqueue(connection, papers.balance(account, owner_balances(connection, account), at))
