"""What a requester sends costs the gateway no more than a command may."""

from datetime import UTC, datetime

import pytest

from gateway.inbox import Inbox
from gateway.requests import LONGEST_CORRELATION, Request, read_request
from internetcar.contract.commands import Command, CommandStatus
from internetcar.contract.subscriptions import Received, Subscriptions
from internetcar.launcher.set import _line

TOPIC = "v1/vehicle/car/command/alice/Vehicle.Fan"


def through_inbox(received: Received) -> tuple[Received, Request]:
    inbox = Inbox(lambda: None)
    inbox.know({"alice"})
    inbox.put(received, 0)
    (waiting,) = inbox.take(10)
    return waiting.received, read_request(waiting.received, "fresh", 0)


@pytest.mark.parametrize(
    "received",
    [
        Received(TOPIC, b"1" * (1 << 20)),
        Received(TOPIC, b"1", response_topic="v1/client/alice/" + "a" * 60_000),
        Received(TOPIC, b"1", response_topic="v1/client/alice/a", correlation=b"x" * 60_000),
    ],
)
def test_a_large_packet_waits_in_part_and_is_refused(received: Received) -> None:
    waiting, request = through_inbox(received)
    held = (
        len(waiting.payload) + len(waiting.response_topic or "") + len(waiting.correlation or b"")
    )
    assert held < 3000
    assert request.problem is not None
    assert request.answer_to is None
    assert request.correlation is None


def test_what_is_within_its_bounds_is_as_it_came() -> None:
    answer_to, correlation = "v1/client/alice/" + "a" * 64 + "/car", b"x" * LONGEST_CORRELATION
    payload = b"1".ljust(Command.MAX_PAYLOAD_BYTES)
    _, request = through_inbox(Received(TOPIC, payload, False, answer_to, correlation))
    assert (request.problem, request.value) == (None, 1)
    assert (request.answer_to, request.correlation) == (answer_to, correlation)


def test_a_long_requester_is_nobody_and_not_kept() -> None:
    name = "a" * 36
    for requester in (name + "a", name * 1000):
        topic = f"v1/vehicle/car/command/{requester}/Vehicle.Fan"
        request = read_request(Received(topic, b"1"), "fresh", 0)
        assert request.problem is not None
        assert len(request.requester) <= 40


def test_what_a_broker_sends_beyond_our_filter_is_no_command_of_ours() -> None:
    heard: list[Received] = []
    subscriptions = Subscriptions()
    subscriptions.add(Command.filter(vehicle_id="car"), 1, heard.append)
    for topic in (
        TOPIC.replace("car", "other"), TOPIC.replace("command", "signal"), f"{TOPIC}/more",
        f"/{TOPIC}", TOPIC.replace("v1", "v2"), TOPIC.replace("v1/", ""), f"{TOPIC}\n/x", "",
    ):  # fmt: skip
        subscriptions.dispatch(Received(topic, b"1"))
    assert heard == []
    subscriptions.dispatch(Received(TOPIC, b"1"))
    assert len(heard) == 1


def test_a_status_does_not_steer_the_terminal_of_who_reads_it() -> None:
    status = CommandStatus(
        vehicle_id="car", id="a", requester="alice", path="x", state="rejected", final=True,
        reason="\x1b[2J", detail="a\r\x9bm\n", at=datetime.now(UTC),
    )  # fmt: skip
    assert _line(status).isprintable()
