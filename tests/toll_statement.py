"""What a set of passages came to, to be compared with another that should have come to the same."""

from collections.abc import Iterable

import orjson

from services.tolls.passages.charging import asked_minor
from services.tolls.passages.reckoning import Account


def statement(accounts: Iterable[Account]) -> bytes:
    """What was passed and what it cost, in a form that is the same for the same facts.

    An id counts what became known, so it is left out: with another order the same passage may
    have another.
    """
    lines = [
        (
            account.known.place.vehicle_id,
            account.known.place.context,
            account.known.finding.crossed_at_ms,
            account.known.finding.gate,
            account.state,
            asked_minor(account.movements),
        )
        for account in accounts
    ]
    return orjson.dumps(sorted(lines))
