"""Staying connected: what to hear, what to say, and coming back. It knows no MQTT library."""

import logging
import random
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable

from internetcar.contract.broker_url import BrokerUrl, Protocol
from internetcar.contract.connection import Connection
from internetcar.contract.delivery import Delivery, Outcome, encode_publish
from internetcar.contract.loop import Loop, end_process
from internetcar.contract.message import ContractError, Message
from internetcar.contract.retry import (
    Backoff,
    BrokerRefusedError,
    BrokerUnreachableError,
    Dialect,
    LinkOptions,
)
from internetcar.contract.subscriptions import Listener, Subscriptions

log = logging.getLogger(__name__)

_HELD_S = 1.0
"""A connection that lives as long was a good one: the delays begin anew."""
_GOODBYE_S = 2.0
"""How long `stop` waits for the broker to take what has been said."""


class Session(ABC):
    """The part of a `Link` that is the same for every MQTT library."""

    def __init__(
        self,
        broker: BrokerUrl,
        client_id: str,
        *,
        will: Message | None = None,
        options: LinkOptions | None = None,
        on_failure: Callable[[BaseException], None] = end_process,
    ) -> None:
        """Prepare; nothing is sent before `run` or `start`.

        Args:
            broker: Where, and as whom.
            client_id: Stable, and unique for each replica: a second one with it throws us out.
            will: What the broker says for us when we vanish.
            options: Time-outs and bounds.
            on_failure: Gets an exception that ended the loop under `start`, be it a handler's.
        """
        self.broker = broker
        self.client_id = client_id
        self.will = will
        self.options = options or LinkOptions()
        self.dropped = 0
        """QoS 0 messages that were not sent: no connection, or no room."""
        self.not_permitted: str | None = None
        """The last topic the broker forbade us to publish."""
        self.problem: str | None = "not connected yet"
        """Why there is no connection; `None` while there is one."""
        self.loop = Loop(f"link {client_id}", self._turn, self._finish, self._fail)
        self._on_failure = on_failure
        self._refusal: BrokerRefusedError | None = None
        self._subscriptions = Subscriptions()
        self._on_connected: list[Callable[[], object]] = []
        self._connection: Connection | None = None
        self._connected_s = 0.0
        self._is_awaited = False
        self._first_answer = threading.Event()
        self._backoff = Backoff(
            self.options.first_retry_s, self.options.longest_retry_s, random.Random()
        )
        self._dialect = Dialect(broker.protocol)

    @abstractmethod
    def _open(self, version: Protocol) -> Connection:
        """Connect and ask to be let in; raises OSError."""

    @property
    def is_connected(self) -> bool:
        """Whether the broker has let us in and the connection is not known to be broken."""
        return self._connection is not None

    @property
    def is_idle(self) -> bool:
        """Whether there is a connection and the broker has answered and taken everything."""
        connection = self._connection
        return connection is not None and not connection.is_busy

    @property
    def unacknowledged(self) -> int:
        """How many QoS 1 messages the broker has not answered."""
        connection = self._connection
        return 0 if connection is None else len(connection.deliveries)

    @property
    def unreadable(self) -> int:
        """How many messages came that break the contract."""
        return self._subscriptions.unreadable

    def on_received(
        self, topic_filter: str, listener: Listener, *, qos: int = 0, tells_retain: bool = False
    ) -> None:
        """Hear a filter as topics and bytes; `tells_retain` as in `Subscription`."""
        added = self._subscriptions.add(topic_filter, qos, listener, tells_retain=tells_retain)
        if self._connection is not None:
            self._connection.subscribe(added)

    def on_connected(self, callback: Callable[[], object]) -> None:
        """Call back on every connection, after the subscriptions are asked for."""
        self._on_connected.append(callback)

    def on_turn(self, callback: Callable[[], object]) -> None:
        """Call back about once a second and after what came, also unconnected: `Loop.on_turn`."""
        self.loop.on_turn(callback)

    def publish_now(self, messages: Iterable[tuple[str, bytes]], *, retain: bool) -> bool:
        """Send a batch of topics and payloads with QoS 0 in one go.

        Returns:
            Whether they were handed to the connection; what was not is gone and counted.
        """
        connection = self._connection
        if connection is not None:
            packets = [
                encode_publish(topic.encode(), payload, retain=retain, is_v5=connection.is_v5)
                for topic, payload in messages
            ]
            if connection.send(b"".join(packets)):
                return True
            self.dropped += len(packets)
        else:
            self.dropped += sum(1 for _ in messages)
        return False

    def publish_bytes(
        self,
        topic: str,
        payload: bytes,
        *,
        retain: bool = False,
        correlation: bytes | None = None,
        then: Callable[[Delivery], None] | None = None,
    ) -> Delivery:
        """Send with QoS 1; without a connection it ends at once as `Outcome.LOST`.

        Nothing is kept for later: who must not lose it has it on disk and sends it again.

        Args:
            topic: Without wildcards.
            payload: The bytes.
            retain: Whether the broker remembers it for those who come later.
            correlation: What a request wants to find in its answer; MQTT 5 only.
            then: Gets the delivery when it has ended, in the thread of the loop or in this one.
        """
        delivery = Delivery(topic, then)
        if (connection := self._connection) is None:
            delivery.finish(Outcome.LOST)
        else:
            connection.deliveries.start(
                delivery, lambda: connection.publish(topic, payload, retain, correlation)
            )
        return delivery

    def run(self) -> None:
        """Stay connected and call the handlers in this thread, until `stop`.

        Raises:
            BrokerRefusedError: The broker does not let us in.
            Exception: Whatever a handler raised; its message is not acknowledged.
        """
        self.loop.run()

    def start(self, wait_s: float | None = None) -> None:
        """Stay connected in a thread of its own until `stop`; a handler's error ends the process.

        Args:
            wait_s: How long to wait for the first connection; `None` goes on without.

        Raises:
            BrokerRefusedError: The broker does not let us in (where there is a `wait_s`).
            BrokerUnreachableError: No connection within `wait_s`.
        """
        self._is_awaited = wait_s is not None
        self.loop.start()
        if wait_s is None:
            return
        if self._first_answer.wait(wait_s) and self._refusal is None:
            self._is_awaited = False
            return
        self.stop()
        raise self._refusal or BrokerUnreachableError(f"{self.broker}: {self.problem}")

    def stop(self) -> None:
        """Take leave: what has been said is given two seconds to reach the broker."""
        self.loop.stop()

    def _turn(self) -> None:
        connection = self._connection
        if connection is None:
            self._connect()
            return
        connection.turn(1.0)
        self.loop.woken()
        self._hear(connection)
        self._settle(connection)
        if not connection.is_open:
            self._connection = None
            connection.deliveries.lose_all()
            if time.monotonic() - self._connected_s > _HELD_S:
                self._backoff.reset()
            self._retry_later(connection.end)

    def _connect(self) -> None:
        try:
            connection = self._open(self._dialect.version)
        except OSError as error:
            self._retry_later(str(error))
            return
        deadline_s = time.monotonic() + self.options.connack_timeout_s
        while connection.answer is None and connection.is_open and not self.loop.is_stopping:
            if (left_s := deadline_s - time.monotonic()) <= 0:
                break
            connection.turn(left_s)
            self.loop.woken()
        answer = connection.answer
        if answer is not None and answer.is_welcome:
            self._welcome(connection)
            return
        connection.close(with_goodbye=False)
        why = answer.text if answer else "it does not answer our wish to connect"
        if answer is not None and answer.is_final:
            why = f"it refuses us: {why}; check user name, password and client id"
            if not self.options.outlives_refusal:
                raise BrokerRefusedError(f"{self.broker}: {why}")
        if (answer is None or answer.is_wrong_version) and self._dialect.unanswered():
            log.info("%s does not answer MQTT 5; trying 3.1.1", self.broker)
            return
        self._retry_later(why)

    def _welcome(self, connection: Connection) -> None:
        self._dialect.accepted()
        self._connected_s = time.monotonic()
        asked = [*self._subscriptions]
        for subscription in asked:
            connection.subscribe(subscription)
        self._connection = connection  # only now may others publish: we hear who answers
        self.problem = None
        log.info("connected to %s with MQTT %s", self.broker, self._dialect.version)
        for subscription in set(self._subscriptions).difference(asked):
            connection.subscribe(subscription)
        for callback in self._on_connected:
            callback()
        self._first_answer.set()

    def _retry_later(self, problem: str) -> None:
        delay_s = self._backoff.next_s()
        if problem != self.problem:
            log.warning("no connection to %s: %s; trying again", self.broker, problem)
        self.problem = problem
        self.loop.wait(delay_s)

    def _hear(self, connection: Connection) -> None:
        while connection.arrivals and not self.loop.is_stopping:
            arrival = connection.arrivals.popleft()
            if arrival.received is None:
                self._subscriptions.complain("", ContractError("a topic is not UTF-8"))
            else:
                self._subscriptions.dispatch(arrival.received)
            connection.acknowledge(arrival)

    def _settle(self, connection: Connection) -> None:
        for delivery in connection.deliveries.settle():
            if delivery.outcome is Outcome.NOT_PERMITTED:
                if delivery.topic != self.not_permitted:
                    log.error("%s does not permit us to publish %s", self.broker, delivery.topic)
                self.not_permitted = delivery.topic

    def _finish(self, is_clean: bool) -> None:
        connection = self._connection
        if connection is None:
            return
        deadline_s = time.monotonic() + _GOODBYE_S
        while is_clean and connection.is_open and connection.is_busy:
            if (left_s := deadline_s - time.monotonic()) <= 0:
                break
            connection.turn(left_s)
            self._settle(connection)
        self._connection = None
        connection.close(with_goodbye=is_clean)
        connection.deliveries.lose_all()

    def _fail(self, error: BaseException) -> None:
        if isinstance(error, BrokerRefusedError) and self._is_awaited:
            self._refusal = error
            self._first_answer.set()
        else:
            self._on_failure(error)
