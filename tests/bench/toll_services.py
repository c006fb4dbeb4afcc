"""The toll service and payments as processes, each with its store, and a pipe for a broker."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from multiprocessing.connection import Connection as Pipe
from pathlib import Path

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
from services.tolls.detectors import samples_of
from services.tolls.logs import Logs
from services.tolls.posting import Poster, Terms
from services.tolls.tables import TOLLS, VERSION
from services.tolls.vehicle import VehicleFacts
from services.tolls.watching import Watcher
from tests.bench.toll_town import OWNER, VEHICLES, Town

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
TRUSTED = {key_id(KEY.public_key()): KEY.public_key()}
HASTE = 50.0
"""Time of the services runs so much faster, or repeating after seconds would take all day."""


def now_ms() -> int:
    return 1_780_000_000_000 + int(time.monotonic() * 1000 * HASTE)


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
    answers = Answers(database, poster, frozenset(), now_ms)
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
