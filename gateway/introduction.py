"""What a gateway says of itself: its presence, and what tells it from others."""

import hashlib
import socket
from pathlib import Path

from gateway.frames import Buses
from gateway.run import software_version
from gateway.settings import GatewaySettings
from internetcar.contract.presence import BusState, Clock, Presence


def introduce(
    settings: GatewaySettings,
    buses: Buses,
    *,
    journal: str,
    since_ms: int,
    clock: Clock,
    asleep: bool,
) -> Presence:
    """The presence of a gateway on live buses."""
    states = {}
    for bus, spec in enumerate(buses.specs):
        states[spec.name] = BusState(
            interface=f"{spec.interface}:{spec.channel}",
            state=buses.counters(bus).state,
            listen_only=spec.listen_only and not spec.transmit,
            transmit=spec.transmit,
        )
    return Presence.model_validate(
        {
            "vehicle_id": settings.vehicle_id,
            "online": True,
            "asleep": asleep,
            "journal": journal,
            "since": since_ms / 1000,
            "clock": clock,
            "origin": settings.origin,
            "software": software_version(),
            "buses": states,
        }
    )


def replica(state: Path) -> str:
    """What tells two gateways apart, and one from itself never: this machine and state folder.

    With one client id for both they would throw each other off the broker for ever, and none
    would hear that another speaks for its vehicle.
    """
    place = f"{socket.gethostname()}:{state.absolute()}"
    return hashlib.sha256(place.encode()).hexdigest()[:8]
