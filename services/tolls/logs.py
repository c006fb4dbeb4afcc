"""Applies vehicles' logs: position, passages and messages in one transaction."""

import logging
from collections.abc import Callable, Sequence

from pydantic import ValidationError
from sqlalchemy import Connection, select, update

from internetcar.contract.message import milliseconds
from internetcar.contract.reader import Gap
from internetcar.contract.telemetry import Telemetry
from services.database import insert_new
from services.telemetry_log import continues
from services.tolls.passages.charging import EXPIRES_MS
from services.tolls.passages.watching import Found, Watch, Watcher
from services.tolls.posting import Poster
from services.tolls.tables import toll_passage, toll_stretch, toll_vehicle

log = logging.getLogger(__name__)

_MOST_BETWEEN_MS = 5_000
"""Batches that lie further apart leave a time of which the log says nothing."""


class Logs:
    """Applies vehicles' logs; the caller holds the vehicle's row.

    Args:
        watcher: Finds passages.
        poster: Writes them, and asks for money.
        clock_ms: UTC milliseconds.
    """

    def __init__(self, watcher: Watcher, poster: Poster, clock_ms: Callable[[], int]) -> None:
        self._watcher = watcher
        self._poster = poster
        self._clock_ms = clock_ms

    def apply(
        self,
        connection: Connection,
        vehicle_id: str,
        batches: Sequence[Telemetry],
        gaps: Sequence[Gap],
    ) -> None:
        """Apply the next batches of one vehicle; see `LogHandler`."""
        before = self._watch(connection, vehicle_id)
        watch, found = before, list[Found]()
        for batch in batches:
            has_gap = bool(gaps) and not continues(watch.journal, watch.sequence, batch)
            after, more = self._watcher.advance(watch, batch, has_gap=has_gap)
            is_new = has_gap or not watch.journal or batch.kind == "dropped"
            _stretch(connection, vehicle_id, watch, batch, is_new=is_new)
            watch, found = after, found + more
        self._poster.record(connection, found, self._clock_ms())
        self._keep(connection, vehicle_id, self._expired(connection, vehicle_id, watch, found))

    def end(self, connection: Connection, vehicle_id: str) -> None:
        """End a drive that nobody went on with: none of its places is kept."""
        watch, found = self._watcher.end(self._watch(connection, vehicle_id), vehicle_id)
        self._poster.record(connection, found, self._clock_ms())
        self._keep(connection, vehicle_id, self._expired(connection, vehicle_id, watch, found))

    def _watch(self, connection: Connection, vehicle_id: str) -> Watch:
        wanted = select(toll_vehicle.c.state).where(toll_vehicle.c.vehicle_id == vehicle_id)
        state = connection.execute(wanted).scalar_one_or_none()
        if state is None:
            state = Watch().model_dump_json()
            insert_new(
                connection, toll_vehicle, vehicle_id=vehicle_id, state=state, must_reckon=False
            )
        try:
            return Watch.model_validate_json(state)
        except ValidationError as error:
            log.warning("%s: its detection begins anew: %s", vehicle_id, error.errors()[0]["msg"])
            # Distances of another epoch than any before, and a look for what is unresolved.
            return Watch(epoch=self._clock_ms(), open_ms=0)

    def _keep(self, connection: Connection, vehicle_id: str, watch: Watch) -> None:
        holds_places = watch.running or watch.reading
        values = {
            "state": watch.model_dump_json(),
            "places_read_ms": self._clock_ms() if holds_places else None,
        }
        this = toll_vehicle.c.vehicle_id == vehicle_id
        connection.execute(update(toll_vehicle).where(this).values(**values))

    def _expired(
        self, connection: Connection, vehicle_id: str, watch: Watch, found: Sequence[Found]
    ) -> Watch:
        """Free what has been unresolved for too long, and note the oldest that is."""
        until_ms = watch.end_ms - EXPIRES_MS
        is_due = watch.open_ms is not None and watch.open_ms <= until_ms
        if not found and not is_due:
            return watch
        if is_due:
            self._poster.expire(connection, vehicle_id, until_ms, self._clock_ms())
        oldest = select(toll_passage.c.crossed_at_ms).where(
            toll_passage.c.vehicle_id == vehicle_id, toll_passage.c.state == "unresolved"
        )
        open_ms = connection.execute(
            oldest.order_by(toll_passage.c.crossed_at_ms).limit(1)
        ).scalar_one_or_none()
        return watch.model_copy(update={"open_ms": open_ms})


def _stretch(
    connection: Connection, vehicle_id: str, watch: Watch, batch: Telemetry, *, is_new: bool
) -> None:
    """Note that the log is whole over this batch's time, beside what came before."""
    if batch.kind == "dropped":
        return
    start_ms, end_ms = milliseconds(batch.start_at), milliseconds(batch.end_at)
    ours = toll_stretch.c.vehicle_id == vehicle_id
    if not is_new and abs(start_ms - watch.end_ms) <= _MOST_BETWEEN_MS:
        longer = update(toll_stretch).where(ours, toll_stretch.c.until_ms == watch.end_ms)
        if connection.execute(longer.values(until_ms=end_ms)).rowcount:
            return
    insert_new(connection, toll_stretch, vehicle_id=vehicle_id, from_ms=start_ms, until_ms=end_ms)
