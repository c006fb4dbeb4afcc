"""The link to the broker: what we hear, what we say, and coming back."""

import time
from collections.abc import Callable
from typing import TypeVar

from internetcar.contract.broker_url import Protocol
from internetcar.contract.connection import Connection
from internetcar.contract.delivery import Delivery
from internetcar.contract.message import Message
from internetcar.contract.mqtt import connect
from internetcar.contract.session import Session
from internetcar.contract.subscriptions import Listener, decoding

M = TypeVar("M", bound=Message)


class Link(Session):
    """Our side of the connection to a broker: what we hear, what we say, and coming back.

    `run` (handlers in the calling thread) or `start` (in a thread of its own) keeps it connected
    until `stop`. A message is acknowledged to the broker after its handlers returned.
    """

    def on(
        self, cls: type[M], handler: Callable[[M], None], *, share: str | None = None, **levels: str
    ) -> None:
        """Hear all messages of a class, narrowed by levels of the topic (`vehicle_id="kona"`).

        Args:
            cls: What to hear.
            handler: Called in the thread of the loop; an exception of it ends the process.
            share: The group of replicas of which one hears each message.
            levels: Values of the fields that stand in the topic.
        """
        prefix = f"$share/{share}/" if share else ""
        self.on_received(prefix + cls.filter(**levels), decoding(cls, handler), qos=cls.QOS)

    def off(self, listener: Listener) -> None:
        """Hear nothing by this listener any more; the next connection does not ask for it."""
        self._subscriptions.remove(listener)

    def publish(
        self, message: Message, then: Callable[[Delivery], None] | None = None
    ) -> Delivery | None:
        """Say one message; see `publish_bytes` and, for QoS 0 (then `None`), `publish_now`."""
        if message.QOS == 0:
            self.publish_now([(message.topic, message.encode())], retain=message.RETAIN)
            return None
        return self.publish_bytes(message.topic, message.encode(), retain=message.RETAIN, then=then)

    def drain(self, timeout_s: float) -> bool:
        """Wait until the broker has answered all and taken the rest; false if it did not in time.

        Not for the thread of the loop.
        """
        deadline_s = time.monotonic() + timeout_s
        while not self.is_idle:
            if time.monotonic() > deadline_s:
                return False
            time.sleep(0.005)
        return True

    def _open(self, version: Protocol) -> Connection:
        return connect(
            self.broker,
            version,
            self.client_id,
            self.options,
            self.will,
            self.loop.wake,
            self.loop.wake_fd,
        )
