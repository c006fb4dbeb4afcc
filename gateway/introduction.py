"""What a gateway says of itself: its presence."""

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
