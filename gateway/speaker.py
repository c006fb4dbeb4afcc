"""The gateway's voice: samples, position, presence, catalog and health on their topics."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from gateway.pacing import Sample
from internetcar.contract.link import Link
from internetcar.contract.message import Value
from internetcar.contract.presence import Health
from internetcar.contract.signals import Catalog, Position
from internetcar.contract.subscriptions import Received
from internetcar.contract.wire import InstantWriter, signal_payload, signal_topic_prefix


class Speaker:
    """Says what one vehicle's gateway knows; what the link cannot take is said again later."""

    def __init__(self, link: Link, vehicle_id: str) -> None:
        self.vehicle_id = vehicle_id
        self._link = link
        self._prefix = signal_topic_prefix(vehicle_id)
        self._instant = InstantWriter()
        self._paths: Sequence[str] = ()
        self._catalog: list[Catalog] = []
        self._gone: set[str] = set()
        self._gone_groups: set[str] = set()

    def describe(self, paths: Sequence[str], catalog: list[Catalog]) -> None:
        """Take the leaves by index and their catalog; what is no longer there is cleared."""
        self._gone = (self._gone | set(self._paths)) - set(paths)
        groups = self._gone_groups | {entry.group for entry in self._catalog}
        self._gone_groups = groups - {entry.group for entry in catalog}
        self._paths = paths
        known = {entry.group: entry for entry in self._catalog}
        changed = [entry for entry in catalog if known.get(entry.group) != entry]
        self._catalog = catalog
        if self._link.is_connected:
            self._say_catalog(changed)

    def hear_catalog(self, received: Received) -> None:
        """Hear what the broker remembers: leaves of an earlier run that are no more are cleared."""
        if not received.payload:
            return
        heard = Catalog.decode(received.topic, received.payload)
        gone = set(heard.leaves) - set(self._paths)
        if heard.group not in {entry.group for entry in self._catalog}:
            self._gone_groups.add(heard.group)
        elif not gone:
            return
        self._gone |= gone
        self._say_catalog([])

    def introduce(self) -> None:
        """Say the catalog: on every connection, since a broker may forget."""
        self._say_catalog(self._catalog)

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

    def _say_catalog(self, entries: Iterable[Catalog]) -> None:
        """Say these entries, and make the broker forget what went since it last heard us."""
        for entry in entries:
            self._link.publish(entry)
        gone, self._gone = self._gone, set()
        groups, self._gone_groups = self._gone_groups, set()
        if not self._link.publish_now([(self._prefix + path, b"") for path in gone], retain=True):
            self._gone |= gone
        for group in groups:
            topic = Catalog(vehicle_id=self.vehicle_id, group=group, leaves={}).topic
            self._link.publish_bytes(topic, b"", retain=True)
