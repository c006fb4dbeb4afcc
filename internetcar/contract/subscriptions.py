"""Which handler hears which topic, and what happens to what cannot be read."""

import logging
import re
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from internetcar.contract.message import ContractError, Message

log = logging.getLogger(__name__)

M = TypeVar("M", bound=Message)

_COMPLAIN_EVERY_S = 60.0
_TOPICS_REMEMBERED = 1000


@dataclass(frozen=True)
class Received:
    """A message as it came from the broker."""

    topic: str
    payload: bytes
    retained: bool = False
    """It is the broker's memory of the topic, not news; or was sent to be kept, where asked."""
    response_topic: str | None = None
    """Where the sender wants an answer; MQTT 5 only."""
    correlation: bytes | None = None
    """What the sender wants to find in the answer; MQTT 5 only."""
    packet: int = field(default=0, compare=False)
    """Its packet identifier; 0 with QoS 0."""
    is_again: bool = False
    """The broker sends it again on this connection, since it missed our acknowledgement."""


Listener = Callable[[Received], None]


@dataclass(frozen=True)
class Subscription:
    """One filter and who listens to it."""

    filter: str
    qos: int
    pattern: re.Pattern[str]
    listener: Listener
    tells_retain: bool = False
    """Whether news that a sender wants kept says so (MQTT 5: Retain As Published)."""


class Complaints:
    """Lets one complaint a topic and minute through, in bounded memory."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last_s: OrderedDict[str, float] = OrderedDict()
        self.suppressed = 0

    def is_due(self, topic: str) -> bool:
        """Whether to complain about this topic now."""
        now_s = self._clock()
        last_s = self._last_s.get(topic)
        if last_s is not None and now_s - last_s < _COMPLAIN_EVERY_S:
            self.suppressed += 1
            return False
        self._last_s[topic] = now_s
        self._last_s.move_to_end(topic)
        if len(self._last_s) > _TOPICS_REMEMBERED:
            self._last_s.popitem(last=False)
        return True


class Subscriptions:
    """The filters of one client, and the way from a message to its listeners."""

    def __init__(self) -> None:
        self._all: list[Subscription] = []
        self._complaints = Complaints()
        self.unreadable = 0
        """How many messages broke the contract and were dropped."""

    def __iter__(self) -> Iterator[Subscription]:
        return iter(tuple(self._all))

    def add(
        self, topic_filter: str, qos: int, listener: Listener, *, tells_retain: bool = False
    ) -> Subscription:
        """Remember a listener; a filter may begin with `$share/GROUP/`."""
        pattern = filter_pattern(topic_filter)
        added = Subscription(topic_filter, qos, pattern, listener, tells_retain)
        self._all.append(added)
        return added

    def remove(self, listener: Listener) -> None:
        """Forget a listener, of all its filters."""
        self._all = [each for each in self._all if each.listener != listener]

    def dispatch(self, received: Received) -> None:
        """Give a message to all who listen to its topic.

        What breaks the contract is dropped, and logged once a minute and topic. Any other error
        of a listener is a bug and goes up.
        """
        for subscription in tuple(self._all):
            if subscription.pattern.fullmatch(received.topic) is None:
                continue
            try:
                subscription.listener(received)
            except ContractError as error:
                self.complain(received.topic, error)

    def complain(self, topic: str, error: Exception) -> None:
        """Count a message that cannot be read, and log it if its topic was quiet for a minute."""
        self.unreadable += 1
        if self._complaints.is_due(topic):
            log.warning("dropped: %s", error)


def decoding(cls: type[M], handler: Callable[[M], None]) -> Listener:
    """A listener that reads messages of one class and hands them on."""

    def listen(received: Received) -> None:
        handler(cls.decode(received.topic, received.payload))

    return listen


def filter_pattern(topic_filter: str) -> re.Pattern[str]:
    """The topics an MQTT filter matches; wildcards do not match a leading `$` (MQTT §4.7.2)."""
    levels = topic_filter.split("/")
    if levels[0] == "$share":
        levels = levels[2:]
    text = "/".join("[^/]*" if level == "+" else re.escape(level) for level in levels)
    if levels[-1] == "#":
        text = ".*" if len(levels) == 1 else text.removesuffix("/" + re.escape("#")) + "(?:/.*)?"
    guard = r"(?!\$)" if levels[0] in ("+", "#") else ""
    return re.compile(guard + text, re.DOTALL)
