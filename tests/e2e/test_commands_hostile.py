"""Attacks on the command topics of a real mosquitto: no frame, and real commands go on."""

import itertools
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from internetcar.contract.broker_url import BrokerUrl
from internetcar.launcher.broker import RunningBroker
from tests.e2e.command_car import (
    FAN,
    REQUESTER,
    TEMPERATURE,
    VEHICLE,
    Desk,
    Ecu,
    ecu,
    gateway,
    mapping,
)
from tests.e2e.stage import Actor, Stage
from tests.fuzz import Valid, hostile_commands
from tests.waiting import PATIENCE_S

FUZZED = int(os.environ.get("INTERNETCAR_FUZZED", "50000"))
FLOOD_PER_S = 10_000
FLOOD = 50_000


@pytest.fixture
def car(stage: Stage) -> Iterator[Ecu]:
    assert stage
    with ecu() as started:
        yield started


class Attacker:
    """A client of its own that sends as fast as it is told."""

    def __init__(self, url: BrokerUrl) -> None:
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
        self._client.username_pw_set(url.username, url.password)
        self._client.max_queued_messages_set(0)
        self._client.max_inflight_messages_set(1000)
        self._client.connect(url.host, url.port)
        self._client.loop_start()

    def send(self, topic: str, payload: bytes, qos: int = 0) -> mqtt.MQTTMessageInfo:
        return self._client.publish(topic, payload, qos)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


def resident_kib(running: Actor) -> int:
    pid = running.process.pid
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])


def test_no_fuzzed_command_becomes_a_frame(
    mosquitto: RunningBroker, stage: Stage, car: Ecu
) -> None:
    attacker = Attacker(mosquitto.url)
    with Desk(mosquitto.url, f"v1/vehicle/{VEHICLE}/health", "v1/vehicle/+/signal/#",
              "v1/vehicle/+/command-status") as desk:  # fmt: skip
        running = gateway(stage, mosquitto.url, allow={REQUESTER: [TEMPERATURE]})
        desk.until_heard()
        before_kib = resident_kib(running)
        valid = Valid(REQUESTER, TEMPERATURE, 21.5, [FAN, "Vehicle.Speed"])
        commands = hostile_commands(1, VEHICLE, valid)
        last = None
        for topic, payload in itertools.islice(commands, FUZZED):
            last = attacker.send(topic, payload, qos=1)
            if last.mid % 500 == 0:
                last.wait_for_publish(PATIENCE_S)
        assert last is not None
        last.wait_for_publish(60)
        desk.until(lambda _: refused(desk) >= FUZZED * 0.99)  # a few topics are none
        assert car.heard == []
        assert resident_kib(running) < before_kib + 20_000
        assert running.is_running
        desk.until(lambda _: obeyed(desk, "after"))
    attacker.close()
    assert {frame[0] for _, frame in car.heard} == {43}


def refused(desk: Desk) -> int:
    said = desk.of("health")
    return int(said[-1].body["commands_refused"]) if said else 0


def obeyed(desk: Desk, name: str) -> bool:
    """Whether one more good command is confirmed; the flood may have used up our own share."""
    identifier = f"{name}-{len(desk.heard)}"
    desk.ask(identifier, TEMPERATURE, 21.5)
    return desk.until_final(identifier)[-1] == "confirmed"


def test_a_flood_of_a_stranger_does_not_keep_the_owner_from_his_car(
    mosquitto: RunningBroker, stage: Stage, car: Ecu
) -> None:
    attacker = Attacker(mosquitto.url)
    topic = f"v1/vehicle/{VEHICLE}/command/stranger/{TEMPERATURE}"
    is_enough = threading.Event()
    sent = 0

    def flood() -> None:
        nonlocal sent
        next_s = time.monotonic()
        while not is_enough.is_set():
            for _ in range(FLOOD_PER_S // 100):
                attacker.send(topic, b'{"id": "x", "value": 25}')
                sent += 1
            next_s += 0.01
            time.sleep(max(0.0, next_s - time.monotonic()))

    with Desk(mosquitto.url, "v1/vehicle/+/health", "v1/vehicle/+/signal/#",
              "v1/vehicle/+/command-status") as desk:  # fmt: skip
        running = gateway(stage, mosquitto.url, rules=mapping(timeout_ms=60_000))
        desk.until_heard()
        before_kib = resident_kib(running)
        thread = threading.Thread(target=flood)
        thread.start()
        confirmed = 0
        try:
            while sent < FLOOD or confirmed < 3:
                assert thread.is_alive()
                identifier = f"own-{confirmed}"
                desk.ask(identifier, TEMPERATURE, 20 + confirmed % 10 / 2)
                assert desk.until_final(identifier) == ["accepted", "sent", "confirmed"]
                confirmed += 1
                time.sleep(0.2)
        finally:
            is_enough.set()
            thread.join()
        assert resident_kib(running) < before_kib + 20_000
        desk.until(lambda _: refused(desk) >= sent * 0.99)
        assert len(car.heard) == confirmed
        strangers = [s for s in desk.of("command-status") if s.body["requester"] == "stranger"]
        assert 0 < len(strangers) < 1000  # said, but not ten thousand times a second
    attacker.close()
