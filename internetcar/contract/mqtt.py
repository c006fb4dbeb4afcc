"""One connection to a broker: the only module that imports paho."""

import logging
import select
import socket
from collections import deque
from collections.abc import Callable
from typing import Any

from paho.mqtt import MQTTException
from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from internetcar.contract.broker_url import BrokerUrl, Protocol
from internetcar.contract.connection import Answer, Arrival, Connection
from internetcar.contract.delivery import Deliveries, Outcome
from internetcar.contract.incoming import read_publish
from internetcar.contract.message import Message
from internetcar.contract.outgoing import Outgoing
from internetcar.contract.retry import LinkOptions
from internetcar.contract.subscriptions import Subscription

log = logging.getLogger(__name__)

_BAD_VERSION = 0x84
_NOT_PERMITTED = 0x87
_FINAL_REFUSALS = {0x85, 0x86, _NOT_PERMITTED, 0x8A, 0x8C}
"""CONNACK reasons another attempt does not change: id, password, rights (MQTT 5 §3.2.2.2)."""
_ENDS = {0x82: "the broker sent what is not MQTT", 0x8D: "the broker does not answer our pings"}
"""How a connection ended, by paho's reason; else the broker closed it."""
_SESSION_KEPT_S = 7 * 24 * 3600
_READ_AT_ONCE = 64
_READ_AT_ONCE_BYTES = 4 << 20
"""More wait with the broker while these are heard: a flood must not become our memory."""
_RECEIVED_AT_ONCE = 256 << 10
_LARGEST_PACKET_BYTES = Message.MAX_PAYLOAD_BYTES + (64 << 10)
"""What we let a broker hand us: the contract's largest payload, with topic and properties."""


def connect(
    broker: BrokerUrl,
    version: Protocol,
    client_id: str,
    options: LinkOptions,
    will: Message | None,
    wake: Callable[[], None],
    wake_fd: int,
) -> Connection:
    """Connect and ask to be let in; `wake` makes `wake_fd` readable. Raises OSError."""
    client = _Client(
        CallbackAPIVersion.VERSION2,
        client_id,
        clean_session=None if version == "5" else not options.persistent,
        protocol=mqtt.MQTTv5 if version == "5" else mqtt.MQTTv311,
        reconnect_on_failure=False,
        manual_ack=True,
    )
    client.username_pw_set(broker.username, broker.password)
    client.connect_timeout = options.connect_timeout_s
    client.max_inflight_messages_set(options.in_flight)
    if will is not None:
        client.will_set(will.topic, will.encode(), will.QOS, will.RETAIN)
    if broker.tls:
        client.tls_set_context(broker.tls_context())
    return _PahoConnection(client, broker, options, wake, wake_fd)


class _PacketTooLargeError(MQTTException):
    """The broker is about to send more than we would hold."""


class _Client(mqtt.Client):
    """paho, but for what comes.

    MQTT 3.1.1 cannot ask the broker to drop what is too large, paho takes long to read a message,
    asks the system for its length byte by byte, and reads as many packets at once as answers are
    awaited: we do it. A paho that no longer lets us hands us nothing, and every test fails.
    """

    take_message: Callable[[int, bytes], None]
    packets_left = 0
    """So many packets may be begun before the next turn."""
    _ahead = memoryview(b"")

    @property
    def is_ahead(self) -> bool:
        """Whether something was received that is not read yet: the socket does not tell."""
        return len(self._ahead) > 0

    def _sock_recv(self, bufsize: int) -> bytes:
        if bufsize > _LARGEST_PACKET_BYTES:
            raise _PacketTooLargeError
        if self._in_packet["command"] == 0:  # a packet begins
            if self.packets_left <= 0:
                raise BlockingIOError
            self.packets_left -= 1
        if not self._ahead:
            self._ahead = memoryview(super()._sock_recv(_RECEIVED_AT_ONCE))
        data, self._ahead = bytes(self._ahead[:bufsize]), self._ahead[bufsize:]
        return data

    def _handle_publish(self) -> MQTTErrorCode:
        packet: Any = self._in_packet
        self.take_message(packet["command"], bytes(packet["packet"]))
        return MQTTErrorCode.MQTT_ERR_SUCCESS


class _PahoConnection:
    """One connection from beginning to end: a paho client that is used once.

    So nothing of an earlier connection is ever sent, acknowledged or counted on a later one. paho
    only parses and builds packets: the loop is ours, and paho's callbacks only take notes, so
    handlers run outside it and their exceptions reach the caller of the loop.
    """

    def __init__(
        self,
        client: _Client,
        broker: BrokerUrl,
        options: LinkOptions,
        wake: Callable[[], None],
        wake_fd: int,
    ) -> None:
        """Connect; CONNECT goes out with the first `turn`. Raises OSError."""
        self.is_v5 = client.protocol == mqtt.MQTTv5
        self.answer: Answer | None = None
        self.end = "closed by the broker: it went, or another client came with our id"
        self.arrivals: deque[Arrival] = deque()
        self.deliveries = Deliveries()
        self._client = client
        self._noted = 0
        self._bytes_left = 0
        self._is_closed = False
        self._in_flight = options.in_flight
        self._room = options.queued
        self._filters: dict[int | None, str] = {}
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_subscribe = self._on_subscribe
        client.take_message = self._on_message
        client.on_publish = self._on_publish
        # With this set paho leaves writing to our loop, whichever thread publishes.
        client.on_socket_register_write = lambda *_: wake()
        sock = self._connect(broker, options)
        self._fd: int = sock.fileno()
        self._pending: Callable[[], int] = getattr(sock, "pending", int)
        self._poll = select.poll()
        self._poll.register(wake_fd, select.POLLIN)
        self._outgoing = Outgoing(
            sock,
            library_waits=client.want_write,
            library_writes=client.loop_write,
            is_shareable=not broker.tls,
            wake=wake,
        )

    def _connect(self, broker: BrokerUrl, options: LinkOptions) -> Any:
        address = (broker.host, broker.port, options.keepalive_s)
        if self.is_v5:
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho's own gap
            properties.ReceiveMaximum = options.in_flight
            properties.MaximumPacketSize = _LARGEST_PACKET_BYTES
            properties.SessionExpiryInterval = _SESSION_KEPT_S if options.persistent else 0
            self._client.connect(
                *address, clean_start=not options.persistent, properties=properties
            )
        else:
            self._client.connect(*address)
        sock: Any = self._client.socket()
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock

    @property
    def is_open(self) -> bool:
        """Whether the socket is."""
        return not self._is_closed and self._client.socket() is not None

    @property
    def is_busy(self) -> bool:
        """Whether something waits for room in the socket or for the broker's answer."""
        return self._outgoing.is_waiting or len(self.deliveries) > 0

    def turn(self, timeout_s: float) -> None:
        """Wait for the socket or for `wake`, at most `timeout_s`; then read and write once."""
        self._poll.register(
            self._fd, select.POLLIN | (select.POLLOUT if self._outgoing.is_waiting else 0)
        )
        is_pending = self._client.is_ahead or self._pending()
        ready = dict(self._poll.poll(0 if is_pending else timeout_s * 1000))
        if is_pending or ready.get(self._fd, 0) & ~select.POLLOUT:
            self._read()
        if self.is_open:
            self._outgoing.pump()
            self._client.loop_misc()

    def _read(self) -> None:
        self._client.packets_left, self._bytes_left = _READ_AT_ONCE, _READ_AT_ONCE_BYTES
        for _ in range(_READ_AT_ONCE):
            noted = self._noted
            try:
                self._client.loop_read()
            except _PacketTooLargeError:
                self.end = f"a message came of more than {_LARGEST_PACKET_BYTES} bytes"
                self.close(with_goodbye=False)
            except (MQTTException, ValueError):  # paho 2.1; 2.2 ends the connection itself
                self.end = _ENDS[0x82]
                self.close(with_goodbye=False)
            if not self.is_open or self._noted == noted:
                return

    def send(self, packets: bytes) -> bool:
        """Send QoS 0 packets now or as soon as there is room; false if there is too little."""
        return self._outgoing.send(packets)

    def subscribe(self, subscription: Subscription) -> None:
        """Ask for topics; a refusal is logged when it comes."""
        wanted: dict[str, Any] = {"qos": subscription.qos}
        if self.is_v5:
            tells_retain = subscription.tells_retain
            wanted = {"options": SubscribeOptions(subscription.qos, retainAsPublished=tells_retain)}
        asked = self._client.subscribe(subscription.filter, **wanted)
        self._filters[asked[1]] = subscription.filter

    def publish(
        self, topic: str, payload: bytes, retain: bool, correlation: bytes | None
    ) -> int | Outcome:
        """Queue a QoS 1 message; the packet identifier of its answer, or why it was not taken."""
        if len(self.deliveries) >= self._room:
            return Outcome.FULL
        properties = None
        if self.is_v5 and correlation is not None:
            properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]  # paho's
            properties.CorrelationData = correlation
        sent = self._client.publish(topic, payload, 1, retain, properties)
        return sent.mid if sent.rc == mqtt.MQTT_ERR_SUCCESS else Outcome.LOST

    def acknowledge(self, arrival: Arrival) -> None:
        """Tell the broker that a message has been dealt with."""
        if arrival.qos:
            self._client.ack(arrival.identifier, arrival.qos)

    def close(self, *, with_goodbye: bool) -> None:
        """Close; with a goodbye the broker does not publish our last will."""
        if with_goodbye:
            self._client.disconnect()
        if self.is_open:
            self._outgoing.pump()  # also the acknowledgements of what has been dealt with
        self._is_closed = True
        sock = self._client.socket()
        if sock is not None:
            sock.close()

    def _on_connect(
        self, _client: Any, _data: Any, _flags: Any, reason: ReasonCode, properties: Any
    ) -> None:
        allowed = getattr(properties, "ReceiveMaximum", self._in_flight)
        if allowed < self._in_flight:  # paho does not heed it, nor lets us lower its own now
            self._room = min(self._room, allowed)
        self.answer = Answer(
            text=str(reason),
            is_welcome=not reason.is_failure,
            is_wrong_version=reason.value == _BAD_VERSION,
            is_final=reason.value in _FINAL_REFUSALS,
        )

    def _on_disconnect(self, _client: Any, _data: Any, flags: Any, reason: Any, _: Any) -> None:
        if flags.is_disconnect_packet_from_server:
            self.end = f"the broker ended the connection: {reason}"
        else:
            self.end = _ENDS.get(reason.value, self.end)

    def _on_subscribe(self, _client: Any, _data: Any, mid: int, reasons: Any, _: Any) -> None:
        topic_filter = self._filters.pop(mid, "?")
        for reason in reasons:
            if reason.is_failure:
                log.error("the broker refuses the subscription %s: %s", topic_filter, reason)

    def _on_message(self, flags: int, packet: bytes) -> None:
        self.arrivals.append(read_publish(flags, packet, is_v5=self.is_v5))
        self._noted += 1
        self._bytes_left -= len(packet)
        if self._bytes_left <= 0:
            self._client.packets_left = 0

    def _on_publish(self, _client: Any, _data: Any, mid: int, reason: ReasonCode, _: Any) -> None:
        if not reason.is_failure:
            outcome = Outcome.ACKNOWLEDGED
        elif reason.value == _NOT_PERMITTED:
            outcome = Outcome.NOT_PERMITTED
        else:
            outcome = Outcome.REFUSED
        self._noted += 1
        self.deliveries.answered(mid, outcome)
