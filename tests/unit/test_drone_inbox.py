"""What came from the broker and waits, and what waits for the broker: both in bounds."""

from typing import Any

import pytest

from internetcar.contract.drone import DroneEvent, DronePresence, DroneRequest
from internetcar.contract.message import Message, instant
from internetcar.contract.subscriptions import Received
from services.drone.broker.inbox import Inbox
from services.drone.broker.request_queue import MOST
from services.drone.broker.unsaid import Unsaid
from tests.drone_stand import NOW_MS
from tests.services import FakeLink


def received(requester: str, payload: bytes = b"x", *, retained: bool = False) -> Received:
    return Received(f"v1/vehicle/demo/drone/drone1/services/{requester}", payload, retained)


def stop(requester: str, tid: str = "t1", *, dry_run: bool = False, padding: int = 0) -> Received:
    request = DroneRequest(
        vehicle_id="demo", drone_id="drone1", requester=requester, tid=tid, timestamp=NOW_MS,
        method="drone_emergency_stop", dry_run=dry_run,
    )  # fmt: skip
    return received(requester, request.encode() + b" " * padding)


def test_a_flood_of_one_requester_hides_nobody() -> None:
    inbox = Inbox(lambda: None, {"loud", "quiet"})
    for _ in range(1_000):
        inbox.put_request(received("loud"))
    inbox.put_request(received("quiet"))
    assert received("quiet") in inbox.take_requests(2)
    assert inbox.requests_dropped == 980
    assert len(inbox.take_requests(1_000)) == 19
    assert inbox.take_requests(5) == []


@pytest.mark.parametrize("most", [2, 10])
def test_strangers_with_any_names_hide_nobody_who_is_known(most: int) -> None:
    inbox = Inbox(lambda: None, {"alice"})
    for number in range(10_000):
        inbox.put_request(received(f"x{number % 500}", b"{}"))
        if number == 5_000:
            inbox.put_request(stop("alice"))
    assert stop("alice") in inbox.take_requests(most)
    assert len(inbox.take_requests(10_000)) == MOST + 1 - most
    assert inbox.requests_dropped == 10_000 - MOST


def test_one_turn_hears_every_known_requester_however_loud_the_others_are() -> None:
    known = [f"k{number}" for number in range(9)]
    inbox = Inbox(lambda: None, known)
    for requester in [*known[:8], "stranger"] * 1_000:
        inbox.put_request(received(requester, b"{}"))
    inbox.put_request(stop(known[8]))
    assert stop(known[8]) in inbox.take_requests(10)


def test_a_stop_is_not_lost_in_a_flood_of_its_own_requester() -> None:
    inbox = Inbox(lambda: None, {"loud"})
    for payload in [b"x"] * 1_000 + [stop("loud").payload] + [b"x"] * 1_000:
        inbox.put_request(received("loud", payload))
    assert inbox.take_requests(1) == [stop("loud")]


@pytest.mark.parametrize(
    "payload",
    [
        b'{"note":"drone_emergency_stop"}', b"drone_emergency_stop", b"{}",
        stop("alice", "t2", dry_run=True).payload,
        stop("alice", "t2").payload[:-1], b"\\u005f" * 1_000,
    ],
)  # fmt: skip
def test_a_stop_that_waits_is_cleared_by_nothing_that_is_none(payload: bytes) -> None:
    inbox = Inbox(lambda: None, {"alice"})
    inbox.put_request(stop("alice"))
    for _ in range(100):
        inbox.put_request(received("alice", payload))
    assert inbox.take_requests(1) == [stop("alice")]


def test_a_stop_is_one_however_its_letters_are_written() -> None:
    written = stop("alice").payload.replace(b"drone_emergency", rb"drone\u005femergency")
    inbox = Inbox(lambda: None, {"alice"})
    for _ in range(100):
        inbox.put_request(received("alice"))
    inbox.put_request(received("alice", written))
    assert inbox.take_requests(1) == [received("alice", written)]


def test_of_stops_without_an_end_the_newest_wait() -> None:
    inbox = Inbox(lambda: None, {"alice"})
    for number in range(100):
        inbox.put_request(stop("alice", f"t{number}", padding=10_000))
    waiting = inbox.take_requests(1_000)
    assert waiting[-1] == stop("alice", "t99", padding=10_000)
    assert 1 < len(waiting) <= MOST
    assert len(waiting) + inbox.requests_dropped == 100


def test_a_retained_request_is_cleared_where_it_was_and_is_no_stop() -> None:
    inbox = Inbox(lambda: None, {"alice"})
    for number in range(1_000):
        inbox.put_request(received(f"r{number}", retained=True))
    for _ in range(MOST):
        inbox.put_request(received("alice"))
    inbox.put_request(received("alice", stop("alice").payload, retained=True))
    assert received("alice", stop("alice").payload, retained=True) not in inbox.take_requests(1_000)
    topics = []
    while topic := inbox.take_retained():
        topics.append(topic)
    assert len(topics) == 100


def test_a_long_payload_is_cut_where_it_is_refused_anyway() -> None:
    inbox = Inbox(lambda: None)
    inbox.put_request(received("a", b"x" * 1_000_000))
    assert len(inbox.take_requests(1)[0].payload) == DroneRequest.MAX_PAYLOAD_BYTES + 1


def test_what_waits_takes_a_few_mebibytes_whatever_comes() -> None:
    known = [f"k{number}" for number in range(10)]
    inbox = Inbox(lambda: None, known)
    for number in range(2_000):
        long = b"x" * (DroneRequest.MAX_PAYLOAD_BYTES + 1 + number % 2)
        requester = (
            known[number % 11] if number % 11 < 10 else f"x{number}" + "y" * 60_000 * (number % 2)
        )
        topic = received(requester).topic
        inbox.put_request(Received(topic, long, False, "r" * 64_000, b"c" * 64_000))
        inbox.put_position(Received("p", b"x" * (1 << 20)))
        inbox.put_newest(Received(f"s{number}", b"x" * (4_096 + number % 2)))
    states, requests = inbox.take_states(10_000), inbox.take_requests(10_000)
    held = [*states, *requests]
    size = sum(
        len(each.topic) + len(each.payload) + len(each.response_topic or "")
        + len(each.correlation or b"") for each in held
    )  # fmt: skip
    assert len(requests) >= 11
    assert size < 6 << 20
    assert inbox.states_dropped == 2_000 + 1_000


def test_of_a_state_the_newest_is_kept_and_of_positions_all_in_order() -> None:
    inbox = Inbox(lambda: None)
    for number in range(60):
        inbox.put_position(Received("p", str(number).encode()))
        inbox.put_newest(Received("s", str(number).encode()))
    taken = inbox.take_states(10)
    assert [int(each.payload) for each in taken] == [*range(10, 60), 59]
    for number in range(5_000):
        inbox.put_newest(Received(f"s{number}", b""))
    assert len(inbox.take_states(10_000)) == 1_000
    assert inbox.states_dropped == 4_000


class Broker(FakeLink):
    """A broker that may be away, and remembers messages."""

    def __init__(self) -> None:
        super().__init__()
        self.got: list[Message] = []

    def publish(self, message: Message, then: Any = None) -> Any:
        if message.QOS == 0:
            return None
        delivery = self.publish_bytes(message.topic, message.encode(), retain=message.RETAIN)
        if self.is_connected:
            self.got.append(message)
        elif then is not None:
            then(delivery)
        return delivery


def test_events_wait_for_the_broker_and_states_do_not() -> None:
    broker = Broker()
    unsaid = Unsaid(broker)
    broker.is_connected = False
    event = DroneEvent(
        vehicle_id="demo", drone_id="drone1", timestamp=1, method="hms", data={"list": []}
    )
    presence = DronePresence(
        vehicle_id="demo", drone_id="drone1", online=True, since=instant(NOW_MS)
    )
    unsaid.say([event, presence])
    unsaid.say([])
    assert broker.got == []
    broker.is_connected = True
    unsaid.say([presence])
    assert broker.got == [event, presence]
