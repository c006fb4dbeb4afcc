"""The gateway's voice: samples, position, presence, catalog and health on their topics."""

import threading
from collections import deque
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from gateway.pacing import Sample
from internetcar.contract.delivery import Outcome
from internetcar.contract.link import Link
from internetcar.contract.message import Value
from internetcar.contract.presence import Health
from internetcar.contract.signals import Catalog, Position
from internetcar.contract.subscriptions import Received
from internetcar.contract.wire import InstantWriter, signal_payload, signal_topic_prefix


class Speaker:
    """Says what one vehicle's gateway knows; what the link cannot take is said again later.

    The link's thread and the gateway's loop both speak of the catalog, one at a time.
    """

    def __init__(self, link: Link, vehicle_id: str) -> None:
        self.vehicle_id = vehicle_id
        self._link = link
        self._prefix = signal_topic_prefix(vehicle_id)
        self._instant = InstantWriter()
        self._paths: Sequence[str] = ()
        self._catalog: list[Catalog] = []
        self._gone: set[str] = set()
        self._to_say: deque[tuple[str, bytes]] = deque()
        self._lock = threading.RLock()

    def describe(self, paths: Sequence[str], catalog: list[Catalog]) -> None:
        """Take the leaves by index and their catalog; what is no longer there is cleared."""
        with self._lock:
            self._gone = (self._gone | set(self._paths)) - set(paths)
            known = {entry.group: entry for entry in self._catalog}
            gone = known.keys() - {entry.group for entry in catalog}
            self._paths, self._catalog = paths, catalog
            self._to_say.extend((self._catalog_topic(group), b"") for group in gone)
            self._say_later(entry for entry in catalog if known.get(entry.group) != entry)
        self.pump()

    def hear_catalog(self, received: Received) -> None:
        """Hear what the broker remembers: leaves of an earlier run that are no more are cleared."""
        if not received.payload:
            return
        heard = Catalog.decode(received.topic, received.payload)
        with self._lock:
            self._gone |= set(heard.leaves) - set(self._paths)
            if heard.group not in {entry.group for entry in self._catalog}:
                self._to_say.append((received.topic, b""))
        self.pump()

    def introduce(self) -> None:
        """Say the whole catalog: on every connection, since a broker may forget."""
        with self._lock:
            cleared = [said for said in self._to_say if not said[1]]
            self._to_say = deque(cleared)
            self._say_later(self._catalog)
        self.pump()

    def pump(self) -> None:
        """Say what waits of the catalog, as far as the link has room; call it often."""
        if not self._to_say and not self._gone:
            return
        with self._lock:
            while self._to_say and self._link.is_connected:
                topic, payload = self._to_say[0]
                said = self._link.publish_bytes(topic, payload, retain=True)
                if said.outcome in (Outcome.FULL, Outcome.LOST):
                    break
                self._to_say.popleft()
            clear = [(self._prefix + path, b"") for path in self._gone]
            if clear and self._link.is_connected and self._link.publish_now(clear, retain=True):
                self._gone = set()

    def health(self, health: Health) -> None:
        """Say how the gateway fares."""
        self._link.publish(health)

    def samples(self, samples: Sequence[Sample]) -> bool:
        """Say signals; false if the link did not take them."""
        instant, paths, prefix = self._instant, self._paths, self._prefix
        return self._link.publish_now(
            [
                (
                    prefix + paths[leaf],
                    signal_payload(value, instant(at_ns // 1_000_000), quality),
                )
                for leaf, value, quality, at_ns in samples
            ],
            retain=True,
        )

    def position(self, fields: dict[str, Value], at_ns: int) -> None:
        """Say where the vehicle is."""
        at = datetime.fromtimestamp(at_ns // 1_000_000 / 1000, UTC)
        self._link.publish(
            Position.model_validate({"vehicle_id": self.vehicle_id, "at": at, **fields})
        )

    def _say_later(self, entries: Iterable[Catalog]) -> None:
        self._to_say.extend((entry.topic, entry.encode()) for entry in entries)

    def _catalog_topic(self, group: str) -> str:
        return Catalog(vehicle_id=self.vehicle_id, group=group, leaves={}).topic
