"""Reads vehicles' logs: position, and what a service makes of it, in one transaction."""

import logging
from collections.abc import Callable, Container, Sequence
from typing import Protocol

from sqlalchemy import Connection, func, select, update

from internetcar.contract.message import Message
from internetcar.contract.reader import Accepted, Gap, Position, TelemetryReader
from internetcar.contract.subscriptions import Complaints
from internetcar.contract.telemetry import Telemetry, TelemetryRequest
from services.database import Database, insert_new, locked
from services.tables import log_position

log = logging.getLogger(__name__)

_MOST_A_TURN = 50
_PAST_BATCHES = 300
"""Of a vehicle that is new: some five minutes, in which there is a snapshot to begin with."""
_ASK_AGAIN_S = 30.0


class LogHandler(Protocol):
    """What a service does with the next part of a vehicle's log."""

    def __call__(
        self,
        connection: Connection,
        vehicle_id: str,
        batches: Sequence[Telemetry],
        gaps: Sequence[Gap],
    ) -> None:
        """Apply batches in order, within the transaction that holds the vehicle's row."""


class LogReader:
    """Puts the telemetry of many vehicles in order and hands it to a service.

    Args:
        database: With the tables of the floor.
        reader: What puts batches in order; `requester` is the service's user name at the broker.
        handle: Called within a transaction; undone and called again where that must be repeated.
        publish: Says a request for what is missing; it is asked again if it gets lost.
        clock_s: Monotonic.
        vehicles: Whose logs are read; `None`: everybody's. A topic is a stranger's word.
        most_vehicles: Stored at most; beyond, a new one is refused.
        most_waiting: Vehicles whose batches may wait in memory for a hole to be filled.
    """

    def __init__(
        self,
        database: Database,
        reader: TelemetryReader,
        handle: LogHandler,
        *,
        publish: Callable[[Message], object],
        clock_s: Callable[[], float],
        vehicles: Container[str] | None = None,
        most_vehicles: int = 100_000,
        most_waiting: int = 1_000,
    ) -> None:
        self._database = database
        self._reader = reader
        self._handle = handle
        self._publish = publish
        self._clock_s = clock_s
        self._vehicles = vehicles
        self._most_vehicles = most_vehicles
        self._most_waiting = most_waiting
        self._waiting: dict[str, None] = {}
        self._asked_s: dict[str, float] = {}
        self._complaints = Complaints(clock_s)
        self._next_due_s = 0.0

    def accept(self, batch: Telemetry) -> None:
        """Take one batch as it arrived, repaired or not; it is applied when this returns or kept.

        What is kept in memory and lost with the process is requested again.
        """
        vehicle_id = batch.vehicle_id
        if self._vehicles is not None and vehicle_id not in self._vehicles:
            self._refuse(vehicle_id, "it is not among the vehicles of the settings")
        elif vehicle_id not in self._waiting and len(self._waiting) >= self._most_waiting:
            self._refuse(vehicle_id, "too many vehicles' logs have holes")
        else:
            self._apply(vehicle_id, [batch])

    def turn(self) -> None:
        """Once a second: what time alone brings to vehicles whose log has a hole."""
        if not self._waiting or self._clock_s() < self._next_due_s:
            return
        self._next_due_s = self._clock_s() + 1.0
        for vehicle_id in list(self._waiting)[:_MOST_A_TURN]:
            del self._waiting[vehicle_id]  # to the end, so that each has its turn
            self._waiting[vehicle_id] = None
            self._apply(vehicle_id, [])

    def _apply(self, vehicle_id: str, batches: list[Telemetry]) -> None:
        given = list(batches)

        def apply(connection: Connection) -> Accepted | None:
            row = locked(connection, log_position.c.vehicle_id, vehicle_id)
            if row is None:
                may_begin = any(batch.kind == "snapshot" for batch in given)
                if not may_begin or not self._begin(connection, vehicle_id):
                    return None
                row = locked(connection, log_position.c.vehicle_id, vehicle_id)
            position = (
                Position.model_validate_json(row["position"]) if row and row["position"] else None
            )
            accepted = self._accept(vehicle_id, given, position)
            # Should this transaction have to be repeated, the reader knows them no more.
            given[:] = accepted.batches or given
            if accepted.batches or accepted.gaps:
                assert accepted.position is not None
                self._handle(connection, vehicle_id, accepted.batches, accepted.gaps)
                connection.execute(
                    update(log_position)
                    .where(log_position.c.vehicle_id == vehicle_id)
                    .values(position=accepted.position.model_dump_json())
                )
            return accepted

        accepted = self._database.run(apply)
        if accepted is None:
            self._ask_for_past(given[-1])
            return
        self._asked_s.pop(vehicle_id, None)
        if accepted.is_waiting:
            self._waiting.setdefault(vehicle_id)
        else:
            self._waiting.pop(vehicle_id, None)
        if accepted.request is not None:
            self._publish(accepted.request)

    def _ask_for_past(self, batch: Telemetry) -> None:
        """Ask for what a new vehicle said before this batch; else its next snapshot is awaited."""
        now_s = self._clock_s()
        asked_s = self._asked_s.get(batch.vehicle_id)
        is_due = asked_s is None or now_s >= asked_s + _ASK_AGAIN_S
        if not is_due or (asked_s is None and len(self._asked_s) >= self._most_waiting):
            return
        self._asked_s[batch.vehicle_id] = now_s
        self._publish(
            TelemetryRequest(
                vehicle_id=batch.vehicle_id,
                journal=batch.journal,
                first=max(1, batch.sequence - _PAST_BATCHES + 1),
                last=batch.sequence,
                reply_to=self._reader.requester,
            )
        )

    def _accept(
        self, vehicle_id: str, given: list[Telemetry], position: Position | None
    ) -> Accepted:
        now_s = self._clock_s()
        batches: list[Telemetry] = []
        gaps: list[Gap] = []
        last = self._reader.due(vehicle_id, position, now_s) if not given else None
        for each in (
            [last] if last else (self._reader.accept(batch, position, now_s) for batch in given)
        ):
            batches += each.batches
            gaps += each.gaps
            position, last = each.position, each
        assert last is not None
        return Accepted(position, batches, gaps, last.request, last.is_waiting)

    def _begin(self, connection: Connection, vehicle_id: str) -> bool:
        """Make the row of a vehicle that is new; false where there are too many."""
        count = connection.execute(select(func.count()).select_from(log_position)).scalar_one()
        if count >= self._most_vehicles:
            self._refuse(vehicle_id, "too many vehicles are known")
            return False
        insert_new(connection, log_position, vehicle_id=vehicle_id)
        return True

    def _refuse(self, vehicle_id: str, reason: str) -> None:
        if self._complaints.is_due(reason):
            log.warning("telemetry of %s is not read: %s", vehicle_id, reason)


def continues(journal: str, sequence: int, batch: Telemetry) -> bool:
    """Whether a batch follows the last one read without a hole; an empty `journal`: none was."""
    if not journal:
        return True
    if batch.journal == journal:
        first = batch.dropped.first if batch.dropped else batch.sequence
        return first <= sequence + 1
    return batch.previous == journal and batch.previous_last in (None, sequence)
