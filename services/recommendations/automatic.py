"""What a driver wants applied without being asked, and whether it may be now."""

from sqlalchemy import Connection, delete, select

from internetcar.contract.recommendations import RecommendationOffer
from internetcar.contract.trips import UNKNOWN_DRIVER
from services.database import insert_new
from services.recommendations.advising import APPLIED_AT
from services.recommendations.journey import Journey
from services.recommendations.settable import may_set
from services.recommendations.store import of_driver
from services.recommendations.tables import automatic

BY_HAND_MS = 600_000
"""What somebody has changed so lately is left to them."""
FRESH_MS = 120_000
"""A trip that is said to be further from now than this may be over."""


def switch(connection: Connection, vehicle_id: str, name: str, kind: str, *, is_on: bool) -> None:
    """A driver wants a kind of offer applied without being asked, or does not any more."""
    if is_on:
        insert_new(connection, automatic, vehicle_id=vehicle_id, driver=name, kind=kind)
    else:
        this = of_driver(automatic, vehicle_id, name) & (automatic.c.kind == kind)
        connection.execute(delete(automatic).where(this))


def kinds_of(connection: Connection, vehicle_id: str, name: str) -> list[str]:
    """The kinds that a driver has switched on."""
    wanted = select(automatic.c.kind).where(of_driver(automatic, vehicle_id, name))
    return sorted(connection.execute(wanted).scalars())


def may_apply(
    connection: Connection, offer: RecommendationOffer, journey: Journey, now_ms: int
) -> bool:
    """Whether an offer is applied at once.

    Args:
        connection: Of the transaction.
        offer: It.
        journey: The trip that is on.
        now_ms: UTC ms by our clock, not the trip's.
    """
    by_hand_ms = journey.at_ms - BY_HAND_MS
    return (
        offer.probability >= APPLIED_AT
        and offer.driver != UNKNOWN_DRIVER
        and offer.guess is None
        and bool(offer.settings)
        and (offer.kind != "seat" or len(journey.path) <= 1)  # no seat moves under who drives
        and abs(now_ms - journey.at_ms) <= FRESH_MS
        and all(may_set(offer.kind, each.path, each.value) for each in offer.settings)
        and all(
            journey.settings[each.path][1] < by_hand_ms
            for each in offer.settings
            if each.path in journey.settings
        )
        and offer.kind in kinds_of(connection, offer.vehicle_id, offer.driver)
    )
