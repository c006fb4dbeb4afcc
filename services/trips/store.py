"""The trips that are kept: written as they happen, read by commands, and erased."""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import islice

import orjson
from sqlalchemy import Connection, Select, delete, func, select, update

from internetcar.contract.message import Message, milliseconds
from internetcar.contract.trips import TripEnded, TripProgress, TripStarted
from services.database import Database, insert_new, locked, note_erased, open_database
from services.outgoing import enqueue
from services.tables import log_position, outgoing
from services.trips import telling
from services.trips.domain import Ended, Event
from services.trips.leaves import DRIVERS
from services.trips.observing import Detail
from services.trips.settings import SERVICE
from services.trips.state import State, Trip
from services.trips.tables import TRIPS, VERSION, trip, trip_detail, trip_vehicle

_AT_ONCE = 200


def open_store(url: str) -> Database:
    """Open the store of the trip service, and make it where it is missing.

    Raises:
        StoreError: It cannot be used; one line.
    """
    return open_database(url, TRIPS, service=SERVICE, version=VERSION)


def record(
    connection: Connection, vehicle_id: str, events: Iterable[Event], now_ms: int
) -> list[TripProgress]:
    """Write what happened, and say it once this is committed; what is to be said but not kept."""
    moved = []
    for event in events:
        if isinstance(event, TripStarted):
            enqueue(connection, event)
        elif isinstance(event, TripProgress):
            moved.append(event)
        elif isinstance(event, Detail):
            _note(connection, vehicle_id, event)
        else:
            _end(connection, vehicle_id, event, now_ms)
    return moved


def keep(connection: Connection, message: TripEnded, run: str, now_ms: int) -> TripEnded | None:
    """Keep a trip as it is now known; as it is to be said, `None` where that is no news.

    What was read again and ends earlier does not take the place of what is known.
    """
    ended_ms = milliseconds(message.ended_at)
    this = trip.c.trip_id == message.trip_id
    known = connection.execute(select(trip).where(this)).mappings().one_or_none()
    if message.is_dropped:
        return message if known is None else None
    if known is not None:
        is_shorter = known["run"] != run and known["ended_ms"] > ended_ms
        before = _decoded(known["vehicle_id"], known["body"])
        if is_shorter or message.model_copy(update={"revision": before.revision}) == before:
            return None
        revision = max(message.revision, before.revision + 1)
        message = message.model_copy(update={"revision": revision})
    values = {
        "driver": message.driver,
        "started_ms": milliseconds(message.started_at),
        "ended_ms": ended_ms,
        "run": run,
        "revision": message.revision,
        "body": message.encode().decode(),
    }
    if known is not None:
        connection.execute(update(trip).where(this).values(**values))
    else:
        insert_new(
            connection, trip, trip_id=message.trip_id, vehicle_id=message.vehicle_id,
            origin=message.origin, kept_ms=now_ms, **values,
        )  # fmt: skip
    return message


def keep_all(
    database: Database, found: Iterator[tuple[TripEnded, str]], now_ms: int, *, say: bool
) -> tuple[int, int]:
    """Keep trips as they are found, so many in each transaction.

    Args:
        database: Of the trip service.
        found: Trips, each with the reading it comes from.
        now_ms: UTC ms.
        say: They shall be said, once the service runs.

    Returns:
        How many are news, and how many there were.
    """

    def write(some: Sequence[tuple[TripEnded, str]], connection: Connection) -> int:
        news = [keep(connection, message, run, now_ms) for message, run in some]
        for message in news if say else ():
            if message is not None:
                enqueue(connection, message)
        return sum(message is not None for message in news)

    kept = seen = 0
    while some := list(islice(found, _AT_ONCE)):
        kept += database.run(partial(write, some))
        seen += len(some)
    return kept, seen


def find(
    connection: Connection,
    *,
    vehicle_id: str = "",
    driver: str = "",
    last: int = 50,
) -> list[TripEnded]:
    """The newest trips of a vehicle and a driver (empty: of all), the newest first."""
    wanted = _wanted(vehicle_id, driver).order_by(trip.c.started_ms.desc(), trip.c.trip_id)
    rows = connection.execute(wanted.limit(last))
    return [_decoded(row.vehicle_id, row.body) for row in rows]


def one(connection: Connection, trip_id: str) -> list[TripEnded]:
    """The trips whose id begins so, at most two."""
    begins = trip.c.trip_id.startswith(trip_id, autoescape=True)
    rows = connection.execute(select(trip).where(begins).order_by(trip.c.trip_id).limit(2))
    return [_decoded(row.vehicle_id, row.body) for row in rows]


def count(connection: Connection) -> int:
    """How many trips there are."""
    return connection.execute(select(func.count()).select_from(trip)).scalar_one()


def erase(
    connection: Connection, *, vehicle_id: str = "", driver: str = "", before_ms: int | None = None
) -> int:
    """Forget trips: of a vehicle, of a driver, from before an instant; all that is named must hold.

    Without an instant what was read of drives that are not over goes as well; and in any case what
    waits to be said.
    """
    note_erased(connection)
    wanted = _wanted(vehicle_id, driver)
    if before_ms is not None:
        wanted = wanted.where(trip.c.started_ms < before_ms)
    ids = set(connection.execute(wanted.with_only_columns(trip.c.trip_id)).scalars())
    for some in _portions(sorted(ids)):
        connection.execute(delete(trip).where(trip.c.trip_id.in_(some)))
    if before_ms is None:
        _erase_open(connection, vehicle_id, driver)
    said = connection.execute(select(outgoing.c.number, outgoing.c.topic, outgoing.c.payload))
    for some in _portions([row.number for row in said if _is_of(row, ids, vehicle_id, driver)]):
        connection.execute(delete(outgoing).where(outgoing.c.number.in_(some)))
    return len(ids)


def _erase_open(connection: Connection, vehicle_id: str, driver: str) -> None:
    """Forget what was read of the drives that are not over: they begin anew."""
    wanted = select(trip_vehicle.c.vehicle_id).order_by(trip_vehicle.c.vehicle_id)
    if vehicle_id:
        wanted = wanted.where(trip_vehicle.c.vehicle_id == vehicle_id)
    for each in list(connection.execute(wanted).scalars()):
        locked(connection, log_position.c.vehicle_id, each)  # who applies its log has it, too
        row = locked(connection, trip_vehicle.c.vehicle_id, each)
        if row is not None and (not driver or _is_by(row["state"], driver)):
            for table in (trip_vehicle, trip_detail):
                connection.execute(delete(table).where(table.c.vehicle_id == each))


def _is_by(kept: bytes, driver: str) -> bool:
    """Whether a driver is in what was read of a vehicle, or nobody can say."""
    try:
        state = State.load(kept)
    except ValueError:
        return True
    names = {state.reading.known.get(leaf) for leaf in DRIVERS}
    return driver in names or (state.trip is not None and state.trip.driver == driver)


def erase_old(connection: Connection, before_ms: int, most: int) -> int:
    """Forget the trips that came here before an instant, so many at a time; how many."""
    old = select(trip.c.trip_id).where(trip.c.kept_ms < before_ms).limit(most)
    ids = list(connection.execute(old).scalars())
    connection.execute(delete(trip).where(trip.c.trip_id.in_(ids)))
    left = select(trip_vehicle.c.vehicle_id).where(trip_vehicle.c.read_ms < before_ms).limit(most)
    vehicles = list(connection.execute(left).scalars())
    for table in (trip_vehicle, trip_detail):
        connection.execute(delete(table).where(table.c.vehicle_id.in_(vehicles)))
    return len(ids) + len(vehicles)


def _note(connection: Connection, vehicle_id: str, detail: Detail) -> None:
    body = orjson.dumps(detail.body).decode()
    key = {"run": detail.run, "kind": detail.kind, "number": detail.number}
    if not insert_new(connection, trip_detail, **key, vehicle_id=vehicle_id, body=body):
        this = [trip_detail.c[name] == value for name, value in key.items()]
        connection.execute(update(trip_detail).where(*this).values(body=body))


def _end(connection: Connection, vehicle_id: str, event: Ended, now_ms: int) -> None:
    if event.trip.is_told:
        message = telling.ended(vehicle_id, event.trip, _details(connection, event.trip))
        said = keep(connection, message, event.trip.run, now_ms)
        if said is not None:
            enqueue(connection, said)
    if event.is_final:
        connection.execute(delete(trip_detail).where(trip_detail.c.vehicle_id == vehicle_id))


def _details(connection: Connection, of: Trip) -> list[Detail]:
    wanted = select(trip_detail).where(trip_detail.c.run == of.run).order_by(trip_detail.c.number)
    return [
        Detail(row.run, row.kind, row.number, orjson.loads(row.body))
        for row in connection.execute(wanted)
    ]


def _wanted(vehicle_id: str, driver: str) -> Select[tuple[object, ...]]:
    wanted = select(trip)
    if vehicle_id:
        wanted = wanted.where(trip.c.vehicle_id == vehicle_id)
    return wanted.where(trip.c.driver == driver) if driver else wanted


def _decoded(vehicle_id: str, body: str) -> TripEnded:
    return TripEnded.decode(TripEnded.filter(vehicle_id=vehicle_id), body.encode())


def _is_of(row: object, ids: set[str], vehicle_id: str, driver: str) -> bool:
    """Whether a message that waits is of what is erased."""
    topic, payload = str(getattr(row, "topic", "")), getattr(row, "payload", b"")
    kinds: tuple[type[Message], ...] = (TripStarted, TripEnded)
    if topic not in [kind.filter(vehicle_id=topic.split("/")[2]) for kind in kinds]:
        return False
    body = orjson.loads(payload)
    is_open = (not vehicle_id or topic.split("/")[2] == vehicle_id) and (
        not driver or body.get("driver") == driver
    )
    return is_open or body.get("trip_id") in ids


def _portions(every: Sequence[object], most: int = 500) -> Iterable[Sequence[object]]:
    return (every[start : start + most] for start in range(0, len(every), most))
