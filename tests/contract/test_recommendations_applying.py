"""An accepted offer is a verified command for each setting, on SQLite and on PostgreSQL."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, update

from internetcar.contract.advice import SuggestedSetting
from internetcar.contract.commands import Command, CommandStatus
from internetcar.contract.message import EPOCH
from internetcar.contract.recommendations import RecommendationAnswer
from services.database import Database
from services.points import AFTER_COMMIT, BEFORE_COMMIT
from services.recommendations import store
from services.recommendations.applying import Applying, Offered
from services.recommendations.replies import Answer
from services.recommendations.tables import asker, order
from services.tables import outgoing
from tests.recommendation_trips import MONDAY
from tests.services import CrashError, crashing_at

WARM = "Vehicle.Cabin.HVAC.Station.Row1.Driver.Temperature"
FAN = "Vehicle.Cabin.HVAC.Station.Row1.Driver.FanSpeed"
OFFER = Offered("kona", "o1", "anna", "climate")


def wanted(path: str = WARM, value: Any = 21.5, now: Any = 19.0) -> SuggestedSetting:
    return SuggestedSetting(path=path, value=value, now=now, probability=0.9)


SETTINGS = [wanted(), wanted(FAN, 40, None)]


class Bench:
    """The part that applies, on a clock of its own."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.now = MONDAY
        self.restart()

    def restart(self) -> "Bench":
        self.applying = Applying(self.database, lambda each: each == "kona", self.now_ms)
        return self

    def now_ms(self) -> int:
        return (self.now - EPOCH) // timedelta(milliseconds=1)

    def accept(
        self, settings: Any = SETTINGS, offered: Offered = OFFER, who: str = "phone"
    ) -> Answer | None:
        """As the desk does it: one transaction."""

        def take(connection: Any) -> Answer | None:
            store.standing(connection, offered.vehicle_id)
            self.applying.order(connection, offered, settings)
            return self.applying.answer(connection, offered.vehicle_id, offered.offer_id, who)

        return self.database.run(take)

    def put_back(self, now: Any = None, offered: Offered = OFFER) -> Answer | None:
        def take(connection: Any) -> Answer | None:
            self.applying.put_back(connection, offered, now or {})
            return self.applying.answer(connection, "kona", offered.offer_id, "phone")

        return self.database.run(take)

    def take(self) -> list[Any]:
        """What waits to be said; then it is sent."""
        with self.database.begin() as connection:
            rows = connection.execute(select(outgoing).order_by(outgoing.c.number)).all()
            connection.execute(outgoing.delete())
        return [
            (Command if "/command/" in row.topic else RecommendationAnswer).decode(
                row.topic, row.payload
            )
            for row in rows
        ]

    def hear(self, command: Command, state: str = "confirmed", **other: Any) -> list[Any]:
        """The gateway's word on a command; what is said then."""
        self.applying.on_status(status(command, state, **other))
        return self.take()

    def pass_s(self, seconds: float) -> list[Any]:
        self.now += timedelta(seconds=seconds)
        self.applying.turn()
        return self.take()

    def count(self, table: Any) -> int:
        with self.database.read() as connection:
            return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


def status(command: Command, state: str = "confirmed", **other: Any) -> CommandStatus:
    values = {
        "vehicle_id": "kona", "id": command.id, "requester": "recommendations",
        "path": command.path, "state": state, "final": state not in ("accepted", "sent"),
        "at": MONDAY,
    }  # fmt: skip
    return CommandStatus.model_validate({**values, **other})


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    opened = store.open_store(str(tmp_path / "recommendations.sqlite"))
    yield Bench(opened)
    opened.close()


@pytest.fixture
def either(store_url: str) -> Iterator[Bench]:
    """On SQLite, and on PostgreSQL."""
    opened = store.open_store(store_url)
    yield Bench(opened)
    opened.close()


def test_each_setting_is_one_command_that_no_waiting_makes_late(bench: Bench) -> None:
    assert bench.accept() is None
    fan, warm = sorted(bench.take(), key=lambda each: str(each.path))
    assert (warm.path, warm.value, fan.path, fan.value) == (WARM, 21.5, FAN, 40)
    assert {warm.requester, fan.requester} == {"recommendations"}
    assert warm.expires_at == fan.expires_at == MONDAY + timedelta(seconds=30)
    assert warm.id != fan.id
    assert bench.accept() is None
    assert bench.take() == [], "twice is once"


def test_it_is_answered_once_when_the_car_has_confirmed_all(either: Bench) -> None:
    either.accept()
    warm, fan = either.take()
    assert either.hear(warm, "accepted") == either.hear(warm, "sent") == either.hear(warm) == []
    (answer,) = either.hear(fan)
    assert (answer.requester, answer.id, answer.status) == ("phone", "o1", "done")
    assert answer.detail == "confirmed by the car: Driver FanSpeed 40, Driver Temperature 21.5"
    assert either.hear(fan) == either.pass_s(100) == []
    again = either.accept()
    assert again == {"status": "done", "detail": answer.detail}
    assert either.take() == []
    assert either.count(asker) == 0


def test_everybody_who_accepted_it_meanwhile_is_answered(bench: Bench) -> None:
    bench.accept([wanted()])
    (warm,) = bench.take()
    bench.accept([wanted()], who="knob")
    assert [each.requester for each in bench.hear(warm)] == ["knob", "phone"]


@pytest.mark.parametrize(
    ("state", "reason", "words"),
    [
        ("rejected", "only_when", "only_when (the condition of the mapping does not hold now)"),
        ("timeout", "no_feedback", "no_feedback (the feedback did not show the value in time)"),
        ("released", None, "released ("),
        ("sent", None, "sent (it was sent, and nothing in the car confirms it)"),
        ("rejected", "\u202ex\n", "rejected"),
    ],
)
def test_what_the_car_does_not_confirm_is_not_applied(
    bench: Bench, state: str, reason: str | None, words: str
) -> None:
    bench.accept()
    warm, fan = bench.take()
    bench.hear(warm)
    (answer,) = bench.hear(fan, state, reason=reason, final=True)
    assert (answer.status, answer.reason) == ("refused", "not_applied")
    assert answer.detail.startswith(f"Driver FanSpeed 40: {words}")
    assert answer.detail.endswith("; confirmed by the car: Driver Temperature 21.5")


def test_a_car_that_says_nothing_has_not_applied_it_and_never_will(bench: Bench) -> None:
    bench.accept([wanted()])
    assert bench.pass_s(0) != []
    bench.database.run(lambda connection: connection.execute(update(order).values(state="open")))
    assert bench.pass_s(44) == []
    (answer,) = bench.pass_s(1)
    assert (answer.reason, answer.detail) == (
        "not_applied", "Driver Temperature 21.5: no_answer (nobody answered)",
    )  # fmt: skip
    assert bench.pass_s(100) == []


def test_a_command_that_still_waits_to_be_sent_is_not_sent_any_more(bench: Bench) -> None:
    bench.accept([wanted()])
    (answer,) = bench.pass_s(45)
    assert isinstance(answer, RecommendationAnswer), "and no command with it"


def test_one_whose_end_does_not_come_is_not_applied_either(bench: Bench) -> None:
    bench.accept([wanted()])
    (warm,) = bench.take()
    bench.hear(warm, "sent")
    (answer,) = bench.pass_s(45)
    assert "no_end" in answer.detail
    assert bench.hear(warm) == [], "what comes late changes nothing"
    assert bench.accept([wanted()]) == {
        "status": "refused", "reason": "not_applied", "detail": answer.detail,
    }  # fmt: skip


def test_a_clock_that_is_set_back_makes_nobody_wait_for_long(bench: Bench) -> None:
    bench.accept([wanted()])
    bench.take()
    assert bench.pass_s(-86_400) == bench.pass_s(44) == []
    assert len(bench.pass_s(2)) == 1


def test_words_of_strangers_about_other_commands_are_ignored(bench: Bench) -> None:
    bench.accept([wanted()])
    (warm,) = bench.take()
    forged: list[dict[str, Any]] = [
        {"requester": "phone"}, {"id": "unknown"}, {"id": None}, {"path": FAN}, {"path": ""},
        {"vehicle_id": "other"}, {"id": "o1"}, {"requester": "Recommendations"},
    ]  # fmt: skip
    for each in forged:
        assert bench.hear(warm, **each) == []
        assert bench.hear(warm, "rejected", **each) == []
    assert bench.accept([wanted()]) is None, "it still waits"
    assert len(bench.hear(warm, value=99.0)) == 1


def test_a_restart_between_acceptance_and_confirmation_loses_nothing(either: Bench) -> None:
    either.accept([wanted()])
    (warm,) = either.take()
    assert [each.status for each in either.restart().hear(warm)] == ["done"]
    either.accept([wanted()], OFFER._replace(offer_id="o2"))
    either.take()
    either.restart()
    assert [each.reason for each in either.pass_s(45)] == ["not_applied"]


@pytest.mark.parametrize("point", [BEFORE_COMMIT, AFTER_COMMIT])
def test_a_crash_at_the_confirmation_answers_once(bench: Bench, point: str) -> None:
    bench.accept([wanted()])
    (warm,) = bench.take()
    with pytest.raises(CrashError), crashing_at(point):
        bench.hear(warm)
    bench.restart().applying.on_status(status(warm))
    assert [each.status for each in bench.take()] == ["done"]


@pytest.mark.parametrize(
    ("kind", "path", "value"),
    [
        ("climate", "Vehicle.Body.Trunk.Rear.IsOpen", True),
        ("climate", "Vehicle.Cabin.Seat.Row1.DriverSide.Position", 100),
        ("climate", WARM, 1 << 70),
        ("media", WARM, 21.5),
        ("destination", WARM, 21.5),
        ("seat", "Vehicle.Cabin.Seat.Row1.PassengerSide.IsBelted", True),
    ],
)
def test_an_offer_can_command_nothing_but_climate_seats_and_mirrors(
    bench: Bench, kind: str, path: str, value: Any
) -> None:
    answer = bench.accept([wanted(path, value)], OFFER._replace(kind=kind))
    assert answer is not None
    assert (answer["reason"], "not_settable" in str(answer["detail"])) == ("not_applied", True)
    assert bench.take() == []
    assert bench.put_back(offered=OFFER._replace(kind=kind)) == answer
    assert bench.take() == []


def test_orders_that_cannot_be_read_back_ask_for_nothing(bench: Bench) -> None:
    bench.accept([wanted()])
    (warm,) = bench.take()
    bench.database.run(
        lambda connection: connection.execute(update(order).values(body='{"a": [1e999]}'))
    )
    assert bench.put_back() is not None
    assert bench.take() == []
    assert bench.hear(warm) == []


def test_what_was_applied_unasked_is_put_back_as_it_was(either: Bench) -> None:
    either.accept()
    warm, fan = either.take()
    either.hear(warm)
    assert either.put_back() is None
    (back,) = either.take()
    assert (back.path, back.value) == (WARM, 19.0), "nobody knows how the fan stood"
    assert back.id != warm.id
    assert either.hear(fan) == [], "it is dropped"
    assert either.put_back() is None
    assert either.take() == []
    (answer,) = either.hear(back)
    assert (answer.status, answer.detail) == ("done", "put back: Driver Temperature 19.0")


def test_what_somebody_has_changed_since_is_left_alone(bench: Bench) -> None:
    bench.accept([wanted()])
    (warm,) = bench.take()
    bench.hear(warm)
    assert bench.put_back({WARM: 25.0}) is not None
    assert bench.take() == []
