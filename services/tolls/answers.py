"""What others say of our money: payments, the toll charger, its exception list."""

import logging
from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, func, select, update

from internetcar.contract.payments import PaymentResult
from internetcar.contract.tolls import BillingDetails, ExceptionList
from services.database import Database, locked
from services.outgoing import settle
from services.tables import log_position
from services.tolls import store, verdicts
from services.tolls.passages.charging import answered
from services.tolls.passages.entry import Entry
from services.tolls.posting import Poster, moment_of
from services.tolls.tables import toll_passage, toll_vehicle

log = logging.getLogger(__name__)

REQUESTER = "tolls"
"""As whom payments answers a toll charge."""
_SOME = 50
_REFUSED = "refused"
_MOVED = {"charge": "posted", "refund": "refunded"}


class Answers:
    """Hears answers and does what time brings; each in a transaction of its own.

    Args:
        database: With the service's tables.
        poster: Posts what follows.
        operators: Whose exception lists count.
        clock_ms: UTC milliseconds.
    """

    def __init__(
        self,
        database: Database,
        poster: Poster,
        operators: frozenset[str],
        clock_ms: Callable[[], int],
    ) -> None:
        self._database = database
        self._poster = poster
        self._operators = operators
        self._clock_ms = clock_ms

    def on_payment_result(self, result: PaymentResult) -> None:
        """Store what became of a charge, and settle it."""

        def store_it(connection: Connection) -> None:
            charge_id = result.request_id
            kept = self._of(connection, store.passage_of_charge(connection, charge_id))
            if kept is None or not _is_of(kept, result.vehicle_id, charge_id):
                return
            if result.requester != REQUESTER:
                log.warning("charge %s: %s asked for something by its id: dropped",
                            charge_id, result.requester)  # fmt: skip
                return
            (movement,) = (m for m in kept.account.movements if m.charge_id == charge_id)
            if result.state not in (_MOVED[movement.kind], _REFUSED):
                log.warning("charge %s: payments says %s, which does not end a %s",
                            charge_id, result.state, movement.kind)  # fmt: skip
                return
            if result.state != _REFUSED and (result.amount_minor, result.currency) != (
                movement.amount_minor, kept.facts.currency,
            ):  # fmt: skip
                log.error("charge %s: payments moved another amount than was asked for; kept as"
                          " not answered", charge_id)  # fmt: skip
                return
            done = answered(
                movement,
                is_refused=result.state == _REFUSED,
                reason=result.reason,
                now_ms=self._clock_ms(),
            )
            settle(connection, charge_id)
            if done is movement:
                return
            store.note_answer(connection, done)
            log.info("charge %s: %s%s", charge_id, done.state,
                     f" ({done.reason})" if done.reason else "")  # fmt: skip
            self._reckon(connection, kept)

        self._database.run(store_it)

    def on_billing_details(self, said: BillingDetails) -> None:
        """Store the operator's verdict on a declaration, and post what it changes."""

        def store_it(connection: Connection) -> None:
            row = verdicts.declaration(connection, said.declaration_id)
            kept = self._of(connection, row.passage_id if row else None)
            if row is None or kept is None:
                return
            row = verdicts.declaration(connection, said.declaration_id)  # now that it is locked
            assert row is not None
            if not _is_of(kept, said.vehicle_id, said.declaration_id) or not _is_answer(row, said):
                return
            settle(connection, said.declaration_id)
            if row.verdict is not None:
                return
            verdicts.note_verdict(connection, said)
            log.info("declaration %s: %s", said.declaration_id, said.verdict)
            self._reckon(connection, kept)

        self._database.run(store_it)

    def on_exception_list(self, said: ExceptionList) -> None:
        """Keep a newer exception list; every vehicle is reckoned anew in the next turns."""
        if said.operator not in self._operators:
            return
        if self._database.run(lambda connection: verdicts.note_exceptions(connection, said)):
            log.info("exception list %d of %s", said.version, said.operator)

    def turn(self) -> None:
        """What time brings: unpaid charges again, and lists that changed."""
        now_ms = self._clock_ms()
        with self._database.read() as connection:
            retried = (
                select(toll_passage.c.vehicle_id)
                .where(self._is_due(now_ms))
                .group_by(toll_passage.c.vehicle_id)
                .order_by(func.min(toll_passage.c.retry_at_ms))
            )
            due = list(connection.execute(retried.limit(_SOME)).scalars())
            changed = select(toll_vehicle.c.vehicle_id).where(toll_vehicle.c.must_reckon)
            listed = list(connection.execute(changed.limit(_SOME)).scalars())
        for vehicle_id in due:
            self._for_vehicle(vehicle_id, self._retry)
        for vehicle_id in listed:
            self._for_vehicle(vehicle_id, self._reckon_all)

    def _of(self, connection: Connection, passage_id: str | None) -> Entry | None:
        """A passage, with its vehicle's row locked."""
        if passage_id is None:
            return None
        kept = store.entry(connection, passage_id)
        if kept is None:
            return None
        locked(connection, log_position.c.vehicle_id, kept.account.known.place.vehicle_id)
        return store.entry(connection, passage_id)

    def _reckon(self, connection: Connection, kept: Entry) -> None:
        vehicle_id = kept.account.known.place.vehicle_id
        self._poster.reckon(connection, vehicle_id, [moment_of(kept)], self._clock_ms())

    def _for_vehicle(self, vehicle_id: str, do: Callable[[Connection, str], None]) -> None:
        def locked_first(connection: Connection) -> None:
            locked(connection, log_position.c.vehicle_id, vehicle_id)
            do(connection, vehicle_id)

        self._database.run(locked_first)

    def _retry(self, connection: Connection, vehicle_id: str) -> None:
        self._reckon_some(connection, vehicle_id, self._is_due(self._clock_ms()))

    def _is_due(self, now_ms: int) -> ColumnElement[bool]:
        """Money may be asked for again; that of a context that is not in use waits for it."""
        is_in_use = toll_passage.c.context.in_(self._poster.contexts)
        return and_(toll_passage.c.retry_at_ms <= now_ms, is_in_use)

    def _reckon_all(self, connection: Connection, vehicle_id: str) -> None:
        # First, so that a list that comes meanwhile waits for this row and marks it again.
        this = toll_vehicle.c.vehicle_id == vehicle_id
        connection.execute(update(toll_vehicle).where(this).values(must_reckon=False))
        self._reckon_some(connection, vehicle_id)

    def _reckon_some(self, connection: Connection, vehicle_id: str, *which: Any) -> None:
        """Reckon all windows of a vehicle that hold such passages."""
        columns = (toll_passage.c.context, toll_passage.c.crossed_at_ms, toll_passage.c.shift_ms)
        wanted = select(*columns).where(toll_passage.c.vehicle_id == vehicle_id, *which).distinct()
        moments = [tuple(row) for row in connection.execute(wanted)]
        self._poster.reckon(connection, vehicle_id, moments, self._clock_ms())


def _is_of(kept: Entry, vehicle_id: str, answered_id: str) -> bool:
    """Whether an answer came on the topic of the vehicle that it is about."""
    is_it = kept.account.known.place.vehicle_id == vehicle_id
    if not is_it:
        log.warning("an answer to %s came for another vehicle: dropped", answered_id)
    return is_it


def _is_answer(row: Row[Any], said: BillingDetails) -> bool:
    """Whether a verdict is one on this declaration, and the first or the same again."""
    problem = None
    if (said.passage_id, said.operator, said.currency) != (
        row.passage_id, row.operator, row.currency,
    ):  # fmt: skip
        problem = "it is of another passage, operator or currency"
    elif said.verdict == "confirmed" and said.amount_minor != row.declared_minor:
        problem = "it confirms another amount than was declared"
    elif row.verdict is not None and (said.verdict, said.amount_minor) != (
        row.verdict, row.amount_minor,
    ):  # fmt: skip
        problem = "it contradicts an earlier one, which stays"
    if problem is not None:
        log.warning("billing details of %s: %s: dropped", said.declaration_id, problem)
    return problem is None
