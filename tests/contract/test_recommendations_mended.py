"""Odd trips, late answers and what is left of whom: each of these went wrong once."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from internetcar.contract.advice import EcoAdvice
from internetcar.contract.commands import Command
from internetcar.contract.trips import Driving, SettingChange
from services.recommendations import evidence
from services.recommendations.seat.settled import LEAVES
from services.recommendations.store import open_store, read_journey
from services.recommendations.tables import evidence as rows
from services.recommendations.tables import proposal, vehicle
from tests.recommendation_trips import (
    HOME,
    KEEP_MS,
    MONDAY,
    WORK,
    Service,
    control,
    ended,
    feedback,
    progress,
    started,
)

SEAT = LEAVES[0]
WARM = "Vehicle.Cabin.HVAC.Station.Row1.Driver.Temperature"
NEXT = MONDAY + timedelta(days=14, hours=8)


def setting(path: str, value: Any, offset_s: float = 0.0) -> SettingChange:
    return SettingChange(path=path, offset_s=offset_s, value=value)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """Anna puts her seat to 210 on each of twelve mornings."""
    database = open_store(str(tmp_path / "recommendations.sqlite"))
    service = Service(database)
    for number in range(12):
        day = MONDAY + timedelta(days=number, hours=8)
        hers = [setting(SEAT, 150), setting(SEAT, 210, 5)]
        service.hear(ended(started(day, HOME, f"t{number}"), WORK, settings=hers))
    service.take()
    yield service
    database.close()


def begin(service: Service, at: Any = NEXT) -> Any:
    """A trip on which her seat is offered to be moved, and what is commanded at once."""
    said = service.hear(started(at, HOME, settings=[setting(SEAT, 150)])).take()
    (offer,) = [each for each in said if getattr(each, "kind", "") == "seat"]
    return offer, commands(said)


def commands(said: list[Any]) -> list[Command]:
    return [each for each in said if isinstance(each, Command)]


def test_a_rejection_moves_no_seat_back_under_who_drives(service: Service) -> None:
    service.hear(control("automatic", driver="anna", kind="seat"))
    service.take()
    offer, sent = begin(service)
    assert [(each.path, each.value) for each in sent] == [(SEAT, 210)]
    service.hear(progress(started(NEXT, HOME), 0.5, HOME, speed_kmh=50))
    said = service.hear(feedback(offer.offer_id)).take()
    assert commands(said) == []


def test_an_answer_that_was_under_way_for_long_moves_nothing(service: Service) -> None:
    offer, _ = begin(service)
    service.now += timedelta(minutes=10)  # the broker kept it while nobody heard how it drives
    answer = service.answer(feedback(offer.offer_id, "accept"))
    assert (answer.status, answer.reason) == ("refused", "expired")
    assert commands(service.take()) == []


def test_a_trip_that_cannot_be_read_leaves_no_offer_open_to_the_next(service: Service) -> None:
    offer, _ = begin(service)
    service.database.run(lambda c: c.execute(update(vehicle).values(journey="{}")))
    service.hear(started(NEXT + timedelta(hours=2), WORK, driver="ben"))
    assert service.answer(feedback(offer.offer_id, "accept")).reason == "expired"


def test_a_forgotten_place_takes_only_its_own_offers_along(service: Service) -> None:
    def keep(connection: Any) -> None:
        for number in (1, 12):
            connection.execute(proposal.insert().values(
                vehicle_id="kona", offer_id=f"o{number}", driver="anna", kind="stop",
                trip_id="t1", key=f"habit place-{number}", body="", at_ms=1, state="rejected",
                kept_ms=1,
            ))  # fmt: skip

    service.database.run(keep)
    assert service.answer(control("forget_place", driver="anna", place_id="place-1")).erased == 12
    with service.database.read() as connection:
        keys = connection.execute(select(proposal.c.key).where(proposal.c.kind == "stop"))
        assert keys.scalars().all() == ["habit place-12"]


def test_nothing_that_was_learned_of_a_forgotten_driver_is_held(service: Service) -> None:
    begin(service)
    learned = service.hearing.counsel.learned
    assert "anna" in repr(vars(learned))
    service.hear(control("forget_driver", driver="anna"))
    assert "anna" not in repr(vars(learned))


def test_of_each_driver_no_more_is_read_than_a_guess_needs(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evidence, "MOST_OF_EACH", 11)
    service.hear(started(NEXT, HOME, driver="unknown", settings=[setting(SEAT, 150)]))
    (held,) = [
        value
        for (_, kind, _), (_, value) in service.hearing.counsel.learned._held.items()
        if kind.endswith("of each")
    ]
    assert [each.trip_id for each in held["anna"]] == [f"t{number}" for number in range(1, 12)]


def test_no_kind_learns_anew_after_a_trip_unless_it_speaks_then(service: Service) -> None:
    service.hearing.counsel.learned.drop("kona")
    service.hear(ended(started(NEXT, HOME), WORK, settings=[setting(SEAT, 210)]))
    kinds = {key[1] for key in service.hearing.counsel.learned._held}
    assert kinds == {"energy"}


def test_what_a_trip_used_is_not_told_while_others_drive(service: Service) -> None:
    driving = Driving(
        known_s=1_800, speed_m=9_000, speed2_m2_per_s=60_000, speed3_m3_per_s2=400_000,
        faster_m2_per_s2=500, slower_m2_per_s2=500, idle_s=60,
    )  # fmt: skip
    service.hear(ended(started(NEXT, HOME), WORK, energy_wh=2_000.0, driving=driving))
    assert [each.driver for each in service.take() if isinstance(each, EcoAdvice)] == ["anna"]
    later = NEXT + timedelta(hours=9)
    said = service.hear(ended(started(later, WORK, driver="ben"), HOME, energy_wh=900.0)).take()
    assert None in said, "the broker forgets it with the next trip that ends"


def test_a_trip_that_never_ended_is_forgotten_with_age(service: Service) -> None:
    begin(service)
    service.now += timedelta(milliseconds=KEEP_MS + 1_000)
    service.forgetting.turn()
    with service.database.read() as connection:
        assert connection.execute(select(vehicle.c.journey)).scalars().all() == [None]
    assert None in service.take(), "nor does the broker remember what was said of it"


def test_a_trip_that_began_in_the_future_keeps_no_other_from_beginning(service: Service) -> None:
    never = started(NEXT + timedelta(days=20_000), HOME, "never")
    service.hear(progress(never, 0, HOME, at=NEXT))
    service.hear(started(NEXT, HOME, "now"))
    with service.database.read() as connection:
        (kept,) = connection.execute(select(vehicle.c.journey)).scalars()
    journey = read_journey(kept)
    assert journey is not None
    assert journey.trip_id == "now"


def test_who_says_that_it_is_her_does_not_make_it_warmer_outside(service: Service) -> None:
    trip = started(
        NEXT, HOME, driver="unknown", settings=[setting(SEAT, 150)], outside_c=4,
        level_pct=50, range_m=90_000,
    )  # fmt: skip
    said = service.hear(trip).take()
    (offer,) = [each for each in said if getattr(each, "kind", "") == "seat"]
    assert offer.guess == "anna"
    service.hear(feedback(offer.offer_id, "accept"))
    with service.database.read() as connection:
        (kept,) = connection.execute(select(vehicle.c.journey)).scalars()
    journey = read_journey(kept)
    assert journey is not None
    assert (journey.driver, journey.outside_c, journey.level_pct) == ("anna", 4, 50)
    assert journey.range_m == 90_000


def test_what_a_replica_ordered_that_is_gone_is_given_up_by_another(service: Service) -> None:
    other = Service(service.database, now=service.now)
    other.hearing.applying.turn()
    offer, _ = begin(service)
    service.hear(feedback(offer.offer_id, "accept"))
    service.take()
    other.now = service.now + timedelta(minutes=5)
    other.hearing.applying.turn()
    (answer,) = other.take()
    assert answer.reason == "not_applied"


def test_who_has_not_driven_off_yet_may_take_time_to_answer(service: Service) -> None:
    offer, _ = begin(service)
    for minutes in range(1, 9):
        service.hear(progress(started(NEXT, HOME), minutes, HOME))
    service.take()
    said = service.hear(feedback(offer.offer_id, "accept")).take()
    assert [(each.path, each.value) for each in commands(said)] == [(SEAT, 210)]


@pytest.mark.parametrize("body", ["", "{", "[]", "null", "7", "\u2028"])
def test_what_cannot_be_read_of_a_trip_says_nothing(service: Service, body: str) -> None:
    this = rows.c.trip_id == "t3"
    service.database.run(lambda c: c.execute(update(rows).where(this).values(body=body)))
    offer, _ = begin(service)
    assert offer.settings[0].value == 210
