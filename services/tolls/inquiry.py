"""What a person asks the store: passages, their signed charges, and where the log is whole."""

from sqlalchemy import Connection, select

from services.tolls.passages.entry import Entry
from services.tolls.store import entries
from services.tolls.tables import toll_movement, toll_passage, toll_stretch


def newest(connection: Connection, vehicle_id: str, last: int) -> list[Entry]:
    """The newest passages of a vehicle (empty: of all), by time of crossing."""
    ids = select(toll_passage.c.passage_id).order_by(toll_passage.c.crossed_at_ms.desc())
    if vehicle_id:
        ids = ids.where(toll_passage.c.vehicle_id == vehicle_id)
    wanted = toll_passage.c.passage_id.in_(ids.limit(last))
    return entries(connection, select(toll_passage).where(wanted))


def of_event(connection: Connection, event_id: str) -> Entry | None:
    """The passage with this id, or to which the charge with this id belongs."""
    charge = select(toll_movement.c.passage_id).where(toll_movement.c.charge_id == event_id)
    ids = toll_passage.c.passage_id
    found = entries(connection, select(toll_passage).where((ids == event_id) | ids.in_(charge)))
    return found[0] if found else None


def records(connection: Connection, passage_id: str) -> list[bytes]:
    """The signed charges of a passage, in order."""
    wanted = select(toll_movement.c.record).where(toll_movement.c.passage_id == passage_id)
    return list(connection.execute(wanted.order_by(toll_movement.c.number)).scalars())


def between(
    connection: Connection, vehicle_id: str, context: str, since_ms: int, until_ms: int
) -> list[Entry]:
    """All passages of a vehicle in a context and a time, of any state."""
    return entries(
        connection,
        select(toll_passage).where(
            toll_passage.c.vehicle_id == vehicle_id,
            toll_passage.c.context == context,
            toll_passage.c.crossed_at_ms.between(since_ms, until_ms),
        ),
    )


def stretches(connection: Connection, vehicle_id: str, since_ms: int) -> list[tuple[int, int]]:
    """From when until when a vehicle's log is whole, UTC milliseconds, from a time on."""
    wanted = select(toll_stretch.c.from_ms, toll_stretch.c.until_ms).where(
        toll_stretch.c.vehicle_id == vehicle_id, toll_stretch.c.until_ms >= since_ms
    )
    rows = connection.execute(wanted.order_by(toll_stretch.c.from_ms))
    return [(row.from_ms, row.until_ms) for row in rows]
