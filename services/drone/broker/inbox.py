"""What came from the broker and was not looked at yet, in bounds, between two threads."""

import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import replace

from internetcar.contract.drone import DroneRequest
from internetcar.contract.subscriptions import Received

_POSITIONS = 50
"""Five seconds of positions: all of them are wanted, in their order."""
_TOPICS = 4_000
"""Of signals and the like, of each topic the newest."""
_REQUESTERS = 100
_OF_ONE_REQUESTER = 20
_RETAINED = 100
_STOP = b"drone_emergency_stop"
_LONGEST_TOPIC = 400


class Inbox:
    """Filled by the link's thread, emptied by the control loop.

    Each requester has a queue of its own and is heard in turn: a flood of one does not hide the
    stop of another.

    Args:
        on_request: Called for a request, in the thread of the link: somebody waits for an answer.
    """

    def __init__(self, on_request: Callable[[], object]) -> None:
        self.requests_dropped = 0
        """Packets from request topics for which there was no room."""
        self.states_dropped = 0
        """The same, of all others."""
        self._on_request = on_request
        self._lock = threading.Lock()
        self._positions: deque[Received] = deque(maxlen=_POSITIONS)
        self._newest: OrderedDict[str, Received] = OrderedDict()
        self._requests: OrderedDict[str, deque[Received]] = OrderedDict()
        self._retained: OrderedDict[str, None] = OrderedDict()

    def put_position(self, received: Received) -> None:
        """Take a position; the oldest gives way."""
        with self._lock:
            self._positions.append(received)

    def put_newest(self, received: Received) -> None:
        """Take a state, in the place of what its topic said before."""
        with self._lock:
            if received.topic in self._newest or len(self._newest) < _TOPICS:
                self._newest[received.topic] = received
            else:
                self.states_dropped += 1

    def put_request(self, received: Received) -> None:
        """Take a packet from a request topic; one that was retained must be cleared there."""
        requester = received.topic.rpartition("/")[2][:40]
        # One byte more than a request may have: what is cut off is refused for its length.
        payload = received.payload[: DroneRequest.MAX_PAYLOAD_BYTES + 1]
        with self._lock:
            is_kept = received.retained and received.payload
            if is_kept and len(received.topic) <= _LONGEST_TOPIC:
                self._note_retained(received.topic)
            waiting = self._requests.get(requester)
            if waiting is None and len(self._requests) < _REQUESTERS:
                waiting = self._requests[requester] = deque()
            if waiting and len(waiting) >= _OF_ONE_REQUESTER and _STOP in payload:
                # It is the end of all that its requester asked before; it must not be lost in it.
                self.requests_dropped += len(waiting)
                waiting.clear()
            if waiting is None or len(waiting) >= _OF_ONE_REQUESTER:
                self.requests_dropped += 1
                return
            waiting.append(replace(received, payload=payload))
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
                requester, waiting = self._requests.popitem(last=False)
                taken.append(waiting.popleft())
                if waiting:
                    self._requests[requester] = waiting
        return taken

    def take_retained(self) -> str | None:
        """A topic where the broker remembers a request, to be cleared; `None`: none."""
        with self._lock:
            return self._retained.popitem(last=False)[0] if self._retained else None

    def _note_retained(self, topic: str) -> None:
        if len(self._retained) < _RETAINED:
            self._retained[topic] = None
