"""Tells Home Assistant what the vehicle has: on every connection, its birth, and each change."""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Set

from gateway.discovery import Announced, Device, announce, gone, removal
from gateway.settings import HomeAssistantSettings
from internetcar.contract.delivery import Delivery, Outcome
from internetcar.contract.home_assistant import Birth, DeviceAnnouncement, device_id_of
from internetcar.contract.link import Link
from internetcar.contract.signals import Catalog
from internetcar.contract.subscriptions import Received

log = logging.getLogger(__name__)

SETTLED_S = 3.0
"""A change waits so long for the next: a car that is asked tells its leaves one after another."""
QUIET_S = 3600.0
"""So long nothing is announced to a broker that does not want it."""
BLAMED_S = 10.0
"""A connection that ends so soon after an announcement may have ended because of it."""
MOST_BLAMED = 3
"""So often in a row is no chance. Brokers differ: mosquitto 2.0.11 with `max_queued_messages 0`
and several clouds close the connection on what their rules forbid; MQTT 3.1.1 never says why."""


class Announcer:
    """Says one device, retained, and removes what is no longer there.

    The link's thread and the gateway's loop both speak here, one at a time.

    Args:
        link: Not started yet.
        vehicle_id: Whose device it is.
        settings: How Home Assistant is set up.
        software: What made the announcement.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        link: Link,
        vehicle_id: str,
        settings: HomeAssistantSettings,
        software: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._link = link
        self._clock = clock
        self._said_s: float | None = None
        self._quiet_until_s = 0.0
        self._changed_s: float | None = None
        self._blamed = 0
        self._device = Device(
            vehicle_id, settings.prefix, settings.requester, settings.name, software
        )
        self._announced: Announced | None = None
        self._gone: dict[str, str] = {}
        self._is_due = False
        self._counted = (0, 0)
        self._lock = threading.RLock()
        self._own = DeviceAnnouncement.filter(
            prefix=settings.prefix, device_id=device_id_of(vehicle_id)
        )
        link.on_received(self._own, self.hear, qos=1)
        link.on(Birth, self.on_birth, prefix=settings.prefix)
        link.on_connected(self.on_connected)

    def describe(self, catalog: Iterable[Catalog], may_set: Set[str] = frozenset()) -> None:
        """Take the vehicle's leaves; entities of those that are gone are removed.

        Args:
            catalog: What there is to hear.
            may_set: The paths that Home Assistant's requester may set: only they get controls.
        """
        with self._lock:
            before, self._announced = self._announced, announce(catalog, may_set, self._device)
            if before is None:
                self._is_due = True
            else:
                self._forget(before.message)
                self._change()
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
            if self._gone:
                self._change()

    def on_birth(self, birth: Birth) -> None:
        """Home Assistant has started: it may have lost what the broker once told it."""
        if birth.state == "online":
            self.introduce()

    def on_connected(self) -> None:
        """Say the device to a broker that may have forgotten, unless it throws us out for it."""
        with self._lock:
            is_blamed = self._said_s is not None and self._clock() - self._said_s < BLAMED_S
            self._blamed = self._blamed + 1 if is_blamed else 0
            if self._blamed >= MOST_BLAMED:
                log.error(
                    "each connection ends when %s is published; the broker's rules may forbid it:"
                    " it is left out for an hour (`home_assistant` in the settings)", self._own,
                )  # fmt: skip
                self._be_quiet()
        self.introduce()

    def introduce(self) -> None:
        """Say the device."""
        with self._lock:
            self._is_due = True
        self.pump()

    def pump(self) -> None:
        """Say what waits, as far as the link has room; call it often."""
        with self._lock:
            if self._link.not_permitted == self._own:
                # The link has logged it. A broker without Home Assistant is no fault of the car's.
                self._link.not_permitted = None
                self._be_quiet()
            now_s = self._clock()
            if self._changed_s is not None and now_s - self._changed_s >= SETTLED_S:
                self._is_due = True
            if not self._is_due or now_s < self._quiet_until_s:
                return
            if self._announced is None or not self._link.is_connected:
                return
            announced = self._announced
            if self._gone:
                if not self._say(removal(announced.message, self._gone)):
                    return
                self._gone = {}
            if self._say(announced.message, lambda delivery: self._tell(announced, delivery)):
                self._is_due, self._changed_s = False, None

    def _change(self) -> None:
        """Let what changed be said once it has settled."""
        if self._changed_s is None:
            self._changed_s = self._clock()

    def _be_quiet(self) -> None:
        self._quiet_until_s = self._clock() + QUIET_S
        self._is_due = True
        self._said_s, self._blamed = None, 0

    def _say(
        self, message: DeviceAnnouncement, then: Callable[[Delivery], None] | None = None
    ) -> bool:
        said = self._link.publish(message, then)
        self._said_s = self._clock()
        return said is not None and said.outcome not in (Outcome.FULL, Outcome.LOST)

    def _forget(self, before: DeviceAnnouncement) -> None:
        """Remember what must be removed of an earlier announcement, and what is back."""
        if self._announced is None:
            return
        message = self._announced.message
        missing = {**self._gone, **gone(before, message)}
        self._gone = {key: platform for key, platform in missing.items()
                      if key not in message.components}  # fmt: skip

    def _tell(self, announced: Announced, delivery: Delivery) -> None:
        """Log what the broker has taken."""
        message, left_out = announced
        counted = (message.entities, message.enabled)
        with self._lock:
            if not delivery.is_acknowledged or counted == self._counted:
                return
            self._counted = counted
        log.info("announced %d entities to Home Assistant (%d enabled)", *counted)
        if left_out:
            log.warning("%d entities are not announced: there is no room for more", left_out)
