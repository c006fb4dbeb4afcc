"""An independent MQTT client: it hears everything, and knows nothing of our link."""

import json
import threading
from collections.abc import Callable
from typing import Any, NamedTuple, Self

from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from internetcar.contract.broker_url import BrokerUrl
from tests.waiting import PATIENCE_S, eventually


class Heard(NamedTuple):
    topic: str
    payload: bytes
    retained: bool

    @property
    def body(self) -> Any:
        return json.loads(self.payload)


class Observer:
    """Keeps all messages of its filters in the order they came; a context manager."""

    def __init__(self, url: BrokerUrl, *filters: str) -> None:
        self.heard: list[Heard] = []
        self._filters = [(topic_filter, 1) for topic_filter in filters or ("v1/#",)]
        self._subscribed = threading.Event()
        version = mqtt.MQTTv5 if url.protocol == "5" else mqtt.MQTTv311
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=version)
        self._client.username_pw_set(url.username, url.password)
        if url.tls:
            self._client.tls_set_context(url.tls_context())
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.on_message = self._on_message
        self._client.connect(url.host, url.port)

    def __enter__(self) -> Self:
        self._client.loop_start()
        assert self._subscribed.wait(PATIENCE_S)
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _on_connect(self, *_: object) -> None:
        self._client.subscribe(self._filters)

    def _on_message(self, _client: object, _userdata: object, message: mqtt.MQTTMessage) -> None:
        self.heard.append(Heard(message.topic, bytes(message.payload), message.retain))

    def publish(self, topic: str, payload: bytes, qos: int = 1, *, retain: bool = False) -> None:
        self._client.publish(topic, payload, qos, retain).wait_for_publish(PATIENCE_S)

    def of(self, kind: str) -> list[Heard]:
        """What was heard on topics whose fourth level is `kind`, such as `signal`."""
        return [heard for heard in list(self.heard) if heard.topic.split("/")[3:4] == [kind]]

    def last(self, kind: str) -> dict[str, bytes]:
        """The last payload of each topic of a kind; cleared ones are not there."""
        found = {heard.topic: heard.payload for heard in self.of(kind)}
        return {topic: payload for topic, payload in found.items() if payload}

    def signals(self) -> dict[str, Any]:
        """The last payload of each signal by its path."""
        return {
            topic.rpartition("/")[2]: json.loads(payload)
            for topic, payload in self.last("signal").items()
        }

    def until(self, happened: Callable[["Observer"], object], timeout_s: float = 40.0) -> None:
        eventually(lambda: happened(self), timeout_s)

    def until_more(self, kind: str, count: int = 3) -> None:
        """Wait until so many more messages of a kind were heard."""
        wanted = len(self.of(kind)) + count
        self.until(lambda _: len(self.of(kind)) >= wanted)

    def until_presence(self, *, online: bool, after: int = 0) -> Any:
        """Wait until the presence at or after an index of `heard` is as wanted, and give it."""

        def newest() -> Any:
            said = [
                heard.body
                for heard in self.heard[after:]
                if heard.topic.endswith("/presence") and heard.payload
            ]
            return said[-1] if said else {}

        self.until(lambda _: newest().get("online") is online)
        return newest()
