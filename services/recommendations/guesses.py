"""Who drives on a trip of which the car does not say so, once somebody has said that a guess holds.

The answer is in the offer alone: it outlasts a restart, and goes when its offer is forgotten.
"""

from collections.abc import Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection, Row, and_, delete, select, update

from internetcar.contract.trips import UNKNOWN_DRIVER, TripEnded, TripProgress, TripStarted
from services.recommendations import proposals
from services.recommendations.seat.adviser import key_of
from services.recommendations.tables import order, proposal

Heard = TypeVar("Heard", bound=TripStarted | TripProgress | TripEnded)


def named(connection: Connection, message: Heard) -> Heard:
    """A message with the driver whom a person has named on its trip, where the car names none."""
    if message.driver != UNKNOWN_DRIVER:
        return message
    wanted = select(proposal).where(
        proposal.c.vehicle_id == message.vehicle_id,
        proposal.c.trip_id == message.trip_id,
        proposal.c.kind == "seat",
        proposal.c.state == "accepted",
    )
    row = connection.execute(wanted).first()
    name = guess_of(row) if row is not None else None
    if name is None:
        return message
    return message.model_copy(update={"driver": name})  # type: ignore[return-value]  # same class


def guess_of(row: Row[Any]) -> str | None:
    """Whom an offer takes for the driver; `None`: nobody, or it is forgotten."""
    offer = proposals.read(row)
    return None if offer is None else offer.guess


def without_settings(connection: Connection, row: Row[Any]) -> Row[Any]:
    """An offer that moves nothing any more, for the car drives."""
    offer = proposals.read(row)
    if offer is not None:
        still = offer.model_copy(update={"settings": []})
        this = and_(proposal.c.vehicle_id == row.vehicle_id, proposal.c.offer_id == row.offer_id)
        body = still.encode().decode()
        connection.execute(update(proposal).where(this).values(body=body))
    return proposals.find(connection, row.vehicle_id, row.offer_id) or row


def forget(connection: Connection, vehicle_id: str, name: str) -> Sequence[str]:
    """No offer asks any more whether it was this driver; on which trips it was."""
    ours = and_(proposal.c.vehicle_id == vehicle_id, proposal.c.kind == "seat")
    asks = and_(ours, proposal.c.key == key_of(name))
    was = select(proposal.c.trip_id).where(asks, proposal.c.state == "accepted")
    trips = connection.execute(was).scalars().all()
    offers = select(proposal.c.offer_id).where(asks)
    of_them = and_(order.c.vehicle_id == vehicle_id, order.c.offer_id.in_(offers))
    connection.execute(delete(order).where(of_them))
    connection.execute(delete(proposal).where(asks))
    return trips
