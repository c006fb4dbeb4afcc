"""The embedded broker (amqtt) as a process: `python -m internetcar.launcher.embedded`.

It reads one line of JSON from its standard input, `{"port": …, "username": …, "password": …}`,
listens on 127.0.0.1 only, and ends with its standard input or on SIGTERM.
"""

import asyncio
import contextlib
import hmac
import json
import logging
import os
import signal
import sys
from dataclasses import dataclass

from amqtt.broker import Broker, BrokerContext
from amqtt.contexts import BrokerConfig, ListenerConfig
from amqtt.plugins.base import BaseAuthPlugin
from amqtt.session import Session


class OneUser(BaseAuthPlugin):  # type: ignore[misc]  # amqtt is untyped
    """Lets in the one user whose name and password were generated."""

    def __init__(self, context: BrokerContext) -> None:
        super().__init__(context)
        self._username = self._get_config_option("username")
        self._password = self._get_config_option("password")

    async def authenticate(self, *, session: Session) -> bool:
        """Whether the client knows both."""
        given = f"{session.username or ''}\n{session.password or ''}"
        known = f"{self._username}\n{self._password}"
        return hmac.compare_digest(given.encode(), known.encode())

    @dataclass
    class Config:
        """The generated credentials."""

        username: str
        password: str


class FaithfulBroker(Broker):  # type: ignore[misc]  # amqtt is untyped
    """Sends retained messages for a session's own filters alone.

    amqtt 0.12 sends a new connection whatever matches a filter of anybody.
    """

    async def _publish_retained_messages_for_subscription(
        self, subscription: tuple[str, int], session: Session
    ) -> None:
        owners = self.subscriptions.get(subscription[0], ())
        if any(owner.client_id == session.client_id for owner, _ in owners):
            await super()._publish_retained_messages_for_subscription(subscription, session)


async def serve(port: int, username: str, password: str) -> None:
    """Listen on 127.0.0.1 until standard input ends or SIGTERM comes."""
    plugin = f"{OneUser.__module__}.{OneUser.__name__}"
    broker = FaithfulBroker(
        BrokerConfig(
            listeners={"default": ListenerConfig(bind=f"127.0.0.1:{port}")},
            plugins={plugin: {"username": username, "password": password}},
        )
    )
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    loop.add_reader(sys.stdin.fileno(), ended.set)
    await broker.start()
    await ended.wait()
    loop.remove_reader(sys.stdin.fileno())
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(broker.shutdown(), 1.0)


def main() -> None:
    """Serve, as the line on standard input says."""
    logging.basicConfig(level=logging.ERROR, format="embedded broker: %(message)s")
    logging.getLogger("transitions").setLevel(logging.CRITICAL)
    settings = json.loads(sys.stdin.readline())
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(settings["port"], settings["username"], settings["password"]))
    os._exit(0)  # amqtt leaves tasks that asyncio would wait for


if __name__ == "__main__":
    main()
