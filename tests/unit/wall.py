"""A link without a broker."""

import json
from collections.abc import Callable, Iterable

from internetcar.contract.broker_url import BrokerUrl
from internetcar.contract.delivery import Delivery, Outcome
from internetcar.contract.link import Link


class Wall(Link):
    """Takes what it is given while it `is_open` and `has_room`.

    Attributes:
        said: The last value of each signal; one that was cleared is not there.
        positions: Their latitudes.
        waits: A QoS 1 message is not answered: `deliveries` has it.
        topics: The last payload of each QoS 1 topic; one that was cleared is not there.
    """

    def __init__(self) -> None:
        super().__init__(BrokerUrl("127.0.0.1", 1), "wall")
        self.is_open = self.has_room = True
        self.positions: list[float] = []
        self.said: dict[str, object] = {}
        self.topics: dict[str, bytes] = {}
        self.waits = False
        self.deliveries: list[Delivery] = []

    @property
    def is_connected(self) -> bool:
        return self.is_open

    def publish_now(self, messages: Iterable[tuple[str, bytes]], *, retain: bool) -> bool:
        if not (self.is_open and self.has_room):
            return False
        for topic, payload in messages:
            path = topic.rpartition("/")[2]
            if payload:
                heard = json.loads(payload)
                if path == "position":
                    self.positions.append(heard["latitude"])
                else:
                    self.said[path] = heard["value"]
            else:
                self.said.pop(path, None)
        return True

    def publish_bytes(
        self,
        topic: str,
        payload: bytes,
        *,
        then: Callable[[Delivery], None] | None = None,
        **_: object,
    ) -> Delivery:
        delivery = Delivery(topic, then)
        if not self.waits:
            delivery.finish(Outcome.ACKNOWLEDGED if self.is_open else Outcome.LOST)
        self.deliveries.append(delivery)
        if self.is_open and payload:
            self.topics[topic] = payload
        elif self.is_open:
            self.topics.pop(topic, None)
        return delivery
