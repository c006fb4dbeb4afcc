"""The service with the adviser of climate: offers, silence, withdrawal, and forgetting."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from internetcar.contract.advice import ClimateRecommendation
from internetcar.contract.message import Message
from internetcar.contract.recommendations import RecommendationOffer
from internetcar.contract.trips import SettingChange, TripStarted
from services.recommendations.climate.adviser import ClimateAdviser
from services.recommendations.climate.leaves import SET_POINT
from services.recommendations.store import open_store
from services.recommendations.tables import evidence
from tests.recommendation_trips import (
    HOME,
    MONDAY,
    WORK,
    Service,
    control,
    ended,
    feedback,
    progress,
    started,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.sqlite"


@pytest.fixture
def service(path: Path) -> Iterator[Service]:
    database = open_store(f"sqlite:///{path}")
    yield Service(database, advisers=(ClimateAdviser(),))
    database.close()


def warm(*values: float) -> list[SettingChange]:
    return [
        SettingChange(path=SET_POINT.path, offset_s=40 * number, value=value)
        for number, value in enumerate(values)
    ]


def trip(day: int) -> TripStarted:
    """To work at eight, with somebody else's nineteen degrees."""
    at = MONDAY + timedelta(days=day, hours=8)
    return started(at, HOME, f"trip-{day}", outside_c=4, settings=warm(19))


def drive(service: Service, days: range, *values: float) -> None:
    for day in days:
        service.hear(ended(trip(day), WORK, outside_c=4.4, settings=warm(*values)))


def begin(service: Service, day: int) -> tuple[ClimateRecommendation | None, Any]:
    """The state and the offer of climate as a trip begins."""
    service.take()
    service.hear(trip(day))
    return said(service)


def said(service: Service) -> tuple[ClimateRecommendation | None, Any]:
    messages: list[Message] = service.take()
    states = [each for each in messages if isinstance(each, ClimateRecommendation)]
    offers = [each for each in messages if isinstance(each, RecommendationOffer)]
    offers = [each for each in offers if each.kind == "climate"]
    assert len(states) <= 1
    assert len(offers) <= 1
    return states[0] if states else None, offers[0] if offers else None


def test_from_ten_trips_on_what_the_driver_sets_in_such_weather_is_offered(
    service: Service,
) -> None:
    drive(service, range(9), 19, 22)
    assert begin(service, 9) == (None, None)
    drive(service, range(9, 10), 19, 22)
    state, offer = begin(service, 10)
    assert state is not None
    assert (state.similar_trips, state.outside_c, state.settings[0].value) == (10, 4, 22)
    assert [(each.value, each.now) for each in offer.settings] == [(22, 19)]
    assert offer.because == (
        "You had about 22 °C on 10 of your last 10 trips at 3 to 5 °C outside; it is at 19 °C."
    )


def test_weather_that_trembles_is_said_once_also_by_a_service_that_starts_again(
    service: Service,
) -> None:
    drive(service, range(12), 19, 22)
    begin(service, 12)
    for minute, outside_c in enumerate((4.4, 3.2, 4.9, 3.5), start=1):
        service.hear(progress(trip(12), minute / 6, HOME, outside_c=outside_c))
    assert said(service) == (None, None)
    again = Service(service.database, service.now, advisers=(ClimateAdviser(),))
    again.hear(progress(trip(12), 1, HOME, outside_c=4.9))
    assert said(again) == (None, None)


def test_two_rejections_withdraw_it_until_it_is_set_by_hand_on_three_trips(
    service: Service,
) -> None:
    drive(service, range(20), 19, 22)
    _, offer = begin(service, 20)
    service.hear(feedback(offer.offer_id), ended(trip(20), WORK, outside_c=4, settings=warm(19)))
    assert begin(service, 20)[1] is None, "the trip is over"
    service.hear(ended(trip(21), WORK, outside_c=4, settings=warm(22)))
    _, offer = begin(service, 22)
    service.hear(feedback(offer.offer_id), ended(trip(22), WORK, outside_c=4, settings=warm(22)))
    state, offer = begin(service, 25)
    assert state is not None
    assert state.is_withdrawn
    assert offer is None
    drive(service, range(25, 28), 19, 22)
    state, offer = begin(service, 29)
    assert state is not None
    assert not state.is_withdrawn
    assert offer.settings[0].value == 22


def test_a_day_after_a_rejection_nothing_is_offered(service: Service) -> None:
    drive(service, range(12), 19, 22)
    _, offer = begin(service, 12)
    service.hear(feedback(offer.offer_id))
    evening = trip(12).model_copy(
        update={"trip_id": "evening", "started_at": trip(12).started_at + timedelta(hours=9)}
    )
    service.take()
    service.hear(ended(trip(12), WORK, outside_c=4, settings=warm(22)), evening)
    state, offer = said(service)
    assert state is not None
    assert offer is None


def test_what_is_forgotten_leaves_no_byte_and_nothing_to_say(service: Service, path: Path) -> None:
    drive(service, range(12), 19, 22.125)
    begin(service, 12)
    assert b"22.125" in _bytes(path)
    service.hear(control("forget_driver", driver="anna"))
    service.take()
    with service.database.read() as connection:
        assert connection.execute(select(evidence)).first() is None
    assert b"22.125" not in _bytes(path)
    assert begin(service, 13) == (None, None)


def test_a_place_takes_what_was_set_on_the_way_to_it_along(service: Service) -> None:
    drive(service, range(12), 19, 22)
    service.hear(control("forget_place", driver="anna", place_id="place-1"))
    with service.database.read() as connection:
        assert connection.execute(select(evidence)).first() is None


def _bytes(path: Path) -> bytes:
    return b"".join(each.read_bytes() for each in path.parent.glob("store.sqlite*"))
