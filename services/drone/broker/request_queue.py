"""Requests that wait, of one requester, in bounds (pure)."""

from collections import deque

from internetcar.contract.drone import DroneRequest
from internetcar.contract.subscriptions import Received
from services.drone.broker.requests import Unreadable, read, right_of

MOST = 20
MOST_BYTES = 64 << 10
"""Four of the longest requests there may be."""
_STOPS = 10
"""So many stops make room for no other; the next takes the place of the oldest."""
_STOP = b"drone_emergency_stop"
_ESCAPE = rb"\u"
"""JSON may write any letter so."""


class RequestQueue:
    """First in, first out. What does not fit is dropped, but never a stop for what is none.

    Args:
        keeps_stops: Whether a stop makes room for itself: it is the end of all that was asked
            before it.
    """

    def __init__(self, *, keeps_stops: bool) -> None:
        self._keeps_stops = keeps_stops
        self._waiting: deque[Received] = deque()
        self._bytes = 0

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def put(self, received: Received) -> int:
        """Take a packet; how many were dropped, this one or others."""
        before = len(self._waiting)
        if not self._fits(received):
            if not self._keeps_stops or not _is_stop(received):
                return 1
            self._keep_stops(received)
        self._append(received)
        return before + 1 - len(self._waiting)

    def take(self) -> Received:
        """The one that has waited longest; there must be one."""
        received = self._waiting.popleft()
        self._bytes -= _size(received)
        return received

    def _fits(self, received: Received) -> bool:
        is_room = len(self._waiting) < MOST
        return is_room and self._bytes + _size(received) <= MOST_BYTES

    def _keep_stops(self, coming: Received) -> None:
        """Drop all that is no stop, and the oldest stops that leave no room for one more."""
        stops = deque(each for each in self._waiting if _is_stop(each))
        size = sum(map(_size, stops)) + _size(coming)
        while len(stops) >= _STOPS or size > MOST_BYTES:
            size -= _size(stops.popleft())
        self._waiting, self._bytes = stops, size - _size(coming)

    def _append(self, received: Received) -> None:
        self._waiting.append(received)
        self._bytes += _size(received)


def _size(received: Received) -> int:
    return len(received.payload)


def _is_stop(received: Received) -> bool:
    """Whether it is a request to stop, and not one that only has the word in it."""
    payload = received.payload
    if received.retained or (_STOP not in payload and _ESCAPE not in payload):
        return False
    found: DroneRequest | Unreadable = read(received.topic, payload, retained=False)
    return isinstance(found, DroneRequest) and right_of(found) == "stop" and not found.dry_run
