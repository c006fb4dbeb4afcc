"""Messages on which the process dies: after the third death the message is set aside.

Its vehicle waits (what comes for it is stored and acknowledged, in order), the others go on.
"""

import hashlib
import json
import logging
import os
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

from sqlalchemy import Connection, func, or_, select, update

from internetcar.contract.message import InputError, Message, topic_fields
from internetcar.contract.subscriptions import Received
from services.database import Database, insert_new
from services.database_errors import StoreError
from services.points import AFTER_NOTE, AFTER_READ, BEFORE_CLEAR, BEFORE_NOTE, reach
from services.tables import quarantine

log = logging.getLogger(__name__)

MOST_DEATHS: Final = 3
DIED, QUARANTINED, WAITING, DROPPED = "died", "quarantined", "waiting", "dropped"
_REPAIRED_LEVELS = 5
"""Of `v1/client/{requester}/telemetry/{vehicle_id}`."""
_LOOK_EVERY_S = 1.0
_MOST_A_TURN = 200
_FREE = (
    select(quarantine)
    .where(
        quarantine.c.state == WAITING,
        quarantine.c.subject.not_in(
            select(quarantine.c.subject).where(quarantine.c.state == QUARANTINED)
        ),
    )
    .order_by(quarantine.c.number)
    .limit(_MOST_A_TURN)
)
"""What waits though nothing of its vehicle is in quarantine any more."""

Handle = Callable[[Received], None]


def digest_of(received: Received) -> str:
    """What a message is known by; said again to us alone, it is the same message."""
    levels = received.topic.split("/")
    if levels[:2] == ["v1", "client"] and len(levels) == _REPAIRED_LEVELS:
        levels = ["v1", "vehicle", levels[4], levels[3]]
    topic = "/".join(levels).encode()
    return hashlib.sha256(topic + b"\0" + received.payload).hexdigest()


def subject_of(topic: str) -> str:
    """Whose message it is: the vehicle, account or operator; what else comes for it waits too."""
    levels = topic.split("/")
    if levels[:2] == ["v1", "client"] and len(levels) > 3:
        return levels[-1]
    return levels[2] if len(levels) > 2 else topic


class Note:
    """The message in hand, in a small file: it outlives a process that is killed.

    Written without fsync: a power cut is no death on a message.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._file = os.open(path, flags, 0o600)
        except OSError as error:
            raise InputError(f"{path}: cannot be written ({error.strerror})") from error

    def take(self, received: Received) -> None:
        """Note what is about to be handled."""
        head = json.dumps({"digest": digest_of(received), "topic": received.topic}).encode()
        reach(BEFORE_NOTE)
        os.pwrite(self._file, head + b"\n" + received.payload, 0)
        reach(AFTER_NOTE)

    def clear(self) -> None:
        """It is handled, or it was not its fault."""
        reach(BEFORE_CLEAR)
        os.ftruncate(self._file, 0)

    def left(self) -> Received | None:
        """What an earlier process was handling when it died; a torn note is none."""
        with self._path.open("rb") as file:
            head, _, payload = file.read().partition(b"\n")
        try:
            told = json.loads(head)
            received = Received(told["topic"], payload)
            is_whole = told["digest"] == digest_of(received)
        except (ValueError, TypeError, KeyError, AttributeError):
            return None
        return received if is_whole else None

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)


class Quarantine:
    """Guards the handling of messages; one for each process.

    Args:
        database: Where what is set aside is kept, for all replicas.
        folder: Of this replica alone: where it notes what it has in hand.
        clock_ms: UTC milliseconds since 1970.
    """

    def __init__(self, database: Database, folder: Path, clock_ms: Callable[[], int]) -> None:
        self._clock_ms = clock_ms
        self._database = database
        self._note = Note(folder / "in-hand")
        self._states: dict[str, str] = {}
        self._held: set[str] = set()
        self._look_s = 0.0
        self._count_death()
        self._look()

    def guard(self, received: Received, handle: Handle) -> None:
        """Handle a message, or set it aside where its vehicle waits.

        It can be acknowledged when this returns. An error of the database is no fault of the
        message; any other is one, and counts when the process ends of it.
        """
        digest = digest_of(received) if self._states else ""
        state = self._states.get(digest)
        if state in (QUARANTINED, DROPPED):
            return  # it is kept already, or given up
        if self._held and subject_of(received.topic) in self._held:
            at_ms = self._clock_ms()
            self._database.run(lambda connection: _wait(connection, received, at_ms))
            return
        self._handle(received, handle)
        if state == DIED:
            self._database.run(partial(_forget, digest=digest))
            del self._states[digest]

    def turn(self, now_s: float, handle: Handle) -> None:
        """Take up what waits for vehicles that are free again.

        Args:
            now_s: Monotonic clock.
            handle: Gives a message to those who listen to its topic.
        """
        if now_s < self._look_s:
            return
        self._look_s = now_s + _LOOK_EVERY_S
        self._look()
        if not self._held:
            return
        with self._database.read() as connection:
            rows = connection.execute(_FREE).all()
        for row in rows:
            self._handle(Received(row.topic, row.payload), handle)
            self._database.run(partial(_forget, digest=row.digest))
        if rows:
            self._look_s = now_s  # there may be more

    def close(self) -> None:
        """Close the note."""
        self._note.close()

    def _handle(self, received: Received, handle: Handle) -> None:
        self._note.take(received)
        try:
            handle(received)
        except InputError:  # of the contract, or of the database
            self._note.clear()
            raise
        self._note.clear()

    def _count_death(self) -> None:
        received = self._note.left()
        if received is not None:
            reach(AFTER_READ)
            at_ms = self._clock_ms()
            deaths = self._database.run(lambda connection: _count(connection, received, at_ms))
            log.error(
                "the process died while it handled a message of %s, %d of %d times%s",
                received.topic, deaths, MOST_DEATHS,
                "" if deaths < MOST_DEATHS else ": set aside; see `car quarantine list`",
            )  # fmt: skip
        self._note.clear()

    def _look(self) -> None:
        with self._database.read() as connection:
            kept = connection.execute(
                select(quarantine.c.digest, quarantine.c.state).where(quarantine.c.state != WAITING)
            )
            self._states = {row.digest: row.state for row in kept}
            subjects = select(quarantine.c.subject).where(
                quarantine.c.state.in_((QUARANTINED, WAITING))
            )
            self._held = set(connection.execute(subjects.distinct()).scalars())


class Kept(NamedTuple):
    """A message that is or may come into quarantine, for a person."""

    number: int
    state: str
    deaths: int
    topic: str
    size_bytes: int
    waiting: int
    """How many messages wait behind it."""


def kept(connection: Connection) -> list[Kept]:
    """What is in quarantine, oldest first."""
    waiting = quarantine.alias()
    behind = (
        select(func.count())
        .where(waiting.c.subject == quarantine.c.subject, waiting.c.state == WAITING)
        .scalar_subquery()
    )
    columns = quarantine.c
    rows = connection.execute(
        select(columns.number, columns.state, columns.deaths, columns.topic,
               func.length(columns.payload), behind)
        .where(columns.state == QUARANTINED)
        .order_by(columns.number)
    )  # fmt: skip
    return [Kept(*row) for row in rows]


def release(connection: Connection, number: int, *, state: str) -> None:
    """Let a quarantined message be handled again (`WAITING`), or give it up (`DROPPED`).

    Raises:
        StoreError: There is no such message in quarantine.
    """
    is_it = (quarantine.c.number == number) & (quarantine.c.state == QUARANTINED)
    changes: dict[str, object] = {"state": state, "deaths": 0}
    if state == DROPPED:
        changes["payload"] = b""
    if connection.execute(update(quarantine).where(is_it).values(**changes)).rowcount == 0:
        raise StoreError(f"no message {number} is in quarantine; see `car quarantine list`")


def drop_old(database: Database, classes: Iterable[type[Message]], before_ms: int) -> None:
    """Give up, and empty, messages of these classes that were set aside or wait since before."""
    patterns = [cls.TOPIC.format(**dict.fromkeys(topic_fields(cls), "%")) for cls in classes]
    is_old = (
        or_(*(quarantine.c.topic.like(pattern) for pattern in patterns))
        & (quarantine.c.state != DROPPED)
        & (quarantine.c.kept_at_ms < before_ms)
    )
    with database.read() as connection:
        if connection.execute(select(quarantine.c.number).where(is_old).limit(1)).first() is None:
            return
    dropped = update(quarantine).where(is_old).values(state=DROPPED, payload=b"")
    count = database.run(lambda connection: connection.execute(dropped).rowcount)
    log.warning("%d messages are given up that were kept for too long", count)


def _keep(connection: Connection, received: Received, state: str, at_ms: int) -> bool:
    return insert_new(
        connection,
        quarantine,
        digest=digest_of(received),
        subject=subject_of(received.topic),
        topic=received.topic,
        payload=received.payload,
        state=state,
        deaths=0,
        kept_at_ms=at_ms,
    )


def _wait(connection: Connection, received: Received, at_ms: int) -> None:
    if not _keep(connection, received, WAITING, at_ms):
        this = (quarantine.c.digest == digest_of(received)) & (quarantine.c.state == DIED)
        connection.execute(update(quarantine).where(this).values(state=WAITING))


def _forget(connection: Connection, *, digest: str) -> None:
    connection.execute(quarantine.delete().where(quarantine.c.digest == digest))


def _count(connection: Connection, received: Received, at_ms: int) -> int:
    _keep(connection, received, DIED, at_ms)
    this = quarantine.c.digest == digest_of(received)
    connection.execute(update(quarantine).where(this).values(deaths=quarantine.c.deaths + 1))
    row = connection.execute(select(quarantine).where(this).with_for_update()).one()
    if row.deaths >= MOST_DEATHS:
        connection.execute(update(quarantine).where(this).values(state=QUARANTINED))
    return int(row.deaths)
