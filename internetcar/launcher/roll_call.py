"""Who is there: what a broker remembers of its vehicles, and how they fare now."""

import time
from dataclasses import dataclass, field

from internetcar.contract.broker_url import BrokerUrl
from internetcar.contract.link import Link
from internetcar.contract.message import InputError
from internetcar.contract.presence import Health, Presence
from internetcar.launcher.options import vehicle_id_of

CONNECT_S = 10.0
PRESENCE_S = 0.4
"""Retained messages come at once."""
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


def one_vehicle(broker: BrokerUrl, wanted: str, *, is_online: bool = False) -> str:
    """The vehicle a command is about: the one that is named, else the only one of the broker.

    Args:
        broker: Whose vehicles.
        wanted: Named by the user, or empty.
        is_online: Only those that are online count.

    Raises:
        InputError: There is none, or several: the text lists them.
        LinkError: No connection to the broker.
    """
    if wanted:
        return vehicle_id_of(wanted)
    presences = _presences(broker) if is_online else roll_call(broker).presences
    known = [name for name, presence in sorted(presences.items())
             if presence.online or not is_online]  # fmt: skip
    if len(known) == 1:
        return known[0]
    which = "has no vehicle online" if is_online else "knows no vehicle yet"
    if known:
        which = f"{'has' if is_online else 'knows'} {', '.join(known)}"
    raise InputError(f"--vehicle-id: which one? {broker} {which}")


def _presences(broker: BrokerUrl) -> dict[str, Presence]:
    """What the broker remembers: it comes at once, and as one."""
    heard: dict[str, Presence] = {}
    link = Link(broker, f"roll-call-{time.monotonic_ns():x}")
    link.on(Presence, lambda presence: heard.update({presence.vehicle_id: presence}))
    link.start(wait_s=CONNECT_S)
    time.sleep(PRESENCE_S)
    link.stop()
    return heard
