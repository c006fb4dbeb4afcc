"""The toll service and payments as processes, each with its store, and a pipe for a broker."""

import time
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.connection import Connection as Pipe
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, select

from internetcar.contract.delivery import Delivery, Outcome
from internetcar.contract.message import Message
from internetcar.contract.payments import PaymentResult
from internetcar.contract.reader import TelemetryReader
from internetcar.contract.signature import key_id
from internetcar.contract.subscriptions import Received
from internetcar.contract.telemetry import Telemetry
from internetcar.contract.tolls import TollCharge
from services.database import Database, open_database
from services.database_errors import StoreError
from services.outgoing import Sender
from services.payments.agreements import Account, Agreements
from services.payments.service import Payments
from services.payments.store import open_store
from services.points import BEFORE_ACKNOWLEDGE, reach
from services.quarantine import QUARANTINED, WAITING, Quarantine, kept, release
from services.tables import quarantine as set_aside
from services.telemetry_log import LogReader
from services.tolls.answers import Answers
from services.tolls.logs import Logs
from services.tolls.passages.detectors import samples_of
from services.tolls.passages.watching import Watcher
from services.tolls.posting import Poster, Terms
from services.tolls.tables import TOLLS, VERSION
from services.tolls.tariff.vehicle import VehicleFacts
from tests.bench.toll_town import OWNER, VEHICLES, Town
from tests.services import unsettled

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
TRUSTED = {key_id(KEY.public_key()): KEY.public_key()}
HASTE = 10.0
"""Time of the services runs so much faster, or repeating after seconds would take all day."""

BUSY_S, IDLE_S = 0.002, 0.02
"""How long a service waits for a message before its next turn."""


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
        delivery = self._waiting.pop(number, None)
        if delivery is not None:  # else it was said on a connection that is lost
            delivery.finish(Outcome.ACKNOWLEDGED)

    def lose_all(self) -> None:
        for delivery in self._waiting.values():
            delivery.finish(Outcome.LOST)
        self._waiting.clear()


Handler = Callable[[Received], None]
Turn = Callable[[], None]


def open_tolls(url: str) -> Database:
    return open_database(url, TOLLS, service="tolls", version=VERSION)


def tolls_handlers(town: Town, database: Database, link: PipeLink) -> tuple[Handler, Turn]:
    """What the toll service does with a message, and in every turn."""
    versions = {"singapore": (town.context,)}
    poster = Poster(Terms(versions, lambda vehicle_id: VehicleFacts(), KEY, declares=False))
    watcher = Watcher(versions, town.detectors.of, samples_of, "simulation")
    answers = Answers(database, poster, frozenset(), now_ms)
    logs = LogReader(
        database, TelemetryReader("tolls", most_parked=200), Logs(watcher, poster, now_ms).apply,
        publish=link.publish, clock_s=lambda: now_ms() / 1000,
    )  # fmt: skip

    def hear(received: Received) -> None:
        topic, payload = received.topic, received.payload
        if topic.endswith("/payment/result"):
            answers.on_payment_result(PaymentResult.decode(topic, payload))
        else:
            logs.accept(Telemetry.decode(topic, payload))

    def turn() -> None:
        answers.turn()
        logs.turn()

    return hear, turn


def payments_handlers(town: Town, database: Database, link: PipeLink) -> tuple[Handler, Turn]:
    """The same of payments."""
    payments = Payments(
        database, agreements(), lambda: datetime.fromtimestamp(now_ms() / 1000, UTC)
    )

    def hear(received: Received) -> None:
        payments.on_charge(TollCharge.decode(received.topic, received.payload))

    return hear, payments.turn


def agreements() -> Agreements:
    account = Account(OWNER, frozenset(VEHICLES), frozenset({"simulation"}))
    return Agreements({OWNER: account}, {}, TRUSTED)


SERVICES = {"tolls": (open_tolls, tolls_handlers), "payments": (open_store, payments_handlers)}


@dataclass(frozen=True)
class Replica:
    """One process of a service.

    Attributes:
        name: Its own.
        service: Which one it is.
        url: Of the store, which all replicas of a service share.
        state: A folder of its own.
    """

    name: str
    service: str
    url: str
    state: Path


def serve(replica: Replica, database: Database, town: Town, pipe: Pipe) -> None:
    """Be a service until something kills us."""
    with closing(Quarantine(database, replica.state, now_ms)) as quarantine:
        link = PipeLink(pipe)
        hear, turn = SERVICES[replica.service][1](town, database, link)
        sender = Sender(database, link)
        was_idle: bool | None = None
        while True:
            if pipe.poll(IDLE_S if was_idle else BUSY_S):
                kind, number, topic, payload = pipe.recv()
                if kind == "answer":
                    link.answered(number)
                elif kind == "reconnect":
                    link.lose_all()
                    sender.on_connected()
                else:
                    take(quarantine, Received(topic, payload), hear, pipe, number)
                    was_idle = None
                if pipe.poll():
                    continue
            quarantine.turn(now_ms() / 1000, hear)
            turn()
            sender.turn(now_ms())
            is_idle = _is_idle(database)
            if is_idle != was_idle:
                pipe.send(("idle", int(is_idle), "", b""))
                was_idle = is_idle


def take(
    quarantine: Quarantine, received: Received, hear: Handler, pipe: Pipe, number: int
) -> None:
    """As `Runner.on` and the link do it."""
    quarantine.guard(received, hear)
    reach(BEFORE_ACKNOWLEDGE)
    pipe.send(("acknowledge", number, "", b""))


def _is_idle(database: Database) -> bool:
    """Whether nothing is left to do; what is in quarantine is retried, as a person would."""
    with database.read() as connection:
        must_release = bool(kept(connection))
        waits = select(set_aside.c.number).where(set_aside.c.state.in_((QUARANTINED, WAITING)))
        is_waiting = connection.execute(waits.limit(1)).first() is not None
        is_idle = not is_waiting and not unsettled(connection)
    if must_release:
        with suppress(StoreError):  # another replica was faster
            database.run(_release_all)
    return is_idle


def _release_all(connection: Connection) -> None:
    for each in kept(connection):
        release(connection, each.number, state=WAITING)
