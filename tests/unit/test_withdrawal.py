"""A device that is no longer wanted is taken back once, where the broker remembers it."""

import pytest

from gateway.discovery import announce
from gateway.settings import HomeAssistantSettings
from gateway.withdrawal import LISTENS_S, Withdrawal
from internetcar.contract.delivery import Outcome
from internetcar.contract.home_assistant import AnnouncedBy
from internetcar.contract.subscriptions import Received
from tests.unit.announced import CAR
from tests.unit.wall import Wall

OURS = announce([], set(), CAR).message
SETTINGS = HomeAssistantSettings(enabled=False)


class Clock:
    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


class Broker(Wall):
    """Remembers, and hands its memory to those who ask."""

    def __init__(self, payload: bytes, *, retained: bool = True) -> None:
        super().__init__()
        self.clock = Clock()
        self.topics[OURS.topic] = payload
        self.retained = retained
        self.withdrawal = Withdrawal(self, "car", SETTINGS, self.clock)

    def connect(self) -> None:
        """What happens on each connection."""
        self.withdrawal.on_connected()
        for subscription in self._subscriptions:
            payload = self.topics.get(subscription.filter, b"")
            subscription.listener(Received(OURS.topic, payload, retained=self.retained))

    @property
    def asks(self) -> bool:
        """Whether the next connection asks for the topic."""
        return any(subscription.filter == OURS.topic for subscription in self._subscriptions)


def test_what_an_earlier_run_announced_is_cleared_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    broker = Broker(OURS.encode())
    broker.withdrawal.pump()
    assert broker.asks
    broker.connect()
    assert OURS.topic not in broker.topics
    broker.topics[OURS.topic] = OURS.encode()
    broker.connect()
    assert len(broker.deliveries) == 1
    assert caplog.messages == [
        "Home Assistant is told to forget the vehicle (home_assistant.enabled)"
    ]
    broker.withdrawal.pump()
    assert not broker.asks


def test_what_is_not_the_brokers_memory_or_not_ours_is_left() -> None:
    other = OURS.model_copy(update={"origin": AnnouncedBy(name="zigbee2mqtt")})
    for broker in (Broker(b""), Broker(other.encode()), Broker(OURS.encode(), retained=False)):
        broker.connect()
        assert broker.deliveries == []


def test_a_broker_that_hangs_up_on_the_question_is_not_asked_again() -> None:
    broker = Broker(b"")
    broker.withdrawal.on_connected()
    broker.withdrawal.pump()
    assert broker.asks
    broker.is_open = False
    broker.withdrawal.pump()
    assert not broker.asks


def test_it_listens_for_some_seconds() -> None:
    broker = Broker(b"")
    broker.connect()
    broker.clock.now_s += LISTENS_S
    broker.withdrawal.pump()
    assert not broker.asks


def test_a_broker_that_forbids_it_is_no_problem_of_the_cars(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    broker = Broker(OURS.encode())
    broker.waits = True
    broker.connect()
    broker.deliveries[0].finish(Outcome.NOT_PERMITTED)
    broker.not_permitted = OURS.topic
    broker.withdrawal.pump()
    assert broker.not_permitted is None
    assert caplog.messages == []
