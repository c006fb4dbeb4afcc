"""What tests of services share: a broker that is a list, a store, and a hook that crashes."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import BigInteger, Column, Connection, MetaData, String, Table, select

from internetcar.contract.delivery import Delivery, Outcome
from services import points
from services.database import Database, open_database
from services.tables import outgoing

METADATA = MetaData()
HANDLED = Table(
    "handled",
    METADATA,
    Column("id", String(64), primary_key=True),
    Column("times", BigInteger, nullable=False),
)
"""What a service of these tests has done."""


def unsettled(connection: Connection) -> list[str]:
    """The ids of all messages that are not settled, oldest first."""
    return list(connection.execute(select(outgoing.c.id).order_by(outgoing.c.number)).scalars())


class CrashError(Exception):
    """The process would be gone here."""


@contextmanager
def crashing_at(point: str, *, at: int = 1) -> Iterator[None]:
    """Raise `CrashError` at the `at`-th time that a point is reached."""
    left = at

    def crash(reached: str) -> None:
        nonlocal left
        left -= reached == point
        if reached == point and left == 0:
            raise CrashError(point)

    points.install(crash)
    try:
        yield
    finally:
        points.install(None)


@contextmanager
def opened(url: str) -> Iterator[Database]:
    """The store of a service that has the table `handled`."""
    database = open_database(url, METADATA, service="test")
    try:
        yield database
    finally:
        database.close()


class FakeLink:
    """A link whose broker remembers what it got and answers when it is told to."""

    def __init__(self) -> None:
        self.is_connected = True
        self.sent: list[tuple[str, bytes, Delivery]] = []
        """What is not answered yet."""
        self.retained: dict[str, bytes] = {}
        self._fresh: list[bytes] = []

    def publish_bytes(self, topic: str, payload: bytes, *, retain: bool = False) -> Delivery:
        delivery = Delivery(topic)
        if not self.is_connected:
            delivery.finish(Outcome.LOST)
            return delivery
        self.sent.append((topic, payload, delivery))
        self._fresh.append(payload)
        if retain:
            self.retained[topic] = payload
        return delivery

    def answer(self, outcome: Outcome = Outcome.ACKNOWLEDGED) -> None:
        """The broker answers everything it has not answered."""
        for _, _, delivery in self.sent:
            delivery.finish(outcome)
        self.sent.clear()

    def take(self) -> list[bytes]:
        """The payloads that came since the last `take`."""
        fresh, self._fresh = self._fresh, []
        return fresh
