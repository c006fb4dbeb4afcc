"""Offers beside destinations: kept, answered, and what of them is forgotten."""

from typing import Any

from sqlalchemy import Connection, Row, and_, delete, or_, select, update

from internetcar.contract.message import ContractError
from internetcar.contract.recommendations import RecommendationOffer
from services.database import insert_new
from services.recommendations.advising import Answered
from services.recommendations.journey import Journey
from services.recommendations.store import of_driver
from services.recommendations.tables import proposal

MOST_ANSWERED = 200
"""Of one driver and kind that count."""


def keep(
    connection: Connection, journey: Journey, key: str, message: RecommendationOffer, now_ms: int
) -> bool:
    """Keep an offer; false where it was made before."""
    return insert_new(
        connection,
        proposal,
        vehicle_id=message.vehicle_id,
        offer_id=message.offer_id,
        driver=message.driver,
        kind=message.kind,
        trip_id=message.trip_id,
        key=key,
        body=message.encode().decode(),
        at_ms=journey.at_ms,
        state="open",
        kept_ms=now_ms,
    )


def find(connection: Connection, vehicle_id: str, offer_id: str) -> Row[Any] | None:
    """The row of an offer."""
    this = and_(proposal.c.vehicle_id == vehicle_id, proposal.c.offer_id == offer_id)
    return connection.execute(select(proposal).where(this)).first()


def read(row: Row[Any]) -> RecommendationOffer | None:
    """What an offer said; `None`: it is forgotten, or cannot be read."""
    try:
        topic = RecommendationOffer.filter(vehicle_id=row.vehicle_id)
        return RecommendationOffer.decode(topic, row.body.encode())
    except ContractError:
        return None


def set_state(connection: Connection, vehicle_id: str, offer_id: str, state: str) -> None:
    """An offer is accepted or rejected."""
    this = and_(proposal.c.vehicle_id == vehicle_id, proposal.c.offer_id == offer_id)
    connection.execute(update(proposal).where(this).values(state=state))


def expire(connection: Connection, vehicle_id: str) -> None:
    """The trip is over: what waits for an answer waits no more."""
    waits = and_(proposal.c.vehicle_id == vehicle_id, proposal.c.state == "open")
    connection.execute(update(proposal).where(waits).values(state="expired"))


def answered(connection: Connection, vehicle_id: str, name: str, kind: str) -> list[Answered]:
    """The newest answers of a driver to offers of a kind, the oldest first."""
    wanted = (
        select(proposal)
        .where(
            of_driver(proposal, vehicle_id, name),
            proposal.c.kind == kind,
            proposal.c.state.in_(("accepted", "rejected")),
        )
        .order_by(proposal.c.at_ms.desc(), proposal.c.offer_id)
        .limit(MOST_ANSWERED)
    )
    found = [
        Answered(row.key, row.at_ms, row.state == "accepted") for row in connection.execute(wanted)
    ]
    return found[::-1]


def forget_place(connection: Connection, vehicle_id: str, name: str, place_id: str) -> None:
    """No offer of a driver names a place any more; those about it go."""
    mine = of_driver(proposal, vehicle_id, name)
    ends = proposal.c.key.endswith(f" {place_id}", autoescape=True)
    about = or_(proposal.c.key == place_id, ends)
    connection.execute(delete(proposal).where(mine, about))
    connection.execute(update(proposal).where(mine).values(body=""))
