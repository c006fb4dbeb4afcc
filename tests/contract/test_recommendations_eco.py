"""How to use less, through the service: what is said after a trip, and what forgetting leaves."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from internetcar.contract.advice import EcoAdvice
from internetcar.contract.trips import TripEnded
from services.recommendations.eco.adviser import EcoAdviser
from services.recommendations.eco.drive import Drive
from services.recommendations.eco.parts import parts
from services.recommendations.store import open_store
from services.recommendations.tables import evidence
from services.tables import outgoing
from services.trips import store as trip_store
from tests import eco_trips
from tests.bench import recommendation_eco
from tests.recommendation_trips import HOME, MONDAY, WORK, Service, control, ended, started

TOPIC = EcoAdvice.filter(vehicle_id="kona")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.sqlite"


@pytest.fixture
def service(path: Path) -> Iterator[Service]:
    database = open_store(f"sqlite:///{path}")
    yield Service(database)
    database.close()


def driven(at: datetime, how: Drive, driver: str = "anna", **other: Any) -> TripEnded:
    """To work, as it was driven, in a car that takes a fifth more than the usual."""
    told = how._replace(ml=1.2 * float(parts([how], "ml").sum()))
    trip = eco_trips.ended(told, driver=driver)
    of = started(at, HOME, f"{driver}-{at:%m%d}", driver=driver)
    return ended(of, WORK, **{
        "driving": trip.driving, "fuel_ml": trip.fuel_ml, "outside_c": 12.0, **other,
    })  # fmt: skip


def lived(service: Service, days: int, driver: str = "anna") -> Service:
    """Mornings, some of them faster, some with longer waits."""
    for number in range(days):
        wave = 0.8 + 0.1 * (number % 5)
        how = eco_trips.drive(
            faster=1_500 * wave, slower=1_500 * wave, speed3=4_500_000 + 200_000 * (number % 3),
            idle_s=150.0 + 20 * (number % 4),
        )  # fmt: skip
        service.hear(driven(MONDAY + timedelta(days=number, hours=8), how, driver))
    return service


def whole(path: Path) -> bytes:
    """Every byte of the store's files."""
    return b"".join(each.read_bytes() for each in path.parent.glob(path.name + "*"))


def said(service: Service) -> list[EcoAdvice]:
    return [each for each in service.take() if isinstance(each, EcoAdvice)]


def test_after_ten_trips_what_a_trip_took_is_said_with_what_it_should_have(
    service: Service,
) -> None:
    assert said(lived(service, 10)) == []
    how = eco_trips.drive(idle_s=420.0, faster=1_500.0)
    service.hear(driven(MONDAY + timedelta(days=10, hours=8), how))
    (advice,) = said(service)
    assert advice.unit == "ml"
    assert advice.expected == pytest.approx(advice.used, rel=0.03)
    (idle,) = [hint for hint in advice.hints if hint.kind == "idle"]
    assert idle.share == 0.05
    assert idle.words.startswith("Idling for 7 min cost 0.")


def test_a_trip_that_is_heard_again_is_said_once_and_a_new_one_takes_its_place(
    service: Service,
) -> None:
    lived(service, 10).take()
    trip = driven(MONDAY + timedelta(days=10, hours=8), eco_trips.USES)
    service.hear(trip, trip)
    with service.database.read() as connection:
        rows = connection.execute(select(outgoing.c.retain).where(outgoing.c.topic == TOPIC)).all()
    assert [row.retain for row in rows] == [True]


def test_who_has_few_trips_in_a_known_car_is_told_nothing(service: Service) -> None:
    lived(service, 10).take()
    assert said(lived(service, 2, "bert")) == []


def test_a_driver_who_is_forgotten_leaves_nothing_in_model_rows_topic_or_bytes(
    service: Service, path: Path
) -> None:
    lived(lived(service, 10, "bert"), 10)
    mark = driven(MONDAY + timedelta(days=20, hours=8), eco_trips.USES, outside_c=13.777)
    service.hear(mark)
    assert b"13.777" in whole(path)
    service.hear(control("forget_driver", driver="anna"))
    with service.database.read() as connection:
        assert set(connection.execute(select(evidence.c.driver)).scalars()) == {"bert"}
        (row,) = connection.execute(select(outgoing.c.payload).where(outgoing.c.topic == TOPIC))
        learned = service.hearing.counsel.learned.of(connection, EcoAdviser(), "kona", "bert")
    assert row.payload == b"", "the broker is made to forget it"
    assert set(learned.own) == {"bert"}
    assert learned.models["ml"].trips == 10
    assert b"13.777" not in whole(path)


def test_trips_that_were_imported_are_guessed_by_vehicle(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'trips.sqlite'}"
    trips = [
        driven(MONDAY + timedelta(days=number), eco_trips.drive(idle_s=100.0 + 60 * (number % 5)),
               vehicle_id=vehicle_id, trip_id=f"{vehicle_id}-{number}")
        for vehicle_id, count in (("ved-7", 14), ("ved-8", 10))
        for number in range(count)
    ]  # fmt: skip
    database = trip_store.open_store(url)
    trip_store.keep_all(database, ((trip, "run") for trip in trips), 0, say=False)
    database.close()
    (line,) = recommendation_eco.imported(url)
    assert (line.name, line.unit, line.found.trips) == ("ved-7", "ml", 4)
    assert line.found.model < 0.1 < line.found.constant
    assert [figure.name for figure in recommendation_eco.figures([line])] == [
        "eco_error_pct", "eco_constant_error_pct",
    ]  # fmt: skip
