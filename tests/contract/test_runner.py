"""A service's process against a real broker: killed, ended, started twice, quarantined."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import select

from internetcar.contract.broker_url import BrokerUrl
from internetcar.contract.link import Link
from internetcar.contract.payments import PaymentRequest, PaymentResult
from internetcar.launcher.broker import RunningBroker
from internetcar.launcher.child import dying_with_us, end_child
from services.points import NOTE_POINTS, POINTS
from services.quarantine import kept
from tests.contract.test_link import running
from tests.services import HANDLED, opened
from tests.waiting import PATIENCE_S, eventually


def request(name: str, *, vehicle_id: str = "kona", description: str = "") -> PaymentRequest:
    return PaymentRequest(
        vehicle_id=vehicle_id, requester="tolls", request_id=name, action="pay", payee="lta",
        purpose="toll", amount_minor=100, currency="SGD", origin="live", description=description,
    )  # fmt: skip


class Paying:
    """The small service as processes of its own, on one store."""

    def __init__(self, broker: BrokerUrl, store_url: str, folder: Path) -> None:
        self._state = folder / "state"
        self._environment = {
            **os.environ,
            "INTERNETCAR_BROKER": broker.secret,
            "INTERNETCAR_PAYING_STORE": store_url,
            "INTERNETCAR_PAYING_STATE": str(self._state),
        }
        self._children: list[subprocess.Popen[bytes]] = []

    def start(self, more: Mapping[str, str] | None = None) -> "subprocess.Popen[bytes]":
        child = subprocess.Popen(
            [sys.executable, "-m", "tests.paying_service"],
            env=self._environment | dict(more or {}),
            preexec_fn=dying_with_us(),
        )
        self._children.append(child)
        return child

    def serves(self, replica: str) -> bool:
        """Whether a replica has been connected."""
        return any(self._state.glob(f"*/replica-{replica}/alive"))

    def dies(self, more: Mapping[str, str] | None = None) -> None:
        assert self.start(more).wait(PATIENCE_S) == -signal.SIGKILL

    def end(self) -> list[int]:
        codes = [end_child(child, PATIENCE_S) for child in self._children if child.poll() is None]
        self._children.clear()
        return codes


@pytest.fixture
def paying(mosquitto: RunningBroker, store_url: str, tmp_path: Path) -> Iterator[Paying]:
    service = Paying(mosquitto.url, store_url, tmp_path)
    with opened(store_url):
        yield service
    service.end()


@contextmanager
def asking(broker: RunningBroker) -> Iterator[tuple[Link, list[str]]]:
    """A link, and the ids of the answers it hears."""
    link = Link(broker.url, "asker")
    answered: list[str] = []
    link.on(PaymentResult, lambda result: answered.append(result.request_id))
    with running(link):
        yield link, answered


def handled(store_url: str) -> dict[str, int]:
    with opened(store_url) as database, database.read() as connection:
        return {row.id: row.times for row in connection.execute(select(HANDLED))}


def until_it_answers(link: Link, answered: list[str]) -> None:
    eventually(lambda: link.publish(request("first", vehicle_id="leaf")) and "first" in answered)


def subscribe_for_ever(paying: Paying, link: Link, answered: list[str]) -> None:
    """Let the broker know the service's persistent session, then end the process."""
    paying.start()
    until_it_answers(link, answered)
    assert paying.end() == [0]


def test_killed_at_every_point_each_request_counts_once_and_is_answered(
    paying: Paying, mosquitto: RunningBroker, store_url: str, tmp_path: Path
) -> None:
    names: list[str] = []
    with asking(mosquitto) as (link, answered):
        subscribe_for_ever(paying, link, answered)
        for point in (*POINTS, *NOTE_POINTS):
            for number in range(5):
                names.append(f"{point.replace(' ', '-')}-{number}")
                link.publish(request(names[-1]))
            assert link.drain(PATIENCE_S)
            paying.dies({"DIE_AT": point})
        paying.start()
        eventually(lambda: set(names) <= set(answered))
        assert paying.end() == [0]
    assert handled(store_url) == dict.fromkeys(["first", *names], 1)


def test_a_message_that_kills_three_times_is_set_aside_and_other_vehicles_go_on(
    paying: Paying, mosquitto: RunningBroker, store_url: str
) -> None:
    with asking(mosquitto) as (link, answered):
        subscribe_for_ever(paying, link, answered)
        link.publish(request("killer", description="kill"))
        link.publish(request("later"))
        link.publish(request("other", vehicle_id="leaf"))
        assert link.drain(PATIENCE_S)
        for _ in range(3):
            paying.dies()
        paying.start()
        eventually(lambda: "other" in answered)
        assert paying.end() == [0]
    assert handled(store_url).keys() == {"first", "other"}
    with opened(store_url) as database, database.read() as connection:
        [entry] = kept(connection)
    assert (entry.deaths, entry.waiting) == (3, 1)


def test_two_replicas_on_one_store_share_the_requests(
    paying: Paying, mosquitto: RunningBroker, store_url: str
) -> None:
    with asking(mosquitto) as (link, answered):
        for replica in ("1", "2"):
            paying.start({"INTERNETCAR_PAYING_REPLICA": replica, "INTERNETCAR_PAYING_SHARE": "all"})
            eventually(partial(paying.serves, replica))
        eventually(
            lambda: link.publish(request("first", vehicle_id="leaf")) and "first" in answered
        )
        names = [f"r{number}" for number in range(30)]
        for name in names:
            link.publish(request(name))
        eventually(lambda: set(names) <= set(answered))
        assert paying.end() == [0, 0]
    assert handled(store_url) == dict.fromkeys(["first", *names], 1)
