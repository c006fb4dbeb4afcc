"""Commands between the link's thread and the gateway's loop: bounded, and fair to requesters."""

import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

from gateway.requests import LONGEST_ANSWER_TOPIC, LONGEST_CORRELATION
from gateway.throttle import Throttle
from internetcar.contract.commands import Command
from internetcar.contract.subscriptions import Received

_MOST_WAITING = 64
"""Of one requester."""
_BURST, _PER_S = 100, 50
"""Of a requester whom the settings know, at least; the rules of actuators are stricter."""
_OF_RATE = 4
"""So many times the commands a second that the settings let it give are read."""
_STRANGERS_BURST, _STRANGERS_PER_S = 20, 10
"""Of all others together: each gets a refusal, a flood of them does not."""
_MOST_RETAINED, _LONGEST_TOPIC = 10_000, 400
"""What is beyond is cleared after a later connection, when the broker tells it again."""
_PACKETS_REMEMBERED = 256
"""More than a broker has under way on one connection."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A packet and when it came."""

    received: Received
    received_ns: int
    """Monotonic."""


class Inbox:
    """Takes packets in one thread, and gives them in another.

    A flood of one requester costs only that requester: what is beyond its share is dropped here,
    before it is read, and counted.
    """

    def __init__(self, on_put: Callable[[], None], requester_rate_hz: float = 10.0) -> None:
        """Begin empty.

        Args:
            on_put: Called when the other thread has something to take.
            requester_rate_hz: Commands a second that one requester may give.
        """
        self.dropped = 0
        self._on_put = on_put
        self._lock = threading.Lock()
        self._known: Collection[str] = ()
        self._waiting: OrderedDict[str, deque[Waiting]] = OrderedDict()
        self._throttle = Throttle(_BURST, max(_PER_S, _OF_RATE * requester_rate_hz))
        self._strangers = Throttle(_STRANGERS_BURST, _STRANGERS_PER_S)
        self._packets: OrderedDict[int, int] = OrderedDict()
        self._retained: dict[str, None] = {}

    @property
    def has_any(self) -> bool:
        """Whether there may be something to take."""
        return bool(self._waiting or self._retained)

    def know(self, requesters: Collection[str]) -> None:
        """Whom the settings let set anything."""
        with self._lock:
            self._known = frozenset(requesters)

    def put(self, received: Received, now_ns: int) -> None:
        """Take a packet; `now_ns` is the monotonic clock."""
        if self._is_again(received):
            return
        if received.retained and received.payload:
            self.note_retained(received.topic)
        levels = received.topic.split("/", 5)
        requester = levels[4] if len(levels) > 4 else ""
        with self._lock:
            is_known = requester in self._known
            key = requester if is_known else ""
            throttle = self._throttle if is_known else self._strangers
            waiting = self._waiting.setdefault(key, deque())
            if len(waiting) >= _MOST_WAITING or not throttle.take(key, now_ns):
                self.dropped += 1
                return
            waiting.append(Waiting(_bounded(received), now_ns))
        self._on_put()

    def note_retained(self, topic: str) -> None:
        """A topic that must be cleared: the broker remembers a command there."""
        with self._lock:
            if len(self._retained) < _MOST_RETAINED and len(topic) <= _LONGEST_TOPIC:
                self._retained[topic] = None

    def take_retained(self) -> str | None:
        """A topic to clear; `None`: none."""
        with self._lock:
            return self._retained.popitem()[0] if self._retained else None

    def take(self, most: int) -> list[Waiting]:
        """Up to so many packets, of each requester in turn."""
        taken: list[Waiting] = []
        with self._lock:
            while self._waiting and len(taken) < most:
                key, waiting = self._waiting.popitem(last=False)
                if waiting:
                    taken.append(waiting.popleft())
                if waiting:
                    self._waiting[key] = waiting
        return taken

    def _is_again(self, received: Received) -> bool:
        """Whether the broker sends a packet again that we have: it is the same command."""
        if not received.packet:
            return False
        content = hash((received.topic, received.payload))
        if received.is_again and self._packets.get(received.packet) == content:
            return True
        self._packets[received.packet] = content
        self._packets.move_to_end(received.packet)
        if len(self._packets) > _PACKETS_REMEMBERED:
            self._packets.popitem(last=False)
        return False


def _bounded(received: Received) -> Received:
    """A packet without what lies beyond its bounds, for which it is refused when it is read.

    A broker hands over a mebibyte of payload, and 64 KiB of each property.
    """
    return replace(
        received,
        payload=received.payload[: Command.MAX_PAYLOAD_BYTES + 1],
        response_topic=received.response_topic
        and received.response_topic[: LONGEST_ANSWER_TOPIC + 1],
        correlation=received.correlation and received.correlation[: LONGEST_CORRELATION + 1],
    )
