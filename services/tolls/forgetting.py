"""What is forgotten when nobody may dispute it any more: where vehicles were."""

from collections.abc import Callable
from functools import partial

from sqlalchemy import Connection, select

from internetcar.contract.telemetry import RepairedTelemetry, Telemetry
from services.database import Database, locked
from services.quarantine import drop_old
from services.tables import log_position
from services.tolls import store
from services.tolls.logs import Logs
from services.tolls.tables import toll_passage, toll_vehicle

_SOME = 50


class Forgetting:
    """Deletes raw positions, each vehicle's in a transaction of its own.

    Args:
        database: With the service's tables.
        logs: Ends drives that nobody went on with.
        dispute_ms: How long raw positions are kept.
        clock_ms: UTC milliseconds.
    """

    def __init__(
        self, database: Database, logs: Logs, dispute_ms: int, clock_ms: Callable[[], int]
    ) -> None:
        self._database = database
        self._logs = logs
        self._dispute_ms = dispute_ms
        self._clock_ms = clock_ms

    def turn(self) -> None:
        """Forget what is old enough: of drives never ended, passages, and messages set aside."""
        before_ms = self._clock_ms() - self._dispute_ms
        drop_old(self._database, (Telemetry, RepairedTelemetry), before_ms)
        left = select(toll_vehicle.c.vehicle_id).where(toll_vehicle.c.places_read_ms < before_ms)
        old = (
            select(toll_passage.c.vehicle_id)
            .distinct()
            .where(toll_passage.c.has_fixes, toll_passage.c.crossed_at_ms < before_ms)
        )
        with self._database.read() as connection:
            found = [
                vehicle_id
                for wanted in (left, old)
                for vehicle_id in connection.execute(wanted.limit(_SOME)).scalars()
            ]
        for vehicle_id in dict.fromkeys(found):
            self._database.run(partial(self._forget, vehicle_id, before_ms))

    def _forget(self, vehicle_id: str, before_ms: int, connection: Connection) -> None:
        locked(connection, log_position.c.vehicle_id, vehicle_id)
        this = toll_vehicle.c.vehicle_id == vehicle_id
        read_ms = connection.execute(select(toll_vehicle.c.places_read_ms).where(this)).scalar()
        if read_ms is not None and read_ms < before_ms:
            self._logs.end(connection, vehicle_id)
        wanted = select(toll_passage).where(
            toll_passage.c.vehicle_id == vehicle_id,
            toll_passage.c.has_fixes,
            toll_passage.c.crossed_at_ms < before_ms,
        )
        for kept in store.entries(connection, wanted.limit(_SOME)):
            store.forget_positions(connection, kept)
