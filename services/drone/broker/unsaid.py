"""What has to be said to the broker, also when it was away for a while."""

from collections import deque
from collections.abc import Callable, Iterable
from typing import Protocol

from internetcar.contract.delivery import Delivery, Outcome
from internetcar.contract.message import Message

_MOST = 300
_AGAIN = (Outcome.LOST, Outcome.FULL)


class Publisher(Protocol):
    """What of a link is needed here."""

    @property
    def is_connected(self) -> bool:
        """Whether it is worth trying."""

    def publish(
        self, message: Message, then: Callable[[Delivery], None] | None = None
    ) -> Delivery | None:
        """Say one message."""


class Unsaid:
    """Says messages; events and answers wait for the broker, and the oldest give way.

    A state is not said late: on each connection the newest is said anew.
    """

    def __init__(self, link: Publisher) -> None:
        self._link = link
        self._waiting: deque[Message] = deque(maxlen=_MOST)

    def say(self, messages: Iterable[Message]) -> None:
        """Say what waits, then these."""
        if self._link.is_connected:
            for _ in range(len(self._waiting)):
                self._publish(self._waiting.popleft())
        for message in messages:
            self._publish(message)

    def _publish(self, message: Message) -> None:
        if message.RETAIN or message.QOS == 0:
            self._link.publish(message)
            return

        def then(delivery: Delivery) -> None:
            if delivery.outcome in _AGAIN:
                self._waiting.append(message)

        self._link.publish(message, then)
