"""What a service says: committed with what it did, then sent until it is settled.

An id derives from what happened, so a handler that runs twice says everything once. Two replicas
on one database may send the same message twice; whoever hears it gives the same answer.
"""

import hashlib
import logging
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import Connection, Row, Select, bindparam, or_, select, update

from internetcar.contract.delivery import Delivery, Outcome
from internetcar.contract.message import Message
from services.database import Database, insert_new
from services.points import AFTER_PUBLISH, BEFORE_PUBLISH, BEFORE_SETTLE, reach
from services.repeating import LONGEST_MS, again_at_ms, next_at_ms
from services.tables import outgoing

log = logging.getLogger(__name__)


_REPLACED = outgoing.delete().where(
    outgoing.c.retain,
    outgoing.c.topic == bindparam("its"),
    outgoing.c.id != bindparam("except_for"),
)
"""What an older message said that the broker was to remember."""


class Publisher(Protocol):
    """The part of a `Link` that sending needs."""

    @property
    def is_connected(self) -> bool:
        """Whether there is a connection."""

    def publish_bytes(self, topic: str, payload: bytes, *, retain: bool = False) -> Delivery:
        """Send with QoS 1."""


def enqueue(
    connection: Connection,
    message: Message,
    *,
    message_id: str | None = None,
    awaits: str | None = None,
) -> bool:
    """Say a message once this transaction is committed; whether it was not waiting already.

    A retained message takes the place of an older one that waits on its topic.

    Args:
        connection: Of the transaction in which what it says happens.
        message: What to say; always with QoS 1.
        message_id: The same for the same event; `None`: derived from topic and payload.
        awaits: The id of the answer that ends it (see `settle`), up to then it is repeated;
            `None`: the broker's acknowledgement ends it.
    """
    topic, payload = message.topic, message.encode()
    if message_id is None:
        message_id = hashlib.sha256(topic.encode() + b"\0" + payload).hexdigest()
    if message.RETAIN:
        connection.execute(_REPLACED, {"its": topic, "except_for": message_id})
    return insert_new(
        connection,
        outgoing,
        id=message_id,
        topic=topic,
        payload=payload,
        retain=message.RETAIN,
        awaits=awaits,
        next_at_ms=0,
        attempts=0,
    )


def settle(connection: Connection, awaits: str) -> int:
    """The answer with this id is stored: what waited for it is not said again; how many."""
    reach(BEFORE_SETTLE)
    return connection.execute(outgoing.delete().where(outgoing.c.awaits == awaits)).rowcount


@dataclass(slots=True)
class _Sent:
    number: int
    attempts: int
    is_awaiting: bool
    delivery: Delivery


class Sender:
    """Sends what is due, oldest first, with at most so many unacknowledged at a time.

    Call `turn` in every turn of the link's loop, in whose thread it publishes.

    Args:
        database: Where the messages are.
        link: Where they go.
        most_in_flight: More makes an MQTT client slower, not faster.
    """

    def __init__(self, database: Database, link: Publisher, *, most_in_flight: int = 20) -> None:
        self._database = database
        self._link = link
        self._most_in_flight = most_in_flight
        self._sent: dict[int, _Sent] = {}
        self._complained: set[str] = set()
        self._must_restore = True

    @property
    def in_flight(self) -> int:
        """How many messages are with the broker and not acknowledged."""
        return len(self._sent)

    def on_connected(self) -> None:
        """A connection is there: the broker may have lost everything, so all is due at once."""
        self._must_restore = True

    def turn(self, now_ms: int) -> None:
        """Note what became of what was sent, and fill the free places.

        Args:
            now_ms: UTC milliseconds since 1970; the same clock for all replicas.
        """
        self._note(now_ms)
        if not self._link.is_connected:
            return
        if self._must_restore:
            self._database.run(_make_all_due)
            self._must_restore = False
        for row in self._claim(now_ms):
            reach(BEFORE_PUBLISH)
            delivery = self._link.publish_bytes(row.topic, row.payload, retain=row.retain)
            reach(AFTER_PUBLISH)
            self._sent[row.number] = _Sent(
                row.number, row.attempts + 1, row.awaits is not None, delivery
            )

    def _claim(self, now_ms: int) -> list[Row[tuple[object, ...]]]:
        """Take the oldest due messages, so that no other replica sends them meanwhile."""
        free = self._most_in_flight - len(self._sent)
        if free <= 0:
            return []
        due = _due(now_ms, self._sent.keys()).limit(free)
        with self._database.read() as connection:
            if connection.execute(due).first() is None:
                return []

        def claim(connection: Connection) -> list[Row[tuple[object, ...]]]:
            rows = list(connection.execute(due.with_for_update(skip_locked=True)))
            for row in rows:
                attempts = row.attempts + 1
                again_ms = next_at_ms(attempts, now_ms, awaits_answer=row.awaits is not None)
                connection.execute(
                    update(outgoing)
                    .where(outgoing.c.number == row.number)
                    .values(attempts=attempts, next_at_ms=again_ms)
                )
            return rows

        return self._database.run(claim)

    def _note(self, now_ms: int) -> None:
        ended = [each for each in self._sent.values() if each.delivery.outcome is not None]
        if not ended:
            return
        over: list[int] = []
        again: list[tuple[int, int]] = []
        for each in ended:
            assert each.delivery.outcome is not None
            at_ms = again_at_ms(each.delivery.outcome, each.attempts, now_ms)
            if at_ms is not None:
                again.append((each.number, at_ms))
            elif not each.is_awaiting:
                over.append(each.number)
        if over or again:
            self._database.run(lambda connection: _write(connection, over, again))
        for each in ended:
            del self._sent[each.number]
        self._complain(each.delivery for each in ended)

    def _complain(self, deliveries: Iterable[Delivery]) -> None:
        for delivery in deliveries:
            if delivery.outcome not in (Outcome.NOT_PERMITTED, Outcome.REFUSED):
                continue
            if delivery.topic not in self._complained and len(self._complained) < 1000:
                self._complained.add(delivery.topic)
                log.warning(
                    "the broker does not take %s (%s): it waits",
                    delivery.topic, delivery.outcome.value,
                )  # fmt: skip


def _due(now_ms: int, except_for: Collection[int]) -> Select[tuple[object, ...]]:
    is_due = or_(outgoing.c.next_at_ms <= now_ms, outgoing.c.next_at_ms > now_ms + LONGEST_MS)
    return (
        select(outgoing)
        .where(is_due, outgoing.c.number.not_in(except_for))
        .order_by(outgoing.c.number)
    )


def _make_all_due(connection: Connection) -> None:
    connection.execute(update(outgoing).where(outgoing.c.next_at_ms > 0).values(next_at_ms=0))


def _write(connection: Connection, over: list[int], again: list[tuple[int, int]]) -> None:
    if over:
        connection.execute(outgoing.delete().where(outgoing.c.number.in_(over)))
    for number, at_ms in again:
        connection.execute(
            update(outgoing).where(outgoing.c.number == number).values(next_at_ms=at_ms)
        )
