"""A real mosquitto with an authority, and clients that know nothing of our link."""

import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from internetcar.contract.asyncapi import message_classes
from internetcar.contract.broker_url import BrokerUrl
from internetcar.launcher import secure_broker
from internetcar.launcher.access import Rights, access_text
from internetcar.launcher.authority import Authority
from internetcar.launcher.broker import free_port, mosquitto_path
from internetcar.launcher.child import dying_with_us, end_child
from internetcar.launcher.register import Register
from internetcar.launcher.secure_folder import SecureFolder, create, write_private
from tests.conftest import need_mosquitto
from tests.waiting import PATIENCE_S, eventually

NOW = datetime.now(UTC)
WATCHER = "watcher"
MEMBERS = {
    "kona": Rights(role="vehicle"),
    "leaf": Rights(role="vehicle"),
    "alice": Rights(role="person", vehicles=("kona",), accounts=("family",)),
    "bob": Rights(role="person", vehicles=("leaf",)),
    "tolls": Rights(role="service"),
    "trips": Rights(role="service"),
    "payments": Rights(role="service"),
    "station": Rights(role="service", vehicles=("kona",), reads=("position",), pays=True),
    "lamp": Rights(role="service", vehicles=("kona",), reads=("signal/+",), writes=("home/lamp",)),
}


CLASSES = message_classes()


class Place:
    """An authority, its mosquitto on 127.0.0.1, and a watcher there who may do everything."""

    def __init__(self, path: Path, members: Mapping[str, Rights] = MEMBERS) -> None:
        need_mosquitto()
        now = datetime.now(UTC)
        port = free_port()
        register = Register(
            hosts=("127.0.0.1",), port=port, bind="127.0.0.1", broker_folder=str(path / "broker")
        )
        self.secure: SecureFolder = create(path, register, now)
        self.secure.issue_broker(now, 10)
        self.port = port
        self.child: subprocess.Popen[bytes] | None = None
        for name, rights in {**members, WATCHER: Rights(role="service")}.items():
            changed = self.secure.register.with_rights(name, rights, now, change=False)
            self.secure.issue(changed, name, now, 10)

    def __enter__(self) -> Self:
        self.write_rules()
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def authority(self) -> Authority:
        return self.secure.authority

    @property
    def folder(self) -> Path:
        return self.secure.broker_folder

    def write_rules(self) -> None:
        """The rules as the command writes them, with a service of a later day and the watcher."""
        now = datetime.now(UTC)
        self.secure.write_rules(now)
        rights = self.secure.register.rights(now)
        rights.pop(WATCHER)
        rules = f"{access_text(rights, CLASSES)}\nuser {WATCHER}\ntopic readwrite #\n"
        write_private(self.folder / "access", rules.encode())

    def start(self) -> None:
        self.spawn()
        eventually(self._listens)

    def spawn(self) -> "subprocess.Popen[bytes]":
        path = mosquitto_path()
        assert path is not None
        command = [path, "-c", str(self.folder / secure_broker.CONFIGURATION)]
        self.child = subprocess.Popen(
            command, stderr=subprocess.DEVNULL, preexec_fn=dying_with_us()
        )
        return self.child

    def stop(self) -> None:
        if self.child is not None:
            end_child(self.child)
            self.child = None

    def url(self, name: str) -> BrokerUrl:
        return self.secure.url(name)

    def client(self, name: str, *filters: str, kept_as: str = "") -> "Client":
        return Client(self.url(name), *filters, kept_as=kept_as)

    def _listens(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), 1.0).close()
        except OSError:
            return False
        return True


class Client:
    """One connection with a certificate; it never comes back by itself. A context manager.

    `kept_as` is the client id of a session that the broker keeps.
    """

    def __init__(self, url: BrokerUrl, *filters: str, kept_as: str = "", will: str = "") -> None:
        self.heard: list[tuple[str, bytes]] = []
        self.ended = threading.Event()
        self._subscribed = threading.Event()
        self._filters = filters
        self._client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            kept_as,
            clean_session=not kept_as,
            protocol=mqtt.MQTTv311,
            reconnect_on_failure=False,
        )
        self._client.username_pw_set(url.username)
        self._client.tls_set_context(url.tls_context())
        if will:
            self._client.will_set(will, b"will", 1)
        self._client.on_message = self._on_message
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.on_disconnect = lambda *_: self.ended.set()
        self._client.connect(url.host, url.port)

    def __enter__(self) -> Self:
        self._client.loop_start()
        assert self._subscribed.wait(PATIENCE_S)
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def vanish(self) -> None:
        """Go without a goodbye."""
        sock = self._client.socket()
        assert isinstance(sock, socket.socket)
        sock.shutdown(socket.SHUT_RDWR)
        assert self.ended.wait(PATIENCE_S)

    def say(self, topic: str, payload: bytes = b"x", qos: int = 0, *, retain: bool = False) -> None:
        """Hand over to the broker; mosquitto 2.0.11 hangs up on whoever says what is denied."""
        self._client.publish(topic, payload, qos, retain)

    def topics(self) -> list[str]:
        return [topic for topic, _ in list(self.heard)]

    def has_heard(self, topic: str) -> bool:
        return topic in self.topics()

    def until(self, topic: str) -> None:
        eventually(lambda: self.has_heard(topic))

    def until_payload(self, payload: bytes) -> None:
        eventually(lambda: payload in [heard for _, heard in list(self.heard)])

    def until_gone_or(self, happened: Callable[[], object]) -> None:
        """Wait until the broker has hung up, or something has happened."""
        eventually(lambda: self.ended.is_set() or happened())

    def _on_connect(self, *_: object) -> None:
        self._client.subscribe([(name, 1) for name in self._filters or ("nothing/here",)])

    def _on_message(self, _client: object, _data: object, message: mqtt.MQTTMessage) -> None:
        self.heard.append((message.topic, bytes(message.payload)))


def welcome(port: int, context: ssl.SSLContext | None, user: str = "") -> bool:
    """Whether a broker lets in whoever has such a TLS context (none: without TLS)."""
    body = b"\x00\x04MQTT\x04" + (b"\x82" if user else b"\x02") + b"\x00\x3c\x00\x05probe"
    if user:
        body += len(user).to_bytes(2, "big") + user.encode()
    with socket.create_connection(("127.0.0.1", port), PATIENCE_S) as plain:
        try:
            # TLS 1.3: a broker refuses a certificate only after our side of the handshake.
            sock = context.wrap_socket(plain, server_hostname="127.0.0.1") if context else plain
            with sock:
                sock.sendall(b"\x10" + bytes([len(body)]) + body)
                return sock.recv(4) == b"\x20\x02\x00\x00"
        except (ssl.SSLError, ConnectionError):
            return False
