"""What came from the broker and was not looked at yet, in bounds, between two threads."""

import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Collection

from internetcar.contract.drone import DroneRequest
from internetcar.contract.subscriptions import Received
from services.drone.broker.request_queue import RequestQueue

_POSITIONS = 50
"""Five seconds of positions: all of them are wanted, in their order."""
_TOPICS = 1_000
"""Of signals and the like, of each topic the newest."""
_RETAINED = 100
_LONGEST_TOPIC = 400
_LONGEST_STATE = 4_096
"""Bytes of a position or another state: none of them needs as many."""
_STRANGERS = ""
"""No requester's name."""


class Inbox:
    """Filled by the link's thread, emptied by the control loop.

    Each requester that is known has a queue of its own and is heard in turn: a flood of others
    hides nothing of it. All strangers together share one queue.

    Args:
        on_request: Called for a request, in the thread of the link: somebody waits for an answer.
        known: Requesters that may ask for something.
    """

    def __init__(self, on_request: Callable[[], object], known: Collection[str] = ()) -> None:
        self.requests_dropped = 0
        """Packets from request topics for which there was no room."""
        self.states_dropped = 0
        """The same, of all others."""
        self._on_request = on_request
        self._known = frozenset(known)
        self._lock = threading.Lock()
        self._positions: deque[Received] = deque(maxlen=_POSITIONS)
        self._newest: OrderedDict[str, Received] = OrderedDict()
        self._requests: OrderedDict[str, RequestQueue] = OrderedDict()
        """Those in which something waits, whose turn is next first."""
        self._retained: OrderedDict[str, None] = OrderedDict()

    def put_position(self, received: Received) -> None:
        """Take a position; the oldest gives way."""
        with self._lock:
            if self._is_short(received):
                self._positions.append(received)

    def put_newest(self, received: Received) -> None:
        """Take a state, in the place of what its topic said before."""
        with self._lock:
            if not self._is_short(received):
                return
            if received.topic in self._newest or len(self._newest) < _TOPICS:
                self._newest[received.topic] = received
            else:
                self.states_dropped += 1

    def put_request(self, received: Received) -> None:
        """Take a packet from a request topic; one that was retained must be cleared there."""
        with self._lock:
            if len(received.topic) > _LONGEST_TOPIC:
                self.requests_dropped += 1
                return
            if received.retained and received.payload:
                self._note_retained(received.topic)
            requester = received.topic.rpartition("/")[2]
            name = requester if requester in self._known else _STRANGERS
            waiting = self._requests.get(name)
            if waiting is None:
                waiting = RequestQueue(keeps_stops=name != _STRANGERS)
                self._requests[name] = waiting
            # One byte more than a request may have: what is cut off is refused for its length.
            payload = received.payload[: DroneRequest.MAX_PAYLOAD_BYTES + 1]
            dropped = waiting.put(Received(received.topic, payload, received.retained))
            self.requests_dropped += dropped
        self._on_request()

    def take_states(self, most: int) -> list[Received]:
        """All positions, and up to so many other states, the longest waiting first."""
        with self._lock:
            taken = list(self._positions)
            self._positions.clear()
            for _ in range(min(most, len(self._newest))):
                taken.append(self._newest.popitem(last=False)[1])
        return taken

    def take_requests(self, most: int) -> list[Received]:
        """Up to so many packets, of each requester in turn."""
        taken: list[Received] = []
        with self._lock:
            while self._requests and len(taken) < most:
                name, waiting = self._requests.popitem(last=False)
                taken.append(waiting.take())
                if waiting:
                    self._requests[name] = waiting
        return taken

    def take_retained(self) -> str | None:
        """A topic where the broker remembers a request, to be cleared; `None`: none."""
        with self._lock:
            return self._retained.popitem(last=False)[0] if self._retained else None

    def _is_short(self, received: Received) -> bool:
        is_short = len(received.payload) <= _LONGEST_STATE
        self.states_dropped += not is_short
        return is_short

    def _note_retained(self, topic: str) -> None:
        if len(self._retained) < _RETAINED:
            self._retained[topic] = None
