"""What is kept of vehicles and their drivers, and how it becomes a model again."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import orjson
from pydantic import ValidationError
from sqlalchemy import Connection, and_, func, select, update
from sqlalchemy.sql.elements import ColumnElement

from services.database import Database, insert_new, locked, open_database
from services.recommendations.destination.moment import Moment
from services.recommendations.destination.places import Place, Places
from services.recommendations.journey import Journey, Previous
from services.recommendations.model import Model
from services.recommendations.rejections import MOST, Rejection
from services.recommendations.settings import SERVICE
from services.recommendations.tables import (
    RECOMMENDATIONS,
    VERSION,
    driver,
    forgotten,
    offer,
    place,
    vehicle,
    visit,
)

MOST_VEHICLES = 1_000
MOST_DRIVERS = 200
"""Of one vehicle; a driver more is not learned."""
_ENDED = 50
_LOADED = 1_000


def open_store(url: str) -> Database:
    """Open the store of the service, and make it where it is missing.

    Raises:
        StoreError: It cannot be used; one line.
    """
    return open_database(url, RECOMMENDATIONS, service=SERVICE, version=VERSION)


@dataclass
class Standing:
    """A vehicle, as its locked row has it.

    Attributes:
        vehicle_id: Whose.
        journey: The trip that is on.
        ended: The revisions of the trips that ended last, by their digests.
        paused_until_ms: Until when nothing is said; `None`: it is not paused.
    """

    vehicle_id: str
    journey: Journey | None
    ended: dict[str, int]
    paused_until_ms: int | None

    def end(self, trip_id: str, revision: int) -> bool:
        """Note that a trip has ended; false where that is known."""
        digest = digest_of("trip", self.vehicle_id, trip_id)
        if self.ended.get(digest, 0) >= revision:
            return False
        self.ended.pop(digest, None)
        self.ended[digest] = revision
        for each in list(self.ended)[:-_ENDED]:
            del self.ended[each]
        return True

    def has_ended(self, trip_id: str) -> bool:
        """Whether a trip is over."""
        return digest_of("trip", self.vehicle_id, trip_id) in self.ended


def standing(connection: Connection, vehicle_id: str) -> Standing | None:
    """A vehicle, locked until the transaction ends; `None` where there are too many."""
    row = locked(connection, vehicle.c.vehicle_id, vehicle_id)
    if row is None:
        count = connection.execute(select(func.count()).select_from(vehicle)).scalar_one()
        if count >= MOST_VEHICLES:
            return None
        insert_new(connection, vehicle, vehicle_id=vehicle_id, ended="{}")
        row = locked(connection, vehicle.c.vehicle_id, vehicle_id)
        assert row is not None
    ended = {str(key): int(value) for key, value in orjson.loads(row["ended"]).items()}
    return Standing(vehicle_id, read_journey(row["journey"]), ended, row["paused_until_ms"])


def save(connection: Connection, vehicle_now: Standing) -> None:
    """Keep where a vehicle stands."""
    journey = vehicle_now.journey
    connection.execute(
        update(vehicle)
        .where(vehicle.c.vehicle_id == vehicle_now.vehicle_id)
        .values(
            journey=None if journey is None else journey.model_dump_json(),
            ended=orjson.dumps(vehicle_now.ended).decode(),
            paused_until_ms=vehicle_now.paused_until_ms,
        )
    )


def digest_of(*parts: str) -> str:
    """What stands for something that must not be kept itself."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def of_driver(table_columns: object, vehicle_id: str, name: str) -> ColumnElement[bool]:
    """The condition that a row is of a driver."""
    columns = table_columns.c  # type: ignore[attr-defined]  # each of our tables has both
    return and_(columns.vehicle_id == vehicle_id, columns.driver == name)


def version_of(connection: Connection, vehicle_id: str, name: str) -> str | None:
    """What all that is known of a driver derives from; `None`: nothing is known."""
    wanted = select(driver.c.version).where(of_driver(driver, vehicle_id, name))
    return connection.execute(wanted).scalar_one_or_none()


def version_of_all(connection: Connection, vehicle_id: str, name: str | None) -> str:
    """What all that is known of a driver derives from, or (`None`) of all drivers of a vehicle."""
    if name is not None:
        return version_of(connection, vehicle_id, name) or ""
    of_vehicle = driver.c.vehicle_id == vehicle_id
    wanted = select(driver.c.version).where(of_vehicle).order_by(driver.c.driver)
    return digest_of(*connection.execute(wanted).scalars())


def make_driver(connection: Connection, vehicle_id: str, name: str) -> bool:
    """Make sure of a driver's row; false where there are too many."""
    if version_of(connection, vehicle_id, name) is not None:
        return True
    wanted = select(func.count()).where(driver.c.vehicle_id == vehicle_id)
    if connection.execute(wanted).scalar_one() >= MOST_DRIVERS:
        return False
    return insert_new(
        connection, driver, vehicle_id=vehicle_id, driver=name, issued=0, version=digest_of("")
    )


def touch(
    connection: Connection, vehicle_id: str, name: str, cause: str, model: Model | None = None
) -> None:
    """What is known of a driver has changed.

    Args:
        connection: Of the transaction.
        vehicle_id: Whose driver.
        name: The driver.
        cause: What changed it, such as the id of a trip.
        model: It has learned it; `None`: it is to be learned anew from the rows.
    """
    before = version_of(connection, vehicle_id, name) or ""
    version = digest_of(before, cause)
    weights = None if model is None else orjson.dumps(model.predictor.learned())
    changed: dict[str, object] = {"version": version, "weights": weights}
    if model is not None:
        model.version = version
        changed["issued"] = model.places.issued
    connection.execute(update(driver).where(of_driver(driver, vehicle_id, name)).values(**changed))


def renew(connection: Connection, vehicle_id: str, name: str, cause: str) -> tuple[str, str]:
    """What is known of a driver beside the visits has changed; the version before, and after."""
    before = version_of(connection, vehicle_id, name) or ""
    version = digest_of(before, cause)
    this = of_driver(driver, vehicle_id, name)
    connection.execute(update(driver).where(this).values(version=version))
    return before, version


def keep_place(connection: Connection, vehicle_id: str, name: str, known: Place) -> None:
    """Write a place of a driver as it is now."""
    values = {"lat_deg": known.lat_deg, "lon_deg": known.lon_deg, "ends": known.ends}
    number = int(known.id.rpartition("-")[2])
    key = {"vehicle_id": vehicle_id, "driver": name, "place_id": known.id}
    if not insert_new(connection, place, **key, number=number, **values):
        this = and_(of_driver(place, vehicle_id, name), place.c.place_id == known.id)
        connection.execute(update(place).where(this).values(**values))


def load(connection: Connection, vehicle_id: str, name: str) -> Model:
    """A driver's model; what was learned is learned anew where it is not kept, and kept then."""
    wanted = select(driver).where(of_driver(driver, vehicle_id, name))
    row = connection.execute(wanted).mappings().one_or_none()
    if row is None:
        return Model()
    ours = select(place).where(of_driver(place, vehicle_id, name)).order_by(place.c.number)
    rows = list(connection.execute(ours))
    known = [Place(each.place_id, each.lat_deg, each.lon_deg, each.ends) for each in rows]
    model = Model(row["version"], Places(known, row["issued"]))
    model.labels = {each.place_id: each.label for each in rows if each.label}
    model.predictor.restore(
        _questions(connection, vehicle_id, name), orjson.loads(row["weights"] or b"{}")
    )
    _load_ways(connection, vehicle_id, name, model)
    model.rejections = rejections(connection, vehicle_id, name)
    if row["weights"] is None:
        learned = orjson.dumps(model.predictor.learned())
        this = of_driver(driver, vehicle_id, name)
        connection.execute(update(driver).where(this).values(weights=learned))
    return model


def rejections(connection: Connection, vehicle_id: str, name: str) -> list[Rejection]:
    """The newest offers that a driver rejected, the oldest first."""
    wanted = (
        select(offer)
        .where(of_driver(offer, vehicle_id, name), offer.c.state == "rejected")
        .order_by(offer.c.at_ms.desc(), offer.c.offer_id)
        .limit(MOST)
    )
    found = [
        Rejection(row.place_id, row.at_ms, row.day, row.origin_id)
        for row in connection.execute(wanted)
    ]
    return found[::-1]


def previous(connection: Connection, vehicle_id: str, name: str, before_ms: int) -> Previous | None:
    """The newest trip of a driver that began before an instant."""
    wanted = (
        select(visit)
        .where(of_driver(visit, vehicle_id, name), visit.c.started_ms < before_ms)
        .order_by(visit.c.started_ms.desc(), visit.c.trip_id.desc())
        .limit(1)
    )
    row = connection.execute(wanted).first()
    if row is None:
        return None
    return Previous(place_id=row.place_id, origin_id=row.origin_id, ended_ms=row.ended_ms)


def is_forgotten(
    connection: Connection, vehicle_id: str, trip_id: str, name: str, started_ms: int
) -> bool:
    """Whether a trip was erased, or its driver was, later than it began."""
    wanted = select(forgotten).where(
        forgotten.c.digest.in_(
            [digest_of("trip", vehicle_id, trip_id), digest_of("driver", vehicle_id, name)]
        )
    )
    return any(
        row.until_ms is None or started_ms <= row.until_ms for row in connection.execute(wanted)
    )


def is_noted(connection: Connection, digest: str) -> bool:
    """Whether something is known to be forgotten, by its digest alone."""
    wanted = select(forgotten.c.digest).where(forgotten.c.digest == digest)
    return connection.execute(wanted).first() is not None


def read_journey(kept: str | None) -> Journey | None:
    """The trip that is on, as its row has it; `None`: none is, or it cannot be read."""
    if kept is None:
        return None
    try:
        return Journey.model_validate_json(kept)
    except ValidationError:
        return None  # of another version: the trip begins anew with what is heard next


def _questions(connection: Connection, vehicle_id: str, name: str) -> Iterator[tuple[Moment, str]]:
    """A driver's visits, oldest first, a portion in memory at a time."""
    last = (-(1 << 62), "")
    ours = of_driver(visit, vehicle_id, name)
    order = visit.c.started_ms, visit.c.trip_id
    while True:
        later = (visit.c.started_ms > last[0]) | (
            (visit.c.started_ms == last[0]) & (visit.c.trip_id > last[1])
        )
        rows = connection.execute(
            select(visit).where(ours, later).order_by(*order).limit(_LOADED)
        ).all()
        for row in rows:
            yield Moment(row.day, row.origin_id, row.before_id, row.stayed_min), row.place_id
        if len(rows) < _LOADED:
            return
        last = rows[-1].started_ms, rows[-1].trip_id


def _load_ways(connection: Connection, vehicle_id: str, name: str, model: Model) -> None:
    wanted = (
        select(visit.c.place_id, visit.c.route)
        .where(of_driver(visit, vehicle_id, name), visit.c.route.is_not(None))
        .order_by(visit.c.started_ms, visit.c.trip_id)
    )
    for row in connection.execute(wanted):
        model.ways.add(row.place_id, orjson.loads(row.route))
