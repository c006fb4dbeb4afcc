"""When to try again to reach the broker, in which version of MQTT, and when not."""

import random
from dataclasses import dataclass

from internetcar.contract.broker_url import Protocol
from internetcar.contract.message import InputError


class LinkError(InputError):
    """The link to the broker cannot do what was asked of it."""


class BrokerUnreachableError(LinkError):
    """No connection to the broker in time; says the last reason."""


class BrokerRefusedError(LinkError):
    """The broker does not let us in: wrong password, no rights, or a bad client id."""


@dataclass(frozen=True)
class LinkOptions:
    """How a link behaves; the defaults suit a broker in the same car."""

    persistent: bool = False
    """Whether the broker keeps our subscriptions and what we miss (needs a stable client id)."""
    keepalive_s: int = 20
    in_flight: int = 20
    queued: int = 2000
    """QoS 1 messages that may wait for the broker's answer; more are not taken."""
    connect_timeout_s: float = 5.0
    connack_timeout_s: float = 3.0
    first_retry_s: float = 0.5
    longest_retry_s: float = 30.0
    outlives_refusal: bool = False
    """Whether a broker that does not let us in is only away, and asked again and again."""


class Backoff:
    """Delays that grow to a most and are spread, so that a fleet does not return in one moment."""

    def __init__(self, first_s: float, most_s: float, chance: random.Random) -> None:
        self._first_s = first_s
        self._most_s = most_s
        self._chance = chance
        self._failures = 0

    def next_s(self) -> float:
        """The seconds to wait before the next attempt: half to all of a span that doubles."""
        span_s = min(self._most_s, self._first_s * 2.0 ** min(self._failures, 30))
        self._failures += 1
        return span_s * self._chance.uniform(0.5, 1.0)

    def reset(self) -> None:
        """A connection held: begin with the first delay again."""
        self._failures = 0


class Dialect:
    """The version of MQTT to speak: 5 first, 3.1.1 where 5 gets no answer, then what worked."""

    def __init__(self, known: Protocol | None) -> None:
        self.version: Protocol = known or "5"
        self._is_settled = known is not None

    def accepted(self) -> None:
        """The broker took a connection in this version: keep to it."""
        self._is_settled = True

    def unanswered(self) -> bool:
        """The broker refused the version, hung up or stayed silent; true to try another now."""
        if self._is_settled:
            return False
        self.version = "3.1.1" if self.version == "5" else "5"
        return self.version == "3.1.1"
