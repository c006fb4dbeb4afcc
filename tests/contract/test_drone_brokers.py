"""What a broker can do to the drone's service: let others speak in its place, refuse, swallow."""

import logging
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from internetcar.contract.drone import DroneEvent, DronePresence
from internetcar.contract.link import Link
from internetcar.contract.message import Message, instant
from internetcar.launcher.broker import RunningBroker
from services.drone.events import BrokerLink, Twin
from tests.bad_broker import NOT_AUTHORIZED, bad_broker
from tests.contract.test_drone_loop import Flying, listening, of
from tests.waiting import eventually


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def heard(broker: RunningBroker, stack: ExitStack) -> tuple[Link, list[Message]]:
    return stack.enter_context(listening(broker))


def test_two_services_know_of_each_other_and_neither_ends(
    broker: RunningBroker, heard: tuple[Link, list[Message]], tmp_path: Path, stack: ExitStack,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    caplog.set_level(logging.INFO, logger="services.drone.control_loop")
    first, (_, messages) = Flying(broker, tmp_path, stack), heard
    eventually(lambda: of(messages, DronePresence))
    second = Flying(broker, tmp_path, stack, started_s=5.0)
    eventually(lambda: Twin(True) in first.pilot.heard and Twin(True) in second.pilot.heard)
    words = "another service speaks for drone1 of demo too: end one of them"
    eventually(lambda: caplog.messages.count(words) == 2)
    eventually(lambda: [each for each in of(messages, DroneEvent) if each.method == "hms"])
    second.loop.stop()
    eventually(lambda: first.pilot.heard[-1] == Twin(False))
    assert "no other service speaks for drone1 of demo any more" in caplog.messages
    eventually(lambda: of(messages, DronePresence)[-1].instance == "started-0")
    assert first.thread.is_alive()


def test_a_forged_presence_ends_nobody_however_old_it_says_to_be(
    broker: RunningBroker, heard: tuple[Link, list[Message]], tmp_path: Path, stack: ExitStack
) -> None:
    flying, (link, messages) = Flying(broker, tmp_path, stack), heard
    eventually(lambda: of(messages, DronePresence))
    forged = {"instance": "forged", "since": instant(0)}
    link.publish(of(messages, DronePresence)[0].model_copy(update=forged))
    eventually(lambda: Twin(True) in flying.pilot.heard)
    turns = flying.autopilot.turns
    eventually(lambda: flying.autopilot.turns > turns + 3)
    eventually(lambda: of(messages, DronePresence)[-1].instance == "started-0")


def test_a_broker_that_refuses_us_from_the_start_is_only_away(
    tmp_path: Path, stack: ExitStack, caplog: pytest.LogCaptureFixture
) -> None:
    flying = Flying(stack.enter_context(bad_broker(NOT_AUTHORIZED)), tmp_path, stack)
    eventually(lambda: "refuses us" in caplog.text)
    turns = flying.autopilot.turns
    eventually(lambda: flying.autopilot.turns > turns + 3)
    assert BrokerLink(False) in flying.pilot.heard
    assert "check user name, password and client id; trying again" in caplog.text


def test_a_broker_that_comes_back_and_refuses_us_ends_no_flight(
    mosquitto: RunningBroker, tmp_path: Path, stack: ExitStack, caplog: pytest.LogCaptureFixture
) -> None:
    flying, url = Flying(mosquitto, tmp_path, stack), mosquitto.url
    eventually(lambda: BrokerLink(True) in flying.pilot.heard)
    mosquitto.url = replace(url, password="another")  # as where its list of users is gone
    mosquitto.restart()
    eventually(lambda: "refuses us" in caplog.text)
    turns = flying.autopilot.turns
    eventually(lambda: flying.autopilot.turns > turns + 3)
    assert flying.pilot.heard[-1] == BrokerLink(False)
    mosquitto.url = url
    mosquitto.restart()
    eventually(lambda: flying.pilot.heard[-1] == BrokerLink(True))
