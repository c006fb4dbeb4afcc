"""What a requester sends costs the gateway no more than a command may."""

import pytest

from gateway.inbox import Inbox
from gateway.requests import LONGEST_CORRELATION, Request, read_request
from internetcar.contract.commands import Command
from internetcar.contract.subscriptions import Received

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
        assert len(request.requester) == 37
