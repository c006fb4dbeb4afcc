"""Where trips ended: kept as rows, learned, corrected."""

from zoneinfo import ZoneInfo

import orjson
from sqlalchemy import Connection, RowMapping, and_, delete, func, select, update
from sqlalchemy.sql.elements import ColumnElement

from internetcar.contract.message import milliseconds
from internetcar.contract.trips import TripEnded
from services.database import insert_new
from services.recommendations import evidence, store
from services.recommendations.destination.moment import Moment
from services.recommendations.destination.places import Place, Places
from services.recommendations.destination.predictor import MOST_VISITS
from services.recommendations.journey import moment_of
from services.recommendations.memory import Models
from services.recommendations.store import of_driver
from services.recommendations.tables import driver, offer, place, visit

ROUTES = 3
"""Of the newest visits of each place."""
_MOST_POINTS = 60
_DIGITS = 5
"""Of a degree: a metre."""


def remember(
    connection: Connection, models: Models, message: TripEnded, zone: ZoneInfo, now_ms: int
) -> bool:
    """Learn where a trip led; a greater revision takes the place of what was known.

    Args:
        connection: Of the transaction, which holds the vehicle's row.
        models: What is in memory.
        message: The trip; it is not forgotten.
        zone: The drivers' wall clock.
        now_ms: UTC ms.

    Returns:
        Whether it is news.
    """
    this = _this(message.vehicle_id, message.trip_id)
    known = connection.execute(select(visit).where(this)).mappings().one_or_none()
    if known is not None and known["revision"] >= message.revision:
        return False
    kept_ms = now_ms if known is None else known["kept_ms"]
    place_id = ""
    if known is not None:
        place_id = _same_place(connection, known, message)
        connection.execute(delete(visit).where(this))
        if not place_id:
            leave_place(connection, known["vehicle_id"], known["driver"], known["place_id"])
        store.touch(connection, known["vehicle_id"], known["driver"], _cause(message))
    if not message.is_dropped and message.end is not None:
        _add(connection, models, message, zone, kept_ms, place_id)
    return True


def drop_place(connection: Connection, vehicle_id: str, name: str, place_id: str) -> None:
    """Remove a place to which no visit leads any more, wherever it is named."""
    ours = of_driver(place, vehicle_id, name)
    connection.execute(delete(place).where(ours, place.c.place_id == place_id))
    mine = of_driver(visit, vehicle_id, name)
    for column in (visit.c.origin_id, visit.c.before_id):
        named = and_(mine, column == place_id)
        connection.execute(update(visit).where(named).values({column.name: ""}))
    evidence.leave_place(connection, vehicle_id, name, place_id)
    offered = of_driver(offer, vehicle_id, name)
    connection.execute(delete(offer).where(offered, offer.c.place_id == place_id))
    from_there = and_(offered, offer.c.origin_id == place_id)
    connection.execute(update(offer).where(from_there).values(origin_id=""))


def _add(
    connection: Connection,
    models: Models,
    message: TripEnded,
    zone: ZoneInfo,
    kept_ms: int,
    place_id: str,
) -> None:
    """Keep a visit; of a place that is known already where its id is given."""
    assert message.end is not None
    vehicle_id, name, trip_id = message.vehicle_id, message.driver, message.trip_id
    if not store.make_driver(connection, vehicle_id, name):
        return
    started_ms = milliseconds(message.started_at)
    is_newest = not place_id and is_last(connection, vehicle_id, name, started_ms, trip_id)
    model = models.of(connection, vehicle_id, name) if is_newest else None
    places = model.places if model is not None else places_of(connection, vehicle_id, name)
    earlier = store.previous(connection, vehicle_id, name, started_ms)
    moment = moment_of(started_ms, message.start, earlier, places, zone)
    if model is not None:
        model.version = ""
    if not place_id:
        taken = places.take(message.end.latitude, message.end.longitude)
        store.keep_place(connection, vehicle_id, name, taken)
        place_id = taken.id
    route = _route(connection, message)
    _insert(connection, message, moment, place_id, route, kept_ms)
    if model is not None:
        model.predictor.learn(moment, place_id)
        model.ways.add(place_id, route)
    else:
        ours = of_driver(driver, vehicle_id, name)
        connection.execute(update(driver).where(ours).values(issued=places.issued))
    store.touch(connection, vehicle_id, name, _cause(message), model)
    _trim(connection, vehicle_id, name, place_id)


def places_of(connection: Connection, vehicle_id: str, name: str) -> Places:
    """A driver's places alone."""
    wanted = select(place).where(of_driver(place, vehicle_id, name)).order_by(place.c.number)
    known = [
        Place(row.place_id, row.lat_deg, row.lon_deg, row.ends)
        for row in connection.execute(wanted)
    ]
    issued = select(driver.c.issued).where(of_driver(driver, vehicle_id, name))
    return Places(known, connection.execute(issued).scalar_one_or_none() or 0)


def leave_place(connection: Connection, vehicle_id: str, name: str, place_id: str) -> None:
    """A visit of a place is gone; with its last one the place goes as well."""
    left = select(visit.c.trip_id).where(
        of_driver(visit, vehicle_id, name), visit.c.place_id == place_id
    )
    if connection.execute(left.limit(1)).first() is None:
        drop_place(connection, vehicle_id, name, place_id)


def is_last(
    connection: Connection, vehicle_id: str, name: str, started_ms: int, trip_id: str
) -> bool:
    """Whether no later trip of a driver is known."""
    later = select(visit.c.trip_id).where(
        of_driver(visit, vehicle_id, name),
        (visit.c.started_ms > started_ms)
        | ((visit.c.started_ms == started_ms) & (visit.c.trip_id > trip_id)),
    )
    return connection.execute(later.limit(1)).first() is None


def place_of(connection: Connection, vehicle_id: str, trip_id: str) -> str:
    """Where a trip led; empty where that is not known."""
    wanted = select(visit.c.place_id).where(_this(vehicle_id, trip_id))
    return connection.execute(wanted).scalar_one_or_none() or ""


def _same_place(connection: Connection, known: RowMapping, message: TripEnded) -> str:
    """The id of the place, where a correction leads the same driver to the same one."""
    if message.is_dropped or message.end is None or message.driver != known["driver"]:
        return ""
    places = places_of(connection, message.vehicle_id, message.driver)
    found = places.find(message.end.latitude, message.end.longitude)
    return found if found == known["place_id"] else ""


def _insert(
    connection: Connection,
    message: TripEnded,
    moment: Moment,
    place_id: str,
    route: list[tuple[float, float]],
    kept_ms: int,
) -> None:
    insert_new(
        connection,
        visit,
        vehicle_id=message.vehicle_id,
        trip_id=message.trip_id,
        driver=message.driver,
        revision=message.revision,
        started_ms=milliseconds(message.started_at),
        ended_ms=max(milliseconds(message.started_at), milliseconds(message.ended_at)),
        day=moment.day,
        place_id=place_id,
        origin_id=moment.origin,
        before_id=moment.before,
        stayed_min=moment.stayed_min,
        route=orjson.dumps(route).decode() if route else None,
        kept_ms=kept_ms,
    )


def _route(connection: Connection, message: TripEnded) -> list[tuple[float, float]]:
    """Some points of a trip's route; none where it leads past what was forgotten."""
    digest = store.digest_of("route", message.vehicle_id, message.trip_id)
    points = [(round(lat, _DIGITS), round(lon, _DIGITS)) for lat, lon, _ in message.route]
    if len(points) < 2 or store.is_noted(connection, digest):
        return []
    step = -(-len(points) // _MOST_POINTS)
    return [*points[:-1:step], points[-1]]


def _trim(connection: Connection, vehicle_id: str, name: str, place_id: str) -> None:
    """Keep the newest routes to a place, and no more visits than a predictor takes."""
    ours = of_driver(visit, vehicle_id, name)
    newest = visit.c.started_ms.desc(), visit.c.trip_id.desc()
    routes = (
        select(visit.c.trip_id)
        .where(ours, visit.c.place_id == place_id, visit.c.route.is_not(None))
        .order_by(*newest)
        .offset(ROUTES)
        .limit(100)
    )
    for trip_id in list(connection.execute(routes).scalars()):
        connection.execute(update(visit).where(_this(vehicle_id, trip_id)).values(route=None))
    count = connection.execute(select(func.count()).select_from(visit).where(ours)).scalar_one()
    if count < MOST_VISITS:
        return
    old = select(visit.c.trip_id, visit.c.place_id).where(ours).order_by(*newest)
    for row in connection.execute(old.offset(MOST_VISITS // 2)).all():
        connection.execute(delete(visit).where(_this(vehicle_id, row.trip_id)))
        leave_place(connection, vehicle_id, name, row.place_id)
    store.touch(connection, vehicle_id, name, "too many")


def _this(vehicle_id: str, trip_id: str) -> ColumnElement[bool]:
    return and_(visit.c.vehicle_id == vehicle_id, visit.c.trip_id == trip_id)


def _cause(message: TripEnded) -> str:
    return f"{message.trip_id} {message.revision}"
