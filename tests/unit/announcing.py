"""What tests of the announcer need: a broker's side that remembers, a clock, and patience."""

from collections.abc import Iterable, Set
from typing import Any

import orjson

from gateway.announcer import SETTLED_S, Announcer
from gateway.settings import HomeAssistantSettings
from internetcar.contract.delivery import Delivery, Outcome
from internetcar.contract.signals import Catalog, CatalogLeaf
from internetcar.contract.subscriptions import Received
from tests.unit.wall import Wall

TOPIC = "homeassistant/device/internetcar_small/config"


class Listening(Wall):
    """Remembers everything that is said, and can be full."""

    def __init__(self) -> None:
        super().__init__()
        self.payloads: list[dict[str, Any]] = []
        self.places = 99

    def publish_bytes(self, topic: str, payload: bytes, **more: Any) -> Delivery:
        if not self.places:
            delivery = Delivery(topic)
            delivery.finish(Outcome.FULL)
            return delivery
        assert topic == TOPIC
        self.places -= 1
        if self.is_open:
            self.payloads.append(orjson.loads(payload)["components"])
        return super().publish_bytes(topic, payload, **more)

    def keys(self) -> list[list[str]]:
        """The leaves of each announcement; one to be removed has a minus."""
        return [
            [("" if "unique_id" in made else "-") + key.partition(".")[2]
             for key, made in said.items() if "." in key]
            for said in self.payloads
        ]  # fmt: skip


class Clock:
    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def catalog(*paths: str, settable: bool = False) -> list[Catalog]:
    leaf = CatalogLeaf(datatype="boolean", settable=settable)
    leaves = dict.fromkeys(paths, leaf)
    return [Catalog(vehicle_id="small", group="A", leaves=leaves)]


class Patient(Announcer):
    """One whose changes have settled as soon as they are told."""

    def __init__(self, wall: Listening) -> None:
        self.clock = Clock()
        super().__init__(wall, "small", HomeAssistantSettings(), "internetcar 0.1.0", self.clock)

    def describe(self, catalog: Iterable[Catalog], may_set: Set[str] = frozenset()) -> None:
        super().describe(catalog, may_set)
        self.settle()

    def hear(self, received: Received) -> None:
        super().hear(received)
        self.settle()

    def settle(self) -> None:
        self.clock.now_s += SETTLED_S
        self.pump()
