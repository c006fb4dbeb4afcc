"""The gateway's voice: what is no longer there is cleared, also where the broker was away."""

from typing import Any

from gateway.pacing import Sample
from gateway.speaker import Speaker
from internetcar.contract.delivery import Delivery, Outcome
from internetcar.contract.signals import Catalog, CatalogLeaf
from internetcar.contract.subscriptions import Received
from tests.unit.wall import Wall

TOPIC = "v1/vehicle/small/catalog/"


def entry(group: str, *paths: str) -> Catalog:
    return Catalog(vehicle_id="small", group=group, leaves={path: CatalogLeaf() for path in paths})


def describe(speaker: Speaker, *paths: str) -> None:
    groups = dict.fromkeys(path.partition(".")[0] for path in paths)
    speaker.describe(
        paths, [entry(group, *(path for path in paths if path[0] == group)) for group in groups]
    )


def say(speaker: Speaker, count: int) -> bool:
    return speaker.samples([Sample(leaf, leaf, "valid", 0) for leaf in range(count)])


def test_a_leaf_and_a_group_that_go_are_forgotten_and_the_changed_are_described_again() -> None:
    wall = Wall()
    speaker = Speaker(wall, "small")
    describe(speaker, "A.x", "A.y", "B.z")
    assert say(speaker, 3)
    assert wall.said == {"A.x": 0, "A.y": 1, "B.z": 2}
    assert wall.topics.keys() == {TOPIC + "A", TOPIC + "B"}
    describe(speaker, "A.x")
    assert wall.said == {"A.x": 0}
    assert wall.topics == {TOPIC + "A": entry("A", "A.x").encode()}


def test_what_went_while_the_broker_was_away_is_forgotten_when_it_is_back() -> None:
    wall = Wall()
    speaker = Speaker(wall, "small")
    describe(speaker, "A.x", "A.y", "B.z")
    assert say(speaker, 3)
    wall.is_open = False
    describe(speaker, "A.x")
    describe(speaker, "A.x", "A.y")
    assert not say(speaker, 2)
    wall.is_open = True
    speaker.introduce()
    assert wall.said.keys() == {"A.x", "A.y"}
    assert wall.topics.keys() == {TOPIC + "A"}


def test_what_the_link_had_no_room_to_clear_is_cleared_later() -> None:
    wall = Wall()
    speaker = Speaker(wall, "small")
    describe(speaker, "A.x", "A.y")
    assert say(speaker, 2)
    wall.has_room = False
    describe(speaker, "A.x")
    wall.has_room = True
    speaker.introduce()
    assert wall.said == {"A.x": 0}


def test_what_an_earlier_run_left_at_the_broker_is_forgotten() -> None:
    wall = Wall()
    before, now = Speaker(wall, "small"), Speaker(wall, "small")
    describe(before, "A.x", "A.y", "B.z")
    assert say(before, 3)
    describe(now, "A.x", "A.y")
    for topic, payload in list(wall.topics.items()):
        now.hear_catalog(Received(topic, payload, retained=True))
    assert wall.said.keys() == {"A.x", "A.y"}
    assert wall.topics.keys() == {TOPIC + "A"}
    now.hear_catalog(Received(TOPIC + "B", b"", retained=False))
    assert wall.said.keys() == {"A.x", "A.y"}


class Narrow(Wall):
    """Has room for two QoS 1 messages at a time."""

    places = 2

    def publish_bytes(self, topic: str, payload: bytes, **more: Any) -> Delivery:
        if self.places:
            self.places -= 1
            return super().publish_bytes(topic, payload, **more)
        delivery = Delivery(topic)
        delivery.finish(Outcome.FULL)
        return delivery


def test_a_catalog_beyond_the_links_room_is_said_as_places_get_free() -> None:
    wall = Narrow()
    speaker = Speaker(wall, "small")
    describe(speaker, *(f"{group}.x" for group in "ABCDEFG"))
    assert len(wall.topics) == 2
    for _ in range(3):
        wall.places = 2
        speaker.pump()
    assert wall.topics.keys() == {TOPIC + group for group in "ABCDEFG"}
