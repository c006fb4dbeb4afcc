"""Applies vehicles' logs: state, trips and messages in one transaction; and ends silent trips."""

import logging
from collections.abc import Callable, Iterable, Sequence
from functools import partial

from sqlalchemy import Connection, select, update

from internetcar.contract.reader import Gap
from internetcar.contract.telemetry import Telemetry
from internetcar.contract.trips import TripProgress, TripStarted
from services.database import Database, insert_new, locked
from services.tables import log_position
from services.telemetry_log import continues
from services.trips import store
from services.trips.domain import MERGE_MS, Ended, Follower
from services.trips.state import State
from services.trips.tables import trip_vehicle

log = logging.getLogger(__name__)

RECORDING_SILENCE_MS = 5_000
"""A recording that is played comes without pause: what is silent has come to its end."""
_GRACE_MS = 10_000
"""After a start so long no trip of before is ended for silence: what was said meanwhile comes."""
_SOME = 50
_MOST_MOVED = 1_000


class Logs:
    """Applies vehicles' logs; the caller holds the vehicle's row.

    Args:
        database: With the service's tables.
        settings: Leaves that count as settings.
        clock_ms: UTC milliseconds.
    """

    def __init__(
        self, database: Database, settings: Iterable[str], clock_ms: Callable[[], int]
    ) -> None:
        self._database = database
        self._settings = frozenset(settings)
        self._clock_ms = clock_ms
        self._begun_ms = clock_ms()
        self._moved: dict[str, TripProgress] = {}

    def apply(
        self,
        connection: Connection,
        vehicle_id: str,
        batches: Sequence[Telemetry],
        gaps: Sequence[Gap],
    ) -> None:
        """Apply the next batches of one vehicle; see `LogHandler`."""
        follower = Follower(vehicle_id, self._state(connection, vehicle_id), self._settings)
        for batch in batches:
            has_gap = bool(gaps) and not continues(
                follower.state.journal, follower.state.sequence, batch
            )
            follower.on_batch(batch, has_gap=has_gap)
        self._keep(connection, follower, is_silent=False)

    def turn(self) -> None:
        """End trips of which nothing has been heard for as long as ends them."""
        now_ms = self._clock_ms()
        is_due = ~trip_vehicle.c.due_ms.between(now_ms + 1, now_ms + MERGE_MS)
        due = select(trip_vehicle.c.vehicle_id).where(is_due)
        if 0 <= now_ms - self._begun_ms < _GRACE_MS:
            due = due.where(trip_vehicle.c.read_ms >= self._begun_ms)
        with self._database.read() as connection:
            vehicles = list(connection.execute(due.limit(_SOME)).scalars())
        for vehicle_id in vehicles:
            self._database.run(partial(self._settle, vehicle_id, now_ms))

    def moved(self) -> list[TripProgress]:
        """What is to be said of trips under way since this was asked last, one a vehicle."""
        moved, self._moved = list(self._moved.values()), {}
        return moved

    def _settle(self, vehicle_id: str, now_ms: int, connection: Connection) -> None:
        locked(connection, log_position.c.vehicle_id, vehicle_id)
        row = locked(connection, trip_vehicle.c.vehicle_id, vehicle_id)
        if row is not None and row["due_ms"] is not None and _is_due(row["due_ms"], now_ms):
            follower = Follower(vehicle_id, self._state(connection, vehicle_id), self._settings)
            follower.settle()
            self._keep(connection, follower, is_silent=True)

    def _state(self, connection: Connection, vehicle_id: str) -> State:
        wanted = select(trip_vehicle.c.state).where(trip_vehicle.c.vehicle_id == vehicle_id)
        kept = connection.execute(wanted).scalar_one_or_none()
        if kept is None:
            return State()
        try:
            return State.load(kept)
        except ValueError as error:
            log.warning("%s: %s: they begin anew", vehicle_id, error)
            return State()

    def _keep(self, connection: Connection, follower: Follower, *, is_silent: bool) -> None:
        now_ms, state = self._clock_ms(), follower.state
        vehicle_id = follower.vehicle_id
        for event in follower.events:
            if isinstance(event, TripStarted):
                log.info("%s: trip %s has started", vehicle_id, event.trip_id)
            elif isinstance(event, Ended) and event.trip.is_told:
                log.info("%s: trip %s has ended", vehicle_id, event.trip.trip_id)
        for each in store.record(connection, vehicle_id, follower.events, now_ms):
            if vehicle_id in self._moved or len(self._moved) < _MOST_MOVED:
                self._moved[vehicle_id] = each
        silence_ms = RECORDING_SILENCE_MS if state.origin == "recording" else MERGE_MS
        is_open = state.trip is not None and not is_silent
        values = {
            "state": state.dump(),
            "due_ms": now_ms + silence_ms if is_open else None,
        }
        if not is_silent:
            values["read_ms"] = now_ms
        this = trip_vehicle.c.vehicle_id == vehicle_id
        if not connection.execute(update(trip_vehicle).where(this).values(**values)).rowcount:
            insert_new(connection, trip_vehicle, vehicle_id=vehicle_id, **values)


def _is_due(due_ms: int, now_ms: int) -> bool:
    """Whether it is time; what lies further ahead than any silence was noted by another clock."""
    return not now_ms < due_ms <= now_ms + MERGE_MS
