"""The whole way of a batch: written, sent, lost, repaired and read, while everything fails."""

import random
from collections import deque
from pathlib import Path

import pytest

from gateway.journals import Journals
from gateway.outbox import Limits
from gateway.repair_requests import RepairRequests
from gateway.sender import Sender
from gateway.telemetry import Batcher
from internetcar.contract.delivery import Delivery, Outcome
from internetcar.contract.known import Known, apply
from internetcar.contract.reader import Position, TelemetryReader
from internetcar.contract.telemetry import Telemetry
from internetcar.contract.wire import telemetry_topic
from tests.unit.test_outbox import Opened

START = 1_790_000_000_000
TOPIC = telemetry_topic("kona")


class Broker:
    """Acknowledges and then forgets, refuses, repeats: the worst that MQTT allows."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.is_kind = False
        self.queue: deque[bytes] = deque()

    def publish(self, payload: bytes) -> Delivery:
        delivery = Delivery(TOPIC)
        luck = 1.0 if self.is_kind else self.chance.random()
        if luck > 0.1:
            delivery.finish(Outcome.ACKNOWLEDGED)
        else:
            delivery.finish(Outcome.LOST)
        if luck > 0.2 or luck < 0.05:
            self.queue.append(payload)
        if luck < 0.3:
            self.queue.append(payload)
            self.queue.rotate(self.chance.randrange(3))
        return delivery


class Car:
    """A gateway's telemetry, and its deaths."""

    def __init__(self, path: Path, broker: Broker) -> None:
        self.path = path
        self.broker = broker
        self.runs = 0
        self.now_ms = 0
        self.boot()

    def boot(self) -> None:
        self.runs += 1
        self.opened = Opened(self.path, Limits(), f"run-{self.runs}")
        self.batcher = Batcher(
            f"run-{self.runs}", previous=self.opened.previous, clock="free", origin="live"
        )
        self.sender = Sender(self.opened.outbox, self.broker.publish)
        self.repair = RepairRequests(
            self.opened.outbox, lambda _, payload: self.broker.publish(payload)
        )

    def drive(self, value: int) -> None:
        self.now_ms += 1000
        wall_ms = START + self.now_ms
        sample = ("Vehicle.Speed", wall_ms - 5, value, "valid")
        taken = self.batcher.take([sample], now_ms=self.now_ms, wall_ms=wall_ms)  # type: ignore[list-item]  # quality as str
        for batch in taken:
            self.opened.outbox.append(batch)
        self.work()

    def work(self) -> None:
        self.opened.outbox.batches("", 1, 1).result(timeout=10)
        self.sender.pump(self.now_ms)
        for _ in range(4):
            self.repair.pump()
            self.opened.outbox.batches("", 1, 1).result(timeout=10)

    def die(self) -> None:
        self.opened.outbox.close()
        self.boot()


@pytest.mark.parametrize("seed", range(6))
def test_whatever_fails_everything_written_is_read_once_in_order(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    broker = Broker(chance)
    car = Car(tmp_path / "outbox.db", broker)
    reader = TelemetryReader("tolls", request_after_s=0.0)
    position: Position | None = None
    applied: list[Telemetry] = []
    state: dict[str, Known] = {}
    for step in range(600):
        broker.is_kind = step < 2 or step > 400
        car.drive(step)
        if chance.random() < 0.02 and step < 400:
            car.die()
        if chance.random() < 0.02:
            reader = TelemetryReader("tolls", request_after_s=0.0)
        while broker.queue:
            batch = Telemetry.decode(TOPIC, broker.queue.popleft())
            accepted = reader.accept(batch, position, float(step * 10))
            position = accepted.position
            applied += accepted.batches
            for each in accepted.batches:
                state = apply(state, each)
            assert accepted.gaps == []
            if accepted.request is not None:
                car.repair.on_request(accepted.request)
    car.opened.outbox.close()
    disk = Journals(tmp_path / "outbox.db", "kona", Limits())
    written = [
        Telemetry.decode(TOPIC, payload)
        for run in range(1, car.runs + 1)
        for payload in disk.batches(f"run-{run}", 1, 9999)
    ]
    disk.close()
    assert len(written) > 600
    assert len(written) - len(applied) <= 2
    assert applied == written[: len(applied)]
    assert state["Vehicle.Speed"].value == applied[-1].samples["Vehicle.Speed"][-1][1]
