"""Hands committed batches to the link: oldest first, and only so many at a time.

A state machine without clock, disk or network. The broker's acknowledgement frees the place of a
batch; what is lost with a connection is sent again, in order.
"""

import logging
from collections.abc import Callable
from typing import Protocol

from gateway.journals import Stored
from internetcar.contract.delivery import Delivery, Outcome

log = logging.getLogger(__name__)

_RETRY_MS = 500


class Unsent(Protocol):
    """Where the batches come from, and where their acknowledgement goes."""

    def next_unsent(self) -> Stored | None:
        """The next to send, each once; `None` if there is none now."""

    def acknowledge(self, through: int) -> None:
        """The broker has everything up to this number."""


class _Sent:
    """A batch on its way; `delivery` is `None` while it waits to be sent (again)."""

    __slots__ = ("batch", "delivery")

    def __init__(self, batch: Stored) -> None:
        self.batch = batch
        self.delivery: Delivery | None = None


class Sender:
    """Keeps at most `most_in_flight` batches on their way.

    Args:
        source: The outbox, or the answers to repair requests.
        publish: Sends one batch and gives its delivery.
        most_in_flight: More makes the client slower, not faster.
    """

    def __init__(
        self,
        source: Unsent,
        publish: Callable[[bytes], Delivery],
        *,
        most_in_flight: int = 20,
    ) -> None:
        self._source = source
        self._publish = publish
        self._most_in_flight = most_in_flight
        self._sent: list[_Sent] = []
        self._newest = 0
        self._wait_until_ms: int | None = None
        self._refused: Outcome | None = None

    @property
    def in_flight(self) -> int:
        """How many batches are handed out and not acknowledged."""
        return len(self._sent)

    def on_connected(self) -> None:
        """A connection is there: send again at the next `pump`, without waiting."""
        self._wait_until_ms = None

    def pump(self, now_ms: int) -> None:
        """Note what was acknowledged, send again what was lost, and fill the free places.

        Args:
            now_ms: Monotonic clock.
        """
        self._settle(now_ms)
        while len(self._sent) < self._most_in_flight:
            batch = self._source.next_unsent()
            if batch is None:
                break
            self._sent.append(_Sent(batch))
            self._newest = batch.number
        if self._wait_until_ms is not None and now_ms < self._wait_until_ms:
            return
        for sent in self._sent:
            if sent.delivery is None:
                sent.delivery = self._publish(sent.batch.payload)
                if sent.delivery.outcome not in (None, Outcome.ACKNOWLEDGED):
                    break
        self._settle(now_ms)

    def _settle(self, now_ms: int) -> None:
        """Drop what is acknowledged; what ended otherwise waits to be sent again."""
        for sent in self._sent:
            outcome = sent.delivery.outcome if sent.delivery else None
            if outcome not in (None, Outcome.ACKNOWLEDGED):
                sent.delivery = None
                self._wait_until_ms = now_ms + _RETRY_MS
                self._complain(outcome)
        waiting = [
            sent for sent in self._sent if not (sent.delivery and sent.delivery.is_acknowledged)
        ]
        if len(waiting) < len(self._sent):
            through = waiting[0].batch.number - 1 if waiting else self._newest
            self._sent = waiting
            self._source.acknowledge(through)

    def _complain(self, outcome: Outcome | None) -> None:
        """Log a refusal once, and again after it was another."""
        if outcome in (Outcome.NOT_PERMITTED, Outcome.REFUSED) and outcome is not self._refused:
            log.warning("the broker does not take telemetry (%s): it stays on disk", outcome.value)
            self._refused = outcome
