"""Answers readers who missed batches: what they ask for is sent again, byte for byte.

A state machine without clock, disk or network; requests come from anybody, so all of it is
bounded, and readers take turns.
"""

import logging
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Protocol

from gateway.outbox import StorageError
from gateway.telemetry import parse_own
from internetcar.contract.delivery import Delivery
from internetcar.contract.telemetry import RepairedTelemetry, TelemetryRequest

log = logging.getLogger(__name__)

_SLICE = 50


class History(Protocol):
    """Where the batches are."""

    def batches(self, journal: str, first: int, last: int) -> "Future[list[bytes]]":
        """What was written for these sequences; empty where there is nothing (any more)."""


class RepairRequests:
    """The requests that wait, and the answer that is on its way.

    A reader repeats what it still misses, so nothing here is kept over a lost connection.

    Args:
        history: The outbox.
        publish: Sends one payload on a topic and gives its delivery.
        most_waiting: Requests beyond this are dropped.
        most_in_flight: How much of an answer is on its way at a time.
    """

    def __init__(
        self,
        history: History,
        publish: Callable[[str, bytes], Delivery],
        *,
        most_waiting: int = 64,
        most_in_flight: int = 20,
    ) -> None:
        self._history = history
        self._publish = publish
        self._most_waiting = most_waiting
        self._most_in_flight = most_in_flight
        self._waiting: deque[TelemetryRequest] = deque()
        self._reading: tuple[TelemetryRequest, Future[list[bytes]]] | None = None
        self._answer: deque[tuple[str, bytes]] = deque()
        self._sent: list[Delivery] = []

    def on_request(self, request: TelemetryRequest) -> None:
        """Take a request; one that waits already, or is one too many, is dropped."""
        if request in self._waiting:
            return
        if len(self._waiting) >= self._most_waiting:
            log.warning("too many telemetry requests wait; that of %s is dropped", request.reply_to)
            return
        self._waiting.append(request)

    def pump(self) -> None:
        """Go on with the answers, as far as the broker and the disk are."""
        self._sent = [delivery for delivery in self._sent if delivery.outcome is None]
        if not self._answer:
            self._read()
        while self._answer and len(self._sent) < self._most_in_flight:
            self._sent.append(self._publish(*self._answer.popleft()))

    def _read(self) -> None:
        """Take up a slice that was read, or ask for the next."""
        if self._reading is None:
            if self._waiting:
                request = self._waiting.popleft()
                last = min(request.last, request.first + _SLICE - 1)
                read = self._history.batches(request.journal, request.first, last)
                self._reading = (request, read)
        elif self._reading[1].done():
            request, read = self._reading
            self._reading = None
            self._take(request, read)

    def _take(self, request: TelemetryRequest, read: "Future[list[bytes]]") -> None:
        try:
            payloads = read.result()
        except StorageError as error:
            log.warning("telemetry asked for by %s cannot be read: %s", request.reply_to, error)
            return
        if not payloads:
            return
        topic = RepairedTelemetry.TOPIC.format(
            requester=request.reply_to, vehicle_id=request.vehicle_id
        )
        self._answer.extend((topic, payload) for payload in payloads)
        end = parse_own(request.vehicle_id, payloads[-1]).sequence
        if end < request.last:
            self._waiting.append(request.model_copy(update={"first": end + 1}))
