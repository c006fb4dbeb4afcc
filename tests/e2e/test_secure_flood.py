"""Floods under TLS of somebody who may command: no frame, and another's commands go on."""

import itertools
import os
import threading
import time
from collections.abc import Iterator

import pytest

from internetcar.contract.delivery import encode_publish
from tests.e2e.command_car import FAN, TEMPERATURE, VEHICLE
from tests.e2e.secure_car import HOSTILE, PARTNER, SecureCar, body, raw_client, secure_car, topic
from tests.fuzz import Valid, hostile_commands
from tests.waiting import PATIENCE_S, eventually

FUZZED = int(os.environ.get("INTERNETCAR_FUZZED", "50000"))
FLOOD_PER_S = 10_000
FLOOD = 60_000
GROWTH_KIB = 20_000
VALID = Valid(HOSTILE, TEMPERATURE, 21.5, [FAN, "Vehicle.Speed"])


@pytest.fixture(scope="module")
def car(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureCar]:
    folder, kinds = tmp_path_factory.mktemp("secure"), ("command-status", "presence", "health")
    said = [f"v1/vehicle/+/{kind}" for kind in kinds]  # all but the flood itself
    with secure_car(folder, *said, "v1/vehicle/+/signal/+") as running:
        yield running


def refused(car: SecureCar) -> int:
    said = car.watcher.of("health")
    return int(said[-1].body["commands_refused"]) if said else 0


def own(commands: Iterator[tuple[str, bytes]]) -> Iterator[tuple[str, bytes]]:
    """Those in its own name: mosquitto hangs up on who says others."""
    return (one for one in commands if one[0].split("/")[4] == HOSTILE)


class Flood(threading.Thread):
    """Says junk in its own name, a hundred packets each hundredth of a second, or it catches up."""

    def __init__(self, car: SecureCar) -> None:
        super().__init__()
        self.count = 0
        self.is_enough = threading.Event()
        self._url = car.place.url(HOSTILE)
        self._packets = [
            encode_publish(addressed.encode(), payload, retain=False, is_v5=False)
            for addressed, payload in itertools.islice(
                own(hostile_commands(2, VEHICLE, VALID)), 20_000
            )
        ]

    def run(self) -> None:
        packets = itertools.cycle(self._packets)
        next_s = time.monotonic()
        with raw_client(self._url) as sock:
            while not self.is_enough.is_set():
                sock.sendall(b"".join(itertools.islice(packets, FLOOD_PER_S // 100)))
                self.count += FLOOD_PER_S // 100
                next_s += 0.01
                time.sleep(max(0.0, next_s - time.monotonic()))
            sock.sendall(b"\xe0\x00")


def test_a_flood_of_who_may_command_does_not_keep_another_from_the_car(car: SecureCar) -> None:
    car.confirm()
    before_kib, frames, heard = car.rss_kib, len(car.ecu.heard), len(car.watcher.heard)
    flood, confirmed = Flood(car), 0
    flood.start()
    try:
        with car.client(PARTNER) as client:
            while flood.count < FLOOD or confirmed < 3:
                assert flood.is_alive()
                name = f"during-{confirmed}"
                client.say(topic(PARTNER, FAN), body(name, 20 + confirmed % 50))
                car.until_said(name, PARTNER, "accepted", "sent", "confirmed")
                confirmed += 1
                time.sleep(0.2)
    finally:
        flood.is_enough.set()
        flood.join()
    assert len(car.ecu.heard) == frames + confirmed
    eventually(lambda: refused(car) >= flood.count * 0.9)
    said = [one for one in car.watcher.heard[heard:] if one.topic.endswith("command-status")]
    assert sum(one.body["requester"] == HOSTILE for one in said) < 500
    assert car.rss_kib < before_kib + GROWTH_KIB
    with car.unmoved():
        pass


def test_no_fuzzed_command_of_who_may_command_becomes_a_frame(car: SecureCar) -> None:
    car.confirm()
    before_kib, before = car.rss_kib, refused(car)
    with car.unmoved(), car.client(HOSTILE) as client:
        last = None
        for addressed, payload in itertools.islice(
            own(hostile_commands(1, VEHICLE, VALID)), FUZZED
        ):
            last = client.say(addressed, payload)
            if last.mid % 500 == 0:
                last.wait_for_publish(PATIENCE_S)
        assert last is not None
        last.wait_for_publish(60)
        assert (client.refused, client.ended.is_set()) == ([], False)
        eventually(lambda: refused(car) - before >= FUZZED * 0.99, 120)
    assert car.rss_kib < before_kib + GROWTH_KIB
    assert len(car.reasons(HOSTILE)) > 50
