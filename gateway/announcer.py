"""Tells Home Assistant what the vehicle has: on every connection, its birth, and each change."""

import logging
import threading
from collections.abc import Callable, Iterable

from gateway.discovery import Announced, Device, announce, gone, removal
from gateway.settings import HomeAssistantSettings
from internetcar.contract.delivery import Outcome
from internetcar.contract.home_assistant import Birth, DeviceAnnouncement, device_id_of
from internetcar.contract.link import Link
from internetcar.contract.signals import Catalog
from internetcar.contract.subscriptions import Received

log = logging.getLogger(__name__)


class Announcer:
    """Says one device, retained, and removes what is no longer there.

    The link's thread and the gateway's loop both speak here, one at a time.

    Args:
        link: Not started yet.
        vehicle_id: Whose device it is.
        settings: How Home Assistant is set up.
        software: What made the announcement.
        may_set: Whether Home Assistant's requester may set a leaf that somebody may.
    """

    def __init__(
        self,
        link: Link,
        vehicle_id: str,
        settings: HomeAssistantSettings,
        software: str,
        may_set: Callable[[str], bool] = lambda _: True,
    ) -> None:
        self._link = link
        self._may_set = may_set
        self._device = Device(
            vehicle_id, settings.prefix, settings.requester, settings.name, software
        )
        self._announced: Announced | None = None
        self._gone: dict[str, str] = {}
        self._is_due = False
        self._counted = (0, 0)
        self._lock = threading.RLock()
        own = DeviceAnnouncement.filter(prefix=settings.prefix, device_id=device_id_of(vehicle_id))
        link.on_received(own, self.hear, qos=1)
        link.on(Birth, self.on_birth, prefix=settings.prefix)
        link.on_connected(self.introduce)

    def describe(self, catalog: Iterable[Catalog]) -> None:
        """Take the vehicle's leaves; entities of those that are gone are removed."""
        entries = list(catalog)
        settable = {
            path
            for entry in entries
            for path, leaf in entry.leaves.items()
            if leaf.settable and self._may_set(path)
        }
        with self._lock:
            before, self._announced = self._announced, announce(entries, settable, self._device)
            if before is not None:
                self._forget(before.message)
            self._is_due = True
        self.pump()

    def hear(self, received: Received) -> None:
        """Hear what the broker remembers: entities of an earlier run that are no more go.

        Only its memory counts: two gateways of one vehicle would else answer each other for ever.
        """
        if not received.retained or not received.payload:
            return
        heard = DeviceAnnouncement.decode(received.topic, received.payload)
        with self._lock:
            self._forget(heard)
        self.pump()

    def on_birth(self, birth: Birth) -> None:
        """Home Assistant has started: it may have lost what the broker once told it."""
        if birth.state == "online":
            self.introduce()

    def introduce(self) -> None:
        """Say the device."""
        with self._lock:
            self._is_due = True
        self.pump()

    def pump(self) -> None:
        """Say what waits, as far as the link has room; call it often."""
        if not self._is_due:
            return
        with self._lock:
            if self._announced is None or not self._link.is_connected:
                return
            message = self._announced.message
            if self._gone:
                if not self._say(removal(message, self._gone)):
                    return
                self._gone = {}
            if self._say(message):
                self._is_due = False
                self._tell(self._announced)

    def _say(self, message: DeviceAnnouncement) -> bool:
        said = self._link.publish(message)
        return said is not None and said.outcome not in (Outcome.FULL, Outcome.LOST)

    def _forget(self, before: DeviceAnnouncement) -> None:
        """Remember what must be removed of an earlier announcement, and what is back."""
        if self._announced is None:
            return
        message = self._announced.message
        missing = {**self._gone, **gone(before, message)}
        self._gone = {key: platform for key, platform in missing.items()
                      if key not in message.components}  # fmt: skip
        self._is_due = self._is_due or bool(self._gone)

    def _tell(self, announced: Announced) -> None:
        message, left_out = announced
        counted = (message.entities, message.enabled)
        if counted == self._counted:
            return
        self._counted = counted
        log.info("announced %d entities to Home Assistant (%d enabled)", *counted)
        if left_out:
            log.warning("%d entities are not announced: there is no room for more", left_out)
