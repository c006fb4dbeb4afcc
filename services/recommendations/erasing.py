"""What is forgotten: a place, a driver, what is old; rows, weights, and what waits to be said."""

from collections.abc import Iterable, Sequence

import numpy as np
import orjson
from sqlalchemy import Connection, and_, delete, select, update

from internetcar.contract.commands import Command
from internetcar.contract.recommendations import (
    DestinationRecommendation,
    RecommendationAnswer,
    RecommendationOffer,
)
from services.database import insert_new, note_erased
from services.recommendations import guesses, proposals, retained, store
from services.recommendations.destination.ground import distances_m
from services.recommendations.destination.places import RADIUS_M
from services.recommendations.evidence import drop_trips
from services.recommendations.journey import Journey
from services.recommendations.settings import SERVICE
from services.recommendations.store import Standing, of_driver
from services.recommendations.tables import (
    asker,
    automatic,
    driver,
    evidence,
    forgotten,
    offer,
    order,
    place,
    proposal,
    request,
    vehicle,
    visit,
)
from services.recommendations.visits import drop_place, leave_place
from services.tables import outgoing, quarantine

NEAR_M = 3 * RADIUS_M
"""No route that is kept comes so near to a place that was forgotten."""
REQUEST_DAYS = 7
_DAY_MS = 86_400_000
_PORTION = 500
_OF_DRIVERS = place, offer, evidence, proposal, order, automatic, driver
_TELLS = {"places", "visits", "detail"}
"""What an answer has that may name what was forgotten; the others go to whoever waits for them."""
_SHARES = (0.25, 0.5, 0.75)
"""Where a line is looked at between two of its points."""


def forget_place(
    connection: Connection, standing: Standing, name: str, place_id: str, now_ms: int
) -> int | None:
    """Forget a place of a driver, all visits of it, and what they taught.

    Trips that only began there, or passed it, keep their ends and lose their routes.

    Args:
        connection: Of the transaction.
        standing: The vehicle, locked; it is changed.
        name: The driver.
        place_id: The place.
        now_ms: UTC ms.

    Returns:
        How many visits are erased; `None`: there is no such place.
    """
    vehicle_id = standing.vehicle_id
    ours = of_driver(place, vehicle_id, name)
    where = connection.execute(select(place).where(ours, place.c.place_id == place_id)).first()
    if where is None:
        return None
    mine = of_driver(visit, vehicle_id, name)
    there = select(visit.c.trip_id).where(mine, visit.c.place_id == place_id)
    ids = list(connection.execute(there).scalars())
    note_erased(connection)
    _erase_visits(connection, vehicle_id, ids, now_ms)
    proposals.forget_place(connection, vehicle_id, name, place_id)
    begun = select(visit.c.trip_id).where(mine, visit.c.origin_id == place_id)
    for trip_id in list(connection.execute(begun).scalars()):
        _note(connection, store.digest_of("route", vehicle_id, trip_id), now_ms)
    _forget_routes(connection, vehicle_id, name, (where.lat_deg, where.lon_deg), now_ms)
    drop_place(connection, vehicle_id, name, place_id)
    store.touch(connection, vehicle_id, name, f"forgotten {now_ms}")
    journey = standing.journey
    if journey is not None and journey.driver == name:
        _forget_on_the_way(journey, place_id, (where.lat_deg, where.lon_deg))
        _note(connection, store.digest_of("route", vehicle_id, journey.trip_id), now_ms)
        journey.take_back()
    _hush(connection, vehicle_id)
    return len(ids)


def forget_driver(connection: Connection, standing: Standing, name: str, now_ms: int) -> int | None:
    """Forget a driver of a vehicle: places, visits, answers and what was learned.

    The trip that is on is forgotten as well; what begins later is learned anew.

    Returns:
        How many visits are erased; `None`: nothing is known of such a driver.
    """
    vehicle_id = standing.vehicle_id
    mine = of_driver(visit, vehicle_id, name)
    rows = connection.execute(select(visit.c.trip_id, visit.c.started_ms).where(mine)).all()
    kept = select(evidence.c.started_ms).where(of_driver(evidence, vehicle_id, name))
    starts = [*(row.started_ms for row in rows), *connection.execute(kept).scalars()]
    ids = [row.trip_id for row in rows]
    journey = standing.journey
    is_on = journey is not None and journey.driver == name
    if journey is not None and is_on:
        starts.append(journey.started_ms)
        _note(connection, store.digest_of("trip", vehicle_id, journey.trip_id), now_ms)
        standing.journey = None
    elif journey is not None:
        journey.take_back()
    is_known = store.version_of(connection, vehicle_id, name) is not None
    if not is_known and not is_on:
        return None
    note_erased(connection)
    _erase_visits(connection, vehicle_id, ids, now_ms)
    for table in _OF_DRIVERS:
        connection.execute(delete(table).where(of_driver(table, vehicle_id, name)))
    for trip_id in guesses.forget(connection, vehicle_id, name):
        _note(connection, store.digest_of("trip", vehicle_id, trip_id), now_ms)
    if starts:
        digest = store.digest_of("driver", vehicle_id, name)
        if not _note(connection, digest, now_ms, max(starts)):
            this = forgotten.c.digest == digest
            values = {"until_ms": max(starts), "kept_ms": now_ms}
            connection.execute(update(forgotten).where(this).values(**values))
    _hush(connection, vehicle_id)
    return len(ids)


def erase_old(connection: Connection, before_ms: int, now_ms: int, most: int) -> int:
    """Forget what came here before an instant, a portion of it; how many visits that were."""
    old = select(visit).where(visit.c.kept_ms < before_ms).order_by(visit.c.kept_ms).limit(most)
    vehicles = set(connection.execute(old.with_only_columns(visit.c.vehicle_id)).scalars())
    for each in sorted(vehicles):
        store.standing(connection, each)  # locked: nobody learns of it meanwhile
    rows = connection.execute(old).mappings().all()
    for row in rows:
        vehicle_id, name = row["vehicle_id"], row["driver"]
        this = and_(visit.c.vehicle_id == vehicle_id, visit.c.trip_id == row["trip_id"])
        connection.execute(delete(visit).where(this))
        drop_trips(connection, vehicle_id, [row["trip_id"]])
        leave_place(connection, vehicle_id, name, row["place_id"])
    for vehicle_id, name in dict.fromkeys((row["vehicle_id"], row["driver"]) for row in rows):
        left = select(visit.c.trip_id).where(of_driver(visit, vehicle_id, name)).limit(1)
        if connection.execute(left).first() is None:
            for table in _OF_DRIVERS:
                connection.execute(delete(table).where(of_driver(table, vehicle_id, name)))
        else:
            store.touch(connection, vehicle_id, name, f"old {before_ms}")
    for vehicle_id, name in _whose(connection, before_ms):
        store.renew(connection, vehicle_id, name, f"old {before_ms}")
    for table in (offer, evidence, proposal, forgotten):
        connection.execute(delete(table).where(table.c.kept_ms < before_ms))
    _erase_journeys(connection, before_ms)
    asked_ms = now_ms - REQUEST_DAYS * _DAY_MS
    for table in (request, order, asker):
        connection.execute(delete(table).where(table.c.kept_ms < asked_ms))
    return len(rows)


def _erase_journeys(connection: Connection, before_ms: int) -> None:
    """Forget trips that never ended and of which nothing was heard since an instant."""
    on = select(vehicle.c.vehicle_id, vehicle.c.journey).where(vehicle.c.journey.is_not(None))
    rows = connection.execute(on.order_by(vehicle.c.vehicle_id)).all()
    for row in rows:
        if not _is_old(store.read_journey(row.journey), before_ms):
            continue
        vehicle_now = store.standing(connection, row.vehicle_id)
        if vehicle_now is not None and _is_old(vehicle_now.journey, before_ms):
            vehicle_now.journey = None
            store.save(connection, vehicle_now)
            retained.clear(connection, row.vehicle_id)


def _is_old(journey: Journey | None, before_ms: int) -> bool:
    return journey is None or journey.heard_ms < before_ms


def _whose(connection: Connection, before_ms: int) -> Sequence[tuple[str, str]]:
    """Whose evidence came here before an instant."""
    columns = evidence.c.vehicle_id, evidence.c.driver
    rows = connection.execute(select(*columns).where(evidence.c.kept_ms < before_ms).distinct())
    return [(row.vehicle_id, row.driver) for row in rows]


def _erase_visits(connection: Connection, vehicle_id: str, ids: Sequence[str], now_ms: int) -> None:
    """Erase visits so that no late word of their trips brings them back."""
    for trip_id in ids:
        _note(connection, store.digest_of("trip", vehicle_id, trip_id), now_ms)
    for start in range(0, len(ids), _PORTION):
        some = visit.c.trip_id.in_(ids[start : start + _PORTION])
        connection.execute(delete(visit).where(visit.c.vehicle_id == vehicle_id, some))
    drop_trips(connection, vehicle_id, ids)


def _forget_routes(
    connection: Connection, vehicle_id: str, name: str, where: tuple[float, float], now_ms: int
) -> None:
    """Erase the routes that come near; no late word of those trips brings them back, either."""
    mine = of_driver(visit, vehicle_id, name)
    wanted = select(visit.c.trip_id, visit.c.route).where(mine, visit.c.route.is_not(None))
    for row in connection.execute(wanted).all():
        if _comes_near(orjson.loads(row.route), where):
            _note(connection, store.digest_of("route", vehicle_id, row.trip_id), now_ms)
            this = and_(visit.c.vehicle_id == vehicle_id, visit.c.trip_id == row.trip_id)
            connection.execute(update(visit).where(this).values(route=None))


def _forget_on_the_way(journey: Journey, place_id: str, where: tuple[float, float]) -> None:
    journey.path = [point for point in journey.path if not _comes_near([point], where)]
    if journey.origin_id == place_id:
        journey.origin_id = ""
    if journey.before_id == place_id:
        journey.before_id = ""


def _comes_near(route: Iterable[Sequence[float]], where: tuple[float, float]) -> bool:
    """Whether a line comes near a place."""
    points = np.asarray(list(route), float).reshape(-1, 2)
    fine = np.vstack([points[:-1] + (points[1:] - points[:-1]) * share for share in _SHARES])
    all_of_it = np.vstack([points, fine])
    away_m = distances_m(all_of_it[:, 0], all_of_it[:, 1], *where)
    return bool((away_m < NEAR_M).any())


def _note(connection: Connection, digest: str, now_ms: int, until_ms: int | None = None) -> bool:
    return insert_new(connection, forgotten, digest=digest, until_ms=until_ms, kept_ms=now_ms)


def _hush(connection: Connection, vehicle_id: str) -> None:
    """Say nothing that waits and may tell of it, and keep no message that was set aside."""
    retained.clear(connection, vehicle_id)
    topic = RecommendationOffer.filter(vehicle_id=vehicle_id)
    connection.execute(delete(outgoing).where(outgoing.c.topic == topic))
    ends = RecommendationAnswer.filter(requester="", vehicle_id=vehicle_id).removeprefix(
        "v1/client/"
    )
    answers = outgoing.c.topic.endswith(ends, autoescape=True)
    for row in connection.execute(select(outgoing).where(answers)).all():
        if _TELLS & {key for key, value in orjson.loads(row.payload).items() if value}:
            connection.execute(delete(outgoing).where(outgoing.c.number == row.number))
    begins = DestinationRecommendation.filter(vehicle_id=vehicle_id).removesuffix(
        "recommendation/destination"
    )
    orders = Command.filter(vehicle_id=vehicle_id, requester=SERVICE).removesuffix("+")
    commands = outgoing.c.topic.startswith(orders, autoescape=True)
    connection.execute(delete(outgoing).where(commands))
    aside = quarantine.c.topic.startswith(begins, autoescape=True)
    connection.execute(delete(quarantine).where(aside))
