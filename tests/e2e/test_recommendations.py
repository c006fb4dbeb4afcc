"""The service on a broker: what it hears, says and answers; junk does not end it."""

import struct
import time
from collections.abc import Callable
from datetime import timedelta

from internetcar.contract.commands import CommandStatus
from internetcar.contract.link import Link
from internetcar.contract.recommendations import (
    DestinationRecommendation,
    RecommendationAnswer,
    RecommendationControl,
    RecommendationFeedback,
    RecommendationOffer,
)
from internetcar.contract.subscriptions import Received
from internetcar.contract.trips import TripEnded, TripProgress, TripStarted
from internetcar.launcher.broker import RunningBroker
from tests.e2e.stage import PYTHON, Actor, Stage
from tests.recommendation_trips import HOME, MONDAY, WORK, control, ended, feedback, started
from tests.waiting import PATIENCE_S, eventually

SIMULATED = {"origin": "simulation"}
SETTINGS = """
vehicles = ["kona"]
origin = "simulation"
[allow]
car = ["feedback", "pause"]
phone = ["feedback", "pause", "name", "forget", "export"]
"""
JUNK = (
    b"", b"{", b"null", b"[]", b"\xff" * 300, b'{"offer_id": NaN}', b'{"trip_id": 1e999}',
    b'{"offer_id": "' + b"a" * 100 + b'", "answer": "accept"}',
    b'{"offer_id": "x", "answer": "perhaps"}', b'{"request_id": "x", "action": "explode"}',
    b'{"request_id": "x", "action": "forget_driver"}', b"[" * 2_000, b"x" * 20_000,
)  # fmt: skip


class Phone:
    """Who hears what is said to whom, and says things."""

    def __init__(self, broker: RunningBroker) -> None:
        self.states: list[bytes] = []
        self.offers: list[RecommendationOffer] = []
        self.answers: list[RecommendationAnswer] = []
        self.link = Link(broker.url, "phone")
        topic = DestinationRecommendation.filter(vehicle_id="kona")
        self.link.on_received(topic, self._on_state, qos=1)
        self.link.on(RecommendationOffer, self.offers.append)
        self.link.on(RecommendationAnswer, self.answers.append)
        self.link.start(wait_s=20)

    def _on_state(self, received: Received) -> None:
        self.states.append(received.payload)

    def hello(self, actor: Actor) -> None:
        """Wait until the service hears us."""

        def is_answered() -> bool:
            self.link.publish(control("resume", "hello"))
            time.sleep(0.1)
            return any(each.id == "hello" for each in self.answers)

        until(actor, is_answered)

    def answered(self, actor: Actor, asked: str) -> RecommendationAnswer:
        until(actor, lambda: any(each.id == asked for each in self.answers))
        return next(each for each in self.answers if each.id == asked)


def until(actor: Actor, condition: Callable[[], bool]) -> None:
    eventually(lambda: condition() or not actor.is_running, PATIENCE_S)
    assert actor.is_running, actor.stderr


def service(stage: Stage, broker: RunningBroker) -> Actor:
    path = stage.folder / "recommendations.toml"
    path.write_text(SETTINGS)
    actor = stage.start(
        PYTHON, "-m", "services", "recommendations", str(path),
        environ={"INTERNETCAR_BROKER": broker.url.secret},
    )  # fmt: skip
    until(actor, lambda: "recommendations runs on" in actor.stderr)
    return actor


def test_a_driver_is_learned_offered_to_answered_and_forgotten(
    stage: Stage, mosquitto: RunningBroker
) -> None:
    actor = service(stage, mosquitto)
    phone = Phone(mosquitto)
    phone.hello(actor)
    for number in range(12):
        day = MONDAY + timedelta(days=number)
        for hour, start, end in ((8, HOME, WORK), (17, WORK, HOME)):
            trip = started(day + timedelta(hours=hour), start, f"t{number}-{hour}", **SIMULATED)
            phone.link.publish(ended(trip, end))
    now = started(MONDAY + timedelta(days=14, hours=8), HOME, "now", **SIMULATED)
    phone.link.publish(now)
    until(actor, lambda: bool(phone.offers) and bool(phone.states))
    topic = DestinationRecommendation.filter(vehicle_id="kona")
    said = DestinationRecommendation.decode(topic, phone.states[-1])
    assert said.places[0] == phone.offers[0].place
    actor.kill()
    actor = service(stage, mosquitto)
    for cls in (RecommendationFeedback, RecommendationControl, TripStarted, TripProgress,
                TripEnded, CommandStatus):  # fmt: skip
        topic = cls.filter(vehicle_id="kona", requester="phone")
        for junk in JUNK:
            phone.link.publish_bytes(topic, junk)
    phone.link.publish_bytes(
        RecommendationFeedback.filter(vehicle_id="kona", requester="p" * 60), b"{}"
    )
    offer_id = phone.offers[0].offer_id
    phone.link.publish(feedback(offer_id, "reject", requester="eve"))
    phone.link.publish(feedback(offer_id))
    assert phone.answered(actor, offer_id).reason == "not_allowed"
    until(actor, lambda: any(each.status == "done" for each in phone.answers))
    assert any(each.reason == "malformed" and each.id == "x" for each in phone.answers)
    phone.link.publish(control("forget_driver", driver="anna"))
    assert phone.answered(actor, "to-forget_driver").erased == 24
    until(actor, lambda: phone.states[-1] == b"")
    files = (stage.folder / "xdg-state").rglob("recommendations.sqlite*")
    kept = b"".join(each.read_bytes() for each in files)
    assert len(kept) > 4_096
    for word in (b"anna", b"t5-17", struct.pack(">d", WORK.latitude), b"52.4678"):
        assert word not in kept
    assert {each.offer_id for each in phone.offers} == {offer_id}
    phone.link.stop()


def test_the_command_asks_by_the_broker_and_says_what_came_of_it(
    stage: Stage, mosquitto: RunningBroker
) -> None:
    phone = Phone(mosquitto)
    phone.hello(service(stage, mosquitto))
    phone.link.stop()
    where = ("--vehicle-id", "kona", "--broker", mosquitto.url.secret)
    paused = stage.ended("recommend", "pause", "--hours", "2", *where)
    assert (paused.stdout, paused.process.returncode) == ("done\n", 0), paused.stderr
    unknown = stage.ended("recommend", "accept", "nothing", *where)
    assert unknown.process.returncode == 1
    assert "refused: unknown_offer" in unknown.stdout
    listed = stage.ended("recommend", "list")
    assert "kona: paused" in listed.stdout, listed.stderr
