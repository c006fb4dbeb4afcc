"""The health check hears what a gateway says, and nothing less will do."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from gateway.alive import trouble
from internetcar.contract.link import Link
from internetcar.contract.presence import BusHealth, Health, Presence
from internetcar.launcher.broker import RunningBroker

NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)


@pytest.fixture
def gateway(mosquitto: RunningBroker) -> Iterator[Link]:
    link = Link(mosquitto.url, "gateway")
    link.start(wait_s=10.0)
    yield link
    link.stop()


def say_presence(gateway: Link, *, online: bool = True) -> None:
    gateway.publish(
        Presence(
            vehicle_id="kona",
            online=online,
            journal="j",
            since=NOW,
            clock="free",
            origin="live",
            software="test",
        )
    )
    assert gateway.drain(10.0)


def retain_health(gateway: Link, frames_per_s: float = 100.0) -> None:
    """Health said at every moment, without a thread: the broker hands it to who comes."""
    buses = {"can0": BusHealth(), "can1": BusHealth(frames_per_s=frames_per_s)}
    health = Health(vehicle_id="kona", at=NOW, buses=buses, outbox_batches=0)
    gateway.publish_now([(health.topic, health.encode())], retain=True)
    assert gateway.drain(10.0)


def test_it_is_online_and_says_its_health(gateway: Link) -> None:
    say_presence(gateway)
    retain_health(gateway)
    assert trouble(gateway.broker, "kona") is None
    assert trouble(gateway.broker, "kona", awake=True) is None


def test_a_car_without_frames_is_online_but_not_awake(gateway: Link) -> None:
    say_presence(gateway)
    retain_health(gateway, frames_per_s=0.0)
    assert trouble(gateway.broker, "kona") is None
    assert "no frames" in str(trouble(gateway.broker, "kona", awake=True))


def test_offline_is_said(gateway: Link) -> None:
    say_presence(gateway, online=False)
    retain_health(gateway)
    assert trouble(gateway.broker, "kona") == "offline"


def test_a_presence_that_is_only_remembered_is_not_enough(gateway: Link) -> None:
    say_presence(gateway)
    assert "no health" in str(trouble(gateway.broker, "kona", patience_s=1.0))


def test_another_vehicle_is_not_this_one(gateway: Link) -> None:
    say_presence(gateway)
    retain_health(gateway)
    assert "does not know" in str(trouble(gateway.broker, "konb", patience_s=1.0))
