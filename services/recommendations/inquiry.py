"""What a person on the same machine asks the store: what is said, what is kept, and to erase it."""

from typing import Any, NamedTuple

from sqlalchemy import Connection, func, select
from sqlalchemy.sql import Select

from internetcar.contract.recommendations import DestinationRecommendation, RecommendationOffer
from services.database import Database
from services.recommendations import erasing, exporting, proposals, store
from services.recommendations.tables import driver, offer, place, proposal, vehicle, visit


class VehicleNow(NamedTuple):
    """A vehicle: until when it is paused, who drives, and what is said of where to."""

    vehicle_id: str
    paused_until_ms: int | None
    driver: str | None
    said: DestinationRecommendation | None

    def is_paused(self, now_ms: int) -> bool:
        """Whether nothing is to be said now."""
        return self.paused_until_ms is not None and now_ms < self.paused_until_ms


class OpenOffer(NamedTuple):
    """An offer that waits for an answer: `place`, its label, else its id; else what was `made`."""

    vehicle_id: str
    offer_id: str
    driver: str
    kind: str
    share: float
    place: str = ""
    made: RecommendationOffer | None = None


class KnownDriver(NamedTuple):
    """How much is kept of a driver; `places`: ids, with what they are called."""

    vehicle_id: str
    driver: str
    visits: int
    places: str


def standings(connection: Connection, vehicle_id: str) -> list[VehicleNow]:
    """Every vehicle (or the one), as it is now."""
    found = []
    for row in connection.execute(_of(select(vehicle), vehicle, vehicle_id)):
        journey = store.read_journey(row.journey)
        said = None
        if journey is not None and journey.said is not None:
            topic = DestinationRecommendation.filter(vehicle_id=row.vehicle_id)
            said = DestinationRecommendation.decode(topic, journey.said.encode())
        name = None if journey is None else journey.driver
        found.append(VehicleNow(row.vehicle_id, row.paused_until_ms, name, said))
    return found


def open_offers(connection: Connection, vehicle_id: str) -> list[OpenOffer]:
    """The offers that wait for an answer."""
    is_its_place = (
        (place.c.vehicle_id == offer.c.vehicle_id)
        & (place.c.driver == offer.c.driver)
        & (place.c.place_id == offer.c.place_id)
    )
    wanted = (
        select(offer, place.c.label)
        .join(place, is_its_place, isouter=True)
        .where(offer.c.state == "open")
    )
    found = [
        OpenOffer(
            row.vehicle_id, row.offer_id, row.driver, "destination", row.probability,
            row.label or row.place_id,
        )
        for row in connection.execute(_of(wanted, offer, vehicle_id))
    ]  # fmt: skip
    others = select(proposal).where(proposal.c.state == "open", proposal.c.body != "")
    for row in connection.execute(_of(others, proposal, vehicle_id)):
        made = proposals.read(row)
        if made is not None:
            found.append(
                OpenOffer(
                    row.vehicle_id, row.offer_id, row.driver, row.kind, made.probability, made=made
                )
            )
    return found


def drivers(connection: Connection, vehicle_id: str) -> list[KnownDriver]:
    """Everybody of whom anything is kept."""
    found = []
    for row in connection.execute(_of(select(driver), driver, vehicle_id)):
        count = select(func.count()).where(store.of_driver(visit, row.vehicle_id, row.driver))
        ours = store.of_driver(place, row.vehicle_id, row.driver)
        known = connection.execute(select(place).where(ours).order_by(place.c.number).limit(50))
        names = ", ".join(
            f"{each.place_id} ({each.label})" if each.label else each.place_id for each in known
        )
        visits = connection.execute(count).scalar_one()
        found.append(KnownDriver(row.vehicle_id, row.driver, visits, names))
    return found


def whole(connection: Connection, vehicle_id: str, name: str) -> dict[str, Any] | None:
    """All that is kept of a driver; `None`: nothing is."""
    if store.version_of(connection, vehicle_id, name) is None:
        return None
    return exporting.whole(connection, vehicle_id, name)


def forget(
    database: Database, vehicle_id: str, name: str, place_id: str, now_ms: int
) -> tuple[int | None, bool]:
    """Erase a place of a driver, or the driver (no place is named), also from the files' bytes.

    Returns:
        How many visits (`None`: there is no such driver or place), and whether no byte is left.
    """

    def erase(connection: Connection) -> int | None:
        if connection.execute(_of(select(vehicle), vehicle, vehicle_id)).first() is None:
            return None
        standing = store.standing(connection, vehicle_id)
        assert standing is not None
        if place_id:
            erased = erasing.forget_place(connection, standing, name, place_id, now_ms)
        else:
            erased = erasing.forget_driver(connection, standing, name, now_ms)
        store.save(connection, standing)
        return erased

    erased = database.run(erase)
    return erased, database.scrub()


def _of(wanted: Select[Any], table: Any, vehicle_id: str) -> Select[Any]:
    columns = [table.c.vehicle_id, *(table.c[name] for name in ("driver",) if name in table.c)]
    ordered = wanted.order_by(*columns)
    return ordered.where(table.c.vehicle_id == vehicle_id) if vehicle_id else ordered
