"""Keeping a vehicle's retained presence true: old wills, two gateways, and brokers that forbid."""

import threading
import time
from collections.abc import Callable
from enum import Enum, auto

from internetcar.contract.delivery import Delivery
from internetcar.contract.link import Link
from internetcar.contract.message import ContractError
from internetcar.contract.presence import Presence
from internetcar.contract.subscriptions import Received

_HEARD_WITHIN_S = 10.0
"""An own message that has not come back by then was not let through."""
_UNHEARD_GREETINGS = 2
"""After so many connections on which it did not, we need not wait (mosquitto 2.0.11 hangs up)."""


class Verdict(Enum):
    """What a presence heard on our own topic means to us."""

    OURS = auto()
    """Our own words came back: the broker lets us publish."""
    FALSE = auto()
    """It hides that we are here: an old will, or an older gateway. Say it again."""
    TAKEN_OVER = auto()
    """A newer gateway speaks for the vehicle."""
    OLD = auto()
    """What the broker remembered from before; ours is on its way."""


def judge(heard: Presence, own: Presence, *, retained: bool) -> Verdict:
    """What a presence means to the gateway that says `own`, which is online."""
    if not heard.online:
        return Verdict.FALSE
    if heard.journal == own.journal:
        return Verdict.OURS
    if retained:
        return Verdict.OLD
    is_newer = (heard.since, heard.journal) > (own.since, own.journal)
    return Verdict.TAKEN_OVER if is_newer else Verdict.FALSE


class PresenceKeeper:
    """Says the presence on every connection, corrects it, and knows whether it gets through."""

    def __init__(
        self,
        link: Link,
        own: Presence,
        on_taken_over: Callable[[Presence], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Set the link's will and listen; before the link runs.

        Args:
            link: Not running yet.
            own: The presence to say, online.
            on_taken_over: Called once a connection when a newer gateway speaks for the vehicle;
                we are silent until it leaves.
            clock: Monotonic seconds.
        """
        self._link = link
        self._own = own
        self._on_taken_over = on_taken_over
        self._clock = clock
        self._greeted_s = 0.0
        self._unheard = 0
        self._is_taken_over = False
        self._is_leaving = False
        self._lock = threading.RLock()
        """Held from the look at what to say until it is said: what is older must not come last."""
        link.will = _offline(own)
        link.on_received(own.topic, self._hear, qos=own.QOS)
        link.on_connected(self._greet)

    def update(self, own: Presence) -> None:
        """Say a new presence of the same journal."""
        with self._lock:
            self._own = own
            self._link.will = _offline(own)
            self._say()

    def leave(self, then: Callable[[Delivery], None] | None = None) -> Delivery | None:
        """Say that we go; nothing is corrected from here on."""
        with self._lock:
            self._is_leaving = True
            return None if self._is_taken_over else self._link.publish(_offline(self._own), then)

    @property
    def is_taken_over(self) -> bool:
        """Whether a newer gateway speaks for the vehicle."""
        return self._is_taken_over

    def problem(self) -> str | None:
        """Why others may not hear us, in words for a person; `None` while all is well."""
        if self._is_taken_over:
            return f"taken_over: another gateway speaks for {self._own.vehicle_id}"
        is_late = self._link.is_connected and self._clock() - self._greeted_s > _HEARD_WITHIN_S
        is_unheard = self._unheard > _UNHEARD_GREETINGS or (self._unheard > 0 and is_late)
        if (is_unheard and not self._is_leaving) or self._link.not_permitted is not None:
            topic = self._link.not_permitted or self._own.topic
            return (
                f"not_permitted: the broker's rules do not let {self._link.broker.username or 'us'}"
                f" publish {topic}"
            )
        return None

    def _greet(self) -> None:
        self._greeted_s = self._clock()
        self._unheard += 1
        self._is_taken_over = False  # the other may have left while the broker was away
        self._say()

    def _say(self) -> None:
        with self._lock:
            if not self._is_taken_over and not self._is_leaving:
                self._link.publish(self._own)

    def _hear(self, received: Received) -> None:
        try:
            heard = Presence.decode(received.topic, received.payload)
        except ContractError:
            self._say()
            raise
        match judge(heard, self._own, retained=received.retained):
            case Verdict.OURS:
                self._unheard = 0
                if self._link.not_permitted == received.topic:
                    self._link.not_permitted = None
            case Verdict.FALSE:
                self._is_taken_over = False
                self._say()
            case Verdict.TAKEN_OVER if not self._is_taken_over:
                self._is_taken_over = True
                self._on_taken_over(heard)
            case _:
                pass


def _offline(own: Presence) -> Presence:
    return own.model_copy(update={"online": False})
