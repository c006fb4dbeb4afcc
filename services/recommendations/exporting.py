"""All that is kept of a driver, for the driver: in an answer, or whole for a file."""

from typing import Any

import orjson
from sqlalchemy import Connection, select

from internetcar.contract.message import format_instant, instant
from internetcar.contract.recommendations import MOST_EXPORTED
from services.recommendations import automatic
from services.recommendations.destination.votes import NAMES
from services.recommendations.store import of_driver
from services.recommendations.tables import driver, evidence, offer, order, place, proposal, visit


def answered(
    connection: Connection, vehicle_id: str, name: str, *, shows_positions: bool
) -> dict[str, object]:
    """Places and the newest visits, as `RecommendationAnswer` has them."""
    places = _places(connection, vehicle_id, name)
    if not shows_positions:
        places = [{key: each[key] for key in ("place_id", "label")} for each in places]
    visits = _visits(connection, vehicle_id, name, MOST_EXPORTED + 1)
    kept = [
        {key: each[key] for key in ("started_at", "place_id", "origin_id")}
        for each in visits[-MOST_EXPORTED:]
    ]
    return {"places": places, "visits": kept, "is_cut": len(visits) > MOST_EXPORTED}


def whole(connection: Connection, vehicle_id: str, name: str) -> dict[str, Any]:
    """All there is of a driver, positions included: for who sits at the vehicle's own machine."""
    ours = of_driver(driver, vehicle_id, name)
    weights = orjson.loads(
        connection.execute(select(driver.c.weights).where(ours)).scalar_one_or_none() or b"{}"
    )
    if "weights" in weights:
        weights["weights"] = dict(zip(NAMES, weights["weights"], strict=False))
    offers = select(offer).where(of_driver(offer, vehicle_id, name)).order_by(offer.c.at_ms)
    return {
        "vehicle_id": vehicle_id,
        "driver": name,
        "places": _places(connection, vehicle_id, name),
        "visits": _visits(connection, vehicle_id, name, None),
        "offers": [
            {
                "offer_id": row.offer_id,
                "place_id": row.place_id,
                "at": format_instant(instant(row.at_ms)),
                "probability": round(row.probability, 4),
                "state": row.state,
            }
            for row in connection.execute(offers)
        ],
        "kept": _evidence(connection, vehicle_id, name),
        "proposals": _proposals(connection, vehicle_id, name),
        "asked_of_the_car": _orders(connection, vehicle_id, name),
        "automatic": automatic.kinds_of(connection, vehicle_id, name),
        "learned": weights,
    }


def _evidence(connection: Connection, vehicle_id: str, name: str) -> list[dict[str, Any]]:
    ours = of_driver(evidence, vehicle_id, name)
    wanted = select(evidence).where(ours).order_by(evidence.c.started_ms, evidence.c.trip_id)
    return [
        {
            "trip_id": row.trip_id,
            "kind": row.kind,
            "place_id": row.place_id or None,
            "of_the_trip": orjson.loads(row.body),
        }
        for row in connection.execute(wanted)
    ]


def _proposals(connection: Connection, vehicle_id: str, name: str) -> list[dict[str, Any]]:
    wanted = select(proposal).where(of_driver(proposal, vehicle_id, name))
    return [
        {
            "offer_id": row.offer_id,
            "kind": row.kind,
            "at": format_instant(instant(row.at_ms)),
            "offer": orjson.loads(row.body) if row.body else None,
            "state": row.state,
        }
        for row in connection.execute(wanted.order_by(proposal.c.at_ms))
    ]


def _orders(connection: Connection, vehicle_id: str, name: str) -> list[dict[str, Any]]:
    wanted = select(order).where(of_driver(order, vehicle_id, name))
    return [
        {
            "offer_id": row.offer_id,
            "at": format_instant(instant(row.ordered_ms)),
            "purpose": row.purpose,
            "path": row.path,
            "value_and_before": orjson.loads(row.body),
            "state": row.state,
            "reason": row.reason,
        }
        for row in connection.execute(wanted.order_by(order.c.ordered_ms, order.c.command_id))
    ]


def _places(connection: Connection, vehicle_id: str, name: str) -> list[dict[str, Any]]:
    wanted = select(place).where(of_driver(place, vehicle_id, name)).order_by(place.c.number)
    return [
        {
            "place_id": row.place_id,
            "label": row.label,
            "latitude": round(row.lat_deg, 6),
            "longitude": round(row.lon_deg, 6),
        }
        for row in connection.execute(wanted)
    ]


def _visits(
    connection: Connection, vehicle_id: str, name: str, most: int | None
) -> list[dict[str, Any]]:
    """The newest, the oldest first."""
    wanted = (
        select(visit)
        .where(of_driver(visit, vehicle_id, name))
        .order_by(visit.c.started_ms.desc(), visit.c.trip_id.desc())
    )
    rows = connection.execute(wanted if most is None else wanted.limit(most)).all()
    return [
        {
            "trip_id": row.trip_id,
            "started_at": format_instant(instant(row.started_ms)),
            "ended_at": format_instant(instant(row.ended_ms)),
            "place_id": row.place_id,
            "origin_id": row.origin_id or None,
            "route": orjson.loads(row.route) if row.route else [],
        }
        for row in rows[::-1]
    ]
