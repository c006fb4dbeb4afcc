"""Takes the device of an earlier run back from Home Assistant, for who wants none announced."""

import logging
import time
from collections.abc import Callable

from gateway.discovery import ORIGIN
from gateway.settings import HomeAssistantSettings
from internetcar.contract.delivery import Delivery
from internetcar.contract.home_assistant import DeviceAnnouncement, device_id_of
from internetcar.contract.link import Link
from internetcar.contract.subscriptions import Received

log = logging.getLogger(__name__)

LISTENS_S = 10.0
"""So long the broker has to say what it remembers."""


class Withdrawal:
    """Clears what the broker remembers as our device, once, and else says nothing.

    It listens on one connection only: some brokers end a connection that asks for what their rules
    forbid, and who switched the announcements off because of that must not be thrown out again.

    Args:
        link: Not started yet.
        vehicle_id: Whose device it was.
        settings: How Home Assistant is set up.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        link: Link,
        vehicle_id: str,
        settings: HomeAssistantSettings,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._link = link
        self._clock = clock
        self._connected_s: float | None = None
        self._is_over = False
        self._own = DeviceAnnouncement.filter(
            prefix=settings.prefix, device_id=device_id_of(vehicle_id)
        )
        link.on_received(self._own, self.hear, qos=1)
        link.on_connected(self.on_connected)

    def on_connected(self) -> None:
        """The broker was asked what it remembers."""
        if self._connected_s is None:
            self._connected_s = self._clock()

    def hear(self, received: Received) -> None:
        """Clear a device of ours that the broker remembers."""
        if self._is_over or not received.retained or not received.payload:
            return
        heard = DeviceAnnouncement.decode(received.topic, received.payload)
        if heard.origin.name == ORIGIN:
            self._is_over = True
            self._link.publish_bytes(self._own, b"", retain=True, then=self._tell)

    def pump(self) -> None:
        """Stop to listen in time; call it often."""
        if self._link.not_permitted == self._own:
            self._link.not_permitted = None  # the link has logged it; the car is well
        since_s = self._connected_s
        if since_s is None:
            return
        if not self._link.is_connected or self._clock() - since_s >= LISTENS_S:
            self._is_over = True
        if self._is_over:
            self._link.off(self.hear)

    def _tell(self, delivery: Delivery) -> None:
        if delivery.is_acknowledged:
            log.info("Home Assistant is told to forget the vehicle (home_assistant.enabled)")
