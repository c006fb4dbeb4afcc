"""Stops in the service: kept of trips, said, offered, rejected, forgotten."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from internetcar.contract.advice import StopRecommendation
from internetcar.contract.message import Message
from internetcar.contract.recommendations import RecommendationOffer
from internetcar.contract.trips import Place, TripStarted
from services.recommendations.stops.adviser import StopAdviser
from services.recommendations.store import open_store
from services.recommendations.tables import evidence, proposal
from services.tables import outgoing
from tests.recommendation_trips import (
    HOME,
    MONDAY,
    SPORTS,
    WORK,
    Service,
    control,
    ended,
    feedback,
    progress,
    started,
)

NEXT = MONDAY + timedelta(days=7, hours=8)
"""Home and work are 7.6 km apart, 9 km by road: with margin and reserve 20 km."""


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    database = open_store(f"sqlite:///{tmp_path / 'store.sqlite'}")
    yield lived(Service(database, advisers=(StopAdviser(),)))
    database.close()


def lived(service: Service) -> Service:
    """A week to work, back by the sports club, where the car is charged for an hour."""
    for number in range(5):
        day = MONDAY + timedelta(days=number)
        for hours, start, end, levels in (
            (8, HOME, WORK, (80, 77)), (17, WORK, SPORTS, (77, 74)), (19, SPORTS, HOME, (84, 80)),
        ):  # fmt: skip
            trip = started(day + timedelta(hours=hours), start, f"{number}-{hours}")
            service.hear(ended(trip, end, level_start_pct=levels[0], level_pct=levels[1],
                               energy_wh=1_500.0))  # fmt: skip
    return service


def begun(at: datetime = NEXT, start: Place = HOME, **told: Any) -> TripStarted:
    return started(at, start, **told)


def take(service: Service, cls: type[Message]) -> list[Any]:
    return [each for each in service.take() if isinstance(each, cls)]


def offered(service: Service) -> list[RecommendationOffer]:
    return [each for each in take(service, RecommendationOffer) if each.kind == "stop"]


def test_a_trip_that_may_run_short_is_told_where_to_charge_and_the_end_clears_it(
    service: Service,
) -> None:
    service.take()
    trip = begun(level_pct=20.0, range_m=14_000)
    service.hear(trip)
    said = service.take()
    (state,) = [each for each in said if isinstance(each, StopRecommendation)]
    assert (state.range_m, state.needed_m) == (10_000, 25_000)
    (stop,) = state.stops
    assert (stop.kind, stop.place_id) == ("charge", "place-2")
    (offer,) = [each for each in said if getattr(each, "kind", "") == "stop"]
    assert offer.stop is not None
    assert offer.stop.place_id == "place-2"
    assert "5 times" in offer.because
    service.hear(progress(trip, 1, HOME, range_m=13_500), progress(trip, 2, HOME, range_m=13_000))
    assert take(service, StopRecommendation) == [], "no news"
    service.hear(ended(trip, WORK))
    with service.database.read() as connection:
        rows = connection.execute(select(outgoing)).all()
    topic = StopRecommendation.filter(vehicle_id="kona")
    assert [row.payload for row in rows if row.topic == topic] == [b""]


def test_a_trip_that_reaches_is_told_nothing(service: Service) -> None:
    service.take()
    service.hear(begun(level_pct=60.0, range_m=200_000))
    assert not take(service, StopRecommendation)


def test_a_rejected_offer_is_silent_for_a_day_and_gone_after_two(service: Service) -> None:
    for days, count in ((0, 1), (0.4, 0), (1, 1), (2.1, 0)):
        service.take()
        service.hear(begun(NEXT + timedelta(days=days), range_m=14_000))
        offers = offered(service)
        assert len(offers) == count
        for offer in offers:
            service.hear(feedback(offer.offer_id))
    service.hear(begun(NEXT + timedelta(days=4), range_m=14_000))
    assert not take(service, StopRecommendation)


def test_a_charging_place_that_is_forgotten_is_named_nowhere(service: Service) -> None:
    trip = begun(range_m=14_000)
    service.hear(trip)
    service.take()
    service.hear(control("forget_place", driver="anna", place_id="place-2"))
    with service.database.read() as connection:
        kept = [*connection.execute(select(evidence.c.place_id, evidence.c.body)).all(),
                *connection.execute(select(proposal.c.key, proposal.c.body)).all()]  # fmt: skip
    assert kept
    assert not [row for row in kept if "place-2" in str(row)]
    service.take()
    service.hear(begun(NEXT + timedelta(days=1), range_m=14_000))
    states = take(service, StopRecommendation)
    assert [stop.place_id for each in states for stop in each.stops] == [None]
