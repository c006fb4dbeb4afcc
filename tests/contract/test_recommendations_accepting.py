"""From an offer to the car and back: accepted, applied unasked, put back."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, update

from internetcar.contract.advice import SuggestedSetting
from internetcar.contract.commands import Command, CommandStatus
from internetcar.contract.message import Message
from internetcar.contract.recommendations import RecommendationAnswer, RecommendationOffer
from internetcar.contract.trips import SettingChange, TripEnded
from services.recommendations.advising import Advice, Asked, Body, Evidence, Kind, Offer
from services.recommendations.inquiry import open_offers, whole
from services.recommendations.store import open_store
from services.recommendations.tables import asker, automatic, order, proposal
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

WARM = "Vehicle.Cabin.HVAC.Station.Row1.Driver.Temperature"
FAN = "Vehicle.Cabin.HVAC.Station.Row1.Driver.FanSpeed"
NEXT = MONDAY + timedelta(days=14, hours=8)


class Cosy:
    """Warm and airy is what everybody wants, as soon as it is known how warm it is outside."""

    kind: Kind = "climate"
    offers: Any = "climate"
    of_car = False
    speaks_after = False
    probability = 0.9
    waits = False

    def kept(self, trip: TripEnded, day: float, place_id: str) -> Body | None:
        return {}

    def learn(self, rows: Sequence[Evidence]) -> Any:
        return None

    def advise(self, asked: Asked, learned: Any) -> Advice:
        if self.waits and asked.outside_c is None:
            return Advice()
        settings = tuple(
            SuggestedSetting(
                path=path, value=value, probability=0.9,
                now=asked.settings[path].value if path in asked.settings else None,
            )
            for path, value in ((WARM, 21.5), (FAN, 40))
        )  # fmt: skip
        return Advice(None, Offer("cosy", self.probability, "You like it.", settings))

    def after(
        self, trip: TripEnded, learned: Any, trips: int, day: float, origin: Any
    ) -> Message | None:
        return None


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    database = open_store(str(tmp_path / "recommendations.sqlite"))
    yield lived(database)
    database.close()


def lived(database: Any, **changed: Any) -> Service:
    """Anna drove to work on each of twelve days."""
    cosy = Cosy()
    for name, value in changed.items():
        setattr(cosy, name, value)
    service = Service(database, advisers=(cosy,))
    for number in range(12):
        day = MONDAY + timedelta(days=number, hours=8)
        service.hear(ended(started(day, HOME, f"t{number}"), WORK))
    return service


def begin(service: Service, *then: Message, at: Any = NEXT, **other: Any) -> list[Any]:
    """A trip begins; the offer of the invented kind, and the commands."""
    cold = [SettingChange(path=WARM, offset_s=0, value=19.0)]
    service.take()
    service.hear(started(at, HOME, settings=cold, **other), *then)
    return [
        each
        for each in service.take()
        if isinstance(each, Command) or getattr(each, "kind", "") == "climate"
    ]


def told(command: Command, state: str = "confirmed", **other: Any) -> CommandStatus:
    values = {
        "vehicle_id": "kona", "id": command.id, "requester": "recommendations",
        "path": command.path, "state": state, "final": True, "at": NEXT,
    }  # fmt: skip
    return CommandStatus.model_validate({**values, **other})


def commands(service: Service, message: Message) -> list[Command]:
    """The commands that a message leads to; nothing is answered yet."""
    said = service.hear(message).take()
    assert not any(isinstance(each, RecommendationAnswer) for each in said)
    return [each for each in said if isinstance(each, Command)]


def on(service: Service, **other: Any) -> RecommendationAnswer:
    return service.answer(control("automatic", driver="anna", kind="climate", **other))


def test_an_accepted_offer_is_done_when_the_car_has_shown_each_setting(service: Service) -> None:
    (offer,) = begin(service)
    assert not offer.is_automatic
    sent = commands(service, feedback(offer.offer_id, "accept"))
    assert {(each.path, each.value) for each in sent} == {(WARM, 21.5), (FAN, 40)}
    assert commands(service, feedback(offer.offer_id, "accept")) == [], "twice is once"
    answer = [service.hear(told(each)).take() for each in sent][-1]
    assert [each.status for each in answer] == ["done"]
    again = service.answer(feedback(offer.offer_id, "accept"))
    assert again.detail == answer[0].detail
    assert service.answer(feedback(offer.offer_id, "reject")).reason == "conflict"
    with service.database.read() as connection:
        kept = whole(connection, "kona", "anna")
    assert kept is not None
    assert [each["state"] for each in kept["asked_of_the_car"]] == ["confirmed"] * 2


def test_a_car_that_is_away_is_said_after_three_quarters_of_a_minute(service: Service) -> None:
    (offer,) = begin(service)
    commands(service, feedback(offer.offer_id, "accept"))
    service.now += timedelta(seconds=46)
    service.hearing.applying.turn()
    (answer,) = service.take()
    assert (answer.reason, "nobody answered" in answer.detail) == ("not_applied", True)


def test_after_the_trip_or_with_another_driver_nothing_is_applied(service: Service) -> None:
    (offer,) = begin(service)
    trip = started(NEXT, HOME)
    service.hear(progress(trip, 1, HOME, driver="ben"))
    assert service.answer(feedback(offer.offer_id, "accept")).reason == "expired"
    (later,) = begin(service, at=NEXT + timedelta(days=1))
    service.hear(ended(started(NEXT + timedelta(days=1), HOME), WORK))
    assert service.answer(feedback(later.offer_id, "accept")).reason == "expired"
    assert [each for each in service.take() if isinstance(each, Command)] == []
    assert service.answer(feedback(later.offer_id, "accept", requester="eve")).status == "refused"


@pytest.mark.parametrize("body", ["", "{", "null", '{"kind": "climate"}', "\u0000"])
def test_an_offer_that_cannot_be_read_back_sets_nothing(service: Service, body: str) -> None:
    (offer,) = begin(service)
    service.database.run(lambda c: c.execute(update(proposal).values(body=body)))
    assert service.answer(feedback(offer.offer_id, "accept")).reason == "unknown_offer"
    with service.database.read() as connection:
        assert {each.kind for each in open_offers(connection, "kona")} == {"destination"}
    assert [each for each in service.take() if isinstance(each, Command)] == []


def test_a_body_that_somebody_has_changed_opens_no_boot(service: Service) -> None:
    (offer,) = begin(service)
    boot = SuggestedSetting(path="Vehicle.Body.Trunk.Rear.IsOpen", value=True, probability=1)
    body = offer.model_copy(update={"settings": [boot]}).encode().decode()
    service.database.run(lambda c: c.execute(update(proposal).values(body=body)))
    assert service.answer(feedback(offer.offer_id, "accept")).reason == "not_applied"
    with service.database.read() as connection:
        assert connection.execute(select(func.count()).select_from(outgoing)).scalar_one() == 0


def test_nothing_is_applied_unasked_unless_the_driver_has_switched_it_on(service: Service) -> None:
    assert on(service).status == "done"
    assert on(service, request_id="2", is_on=False).status == "done"
    assert [type(each) for each in begin(service)] == [RecommendationOffer]
    assert on(service, request_id="3", requester="knob").reason == "not_allowed"
    unnamed = control("automatic", "4", driver="unknown", kind="climate")
    assert service.answer(unnamed).reason == "unknown_driver"
    stranger = control("automatic", "5", driver="nobody", kind="seat")
    assert service.answer(stranger).reason == "unknown_driver"


def test_what_is_switched_on_is_applied_at_once_and_says_so(service: Service) -> None:
    on(service)
    offer, *sent = begin(service)
    assert offer.is_automatic
    assert [each.value for each in sent] == [21.5, 40]
    assert [service.hear(told(each)).take() for each in sent] == [[], []], "nobody asked"
    assert "confirmed" in str(service.answer(feedback(offer.offer_id, "accept")).detail)
    other = begin(service, at=NEXT + timedelta(days=1), driver="ben")
    assert [each for each in other if isinstance(each, Command)] == [], "ben has not asked for it"


def test_a_rejection_of_what_was_applied_counts_and_puts_it_back(service: Service) -> None:
    on(service)
    offer, warm, fan = begin(service)
    service.hear(told(warm), told(fan))
    (back,) = commands(service, feedback(offer.offer_id))
    assert (back.path, back.value) == (WARM, 19.0)
    assert commands(service, feedback(offer.offer_id)) == []
    (answer,) = service.hear(told(back)).take()
    assert answer.detail == "put back: Driver Temperature 19.0"
    with service.database.read() as connection:
        states = select(proposal.c.state)
        assert connection.execute(states).scalars().all() == ["rejected"]


def test_what_the_driver_set_by_hand_since_is_not_put_back(service: Service) -> None:
    on(service)
    by_hand = SettingChange(path=WARM, offset_s=30, value=24.0)
    offer, *_ = begin(service, progress(started(NEXT, HOME), 1, HOME, changed=[by_hand]))
    assert service.answer(feedback(offer.offer_id)).status == "refused", "the rest was not ended"
    assert [each for each in service.take() if isinstance(each, Command)] == []


@pytest.mark.parametrize(("seconds", "applied"), [(0.0, False), (-590.0, False), (-610.0, True)])
def test_what_was_set_by_hand_in_the_last_ten_minutes_is_left_alone(
    service: Service, seconds: float, applied: bool
) -> None:
    on(service)
    service.hear(control("pause"))
    trip = started(NEXT, HOME)
    by_hand = SettingChange(path=WARM, offset_s=900 + seconds, value=18.0)
    begin(service, progress(trip, 15, HOME, changed=[by_hand]))
    service.hear(control("resume"))
    said = service.take()
    assert any(isinstance(each, Command) for each in said) is applied


def test_an_offer_under_four_fifths_is_not_applied_unasked(service: Service) -> None:
    lived_less = lived(service.database, probability=0.79)
    on(lived_less)
    assert [type(each) for each in begin(lived_less)] == [RecommendationOffer]


@pytest.mark.parametrize(("end", "applied"), [(HOME, True), (WORK, False)])
def test_no_seat_moves_unasked_under_who_has_driven_off(
    service: Service, end: Any, applied: bool
) -> None:
    service = lived(service.database, offers="seat", waits=True)
    service.hear(control("automatic", driver="anna", kind="seat"))
    begin(service, progress(started(NEXT, HOME), 1, end))
    service.hear(progress(started(NEXT, HOME), 1.5, end, outside_c=4))
    assert any(isinstance(each, Command) for each in service.take()) is applied


def test_a_trip_that_is_heard_of_late_moves_nothing_unasked(service: Service) -> None:
    on(service)
    service.now = NEXT + timedelta(minutes=30)
    assert [type(each) for each in begin(service)] == [RecommendationOffer]


def test_a_driver_who_is_not_named_is_never_applied_to(service: Service) -> None:
    service.database.run(lambda c: c.execute(automatic.insert().values(
        vehicle_id="kona", driver="unknown", kind="climate")))  # fmt: skip
    for number in range(12):
        day = MONDAY + timedelta(days=number, hours=12)
        service.hear(ended(started(day, HOME, f"u{number}", driver="unknown"), WORK))
    assert [type(each) for each in begin(service, driver="unknown")] == [RecommendationOffer]


def test_a_driver_who_is_forgotten_asks_the_car_for_nothing_more(
    service: Service, tmp_path: Path
) -> None:
    on(service)
    (offer, *_) = begin(service)
    service.hear(feedback(offer.offer_id, "accept"))
    service.hear(control("forget_driver", driver="anna"))
    assert [each for each in service.take() if isinstance(each, Command)] == []
    with service.database.read() as connection:
        for table in (order, automatic, proposal):
            assert connection.execute(select(func.count()).select_from(table)).scalar_one() == 0
    kept = b"".join(each.read_bytes() for each in tmp_path.glob("recommendations.sqlite*"))
    assert len(kept) > 4_096
    assert WARM.encode() not in kept


def test_who_asked_is_forgotten_after_a_week(service: Service) -> None:
    (offer,) = begin(service)
    service.hear(feedback(offer.offer_id, "accept"))
    service.now += timedelta(days=8)
    service.forgetting.turn()
    with service.database.read() as connection:
        for table in (order, asker):
            assert connection.execute(select(func.count()).select_from(table)).scalar_one() == 0
