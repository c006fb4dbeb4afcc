"""Vehicles whose tolls are paid while processes die: what they drive, and the two services.

A service here is a process with handlers, store and sender of its own; its broker is a pipe.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from multiprocessing.connection import Connection as Pipe
from pathlib import Path

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from internetcar.contract.delivery import Delivery, Outcome
from internetcar.contract.message import Message
from internetcar.contract.payments import PaymentResult
from internetcar.contract.reader import TelemetryReader
from internetcar.contract.signature import key_id
from internetcar.contract.telemetry import Telemetry
from internetcar.contract.tolls import TollCharge
from services.database import Database, open_database
from services.outgoing import Sender, unsettled
from services.payments.agreements import Account, Agreements
from services.payments.service import Payments
from services.payments.store import open_store
from services.points import BEFORE_ACKNOWLEDGE, reach
from services.telemetry_log import LogReader
from services.tolls.answers import Answers
from services.tolls.context import Context
from services.tolls.detectors import Detectors, samples_of
from services.tolls.facts import Passage, Sample
from services.tolls.fees import fees
from services.tolls.logs import Logs
from services.tolls.posting import Poster, Terms
from services.tolls.tables import TOLLS, VERSION
from services.tolls.vehicle import VehicleFacts
from services.tolls.watching import Watcher
from tests.bench.toll_worlds import Ground
from tests.tolls_drive import Plan, drive

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
TRUSTED = {key_id(KEY.public_key()): KEY.public_key()}
OWNER = "driver"
VEHICLES = tuple(f"car-{number}" for number in range(2_000))
FIRST_DAY = date(2026, 4, 6)
DAYS = 15
"""Of each vehicle: working days without a holiday, one passage a day."""
HASTE = 50.0
"""Time of the services runs so much faster, or repeating after seconds would take all day."""
BATCH_S = 20
SINGAPORE_S = 8 * 3600
LEAVES: dict[str, Callable[[Sample], float | None]] = {
    "Vehicle.CurrentLocation.Latitude": lambda one: one.lat_deg,
    "Vehicle.CurrentLocation.Longitude": lambda one: one.lon_deg,
    "Vehicle.CurrentLocation.HorizontalAccuracy": lambda one: one.accuracy_m,
    "Vehicle.CurrentLocation.Heading": lambda one: one.heading_deg,
    "Vehicle.Speed": lambda one: (one.speed_mps or 0.0) * 3.6,
    "Vehicle.TraveledDistance": lambda one: one.odometer_m,
}
"""VSS, as a gateway says it."""


@dataclass(frozen=True)
class Driven:
    """A true passage and what it must cost, with the log that tells of it."""

    vehicle_id: str
    gate: str
    passed_at_ms: int
    fee_minor: int
    batches: tuple[Telemetry, ...]


def now_ms() -> int:
    return 1_780_000_000_000 + int(time.monotonic() * 1000 * HASTE)


class Town:
    """Drives past gates that cost something, each seen as clearly as can be."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self.context: Context = ground.contexts["singapore"]
        self.detectors = Detectors()
        self.detectors.of(self.context)
        provable = {one.gate for one in ground.provability["singapore"] if one.is_provable}
        noon = [self._fee(gate, _local_ms(FIRST_DAY, minute)) for gate in () for minute in ()]
        assert not noon
        self.gates = [
            gate
            for gate in sorted(provable)
            if len(prices := {self._fee(gate, _local_ms(FIRST_DAY, m)) for m in (487, 495, 503)})
            == 1
            and prices != {0}
        ]
        self._odometer_m: dict[str, float] = {}
        self._journals: dict[str, tuple[str, int]] = {}

    def _fee(self, gate: str, at_ms: int) -> int:
        passage = Passage("p", gate, datetime.fromtimestamp(at_ms / 1000, UTC))
        return fees([passage], self.context, VehicleFacts())[0].amount_minor

    def _is_steady(self, gate: str) -> bool:
        """Whether it costs something, and the same for the whole drive."""
        prices = {self._fee(gate, _local_ms(FIRST_DAY, minute)) for minute in (487, 495, 503)}
        return len(prices) == 1 and prices != {0}

    def drives(self) -> Iterator[Driven]:
        """All that may be driven, day after day, ten vehicles side by side."""
        for first in range(0, len(VEHICLES), 10):
            for day in range(DAYS):
                for number in range(first, first + 10):
                    yield self._drive(number, day)

    def is_proven(self, one: Driven) -> bool:
        """Whether the detector proves the passage from its log alone, with nothing in between."""
        detector, reading, state = self.detectors.of(self.context), "", None
        found = []
        for batch in one.batches:
            reading, samples = samples_of(reading, batch)
            state, more = detector.advance(state, samples)
            found += more
        found += detector.finish(state or "")
        return any(each.gate == one.gate and each.verdict == "proven" for each in found)

    def _drive(self, number: int, day: int) -> Driven:
        random = np.random.default_rng((7, number, day))
        vehicle_id = VEHICLES[number]
        gate = self.gates[int(random.integers(len(self.gates)))]
        site = self._ground.sites["singapore"][gate]
        when = FIRST_DAY + timedelta(days=day // 5 * 7 + day % 5)
        plan = Plan(right_m=float(random.uniform(-2, 2)), speed_mps=float(random.uniform(12, 20)))
        driven = drive(site, site.centre, plan, random, _local_ms(when, 494))
        assert driven.passed_at_ms is not None
        samples = self._on(vehicle_id, driven.samples)
        before = self._journals.get(vehicle_id, (None, None))
        batches = tuple(_batches(vehicle_id, f"day-{day}", before, samples))
        self._journals[vehicle_id] = f"day-{day}", len(batches)
        return Driven(
            vehicle_id, gate, driven.passed_at_ms, self._fee(gate, driven.passed_at_ms),
            batches,
        )  # fmt: skip

    def _on(self, vehicle_id: str, samples: list[Sample]) -> list[Sample]:
        """The samples with the odometer going on where the last drive ended, and 3 km."""
        shift = self._odometer_m.get(vehicle_id, 0.0) + 3_000 - (samples[0].odometer_m or 0.0)
        self._odometer_m[vehicle_id] = (samples[-1].odometer_m or 0.0) + shift
        return [replace(one, odometer_m=(one.odometer_m or 0.0) + shift) for one in samples]


def _local_ms(day: date, minute: int) -> int:
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return int(midnight.timestamp() - SINGAPORE_S + minute * 60) * 1000


def _batches(
    vehicle_id: str,
    journal: str,
    before: tuple[str | None, int | None],
    samples: list[Sample],
) -> Iterator[Telemetry]:
    """A journal that names the one before and that one's last."""
    for index, start in enumerate(range(0, len(samples), BATCH_S)):
        part = samples[start : start + BATCH_S]
        start_ms = part[0].at_ms
        yield Telemetry.model_validate(
            {
                "vehicle_id": vehicle_id,
                "journal": journal,
                "sequence": index + 1,
                "previous": before[0] if index == 0 else None,
                "previous_last": before[1] if index == 0 else None,
                "kind": "snapshot" if index == 0 else "changes",
                "start_at": datetime.fromtimestamp(start_ms / 1000, UTC),
                "end_at": datetime.fromtimestamp(part[-1].at_ms / 1000, UTC),
                "clock": "synchronized",
                "origin": "simulation",
                "samples": {
                    leaf: [
                        (one.at_ms - start_ms, value)
                        for one in part
                        if (value := value_of(one)) is not None
                    ]
                    for leaf, value_of in LEAVES.items()
                },
            }
        )


class PipeLink:
    """What a `Link` is for sending, over a pipe."""

    is_connected = True

    def __init__(self, pipe: Pipe) -> None:
        self._pipe = pipe
        self._waiting: dict[int, Delivery] = {}
        self._number = 0

    def publish_bytes(self, topic: str, payload: bytes, *, retain: bool = False) -> Delivery:
        self._number += 1
        delivery = self._waiting[self._number] = Delivery(topic)
        self._pipe.send(("publish", self._number, topic, payload))
        return delivery

    def publish(self, message: Message) -> None:
        self.publish_bytes(message.topic, message.encode())

    def answered(self, number: int) -> None:
        self._waiting.pop(number).finish(Outcome.ACKNOWLEDGED)

    def lose_all(self) -> None:
        for delivery in self._waiting.values():
            delivery.finish(Outcome.LOST)
        self._waiting.clear()


Handler = Callable[[str, bytes], None]


def open_tolls(folder: Path) -> Database:
    return open_database(str(folder / "tolls.sqlite"), TOLLS, service="tolls", version=VERSION)


def open_payments(folder: Path) -> Database:
    return open_store(str(folder / "payments.sqlite"))


def tolls_handlers(town: Town, database: Database, link: PipeLink) -> tuple[Handler, Handler]:
    """What the toll service does with a message, and in every turn."""
    versions = {"singapore": (town.context,)}
    poster = Poster(Terms(versions, lambda vehicle_id: VehicleFacts(), KEY, declares=False))
    watcher = Watcher(versions, town.detectors.of, samples_of, "simulation")
    answers = Answers(database, poster, frozenset(), 90 * 86_400_000, now_ms)
    logs = LogReader(
        database, TelemetryReader("tolls"), Logs(watcher, poster, now_ms).apply,
        publish=link.publish, clock_s=lambda: now_ms() / 1000,
    )  # fmt: skip

    def hear(topic: str, payload: bytes) -> None:
        if topic.endswith("/payment/result"):
            answers.on_payment_result(PaymentResult.decode(topic, payload))
        else:
            logs.accept(Telemetry.decode(topic, payload))

    def turn(topic: str, payload: bytes) -> None:
        answers.turn()
        logs.turn()

    return hear, turn


def payments_handlers(town: Town, database: Database, link: PipeLink) -> tuple[Handler, Handler]:
    """The same of payments."""
    payments = Payments(
        database, agreements(), lambda: datetime.fromtimestamp(now_ms() / 1000, UTC)
    )

    def hear(topic: str, payload: bytes) -> None:
        payments.on_charge(TollCharge.decode(topic, payload))

    def turn(topic: str, payload: bytes) -> None:
        payments.turn()

    return hear, turn


def agreements() -> Agreements:
    account = Account(OWNER, frozenset(VEHICLES), frozenset({"simulation"}))
    return Agreements({OWNER: account}, {}, TRUSTED)


SERVICES = {"tolls": (open_tolls, tolls_handlers), "payments": (open_payments, payments_handlers)}


def serve(service: str, town: Town, folder: Path, pipe: Pipe) -> None:
    """Be a service until something kills us."""
    opened, handlers = SERVICES[service]
    database = opened(folder)
    link = PipeLink(pipe)
    hear, turn = handlers(town, database, link)
    sender = Sender(database, link)
    was_idle: bool | None = None
    while True:
        if pipe.poll(0.002):
            kind, number, topic, payload = pipe.recv()
            if kind == "answer":
                link.answered(number)
            elif kind == "reconnect":
                link.lose_all()
                sender.on_connected()
            else:
                hear(topic, payload)
                reach(BEFORE_ACKNOWLEDGE)
                pipe.send(("acknowledge", number, "", b""))
                was_idle = None
            if pipe.poll():
                continue
        turn("", b"")
        sender.turn(now_ms())
        with database.read() as connection:
            is_idle = not unsettled(connection)
        if is_idle != was_idle:
            pipe.send(("idle", int(is_idle), "", b""))
            was_idle = is_idle
