"""What the kinds of advice keep of trips: rows that are written, read and erased."""

from collections.abc import Iterable, Sequence

import orjson
from sqlalchemy import Connection, and_, delete, select, update
from sqlalchemy.sql.elements import ColumnElement

from internetcar.contract.message import milliseconds
from internetcar.contract.trips import TripEnded
from services.database import insert_new
from services.recommendations.advising import (
    MOST_BYTES,
    MOST_EVIDENCE,
    Adviser,
    Body,
    Evidence,
    Kind,
)
from services.recommendations.store import of_driver
from services.recommendations.tables import evidence

MOST_OF_EACH = 100
"""So much of each driver is read to tell them apart; the newest say it."""
_PORTION = 500


def keep(
    connection: Connection,
    adviser: Adviser,
    trip: TripEnded,
    day: float,
    place_id: str,
    now_ms: int,
) -> bool:
    """Keep what a kind of advice wants of a trip; whether that is anything.

    Args:
        connection: Of the transaction, which holds the vehicle's row; no evidence of this trip is
            there.
        adviser: Of the kind.
        trip: That has ended; not dropped, not forgotten.
        day: Of its start, as `Moment` has it.
        place_id: Where it led; empty where that is not known.
        now_ms: UTC ms.
    """
    body = adviser.kept(trip, day, place_id)
    if body is None:
        return False
    encoded = orjson.dumps(body)
    if len(encoded) > MOST_BYTES:
        return False
    insert_new(
        connection,
        evidence,
        vehicle_id=trip.vehicle_id,
        trip_id=trip.trip_id,
        kind=adviser.kind,
        driver=trip.driver,
        started_ms=milliseconds(trip.started_at),
        day=day,
        place_id=place_id,
        body=encoded.decode(),
        kept_ms=now_ms,
    )
    _trim(connection, trip.vehicle_id, trip.driver, adviser.kind)
    return True


def read(
    connection: Connection,
    vehicle_id: str,
    kind: Kind,
    name: str | None,
    most: int = MOST_EVIDENCE,
) -> list[Evidence]:
    """The newest evidence of a kind, the oldest first, of a driver or (`None`) of all of a car."""
    ours = _of(vehicle_id, kind, name)
    wanted = select(evidence).where(ours).order_by(*_NEWEST).limit(most)
    found = [
        Evidence(row.trip_id, row.driver, row.started_ms, row.day, row.place_id, body)
        for row in connection.execute(wanted)
        if (body := _body(row.body)) is not None
    ]
    return found[::-1]


def drop_trips(connection: Connection, vehicle_id: str, trip_ids: Sequence[str]) -> int:
    """Erase all evidence of some trips; how many rows that were."""
    erased = 0
    for start in range(0, len(trip_ids), _PORTION):
        some = evidence.c.trip_id.in_(trip_ids[start : start + _PORTION])
        erased += connection.execute(
            delete(evidence).where(evidence.c.vehicle_id == vehicle_id, some)
        ).rowcount
    return erased


def drop_trip(connection: Connection, vehicle_id: str, trip_id: str) -> set[str]:
    """Erase all evidence of a trip; whose it was."""
    this = and_(evidence.c.vehicle_id == vehicle_id, evidence.c.trip_id == trip_id)
    whose = set(connection.execute(select(evidence.c.driver).where(this)).scalars())
    connection.execute(delete(evidence).where(this))
    return whose


def leave_place(connection: Connection, vehicle_id: str, name: str, place_id: str) -> None:
    """No evidence names a place of a driver any more."""
    there = and_(of_driver(evidence, vehicle_id, name), evidence.c.place_id == place_id)
    connection.execute(update(evidence).where(there).values(place_id=""))


def drivers(connection: Connection, vehicle_id: str, kind: Kind) -> Iterable[str]:
    """Whose evidence of a kind is kept."""
    ours = and_(evidence.c.vehicle_id == vehicle_id, evidence.c.kind == kind)
    return connection.execute(select(evidence.c.driver).where(ours).distinct()).scalars().all()


def _body(kept: str) -> Body | None:
    """What was kept of a trip; `None`: it cannot be read."""
    try:
        body = orjson.loads(kept)
    except orjson.JSONDecodeError:
        return None
    return body if isinstance(body, dict) else None


_NEWEST = evidence.c.started_ms.desc(), evidence.c.trip_id.desc()


def _of(vehicle_id: str, kind: str, name: str | None) -> ColumnElement[bool]:
    of_kind = and_(evidence.c.vehicle_id == vehicle_id, evidence.c.kind == kind)
    return of_kind if name is None else and_(of_kind, evidence.c.driver == name)


def _trim(connection: Connection, vehicle_id: str, name: str, kind: str) -> None:
    """Keep no more than is read."""
    old = select(evidence.c.trip_id).where(_of(vehicle_id, kind, name)).order_by(*_NEWEST)
    for trip_id in list(connection.execute(old.offset(MOST_EVIDENCE).limit(_PORTION)).scalars()):
        this = and_(_of(vehicle_id, kind, name), evidence.c.trip_id == trip_id)
        connection.execute(delete(evidence).where(this))
