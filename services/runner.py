"""One service's process: what it hears, its database, what it says, and its end."""

import logging
import signal
import threading
import time
from collections.abc import Callable, Container, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import MetaData

from internetcar.contract.link import Link
from internetcar.contract.loop import end_process
from internetcar.contract.message import ContractError, Message
from internetcar.contract.reader import TelemetryReader
from internetcar.contract.retry import LinkOptions
from internetcar.contract.subscriptions import Listener, Received, decoding, filter_pattern
from internetcar.contract.telemetry import RepairedTelemetry, Telemetry
from services.alive import Heartbeat
from services.database import Database, open_database
from services.outgoing import Sender
from services.points import BEFORE_ACKNOWLEDGE, reach
from services.quarantine import Quarantine
from services.settings import ServiceSettings, broker_of, replica_folder, store_url
from services.telemetry_log import LogHandler, LogReader

log = logging.getLogger(__name__)

M = TypeVar("M", bound=Message)


class Runner:
    """What a service is built on: give it handlers, then `run`.

    A handler commits all it does in one transaction of `database`; its message is acknowledged when
    it returns, and comes again when the process ends before that.

    Args:
        service: Its name, which is also its user name at the broker.
        link: Not started yet; persistent, or what is said while we are away is lost.
        database: Open, with the service's tables.
        state: A folder of this replica alone.
        share: The group of replicas of which one hears each message; empty: there is one.
    """

    def __init__(
        self, service: str, link: Link, database: Database, state: Path, *, share: str = ""
    ) -> None:
        self.service = service
        self.link = link
        self.database = database
        self.sender = Sender(database, link)
        self._quarantine = Quarantine(database, state, _now_ms)
        self._heartbeat = Heartbeat(state)
        self._share = f"$share/{share}/" if share else ""
        self._listeners: list[tuple[Callable[[str], object], Listener]] = []
        self._on_turn: list[Callable[[], object]] = []
        link.on_connected(self.sender.on_connected)
        link.on_turn(self._turn)

    def on(
        self,
        cls: type[M],
        handler: Callable[[M], None],
        *,
        on_unreadable: Callable[[Received, ContractError], object] | None = None,
        is_dealt: bool = True,
        **levels: str,
    ) -> None:
        """Hear all messages of a class.

        Args:
            cls: What to hear.
            handler: Called in the thread of the loop; an exception of it ends the process.
            on_unreadable: Called for what is no message of the class, before it is dropped.
            is_dealt: One replica hears each; false: every replica hears all, and what the broker
                remembers.
            levels: Values of the fields that stand in the topic.
        """
        topic_filter = (self._share if is_dealt else "") + cls.filter(**levels)
        listener = decoding(cls, handler)
        if on_unreadable is not None:
            listener = _answering(cls, handler, on_unreadable)

        def hear(received: Received) -> None:
            if received.retained and not cls.RETAIN:
                raise ContractError(f"{received.topic}: what is remembered of it is no news")
            self._quarantine.guard(received, listener)
            reach(BEFORE_ACKNOWLEDGE)

        self._listeners.append((filter_pattern(topic_filter).fullmatch, listener))
        self.link.on_received(topic_filter, hear, qos=cls.QOS)

    def on_turn(self, callback: Callable[[], object]) -> None:
        """Call back about once a second, and after messages, before what they said is sent."""
        self._on_turn.append(callback)

    def read_logs(
        self,
        handle: LogHandler,
        *,
        vehicles: Container[str] | None = None,
        reader: TelemetryReader | None = None,
    ) -> LogReader:
        """Hear the telemetry of vehicles (`None`: of all), in order, what was missed included."""
        logs = LogReader(
            self.database,
            reader or TelemetryReader(self.service, most_parked=200),
            handle,
            publish=self.link.publish,
            clock_s=time.monotonic,
            vehicles=vehicles,
        )
        self.on(Telemetry, logs.accept)
        self.on(RepairedTelemetry, logs.accept, requester=self.service)
        self.on_turn(logs.turn)
        return logs

    def run(self) -> None:
        """Serve in this thread until SIGTERM, SIGINT or `stop`.

        Raises:
            InputError: The broker does not let us in, or the database failed for good.
        """
        threading.excepthook = _on_thread_failure
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.stop())
        log.info("%s runs on %s", self.service, self.database.name)
        self.link.run()
        self.sender.turn(_now_ms())  # what the broker has just acknowledged

    def stop(self) -> None:
        """End `run` after the message in hand; from any thread or signal handler."""
        self.link.stop()

    def close(self) -> None:
        """Close the database and what else is open."""
        self._quarantine.close()
        self.database.close()

    def _turn(self) -> None:
        if self.link.is_connected:
            self._heartbeat.beat(time.monotonic())
        self._quarantine.turn(time.monotonic(), self._deliver)
        for callback in self._on_turn:
            callback()
        self.sender.turn(_now_ms())

    def _deliver(self, received: Received) -> None:
        """Give a message that had to wait to all who listen to its topic."""
        for matches, listener in self._listeners:
            if matches(received.topic):
                try:
                    listener(received)
                except ContractError as error:
                    log.warning("dropped: %s", error)


@contextmanager
def running(
    service: str,
    settings: ServiceSettings,
    metadata: MetaData,
    *,
    version: int = 1,
    extra_ddl: Callable[[str], Sequence[str]] = lambda dialect: (),
) -> Iterator[Runner]:
    """A runner as the settings want it; `run` it inside.

    Args:
        service: Its name.
        settings: Where broker, store and state are.
        metadata: As in `open_database`, with `version` and `extra_ddl`.
        version: Of the tables.
        extra_ddl: Statements beside them.

    Raises:
        InputError: Broker, store or state folder cannot be used; one line.
    """
    broker = broker_of(settings)
    database = open_database(
        store_url(settings, service), metadata,
        service=service, version=version, extra_ddl=extra_ddl,
    )  # fmt: skip
    try:
        link = Link(broker, f"{service}-{settings.replica}", options=LinkOptions(persistent=True))
        state = replica_folder(settings, service)
        runner = Runner(service, link, database, state, share=settings.share)
        try:
            yield runner
        finally:
            runner.close()
    finally:
        database.close()


def run_service(
    service: str,
    settings: ServiceSettings,
    metadata: MetaData,
    build: Callable[[Runner], object],
    *,
    version: int = 1,
    extra_ddl: Callable[[str], Sequence[str]] = lambda dialect: (),
) -> None:
    """Run a service in this process: `build` gives the runner its handlers.

    Args and errors are those of `running` and `Runner.run`.
    """
    with running(service, settings, metadata, version=version, extra_ddl=extra_ddl) as runner:
        build(runner)
        runner.run()


def _answering(
    cls: type[M],
    handler: Callable[[M], None],
    on_unreadable: Callable[[Received, ContractError], object],
) -> Listener:
    """As `decoding`, with a word for what cannot be read."""

    def listen(received: Received) -> None:
        try:
            message = cls.decode(received.topic, received.payload)
        except ContractError as error:
            on_unreadable(received, error)
            raise
        handler(message)

    return listen


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _on_thread_failure(failure: Any) -> None:
    end_process(failure.exc_value)
