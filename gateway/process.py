"""The process of a live gateway: its settings, its signals, its end."""

import argparse
import logging
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from gateway.live import LiveGateway
from gateway.settings import GatewaySettings, load_settings
from internetcar.contract.broker_url import BrokerUrl, parse_broker_url
from internetcar.contract.loop import end_process
from internetcar.contract.message import InputError
from internetcar.contract.settings import SettingsError


def run(settings: GatewaySettings, broker: BrokerUrl, state: Path) -> None:
    """Run the gateway in this process until SIGTERM or SIGINT.

    Raises:
        InputError: The settings name something that cannot be; before anything is started.
    """
    threading.excepthook = _on_thread_failure
    gateway = LiveGateway(settings, broker, state)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: gateway.stop())
    gateway.run()


def _on_thread_failure(failure: Any) -> None:
    end_process(failure.exc_value)


def main() -> None:
    """The entry point: a settings file whose `broker` and `state` are given."""
    parser = argparse.ArgumentParser("gateway", description="CAN frames to MQTT.")
    parser.add_argument("settings", type=Path, help="internetcar.toml")
    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s")
    for room in ("gateway", "internetcar"):
        logging.getLogger(room).setLevel(logging.INFO)
    try:
        settings = load_settings(parser.parse_args().settings)
        named = settings.broker or os.environ.get("INTERNETCAR_BROKER", "")
        if not named or not settings.state:
            raise SettingsError("`broker` and `state` must be given; `car gateway` finds them")
        run(settings, parse_broker_url(named), Path(settings.state))
    except InputError as error:
        sys.exit(f"gateway: {error}")
