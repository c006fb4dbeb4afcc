"""What a `Session` needs of one connection to a broker, whatever library makes it."""

from collections import deque
from dataclasses import dataclass
from typing import Protocol

from internetcar.contract.delivery import Deliveries, Outcome
from internetcar.contract.subscriptions import Received, Subscription


@dataclass(frozen=True)
class Answer:
    """What the broker answered to our wish to connect."""

    text: str
    is_welcome: bool
    is_wrong_version: bool
    is_final: bool
    """Trying again would not change it: password, rights, client id."""


@dataclass(frozen=True)
class Arrival:
    """A message that came in, and what its acknowledgement needs."""

    identifier: int
    qos: int
    received: Received | None
    """`None` where the topic is not UTF-8."""


class Connection(Protocol):
    """One connection to a broker; turned by one thread, `send` and `publish` from any."""

    is_v5: bool
    end: str
    answer: Answer | None
    arrivals: deque[Arrival]
    deliveries: Deliveries

    @property
    def is_open(self) -> bool:
        """Whether the socket is."""

    @property
    def is_busy(self) -> bool:
        """Whether something waits for room in the socket or for the broker's answer."""

    def turn(self, timeout_s: float) -> None:
        """Wait for the socket or a wake-up, at most `timeout_s`; then read and write once."""

    def subscribe(self, subscription: Subscription) -> None:
        """Ask for topics; a refusal is logged when it comes."""

    def send(self, packets: bytes) -> bool:
        """Send QoS 0 packets now or as soon as there is room; false if there is too little."""

    def publish(
        self, topic: str, payload: bytes, retain: bool, correlation: bytes | None
    ) -> int | Outcome:
        """Queue a QoS 1 message; the packet identifier of its answer, or why it was not taken."""

    def acknowledge(self, arrival: Arrival) -> None:
        """Tell the broker that a message has been dealt with."""

    def close(self, *, with_goodbye: bool) -> None:
        """Close; with a goodbye the broker does not publish our last will."""
