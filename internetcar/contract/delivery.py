"""What becomes of a message that is handed to the link, and its bytes on the wire."""

import struct
import threading
from collections import deque
from collections.abc import Callable
from enum import Enum


class Outcome(Enum):
    """How a delivery with QoS 1 ended."""

    ACKNOWLEDGED = "acknowledged"
    """The broker has it."""
    LOST = "lost"
    """No connection, or it broke before the answer: the broker may have the message or not."""
    FULL = "full"
    """Too many are waiting already: this one was not taken."""
    NOT_PERMITTED = "not_permitted"
    """The broker's access rules forbid the topic (MQTT 5 says so, 3.1.1 says nothing)."""
    REFUSED = "refused"
    """The broker refused the message for another reason."""


class Delivery:
    """One message on its way to the broker with QoS 1."""

    __slots__ = ("_then", "outcome", "topic")

    def __init__(self, topic: str, then: "Callable[[Delivery], None] | None" = None) -> None:
        self.topic = topic
        self.outcome: Outcome | None = None
        """`None` while the broker has not answered."""
        self._then = then

    @property
    def is_acknowledged(self) -> bool:
        """Whether the broker has said that it has the message."""
        return self.outcome is Outcome.ACKNOWLEDGED

    def finish(self, outcome: Outcome) -> None:
        """Tell the sender how it ended, once."""
        if self.outcome is None:
            self.outcome = outcome
            if self._then is not None:
                self._then(self)


class Deliveries:
    """What is on its way on one connection, by packet identifier."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[int, Delivery] = {}
        self._answers: deque[tuple[int, Outcome]] = deque()
        self._is_over = False

    def __len__(self) -> int:
        return len(self._waiting)

    def start(self, delivery: Delivery, send: Callable[[], int | Outcome]) -> None:
        """Send and remember: `send` gives the packet identifier, or why nothing was sent."""
        with self._lock:  # an answer must not be looked up before its question is noted
            sent = Outcome.LOST if self._is_over else send()
            if not isinstance(sent, Outcome):
                self._waiting[sent] = delivery
        if isinstance(sent, Outcome):
            delivery.finish(sent)

    def answered(self, identifier: int, outcome: Outcome) -> None:
        """Note the broker's answer; takes no lock, for the library may hold its own."""
        self._answers.append((identifier, outcome))

    def settle(self) -> list[Delivery]:
        """End the deliveries that are answered, and give them."""
        ended = []
        while self._answers:
            identifier, outcome = self._answers.popleft()
            with self._lock:
                delivery = self._waiting.pop(identifier, None)
            if delivery is not None:
                ended.append(delivery)
                delivery.finish(outcome)
        return ended

    def lose_all(self) -> None:
        """The connection ended: what is unanswered goes back to its senders, now and later."""
        with self._lock:
            self._is_over = True
            lost = list(self._waiting.values())
            self._waiting.clear()
        for delivery in lost:
            delivery.finish(Outcome.LOST)


def encode_publish(topic: bytes, payload: bytes, *, retain: bool, is_v5: bool) -> bytes:
    """The PUBLISH packet of a message with QoS 0 (MQTT 3.1.1 and 5, §3.3)."""
    length = 2 + len(topic) + is_v5 + len(payload)
    head = bytearray((0x31 if retain else 0x30,))
    while length > 0x7F:
        head.append(length & 0x7F | 0x80)
        length >>= 7
    head.append(length)
    no_properties = b"\0" if is_v5 else b""
    return b"".join((head, struct.pack("!H", len(topic)), topic, no_properties, payload))
