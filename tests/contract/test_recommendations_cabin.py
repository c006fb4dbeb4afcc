"""Who drives is guessed, asked and remembered; what is heard is offered; all of it is forgotten."""

import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from internetcar.contract.advice import MediaRecommendation, SeatRecommendation
from internetcar.contract.recommendations import RecommendationOffer
from internetcar.contract.trips import UNKNOWN_DRIVER, SettingChange, TripStarted
from services.recommendations.media.items import URIS
from services.recommendations.seat.settled import LEAVES
from services.recommendations.store import open_store
from services.recommendations.tables import evidence, order, proposal, visit
from services.tables import outgoing
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

SEAT, MEDIA = LEAVES[0], URIS[0]
ANNA = "annabella"
DAYS = 12
NEXT = MONDAY + timedelta(days=14, hours=8)


def setting(path: str, value: Any, offset_s: float = 0.0) -> SettingChange:
    return SettingChange(path=path, offset_s=offset_s, value=value)


def lived(service: Service) -> Service:
    """Anna drives to work in the morning, Ben in the evening; each finds the other's seat."""
    for number in range(DAYS):
        day = MONDAY + timedelta(days=number)
        morning = started(day + timedelta(hours=8), HOME, f"a-{number}", driver=ANNA)
        evening = started(day + timedelta(hours=20), HOME, f"b-{number}", driver="ben")
        hers = [setting(SEAT, 150), setting(SEAT, 210, 5), setting(MEDIA, "annas-news")]
        his = [setting(SEAT, 210), setting(SEAT, 150, 5)]
        service.hear(ended(morning, WORK, settings=hers), ended(evening, HOME, settings=his))
    return service


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, datetime]:
    """A store of their lives, and when that was."""
    file = tmp_path_factory.mktemp("lived") / "store.sqlite"
    database = open_store(f"sqlite:///{file}")
    now = lived(Service(database)).now
    database.scrub()
    database.close()
    return file, now


@pytest.fixture
def url(tmp_path: Path, history: tuple[Path, datetime]) -> str:
    file = shutil.copy(history[0], tmp_path / "store.sqlite")
    return f"sqlite:///{file}"


@pytest.fixture
def service(url: str, history: tuple[Path, datetime]) -> Iterator[Service]:
    database = open_store(url)
    yield Service(database, now=history[1])
    database.close()


def begin(at: datetime = NEXT, trip_id: str = "", driver: str = UNKNOWN_DRIVER) -> TripStarted:
    return started(at, HOME, trip_id, driver=driver, settings=[setting(SEAT, 150)])


def offered(service: Service, kind: str = "seat") -> list[RecommendationOffer]:
    said = service.take()
    return [each for each in said if isinstance(each, RecommendationOffer) and each.kind == kind]


def drivers_of(service: Service, trip_id: str) -> set[str]:
    with service.database.read() as connection:
        return {
            row.driver
            for table in (visit, evidence)
            for row in connection.execute(select(table).where(table.c.trip_id == trip_id))
        }


def commanded(service: Service) -> list[str]:
    """Which leaves commands that wait to be sent would set."""
    with service.database.read() as connection:
        topics = connection.execute(select(outgoing.c.topic)).scalars().all()
    return [topic.rpartition("/")[2] for topic in topics if "/command/" in topic]


def test_an_accepted_guess_makes_the_trip_that_drivers_also_after_a_restart(
    service: Service,
) -> None:
    service.take()
    trip = begin()
    (offer,) = offered(service.hear(trip))
    assert (offer.guess, offer.driver) == (ANNA, UNKNOWN_DRIVER)
    assert [(each.path, each.value) for each in offer.settings] == [(SEAT, 210)]
    service.hear(feedback(offer.offer_id, "accept"))
    assert commanded(service) == [SEAT]
    again = Service(service.database, now=service.now)
    again.hear(progress(trip, 2, WORK, distance_m=900))
    again.hear(ended(trip, WORK, settings=[setting(MEDIA, "annas-news")]))
    assert drivers_of(again, trip.trip_id) == {ANNA}
    late = ended(trip, WORK, settings=[setting(MEDIA, "annas-news")], revision=2)
    assert drivers_of(again.hear(late), trip.trip_id) == {ANNA}
    following = started(NEXT + timedelta(hours=3), WORK, "next", driver=UNKNOWN_DRIVER)
    again.hear(following, ended(following, HOME))
    assert drivers_of(again, "next") == {UNKNOWN_DRIVER}, "it was said of one trip"


def test_from_the_answer_on_what_that_driver_wants_is_said(service: Service) -> None:
    service.take()
    trip = begin()
    (offer,) = offered(service.hear(trip))
    service.hear(feedback(offer.offer_id, "accept"))
    said = service.take()
    media = [each for each in said if isinstance(each, MediaRecommendation)]
    seat = [each for each in said if isinstance(each, SeatRecommendation)]
    assert {each.driver for each in media} == {each.driver for each in seat} == {ANNA}
    assert media[0].items[0].item == "annas-news"
    assert seat[-1].guess is None
    service.hear(progress(trip, 1, HOME))
    assert service.take() == [], "it is said once"


def test_a_rejected_guess_is_asked_neither_on_this_trip_nor_within_a_day(service: Service) -> None:
    service.take()
    trip = begin()
    (offer,) = offered(service.hear(trip))
    service.hear(feedback(offer.offer_id))
    service.take()
    again = Service(service.database, now=service.now)
    assert offered(again.hear(progress(trip, 0.5, HOME))) == []
    soon = begin(NEXT + timedelta(hours=23), "soon")
    assert offered(again.hear(ended(trip, WORK), soon)) == []
    later = begin(NEXT + timedelta(days=2), "later")
    (asked,) = offered(again.hear(ended(soon, WORK), later))
    assert asked.guess == ANNA
    assert drivers_of(again, trip.trip_id) == {UNKNOWN_DRIVER}


def test_once_the_car_drives_a_guess_may_hold_but_nothing_is_moved(service: Service) -> None:
    service.take()
    trip = begin()
    (offer,) = offered(service.hear(trip))
    service.hear(progress(trip, 0.5, HOME, speed_kmh=30))
    assert service.answer(feedback(offer.offer_id, "accept")).status == "done"
    with service.database.read() as connection:
        (body,) = connection.execute(select(proposal.c.body).where(proposal.c.kind == "seat"))
    assert SEAT not in body[0]
    assert commanded(service) == []
    service.hear(ended(trip, WORK))
    assert drivers_of(service, trip.trip_id) == {ANNA}

    hers = begin(NEXT + timedelta(days=1), "hers", driver=ANNA)
    (moves,) = offered(service.hear(hers))
    assert (moves.guess, moves.settings[0].value) == (None, 210)
    service.hear(progress(hers, 0.5, HOME, distance_m=60))
    answer = service.answer(feedback(moves.offer_id, "accept"))
    assert (answer.status, answer.reason) == ("refused", "expired")
    assert commanded(service) == []


@pytest.mark.parametrize("first_s", [70, 20])
def test_a_seat_is_offered_only_before_the_car_drives(service: Service, first_s: float) -> None:
    trip = begin(driver=ANNA)
    driving = progress(trip, first_s / 60, HOME, changed=[setting(SEAT, 150, 1)], speed_kmh=9)
    assert offered(service.hear(driving)) == []


def test_the_first_thing_to_hear_is_offered_and_accepting_it_only_teaches(service: Service) -> None:
    service.take()
    trip = begin(driver=ANNA)
    (offer,) = offered(service.hear(trip), "media")
    assert offer.item is not None
    assert (offer.item.item, offer.settings) == ("annas-news", [])
    assert service.answer(feedback(offer.offer_id, "accept")).status == "done"
    service.hear(progress(trip, 1, HOME, changed=[setting(MEDIA, "annas-news", 20)]))
    states = [each for each in service.take() if isinstance(each, MediaRecommendation)]
    assert states == [], "nothing ever came after it"


def test_of_a_forgotten_driver_no_guess_answer_or_byte_is_left(url: str, service: Service) -> None:
    trip = begin()
    service.take()
    (offer,) = offered(service.hear(trip))
    service.hear(feedback(offer.offer_id, "accept"), ended(trip, WORK))
    no = begin(NEXT + timedelta(days=1), "not-her")
    (asked,) = offered(service.hear(no))
    service.hear(feedback(asked.offer_id))
    assert ANNA.encode() in files(url)
    service.hear(control("forget_driver", driver=ANNA))
    with service.database.read() as connection:
        assert connection.execute(select(order)).all() == [], "where her seat was set to"
    late = ended(trip, WORK, revision=2)
    assert drivers_of(service.hear(late), trip.trip_id) == set(), "no late word brings it back"
    service.take()
    service.desk.turn()
    service.database.scrub()
    left = files(url)
    assert ANNA.encode() not in left
    assert b"annas-news" not in left
    service.hear(ended(no, WORK), begin(NEXT + timedelta(days=3), "third"))
    assert offered(service) == []


def test_an_answer_that_cannot_be_read_names_nobody(service: Service) -> None:
    service.take()
    trip = begin()
    (offer,) = offered(service.hear(trip))
    with service.database.begin() as connection:
        connection.execute(update(proposal).values(body="{"))
    service.hear(feedback(offer.offer_id, "accept"), progress(trip, 1, HOME, speed_kmh=20))
    service.hear(ended(trip, WORK))
    assert drivers_of(service, trip.trip_id) == {UNKNOWN_DRIVER}


def files(url: str) -> bytes:
    file = Path(url.removeprefix("sqlite:///"))
    return b"".join(each.read_bytes() for each in file.parent.glob(file.name + "*"))
