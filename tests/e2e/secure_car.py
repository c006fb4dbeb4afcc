"""A car that can be set, on a broker that knows everybody by certificate, and those around it."""

import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Self

import pytest
from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from internetcar.contract.broker_url import BrokerUrl
from internetcar.launcher.access import Rights
from tests.e2e.command_car import FAN, TEMPERATURE, VEHICLE, Desk, Ecu, ecu, gateway
from tests.e2e.stage import Actor, Stage
from tests.secure_place import WATCHER, Place
from tests.waiting import PATIENCE_S, eventually

OWNER, PARTNER, HOSTILE, PHONE, HOME = "alice", "bob", "mallory", "phone", "home-assistant"
_PERSON = Rights(role="person", vehicles=(VEHICLE,))
MEMBERS = {
    VEHICLE: Rights(role="vehicle"),
    "leaf": Rights(role="vehicle"),
    **dict.fromkeys((OWNER, PARTNER, HOSTILE, PHONE, "eve"), _PERSON),
    HOME: Rights(role="person", vehicles=(VEHICLE,), home_assistant=True),
    "carol": Rights(role="person", vehicles=("leaf",)),
    "robot": Rights(role="service", vehicles=(VEHICLE,), commands=True),
    "lamp": Rights(role="service", vehicles=(VEHICLE,)),
}
ALLOW = {
    **{name: ["*"] for name in (OWNER, PARTNER, PHONE, HOME, "carol", "robot", "lamp", "leaf")},
    HOSTILE: [TEMPERATURE],
}
"""The settings let more people in than the broker's rules do; `eve` they do not know."""


class Client:
    """One MQTT 5 connection that says anything as fast as it is told, and never comes back."""

    def __init__(
        self, url: BrokerUrl, *filters: str, will: tuple[str, bytes] | None = None
    ) -> None:
        self.heard: list[mqtt.MQTTMessage] = []
        self.refused: list[int] = []
        """Packet identifiers that the broker did not want."""
        self.ended = threading.Event()
        self._filters = filters or ("nothing/here",)
        self._subscribed = threading.Event()
        self._client = mqtt.Client(
            CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5, reconnect_on_failure=False
        )
        self._client.username_pw_set(url.username)
        self._client.tls_set_context(url.tls_context())
        self._client.max_queued_messages_set(0)
        self._client.max_inflight_messages_set(1000)
        if will is not None:
            self._client.will_set(*will, 1)
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.on_message = lambda _client, _data, message: self.heard.append(message)
        self._client.on_publish = self._on_publish
        self._client.on_disconnect = lambda *_: self.ended.set()
        self._client.connect(url.host, url.port)

    def __enter__(self) -> Self:
        self._client.loop_start()
        assert self._subscribed.wait(PATIENCE_S)
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def say(
        self, topic: str, payload: bytes, qos: int = 1, *, retain: bool = False, **given: Any
    ) -> mqtt.MQTTMessageInfo:
        """Publish; `given` are MQTT 5 properties by paho's names."""
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]  # paho's
        for name, value in given.items():
            setattr(properties, name, value)
        return self._client.publish(topic, payload, qos, retain, properties)

    def vanish(self) -> None:
        """Go without a goodbye."""
        sock: Any = self._client.socket()
        sock.shutdown(2)
        assert self.ended.wait(PATIENCE_S)

    def _on_connect(self, *_: object) -> None:
        self._client.subscribe([(name, 1) for name in self._filters])

    def _on_publish(self, _client: object, _data: object, mid: int, reason: Any, _: object) -> None:
        if reason.is_failure:
            self.refused.append(mid)


class SecureCar:
    """The car, its gateway with its own certificate, its owner, and a watcher who hears all."""

    def __init__(
        self, folder: Path, place: Place, stage: Stage, car: Ecu, filters: tuple[str, ...]
    ) -> None:
        self.place, self.stage, self.ecu, self.folder = place, stage, car, folder
        self.watcher = Desk(place.url(WATCHER), *filters)
        self._asked = 0
        self.gateway: Actor

    def start(self) -> None:
        """Start the gateway and wait until it hears the car."""
        self.gateway = gateway(
            self.stage, self.place.url(VEHICLE), allow=ALLOW, requester_rate_hz=50
        )
        self.watcher.until_heard()

    def client(self, name: str, *filters: str, **more: Any) -> Client:
        return Client(self.place.url(name), *filters, **more)

    def car(self, *words: str, name: str) -> Actor:
        """A command `car …` of somebody with a certificate, at its end."""
        return self.stage.ended(*words, "--broker", self.place.url(name).secret)

    def confirm(self, name: str = OWNER, path: str = FAN) -> None:
        """A good command of somebody is confirmed."""
        self._asked += 1
        identifier = f"good-{self._asked}"
        with self.client(name) as client:
            client.say(topic(name, path), body(identifier, 20 + self._asked % 8))
            assert self.watcher.until_final(identifier) == ["accepted", "sent", "confirmed"]

    @contextmanager
    def unmoved(self) -> Iterator[None]:
        """What is done in it puts nothing on the bus, and leaves the gateway where it is."""
        frames, greetings = len(self.ecu.heard), len(self.watcher.of("presence"))
        yield
        self.confirm()  # sent last, so all before it has been judged
        assert len(self.ecu.heard) == frames + 1
        assert len(self.watcher.of("presence")) == greetings, "it was thrown off the broker"
        assert self.gateway.is_running

    def said(self, identifier: str, requester: str) -> list[str]:
        """What was said of one requester's command, as `state` or `state(reason)`."""
        return [
            status["state"] + (f"({status['reason']})" if "reason" in status else "")
            for heard in self.watcher.of("command-status")
            if (status := heard.body)["requester"] == requester and status.get("id") == identifier
        ]

    def until_said(self, identifier: str, requester: str, *states: str) -> None:
        eventually(lambda: self.said(identifier, requester) == list(states))

    def reasons(self, requester: str) -> list[str]:
        """Why commands of somebody were refused."""
        said = [heard.body for heard in self.watcher.of("command-status")]
        return [s["reason"] for s in said if s["requester"] == requester and "reason" in s]

    @property
    def rss_kib(self) -> int:
        """Memory of the gateway."""
        status = Path(f"/proc/{self.gateway.process.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
        return int(line.split()[1])


@contextmanager
def secure_car(folder: Path, *filters: str) -> Iterator[SecureCar]:
    """All of it; its watcher hears these filters, else everything."""
    with ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        for name in ("INTERNETCAR_BROKER", "INTERNETCAR_RUN"):
            patch.delenv(name, raising=False)
        patch.setenv("XDG_RUNTIME_DIR", str(folder / "stage/run"))
        place = stack.enter_context(Place(folder / "authority", MEMBERS))
        stage = stack.enter_context(Stage(folder / "stage"))
        car = SecureCar(folder, place, stage, stack.enter_context(ecu()), filters)
        stack.enter_context(car.watcher)
        car.start()
        yield car


def topic(requester: str, path: str, vehicle_id: str = VEHICLE) -> str:
    return f"v1/vehicle/{vehicle_id}/command/{requester}/{path}"


def body(identifier: str, value: object, **more: object) -> bytes:
    return json.dumps({"id": identifier, "value": value, **more}).encode()


@contextmanager
def raw_client(url: BrokerUrl) -> Iterator[ssl.SSLSocket]:
    """A connection for packets that no library would send, or not so fast; MQTT 3.1.1."""
    context = url.tls_context()
    with (
        socket.create_connection((url.host, url.port), PATIENCE_S) as plain,
        context.wrap_socket(plain, server_hostname=url.host) as sock,
    ):
        sock.sendall(b"\x10\x0f\x00\x04MQTT\x04\x02\x00\x3c\x00\x03raw")
        assert sock.recv(4) == b"\x20\x02\x00\x00"
        yield sock
