"""What came from the broker and waits, and what waits for the broker: both in bounds."""

from typing import Any

from internetcar.contract.drone import DroneEvent, DronePresence, DroneRequest
from internetcar.contract.message import Message, instant
from internetcar.contract.subscriptions import Received
from services.drone.broker.inbox import Inbox
from services.drone.broker.unsaid import Unsaid
from tests.drone_stand import NOW_MS
from tests.services import FakeLink


def received(requester: str, payload: bytes = b"x", *, retained: bool = False) -> Received:
    return Received(f"v1/vehicle/demo/drone/drone1/services/{requester}", payload, retained)


def test_a_flood_of_one_requester_hides_nobody() -> None:
    inbox = Inbox(lambda: None)
    for _ in range(1_000):
        inbox.put_request(received("loud"))
    inbox.put_request(received("quiet"))
    assert received("quiet") in inbox.take_requests(2)
    assert inbox.requests_dropped == 980
    assert len(inbox.take_requests(1_000)) == 19
    assert inbox.take_requests(5) == []


def test_a_stop_is_not_lost_in_a_flood_of_its_own_requester() -> None:
    inbox = Inbox(lambda: None)
    stop = received("loud", b'{"method":"drone_emergency_stop"}')
    for payload in [b"x"] * 1_000 + [stop.payload] + [b"x"] * 1_000:
        inbox.put_request(received("loud", payload))
    assert inbox.take_requests(1) == [stop]


def test_so_many_requesters_and_no_more_wait() -> None:
    inbox = Inbox(lambda: None)
    for number in range(1_000):
        inbox.put_request(received(f"r{number}", retained=True))
    assert len(inbox.take_requests(10_000)) == 100
    topics = []
    while topic := inbox.take_retained():
        topics.append(topic)
    assert len(topics) == 100


def test_a_long_payload_is_cut_where_it_is_refused_anyway() -> None:
    inbox = Inbox(lambda: None)
    inbox.put_request(received("a", b"x" * 1_000_000))
    assert len(inbox.take_requests(1)[0].payload) == DroneRequest.MAX_PAYLOAD_BYTES + 1


def test_of_a_state_the_newest_is_kept_and_of_positions_all_in_order() -> None:
    inbox = Inbox(lambda: None)
    for number in range(60):
        inbox.put_position(Received("p", str(number).encode()))
        inbox.put_newest(Received("s", str(number).encode()))
    taken = inbox.take_states(10)
    assert [int(each.payload) for each in taken] == [*range(10, 60), 59]
    for number in range(5_000):
        inbox.put_newest(Received(f"s{number}", b""))
    assert len(inbox.take_states(10_000)) == 4_000
    assert inbox.states_dropped == 1_000


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
