"""`python -m gateway.alive`: whether the gateway is online now; the health check of a container."""

import argparse
import os
import sys
import threading
from pathlib import Path

from gateway.settings import load_settings, make_settings
from internetcar.contract.broker_url import BrokerUrl, parse_broker_url
from internetcar.contract.link import Link
from internetcar.contract.message import InputError
from internetcar.contract.presence import Health, Presence
from internetcar.contract.settings import SettingsError

PATIENCE_S = 5.0
"""Presence is retained and comes at once; health is said once a second."""


def trouble(
    broker: BrokerUrl, vehicle_id: str, *, awake: bool = False, patience_s: float = PATIENCE_S
) -> str | None:
    """What is wrong with the gateway of a vehicle; `None` when it is online and says its health.

    Args:
        broker: Where to listen.
        vehicle_id: Whose gateway.
        awake: Frames must arrive, too.
        patience_s: How long to listen at most.

    Raises:
        LinkError: No connection to the broker.
    """
    said: list[Presence] = []
    healths: list[Health] = []
    says_health = threading.Event()

    def on_health(health: Health) -> None:
        healths.append(health)
        says_health.set()

    link = Link(broker, f"alive-{os.getpid()}")
    link.on(Presence, said.append, vehicle_id=vehicle_id)
    link.on(Health, on_health, vehicle_id=vehicle_id)
    link.start(wait_s=patience_s)
    says_health.wait(patience_s)
    link.stop()
    if not said:
        return "the broker does not know it"
    if not said[-1].online:
        return "offline"
    if not healths:
        return "online, but says no health"
    is_awake = any(bus.frames_per_s > 0 for bus in healths[-1].buses.values())
    return "online, but no frames arrive" if awake and not is_awake else None


def main() -> None:
    """The entry point: exit code 0 when the gateway is online, 1 when not, with one line why."""
    parser = argparse.ArgumentParser("gateway.alive", description="Is the gateway online?")
    parser.add_argument("settings", type=Path, nargs="?", help="internetcar.toml, if there is one")
    parser.add_argument("--awake", action="store_true", help="frames must arrive, too")
    given = parser.parse_args()
    try:
        settings = load_settings(given.settings) if given.settings else make_settings()
        broker = settings.broker or os.environ.get("INTERNETCAR_BROKER", "")
        if not broker:
            raise SettingsError("no broker: set INTERNETCAR_BROKER")
        problem = trouble(parse_broker_url(broker), settings.vehicle_id, awake=given.awake)
    except InputError as error:
        problem = str(error)
    else:
        problem = problem and f"{settings.vehicle_id}: {problem}"
    if problem:
        sys.exit(f"alive: {problem}")


if __name__ == "__main__":
    main()
