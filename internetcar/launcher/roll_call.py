"""Who is there: what a broker remembers of its vehicles, and how they fare now."""

import time
from dataclasses import dataclass, field

from internetcar.contract.broker_url import BrokerUrl
from internetcar.contract.link import Link
from internetcar.contract.presence import Health, Presence

CONNECT_S = 10.0
LISTEN_S = 1.5
"""Health comes once a second from each vehicle that is online."""


@dataclass
class Heard:
    """What was heard of one vehicle."""

    presence: Presence
    health: Health | None = None


@dataclass
class RollCall:
    """What was heard while we listened."""

    presences: dict[str, Presence] = field(default_factory=dict)
    healths: dict[str, Health] = field(default_factory=dict)

    @property
    def vehicles(self) -> list[Heard]:
        """Every vehicle that has said its presence, by id."""
        return [
            Heard(presence, self.healths.get(vehicle_id))
            for vehicle_id, presence in sorted(self.presences.items())
        ]


def roll_call(broker: BrokerUrl) -> RollCall:
    """Listen long enough to hear every vehicle of a broker once.

    Raises:
        LinkError: No connection to the broker.
    """
    heard = RollCall()

    def on_presence(presence: Presence) -> None:
        heard.presences[presence.vehicle_id] = presence

    def on_health(health: Health) -> None:
        heard.healths[health.vehicle_id] = health

    link = Link(broker, f"roll-call-{time.monotonic_ns():x}")
    link.on(Presence, on_presence)
    link.on(Health, on_health)
    link.start(wait_s=CONNECT_S)
    time.sleep(LISTEN_S)
    link.stop()
    return heard
