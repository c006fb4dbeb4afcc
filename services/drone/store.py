"""What the drone service has on disk, and a way to write it that never holds the control loop."""

import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection, bindparam, select, update

from services.database import Database, insert_new, open_database
from services.database_errors import StoreError
from services.drone.tables import DRONE, VERSION, drone_memory, drone_request

T = TypeVar("T")

SERVICE = "drone"
PATIENCE_S = 1.0
"""An autopilot that hears nothing for several seconds believes that we are gone."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A request that came before: what it was, and the payload of its answer."""

    digest: str
    reply: bytes | None
    """`None`: the process ended before the answer."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to a request, to be kept."""

    requester: str
    tid: str
    digest: str
    reply: bytes


class Store(Protocol):
    """What a drone's service keeps; each method is one transaction and may raise StoreError."""

    def memory(self) -> str | None:
        """What the pilot last remembered; `None`: nothing yet."""

    def kept(self, requester: str, tid: str) -> Kept | None:
        """What was asked under this id before."""

    def reserve(self, requester: str, tid: str, digest: str, now_ms: int) -> None:
        """Note a request before anything comes of it."""

    def save(self, memory: str | None, answers: Sequence[Answer], now_ms: int) -> None:
        """Keep what the pilot remembers (`None`: it has not changed) and what was answered."""


class DroneStore:
    """The store of one drone in a service's database."""

    def __init__(self, database: Database, vehicle_id: str, drone_id: str) -> None:
        self._database = database
        self._key = {"vehicle_id": vehicle_id, "drone_id": drone_id}
        # Made once: the memory is written every second of a flight, and making a statement costs
        # more than running it.
        self._rewrite = (
            update(drone_memory)
            .filter_by(**self._key)
            .values(memory=bindparam("text"), saved_at_ms=bindparam("at_ms"))
        )

    def memory(self) -> str | None:
        """What the pilot last remembered.

        Raises:
            StoreError: It cannot be read.
        """
        with self._database.read() as connection:
            wanted = select(drone_memory.c.memory).filter_by(**self._key)
            return connection.execute(wanted).scalar_one_or_none()

    def kept(self, requester: str, tid: str) -> Kept | None:
        """What was asked under this id before.

        Raises:
            StoreError: It cannot be read.
        """
        wanted = select(drone_request.c.digest, drone_request.c.reply).filter_by(
            **self._key, requester=requester, tid=tid
        )
        with self._database.read() as connection:
            row = connection.execute(wanted).one_or_none()
        return None if row is None else Kept(row.digest, row.reply)

    def reserve(self, requester: str, tid: str, digest: str, now_ms: int) -> None:
        """Note a request before anything comes of it.

        Raises:
            StoreError: It cannot be written.
        """
        values = {**self._key, "requester": requester, "tid": tid, "digest": digest}
        self._database.run(
            lambda connection: insert_new(connection, drone_request, **values, at_ms=now_ms),
            tries=1,
        )

    def save(self, memory: str | None, answers: Sequence[Answer], now_ms: int) -> None:
        """Keep what the pilot remembers and what was answered, in one transaction.

        Raises:
            StoreError: It cannot be written.
        """

        def write(connection: Connection) -> None:
            if memory is not None:
                self._write_memory(connection, memory, now_ms)
            for answer in answers:
                self._write_answer(connection, answer, now_ms)

        self._database.run(write, tries=1)

    def _write_memory(self, connection: Connection, memory: str, now_ms: int) -> None:
        if connection.execute(self._rewrite, {"text": memory, "at_ms": now_ms}).rowcount == 0:
            values = {**self._key, "memory": memory, "saved_at_ms": now_ms}
            connection.execute(drone_memory.insert(), values)

    def _write_answer(self, connection: Connection, answer: Answer, now_ms: int) -> None:
        key = {**self._key, "requester": answer.requester, "tid": answer.tid}
        values = {"digest": answer.digest, "reply": answer.reply, "at_ms": now_ms}
        if not insert_new(connection, drone_request, **key, **values):
            # An answer that stands is never replaced: it was said.
            unanswered = drone_request.c.reply.is_(None)
            connection.execute(
                update(drone_request).filter_by(**key).where(unanswered).values(**values)
            )


class PatientStore:
    """A store whose database may hang: whoever waits too long gets a StoreError and goes on.

    Args:
        store: Does the work, in a thread of its own, one thing at a time.
        patience_s: How long to wait.
    """

    def __init__(self, store: Store, patience_s: float = PATIENCE_S) -> None:
        self._store = store
        self._patience_s = patience_s
        self._last: Future[Any] | None = None
        self._work: queue.SimpleQueue[tuple[Future[Any], Callable[[], Any]]] = queue.SimpleQueue()
        # A daemon: a database that hangs must not hold the end of the process either.
        threading.Thread(target=self._run, name="drone store", daemon=True).start()

    def memory(self) -> str | None:
        """As `DroneStore.memory`."""
        return self._do(self._store.memory)

    def kept(self, requester: str, tid: str) -> Kept | None:
        """As `DroneStore.kept`."""
        return self._do(lambda: self._store.kept(requester, tid))

    def reserve(self, requester: str, tid: str, digest: str, now_ms: int) -> None:
        """As `DroneStore.reserve`."""
        self._do(lambda: self._store.reserve(requester, tid, digest, now_ms))

    def save(self, memory: str | None, answers: Sequence[Answer], now_ms: int) -> None:
        """As `DroneStore.save`."""
        self._do(lambda: self._store.save(memory, answers, now_ms))

    def _do(self, work: Callable[[], T]) -> T:
        """Do it within our patience; nothing new is begun while the last thing hangs.

        Raises:
            StoreError: It failed, or is not done in time.
        """
        if self._last is not None and not self._last.done():
            raise StoreError("the store still hangs")
        self._last = future = Future[T]()
        self._work.put((future, work))
        try:
            return future.result(self._patience_s)
        except FutureTimeoutError as error:
            raise StoreError(f"the store did not answer within {self._patience_s:g} s") from error

    def _run(self) -> None:
        while True:
            future, work = self._work.get()
            try:
                future.set_result(work())
            except BaseException as error:  # whatever it is, it belongs to who asked
                future.set_exception(error)


def open_store(url: str) -> Database:
    """Open the service's database, and make its tables where missing.

    Raises:
        StoreError: It cannot be used; one line.
    """
    return open_database(url, DRONE, service=SERVICE, version=VERSION)
