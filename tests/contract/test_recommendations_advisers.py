"""The host of the kinds of advice: what it keeps, asks, says and forgets, with one invented."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from internetcar.contract.advice import ClimateRecommendation, EcoAdvice, SuggestedSetting
from internetcar.contract.message import Message, instant
from internetcar.contract.recommendations import (
    DestinationRecommendation,
    RecommendationControl,
    RecommendationFeedback,
    RecommendationOffer,
)
from internetcar.contract.trips import SettingChange, TripEnded
from services.recommendations.advising import Advice, Asked, Body, Evidence, Kind, Offer
from services.recommendations.inquiry import open_offers, whole
from services.recommendations.store import open_store
from services.recommendations.tables import evidence, proposal
from services.tables import outgoing
from tests.recommendation_trips import HOME, MONDAY, WORK, Service, ended, progress, started

LEAF = "Vehicle.Cabin.HVAC.Station.Row1.Driver.Temperature"
NEXT = MONDAY + timedelta(days=14, hours=8)


class Warmest:
    """The warmest that was ever set is what is wanted."""

    kind: Kind = "climate"
    offers: Any = "climate"
    of_car = False
    speaks_after = True

    def kept(self, trip: TripEnded, day: float, place_id: str) -> Body | None:
        found = [each.value for each in trip.settings if each.path == LEAF]
        return {"warm": found[-1]} if found else None

    def learn(self, rows: Sequence[Evidence]) -> Any:
        return [float(each.body["warm"]) for each in rows]

    def advise(self, asked: Asked, learned: Any) -> Advice:
        if not learned:
            return Advice()
        now = asked.settings.get(LEAF)
        warm = SuggestedSetting(
            path=LEAF, value=max(learned), now=now.value if now else None, probability=0.9
        )
        state = ClimateRecommendation(
            vehicle_id=asked.vehicle_id, trip_id=asked.journey.trip_id,
            driver=asked.journey.driver, settings=[warm], similar_trips=len(learned),
            origin=asked.origin, at=instant(asked.journey.at_ms),
        )  # fmt: skip
        is_over = any(not each.is_accepted for each in asked.answered)
        return Advice(state, None if is_over else Offer("warm", 0.9, "You like it.", (warm,)))

    def after(self, trip: TripEnded, learned: Any, trips: int, day: float, origin: Any) -> Message:
        return EcoAdvice(
            vehicle_id=trip.vehicle_id, trip_id=trip.trip_id, driver=trip.driver, unit="Wh",
            used=len(learned), hints=[], origin=origin, at=trip.ended_at,
        )  # fmt: skip


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'store.sqlite'}"


@pytest.fixture
def service(url: str) -> Iterator[Service]:
    database = open_store(url)
    yield lived(Service(database, advisers=(Warmest(),)))
    database.close()


def warm(value: float, offset_s: float = 0.0) -> SettingChange:
    return SettingChange(path=LEAF, offset_s=offset_s, value=value)


def lived(service: Service, driver: str = "anna") -> Service:
    """Twelve days to work and back, warmer by a tenth of a degree each time."""
    for number in range(12):
        day = MONDAY + timedelta(days=number)
        there = started(day + timedelta(hours=8), HOME, f"{driver}-{number}", driver=driver)
        service.hear(ended(there, WORK, settings=[warm(20 + number / 10)]))
    return service


def take(service: Service, cls: type[Message]) -> list[Any]:
    return [each for each in service.take() if isinstance(each, cls)]


def test_a_kind_is_asked_and_said_once_the_driver_is_known_and_offers_once_a_trip(
    service: Service,
) -> None:
    service.take()
    trip = started(NEXT, HOME, settings=[warm(18)])
    service.hear(trip, progress(trip, 1, HOME), progress(trip, 2, WORK, outside_c=9))
    said = service.take()
    (state,) = [each for each in said if isinstance(each, ClimateRecommendation)]
    assert (state.settings[0].value, state.settings[0].now) == (21.1, 18)
    (offer,) = [each for each in said if getattr(each, "kind", "") == "climate"]
    assert (offer.because, offer.settings[0].value) == ("You like it.", 21.1)
    with service.database.read() as connection:
        kinds = {each.kind for each in open_offers(connection, "kona")}
    assert kinds == {"destination", "climate"}


def test_what_is_changed_on_the_way_is_said_anew(service: Service) -> None:
    trip = started(NEXT, HOME, settings=[warm(18)])
    service.hear(trip)
    service.take()
    service.hear(progress(trip, 2, HOME, changed=[warm(19, 90)]))
    (state,) = take(service, ClimateRecommendation)
    assert state.settings[0].now == 19


def test_a_driver_of_few_trips_is_told_nothing(url: str) -> None:
    database = open_store(url)
    service = Service(database, advisers=(Warmest(),))
    trip = started(NEXT, HOME, settings=[warm(18)])
    service.hear(ended(started(MONDAY, HOME), WORK, settings=[warm(21)]), trip)
    assert service.take() == []
    database.close()


def test_the_end_of_a_trip_takes_back_what_was_said_and_says_what_it_brought(
    service: Service,
) -> None:
    trip = started(NEXT, HOME)
    service.hear(trip)
    service.take()
    service.hear(ended(trip, WORK, settings=[warm(30)]))
    with service.database.read() as connection:
        rows = {row.topic: row.payload for row in connection.execute(select(outgoing))}
        states = set(connection.execute(select(proposal.c.state)).scalars())
    assert rows[ClimateRecommendation.filter(vehicle_id="kona")] == b""
    (brought,) = take(service, EcoAdvice)
    assert (brought.used, states) == (12, {"expired"}), "by what was known before it"


def test_a_rejected_offer_is_known_on_the_next_trip(service: Service) -> None:
    trip = started(NEXT, HOME)
    service.hear(trip)
    (offer,) = [each for each in take(service, RecommendationOffer) if each.kind == "climate"]
    no = RecommendationFeedback(
        vehicle_id="kona", requester="phone", offer_id=offer.offer_id, answer="reject"
    )
    service.hear(no, no)
    assert {each.status for each in service.take() if hasattr(each, "status")} == {"done"}
    yes = no.model_copy(update={"answer": "accept"})
    service.hear(yes)
    assert [each.reason for each in service.take() if hasattr(each, "reason")] == ["conflict"]
    later = started(NEXT + timedelta(days=2), HOME)
    service.hear(ended(trip, WORK), later)
    assert not [each for each in take(service, RecommendationOffer) if each.kind == "climate"]


def test_a_correction_takes_the_place_of_what_was_kept(service: Service) -> None:
    trip = started(NEXT, HOME)
    service.hear(ended(trip, WORK, settings=[warm(25)]))
    service.hear(ended(trip, WORK, settings=[warm(23)], revision=2))
    with service.database.read() as connection:
        bodies = connection.execute(select(evidence.c.body)).scalars().all()
    assert sum("23" in each for each in bodies) == 1
    assert not any("25" in each for each in bodies)
    service.hear(ended(trip, WORK, is_dropped=True, revision=3))
    with service.database.read() as connection:
        assert len(connection.execute(select(evidence.c.body)).all()) == 12


def test_a_driver_that_is_forgotten_leaves_no_evidence_and_others_keep_theirs(
    service: Service,
) -> None:
    lived(service, "bert")
    trip = started(NEXT, HOME)
    service.hear(trip)
    service.hear(
        RecommendationControl(
            vehicle_id="kona", requester="phone", request_id="r1", action="forget_driver",
            driver="anna",
        )
    )  # fmt: skip
    with service.database.read() as connection:
        assert whole(connection, "kona", "anna") is None
        assert set(connection.execute(select(evidence.c.driver)).scalars()) == {"bert"}
        assert connection.execute(select(proposal)).first() is None
        said = {row.topic: row.payload for row in connection.execute(select(outgoing))}
    assert said[ClimateRecommendation.filter(vehicle_id="kona")] == b""


def test_a_place_that_is_forgotten_takes_the_evidence_of_its_visits_along(service: Service) -> None:
    service.hear(
        RecommendationControl(
            vehicle_id="kona", requester="phone", request_id="r1", action="forget_place",
            driver="anna", place_id="place-1",
        )
    )  # fmt: skip
    with service.database.read() as connection:
        assert connection.execute(select(evidence)).first() is None


def test_evidence_is_forgotten_with_age(service: Service) -> None:
    service.now = MONDAY + timedelta(days=430)
    service.forgetting.turn()
    with service.database.read() as connection:
        assert connection.execute(select(evidence)).first() is None


def test_a_service_that_starts_again_knows_what_it_said(service: Service) -> None:
    trip = started(NEXT, HOME, settings=[warm(18)])
    service.hear(trip)
    service.take()
    again = Service(service.database, NEXT, advisers=(Warmest(),))
    again.hear(progress(trip, 2, WORK))
    assert not [each for each in again.take() if not isinstance(each, DestinationRecommendation)], (
        "neither the state nor the offer again"
    )
