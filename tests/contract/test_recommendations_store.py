"""What the recommendation service learns, says and forgets, on SQLite and on PostgreSQL."""

import struct
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from internetcar.contract.recommendations import (
    DestinationRecommendation,
    RecommendationAnswer,
    RecommendationOffer,
)
from internetcar.contract.trips import Place
from services.database import Database
from services.outgoing import enqueue
from services.points import AFTER_COMMIT, BEFORE_COMMIT
from services.recommendations import exporting, store, visits
from services.recommendations.destination.moment import Moment
from services.recommendations.destination.predictor import Predictor
from services.recommendations.tables import RECOMMENDATIONS, visit
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
from tests.services import CrashError, crashing_at

NEXT = MONDAY + timedelta(days=14, hours=8)


@pytest.fixture
def database(store_url: str) -> Iterator[Database]:
    opened = store.open_store(store_url)
    yield opened
    opened.close()


@pytest.fixture
def service(database: Database) -> Service:
    made = Service(database).commute(14)
    made.take()
    return made


def whole(database: Database, driver: str = "anna") -> dict[str, Any]:
    with database.read() as connection:
        return exporting.whole(connection, "kona", driver)


def test_the_likeliest_places_are_said_when_a_trip_begins_and_taken_back_when_it_ends(
    service: Service,
) -> None:
    trip = started(NEXT, HOME)
    said, offer = service.hear(trip).take()
    assert isinstance(said, DestinationRecommendation)
    first = said.places[0]
    assert (first.latitude, first.longitude) == (WORK.latitude, WORK.longitude)
    assert first.probability >= 0.7
    assert sum(each.probability for each in said.places) + said.somewhere_new <= 1.001
    assert first.because == (
        "Because 2 of your 2 trips on Mondays at about this time went to place-1."
    ) or first.because.startswith("Because ")
    assert isinstance(offer, RecommendationOffer)
    assert offer.place == first
    assert service.hear(ended(trip, WORK)).take() == [None]


def test_below_ten_trips_nothing_is_said(database: Database) -> None:
    service = Service(database).commute(4)
    friday = MONDAY + timedelta(days=4)
    trips = started(friday + timedelta(hours=8), HOME), started(friday + timedelta(hours=17), WORK)
    service.hear(trips[0], ended(trips[0], WORK), trips[1])
    assert service.take() == [], "nine trips are too few"
    service.hear(ended(trips[1], HOME), started(MONDAY + timedelta(days=7, hours=8), HOME))
    assert service.take() != []


def test_the_trips_of_one_driver_say_nothing_to_another(service: Service) -> None:
    for driver in ("bert", "unknown"):
        assert service.hear(started(NEXT, HOME, driver, driver=driver)).take() == []


def test_the_same_end_twice_is_one_visit(service: Service) -> None:
    before = whole(service.database)
    trip = started(MONDAY + timedelta(days=1, hours=8), HOME, "trip-0303-there")
    service.hear(ended(trip, WORK), ended(trip, WORK))
    assert whole(service.database) == before


def test_a_greater_revision_takes_the_place_of_the_visit_and_a_lesser_one_does_not(
    service: Service,
) -> None:
    trip = started(MONDAY + timedelta(days=11, hours=8), HOME, "trip-0313-there")
    service.hear(ended(trip, SPORTS, revision=2), ended(trip, WORK, revision=1))
    led = {each["trip_id"]: each["place_id"] for each in whole(service.database)["visits"]}
    assert len(led) == 20
    assert led[trip.trip_id] == "place-3"
    service.hear(ended(trip, WORK, revision=3))
    assert [each["place_id"] for each in whole(service.database)["places"]] == [
        "place-1", "place-2",
    ]  # fmt: skip


def test_a_correction_that_it_was_no_trip_or_another_driver_is_followed(service: Service) -> None:
    trip = started(MONDAY + timedelta(days=11, hours=8), HOME, "trip-0313-there")
    service.hear(ended(trip, WORK, revision=2, driver="bert"))
    assert len(whole(service.database)["visits"]) == 19
    assert len(whole(service.database, "bert")["visits"]) == 1
    service.hear(ended(trip, WORK, revision=3, is_dropped=True, driver="bert"))
    service.hear(ended(trip, WORK, revision=2, driver="bert"))
    assert whole(service.database, "bert")["visits"] == []
    assert whole(service.database, "bert")["places"] == []


def test_after_a_restart_the_same_is_said_to_the_last_digit(database: Database) -> None:
    service = Service(database).commute(14)
    late = started(MONDAY + timedelta(days=5, hours=10), HOME)
    service.hear(ended(late, SPORTS))
    service.commute(14, MONDAY + timedelta(days=14))
    again = Service(database, service.now)
    trip = started(MONDAY + timedelta(days=28, hours=8), HOME)
    journeys = []
    for each in (service, again):
        with database.begin() as connection:
            standing = store.standing(connection, "kona")
            assert standing is not None
            journey = each.hearing._begin(connection, standing, trip, 1)
            model = each.hearing.models.of(connection, "kona", "anna")
            journeys.append(model.forecast(journey))
    assert journeys[0] is not None
    assert journeys[0] == journeys[1]


@pytest.mark.parametrize("point", [BEFORE_COMMIT, AFTER_COMMIT])
def test_a_death_anywhere_changes_nothing(database: Database, point: str) -> None:
    service = Service(database).commute(14)
    service.take()
    trip = started(NEXT, HOME)
    for message in (trip, progress(trip, 5, Place(latitude=52.50, longitude=13.38)),
                    ended(trip, SPORTS)):  # fmt: skip
        with pytest.raises(CrashError), crashing_at(point):
            service.hear(message)
        service.hear(message)  # the same process, whose memory is ahead of the store
    plain = whole(database)
    assert [each["place_id"] for each in plain["visits"]][-1] == "place-3"
    said = service.take()
    assert [type(each).__name__ for each in said[-1:]] == ["NoneType"]
    assert sum(isinstance(each, RecommendationOffer) for each in said) == 1


def test_what_a_failed_transaction_left_in_memory_is_not_used(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = Service(database).commute(12)
    trip = started(NEXT, HOME)

    def fail(*_: object) -> None:
        raise CrashError("in between")

    with monkeypatch.context() as patch:
        patch.setattr(visits, "_trim", fail)
        with pytest.raises(CrashError):
            service.hear(ended(trip, WORK))
    with monkeypatch.context() as patch:
        patch.setattr(store, "touch", fail)
        with pytest.raises(CrashError):
            service.hear(ended(trip, WORK))
    service.hear(ended(trip, WORK))
    with database.begin() as connection:
        model = service.hearing.models.of(connection, "kona", "anna")
        assert len(model.predictor.visits) == len(whole(database)["visits"])
        fresh = store.load(connection, "kona", "anna")
    assert model.predictor.learned() == fresh.predictor.learned()


def test_an_end_that_comes_again_after_many_trips_is_still_no_visit_more(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "_ENDED", 3)
    service = Service(database).commute(12)
    before = whole(database)
    trip = started(MONDAY + timedelta(hours=8), HOME, "trip-0302-there")
    service.hear(ended(trip, SPORTS))
    assert whole(database) == before


def test_an_offer_is_made_once_a_trip_and_not_while_it_is_unlikely(service: Service) -> None:
    trip = started(NEXT, HOME)
    service.hear(trip, trip)
    for minutes in (4, 8, 12, 16):
        service.hear(progress(trip, minutes, Place(latitude=52.51 - minutes / 500,
                                                   longitude=13.40 - minutes / 300)))  # fmt: skip
    said = service.take()
    assert sum(isinstance(each, RecommendationOffer) for each in said) == 1
    nowhere = started(NEXT + timedelta(hours=20), Place(latitude=48.1, longitude=11.5))
    likely = service.hear(nowhere).take()
    assert [each for each in likely if isinstance(each, RecommendationOffer)] == []


def offered(service: Service, at: Any = NEXT) -> RecommendationOffer:
    found = [each for each in service.hear(started(at, HOME)).take()
             if isinstance(each, RecommendationOffer)]  # fmt: skip
    return found[0]


def test_feedback_is_taken_once_and_told_what_became_of_it(service: Service) -> None:
    offer = offered(service)
    assert service.answer(feedback(offer.offer_id, "accept")).status == "done"
    assert service.answer(feedback(offer.offer_id, "accept")).status == "done"
    assert service.answer(feedback(offer.offer_id, "reject")).reason == "conflict"
    assert service.answer(feedback("never-made")).reason == "unknown_offer"
    assert service.answer(feedback(offer.offer_id, requester="eve")).reason == "not_allowed"
    assert service.answer(feedback(offer.offer_id, requester="knob")).reason == "conflict"
    other_car = feedback(offer.offer_id, vehicle_id="other")
    service.hear(other_car)
    with service.database.read() as connection:
        rows = connection.execute(select(outgoing.c.payload)).scalars().all()
    assert b"unknown_offer" in rows[-1]


def test_a_rejection_lowers_it_as_one_trip_would_and_silences_it_for_a_day(
    service: Service,
) -> None:
    offer = offered(service)
    before = whole(service.database)["learned"]
    assert service.answer(feedback(offer.offer_id)).status == "done"
    assert whole(service.database)["learned"] == before, "it is kept beside, not within"
    assert offer.place is not None
    trip = started(NEXT, HOME)
    service.hear(ended(trip, WORK))
    same_day = [each for each in service.hear(started(NEXT + timedelta(hours=1), HOME)).take()
                if each is not None]  # fmt: skip
    assert [each for each in same_day if isinstance(each, RecommendationOffer)] == []
    assert same_day[0].places[0].probability < offer.place.probability
    later = started(NEXT + timedelta(days=1), HOME)
    again = [each for each in service.hear(later).take() if each is not None]
    assert again[0].places[0].place_id == offer.place.place_id


def test_an_offer_ends_with_its_trip_and_with_its_driver(service: Service) -> None:
    offer = offered(service)
    other = started(NEXT, HOME, driver="bert")
    service.hear(progress(other, 1, HOME))
    assert service.answer(feedback(offer.offer_id)).reason == "expired"
    later = offered(service, NEXT + timedelta(days=1))
    service.hear(ended(started(NEXT + timedelta(days=1), HOME), WORK))
    assert service.answer(feedback(later.offer_id, "accept")).reason == "expired"


def test_while_it_is_paused_it_says_nothing_and_learns(service: Service) -> None:
    trip = started(NEXT, HOME)
    service.hear(trip)
    service.take()
    until = NEXT + timedelta(days=1, hours=-1)
    service.hear(control("pause", until=until))
    assert service.take()[0] is None
    service.hear(ended(trip, WORK))
    back = started(NEXT + timedelta(hours=9), WORK)
    service.hear(back, ended(back, HOME))
    assert service.take() == []
    assert len(whole(service.database)["visits"]) == 22
    service.now = until
    assert service.hear(started(NEXT + timedelta(days=1), HOME)).take() != []


def test_what_was_paused_without_an_end_speaks_when_it_is_resumed(service: Service) -> None:
    service.hear(control("pause"), started(NEXT, HOME))
    assert len(service.take()) == 1
    service.hear(control("resume"))
    assert isinstance(service.take()[0], DestinationRecommendation)


def test_the_same_request_is_answered_the_same_and_done_once(service: Service) -> None:
    forget = control("forget_place", driver="anna", place_id="place-1")
    first = service.answer(forget)
    assert (first.status, first.erased) == ("done", 10)
    assert service.answer(forget) == first
    assert service.answer(control("pause", "to-forget_place")).reason == "conflict"
    fresh = control("forget_place", "other", driver="anna", place_id="place-1")
    assert service.answer(fresh).reason == "unknown_place"
    assert service.answer(control("forget_driver", driver="nobody")).reason == "unknown_driver"
    assert service.answer(control("export", requester="knob", driver="anna")).reason == (
        "not_allowed"
    )


def test_a_place_has_the_name_that_its_driver_gives_it(service: Service) -> None:
    name = control("name_place", driver="anna", place_id="place-1", label="the office")
    assert service.answer(name).status == "done"
    said = service.hear(started(NEXT, HOME)).take()[0]
    assert said.places[0].label == "the office"
    assert said.places[0].because.endswith("went to the office.")
    again = Service(service.database, service.now)
    again.hear(control("name_place", "2", driver="anna", place_id="place-1"))
    assert again.take()[0].places[0].label is None


def test_an_export_has_positions_only_with_consent(service: Service) -> None:
    asked = control("export", driver="anna")
    without = service.answer(asked)
    assert [each.place_id for each in without.places] == ["place-1", "place-2"]
    assert b"latitude" not in without.encode()
    assert len(without.visits) == 20
    consenting = Service(service.database, service.now, shows_positions=True)
    assert consenting.answer(asked).places[0].latitude == pytest.approx(WORK.latitude)


def files(url: str) -> bytes:
    file = Path(url.removeprefix("sqlite:///"))
    return b"".join(each.read_bytes() for each in file.parent.glob(file.name + "*"))


def traces(place: Place) -> list[bytes]:
    """Every form in which coordinates are written, to ten metres."""
    found = []
    for value in (place.latitude, place.longitude):
        found += [f"{value:.5f}"[:-1].encode(), struct.pack(">d", value)]
    return found


def lived(tmp_path: Path) -> tuple[str, Service]:
    url = f"sqlite:///{tmp_path}/recommendations.sqlite"
    service = Service(store.open_store(url)).commute(14).commute(14, driver="bert-88")
    evening = started(NEXT - timedelta(days=2), WORK, "to-sports")
    service.hear(ended(evening, SPORTS))
    service.hear(control("name_place", driver="anna", place_id="place-1", label="Workshop77"))
    offered(service)
    return url, service


@pytest.mark.parametrize("is_sent", [False, True])
def test_a_place_that_is_forgotten_is_in_no_byte_of_the_file(tmp_path: Path, is_sent: bool) -> None:
    url, service = lived(tmp_path)
    with service.database.begin() as connection:
        connection.execute(visit.delete().where(visit.c.driver == "bert-88"))
    with service.database.read() as connection:
        led = select(visit.c.trip_id).where(visit.c.place_id == "place-1")
        trips = [each.encode() for each in connection.execute(led).scalars()]
    wanted = [b"Workshop77", *traces(WORK), *trips]
    before = files(url)
    assert all(word in before for word in (b"Workshop77", *trips, traces(WORK)[0]))
    service.hear(control("forget_driver", "b", driver="bert-88"))
    if is_sent:
        service.take()
    service.hear(control("forget_place", driver="anna", place_id="place-1"))
    after = files(url)
    assert [word for word in wanted if word in after] == []
    left = {each["trip_id"]: each["route"] for each in whole(service.database)["visits"]}
    assert left["to-sports"] == [], "it began at the place"
    service.database.close()


def test_a_driver_who_is_forgotten_is_in_no_byte_of_the_file(tmp_path: Path) -> None:
    url, service = lived(tmp_path)
    with service.database.read() as connection:
        mine = select(visit.c.trip_id).where(visit.c.driver == "anna")
        wanted = [b"anna", b"Workshop77", *traces(SPORTS),
                  *(each.encode() for each in connection.execute(mine).scalars())]  # fmt: skip
    assert b"anna" in files(url)
    answer = control("forget_driver", driver="anna")
    service.hear(answer)
    after = files(url)
    assert [word for word in wanted if word in after] == []
    assert b"bert-88" in after
    service.database.close()


def test_no_late_word_brings_back_what_was_forgotten(service: Service) -> None:
    trip = started(NEXT, HOME)
    service.hear(trip)
    old = started(MONDAY + timedelta(days=1, hours=8), HOME, "trip-0303-there")
    from_there = started(MONDAY + timedelta(days=1, hours=17), WORK, "trip-0303-back")
    service.hear(control("forget_place", driver="anna", place_id="place-1"))
    service.hear(ended(old, WORK, revision=7), ended(from_there, HOME, revision=7))
    found = whole(service.database)
    assert [each["place_id"] for each in found["places"]] == ["place-2"]
    assert all(each["route"] == [] for each in found["visits"])
    assert all(each["origin_id"] is None for each in found["visits"])
    service.hear(control("forget_driver", driver="anna"))
    unheard = started(MONDAY + timedelta(days=2, hours=12), HOME, "never-heard")
    service.hear(ended(from_there, HOME, revision=9), ended(unheard, SPORTS),
                 progress(trip, 5, SPORTS), ended(trip, WORK))  # fmt: skip
    assert whole(service.database)["visits"] == []
    new = started(NEXT + timedelta(hours=3), HOME)
    service.hear(new, ended(new, WORK))
    assert len(whole(service.database)["visits"]) == 1


def test_what_was_forgotten_weighs_no_more(service: Service) -> None:
    """The weights are those of a stranger who made the trips that are left."""
    service.hear(control("forget_place", driver="anna", place_id="place-1"))
    assert whole(service.database)["learned"] == {}
    with service.database.begin() as connection:
        model = service.hearing.models.of(connection, "kona", "anna")
        rows = connection.execute(select(visit).order_by(visit.c.started_ms)).all()
    stranger = Predictor()
    stranger.load(
        [
            (Moment(row.day, row.origin_id, row.before_id, row.stayed_min), row.place_id)
            for row in rows
        ]
    )
    assert len(rows) == 10
    assert model.predictor.learned() == stranger.learned()


def test_what_waited_of_others_is_left_where_a_driver_is_forgotten(service: Service) -> None:
    with service.database.begin() as connection:
        enqueue(connection, started(NEXT, HOME, vehicle_id="other"))
    service.hear(control("forget_driver", driver="anna"))
    with service.database.read() as connection:
        topics = connection.execute(select(outgoing.c.topic)).scalars().all()
    assert "v1/vehicle/other/trip/started" in topics


def test_a_start_that_comes_again_does_not_know_better_who_drives(service: Service) -> None:
    trip = started(NEXT, HOME)
    unknown = trip.model_copy(update={"driver": "unknown"})
    service.hear(unknown, progress(trip, 1, HOME))
    assert service.take(), "anna is known"
    service.hear(unknown)
    assert service.take() == []


def test_who_waits_for_an_answer_that_tells_nothing_gets_it(service: Service) -> None:
    service.take()
    service.hear(
        control("pause", "quiet", requester="phone"),
        control("export", "all", driver="anna"),
        control("forget_driver", "gone", driver="anna"),
    )
    answers = [each for each in service.take() if isinstance(each, RecommendationAnswer)]
    assert [each.id for each in answers] == ["quiet", "gone"]


def test_visits_are_forgotten_four_hundred_days_after_they_came(service: Service) -> None:
    service.now = MONDAY + timedelta(days=400, hours=20)
    service.forgetting.turn()
    assert len(whole(service.database)["visits"]) == 18
    service.now += timedelta(days=30)
    service.forgetting.turn()
    with service.database.read() as connection:
        for name in ("visit", "place", "driver"):
            table = RECOMMENDATIONS.tables[f"recommendation_{name}"]
            assert connection.execute(select(table)).first() is None


def test_messages_out_of_order_open_no_trip_that_is_over(service: Service) -> None:
    trip = started(NEXT, HOME)
    service.hear(ended(trip, WORK))
    service.take()
    service.hear(trip, progress(trip, 5, HOME))
    assert service.take() == []
    dropped = started(NEXT + timedelta(hours=1), HOME)
    service.hear(ended(dropped, HOME, is_dropped=True), dropped)
    assert service.take() == []
    newer = started(NEXT + timedelta(hours=4), HOME)
    older = started(NEXT + timedelta(hours=2), HOME)
    service.hear(newer)
    assert service.take() != []
    service.hear(older, progress(older, 1, HOME))
    assert service.take() == []


def test_a_trip_that_is_said_to_begin_anew_is_offered_no_second_time(service: Service) -> None:
    first = started(NEXT, HOME)
    between = started(NEXT + timedelta(hours=1), HOME)
    again = started(NEXT + timedelta(hours=2), HOME, first.trip_id)
    service.hear(first)
    service.take()
    service.hear(between, again)
    offers = [each for each in service.take() if isinstance(each, RecommendationOffer)]
    assert {each.trip_id for each in offers} <= {between.trip_id}


MINUTES = st.integers(0, 40 * 24 * 60)
STEPS = st.tuples(
    st.sampled_from(["start", "go", "end", "drop", "accept", "reject", "forget", "erase", "pause"]),
    st.sampled_from(["t1", "t2", "t3", "t4"]),
    st.sampled_from(["anna", "bert", "unknown"]),
    MINUTES,
    st.sampled_from([HOME, WORK, SPORTS, Place(latitude=-90, longitude=180), None]),
    st.integers(1, 4),
)


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(STEPS, min_size=10, max_size=40))
def test_whatever_comes_in_whatever_order_memory_and_store_agree(
    tmp_path_factory: pytest.TempPathFactory, steps: list[Any]
) -> None:
    database = store.open_store(str(tmp_path_factory.mktemp("any") / "any.sqlite"))
    service = Service(database, MONDAY + timedelta(days=41)).commute(12)
    for number, (kind, trip_id, name, minutes, place, revision) in enumerate(steps):
        trip = started(MONDAY + timedelta(minutes=minutes), place, trip_id, driver=name)
        messages: dict[str, Any] = {
            "start": trip,
            "go": progress(trip, revision * 9.0, place or HOME),
            "end": ended(trip, place, revision=revision),
            "drop": ended(trip, place, revision=revision, is_dropped=True),
            "forget": control("forget_place", f"f{number}", driver=name,
                              place_id=f"place-{revision}"),
            "erase": control("forget_driver", f"e{number}", driver=name),
            "pause": control("resume" if revision > 1 else "pause", f"p{number}"),
        }  # fmt: skip
        offer_id = store.digest_of("offer", "kona", trip_id)[:32]
        service.hear(messages.get(kind) or feedback(offer_id, kind))
    with database.begin() as connection:
        for name in ("anna", "bert", "unknown"):
            model = service.hearing.models.of(connection, "kona", name)
            fresh = store.load(connection, "kona", name)
            assert model.predictor.learned() == fresh.predictor.learned()
            assert list(model.places) == list(fresh.places)
            assert set(fresh.predictor.visits.places) <= {each.id for each in fresh.places}
            assert model.labels == fresh.labels
            assert model.rejections == fresh.rejections
    database.close()


def test_a_trip_whose_start_was_lost_is_known_by_its_progress(service: Service) -> None:
    trip = started(NEXT, HOME)
    said = service.hear(progress(trip, 1, HOME)).take()
    assert said[0].trip_id == trip.trip_id


@pytest.mark.parametrize("year", [1970, 1999, 2030, 2100, 8999])
def test_trips_of_a_clock_that_cannot_be_right_are_ignored(
    service: Service, year: int, caplog: pytest.LogCaptureFixture
) -> None:
    now = service.now
    before = whole(service.database)
    trip = started(NEXT.replace(year=year), HOME)
    for message in (trip, progress(trip, 1, WORK), ended(trip, WORK)):
        getattr(service.hearing, f"on_{type(message).__name__[4:].lower()}")(message)
    assert service.now == now
    assert service.hearing.ignored == 3
    assert "trips of kona are ignored: their clock cannot be right" in caplog.text
    assert whole(service.database) == before
    assert service.hear(started(NEXT, HOME)).take() != []


def test_only_trips_of_the_origin_it_is_set_up_for_teach(database: Database) -> None:
    service = Service(database, origin="simulation").commute(14)
    with database.read() as connection:
        assert connection.execute(select(visit)).first() is None
    service.commute(14, origin="simulation")
    assert len(whole(database)["visits"]) == 20


def test_only_the_vehicles_of_the_settings_teach(database: Database) -> None:
    service = Service(database, vehicles=("other",)).commute(3)
    assert service.hearing.ignored == 6
    assert service.answer(control("pause")).reason == "unknown_driver"


def test_a_trip_without_a_start_begins_where_the_last_one_ended(service: Service) -> None:
    said = service.hear(started(NEXT, None)).take()[0]
    assert said.places[0].place_id == "place-1"


def test_of_too_many_drivers_the_last_are_not_learned(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "MOST_DRIVERS", 2)
    monkeypatch.setattr(store, "MOST_VEHICLES", 1)
    service = Service(database)
    for name in ("a", "b", "c"):
        trip = started(MONDAY, HOME, name, driver=name)
        service.hear(trip, ended(trip, WORK))
    assert [len(whole(database, name)["visits"]) for name in "abc"] == [1, 1, 0]
    trip = started(MONDAY, HOME, "x", vehicle_id="second")
    service.hear(trip, ended(trip, WORK))
    with database.read() as connection:
        assert set(connection.execute(select(visit.c.vehicle_id)).scalars()) == {"kona"}
