"""Presence stays true: old wills, junk, a second gateway, a broker that forbids."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest

from internetcar.contract.broker_url import BrokerUrl
from internetcar.contract.delivery import Delivery
from internetcar.contract.link import Link
from internetcar.contract.message import Message
from internetcar.contract.presence import Presence
from internetcar.contract.presence_keeper import PresenceKeeper
from internetcar.launcher.broker import RunningBroker
from tests.conftest import need_mosquitto
from tests.contract.test_link import AT, HERE, QUICK, running, stranger
from tests.waiting import eventually

GONE = HERE.model_copy(update={"online": False})


@dataclass
class Gateway:
    link: Link
    keeper: PresenceKeeper
    now_s: float = 0.0
    taken_over_by: list[str] = field(default_factory=list)


@contextmanager
def gateway(broker: RunningBroker, own: Presence = HERE) -> Iterator[Gateway]:
    link = Link(broker.url, f"gateway-{own.journal}", options=QUICK)
    taken_over_by: list[str] = []
    made = Gateway(
        link,
        PresenceKeeper(
            link, own, lambda other: taken_over_by.append(other.journal), lambda: made.now_s
        ),
        taken_over_by=taken_over_by,
    )
    with running(link):
        yield made


@contextmanager
def retained(broker: RunningBroker) -> Iterator[list[bytes]]:
    """Every presence that is said; the last is the one the broker remembers."""
    said: list[bytes] = []
    link = Link(broker.url, "watcher", options=QUICK)
    link.on_received(HERE.topic, lambda received: said.append(received.payload), qos=1)
    with running(link):
        yield said


def test_an_old_will_after_a_new_online_is_corrected(broker: RunningBroker) -> None:
    with (
        gateway(broker),
        retained(broker) as said,
        running(Link(broker.url, "predecessor")) as predecessor,
    ):
        eventually(lambda: HERE.encode() in said)
        for will in (GONE, GONE.model_copy(update={"journal": "before"})):
            said.clear()
            predecessor.publish(will)
            eventually(lambda: said[:1] and said[-1] == HERE.encode())


def test_junk_and_an_erased_presence_are_corrected(broker: RunningBroker) -> None:
    with gateway(broker), retained(broker) as said:
        eventually(lambda: HERE.encode() in said)
        with running(Link(broker.url, "vandal")) as vandal:
            for junk in (b"", b"junk"):
                said.clear()
                vandal.publish_bytes(HERE.topic, junk, retain=True)
                eventually(lambda: said[:1] and said[-1] == HERE.encode())


def test_the_newer_of_two_gateways_is_heard_and_the_older_knows(broker: RunningBroker) -> None:
    newer = HERE.model_copy(update={"journal": "j2", "since": AT + timedelta(hours=1)})
    with gateway(broker) as old, retained(broker) as said:
        eventually(lambda: old.keeper.problem() is None and HERE.encode() in said)
        with gateway(broker, newer) as new:
            eventually(lambda: old.taken_over_by == ["j2"])
            assert str(old.keeper.problem()).startswith("taken_over")
            old.keeper.update(HERE.model_copy(update={"asleep": True}))
            new.keeper.update(newer.model_copy(update={"asleep": True}))
            eventually(lambda: b'"j2"' in said[-1] and b'"asleep":true' in said[-1])
            assert new.taken_over_by == []
            new.keeper.leave()
        eventually(lambda: old.keeper.problem() is None)
        eventually(lambda: b'"j1"' in said[-1] and b'"online":true' in said[-1])
        assert old.taken_over_by == ["j2"]


def test_a_gateway_speaks_again_when_the_newer_left_while_the_broker_was_away(
    broker: RunningBroker,
) -> None:
    newer = HERE.model_copy(update={"journal": "j2", "since": AT + timedelta(hours=1)})
    with gateway(broker) as old, retained(broker) as said:
        with gateway(broker, newer):
            eventually(lambda: old.taken_over_by == ["j2"])
            broker.stop()
        broker.restart()
        eventually(lambda: old.keeper.problem() is None and said[-1] == HERE.encode())


def test_the_newer_of_two_gateways_is_heard_after_the_broker_was_away(
    broker: RunningBroker,
) -> None:
    newer = HERE.model_copy(update={"journal": "j2", "since": AT + timedelta(hours=1)})
    with gateway(broker) as old, retained(broker) as said, gateway(broker, newer):
        eventually(lambda: old.taken_over_by == ["j2"])
        broker.restart()
        eventually(lambda: old.taken_over_by == ["j2", "j2"] and said[-1] == newer.encode())
        assert str(old.keeper.problem()).startswith("taken_over")


class HesitantLink(Link):
    """A link without a broker, that puts off its first message if another can overtake it."""

    def __init__(self) -> None:
        super().__init__(BrokerUrl("127.0.0.1", 1883), "hesitant")
        self.said: list[Message] = []
        self.greet: Callable[[], object] = list
        self.is_hesitating = threading.Event()
        self.is_overtaken = threading.Event()

    def on_connected(self, callback: Callable[[], object]) -> None:
        self.greet = callback

    def publish(self, message: Message, then: Callable[[Delivery], None] | None = None) -> None:
        if not self.is_hesitating.is_set():
            self.is_hesitating.set()
            self.is_overtaken.wait(0.3)
        self.said.append(message)
        self.is_overtaken.set()


@pytest.mark.parametrize("change", ["update", "leave"])
def test_an_older_presence_is_never_said_after_a_newer_one(change: str) -> None:
    """The link's thread greets while the main loop has something new to say."""
    link = HesitantLink()
    keeper = PresenceKeeper(link, HERE, lambda _: None)
    greeting = threading.Thread(target=link.greet)
    greeting.start()
    assert link.is_hesitating.wait(20)
    if change == "update":
        keeper.update(HERE.model_copy(update={"asleep": True}))
    else:
        keeper.leave()
    greeting.join()
    asleep = HERE.model_copy(update={"asleep": True})
    assert link.said == [HERE, asleep if change == "update" else GONE]


def test_a_gateway_that_leaves_says_so_and_stays_gone(broker: RunningBroker) -> None:
    with stranger(broker.url, HERE.topic) as others:
        with gateway(broker) as leaving:
            eventually(lambda: others)
            leaving.keeper.leave()
            leaving.keeper.update(HERE)
            assert leaving.link.drain(20)
        eventually(lambda: others[-1][1] == GONE.encode())
        assert [payload for _, payload, _ in others] == [HERE.encode(), GONE.encode()]


def test_presence_is_said_again_when_the_broker_comes_back_empty(broker: RunningBroker) -> None:
    with gateway(broker) as made, retained(broker) as said:
        eventually(lambda: HERE.encode() in said)
        made.keeper.update(HERE.model_copy(update={"asleep": True}))
        said.clear()
        broker.restart()
        eventually(lambda: said and b'"asleep":true' in said[-1])


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_a_presence_that_never_comes_back_is_not_permitted(tmp_path: Path, protocol: str) -> None:
    """MQTT 5 says so, 3.1.1 does not, and mosquitto 2.0.11 hangs up in both."""
    need_mosquitto()
    access = f"topic readwrite v1/vehicle/other/#\ntopic read {HERE.topic}\n"
    with RunningBroker("mosquitto", tmp_path / "broker", access=access) as broker:
        broker.url = replace(broker.url, protocol="5" if protocol == "5" else "3.1.1")
        with gateway(broker) as made:
            eventually(made.keeper.problem)
            assert str(made.keeper.problem()).startswith("not_permitted")
            assert HERE.topic in str(made.keeper.problem())
            assert "car" in str(made.keeper.problem())


def test_a_presence_not_heard_for_ten_seconds_is_not_permitted(tmp_path: Path) -> None:
    need_mosquitto()
    with (
        RunningBroker("mosquitto", tmp_path / "broker", access="topic write v1/#\n") as broker,
        gateway(broker) as made,
    ):
        assert made.link.drain(20)
        assert made.keeper.problem() is None, "it may still come"
        made.now_s = 11.0
        assert str(made.keeper.problem()).startswith("not_permitted")
