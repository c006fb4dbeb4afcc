"""An independent subscriber for benchmarks: notes what arrives when, and judges afterwards."""

import json
import time
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime
from types import TracebackType
from typing import Any, Self

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from internetcar.contract.broker_url import BrokerUrl
from tests.bench.report import CannotMeasureError

STILL_S = 2.0


class Ear:
    """Connects as a plain paho client; a context manager."""

    def __init__(self, broker: BrokerUrl, vehicle_id: str) -> None:
        self._prefix = f"v1/vehicle/{vehicle_id}/"
        self._raw_signals: list[tuple[int, str, bytes]] = []
        self._sequences: dict[str, set[int]] = defaultdict(set)
        self.telemetry_bytes = 0
        self.floor: dict[str, list[int]] = defaultdict(list)
        self.is_online = False
        self.frames: int | None = None
        """Frames decoded on all buses, as health says."""
        self._heard_s = time.monotonic()
        self._broker = broker
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, f"ear-{time.monotonic_ns()}")
        self._client.username_pw_set(broker.username, broker.password)
        self._client.on_message = self._on_message
        self._client.on_connect = self._on_connect

    def __enter__(self) -> Self:
        self._client.connect(self._broker.host, self._broker.port)
        self._client.loop_start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    @property
    def signals(self) -> list[tuple[int, str, int, object]]:
        """Each signal: when it arrived (ns), path, instant (ms), value."""
        return [
            (received_ns, path, _ms(body["at"]), body["value"])
            for received_ns, path, payload in self._raw_signals
            if (body := json.loads(payload))["quality"] == "valid"
        ]

    def missing_batches(self) -> int:
        """Telemetry sequences that did not arrive, over all journals."""
        return sum(max(seen) - len(seen) for seen in self._sequences.values())

    def wait_for(self, is_so: Callable[[], bool], timeout_s: float, problem: str) -> None:
        """Wait until something is so.

        Raises:
            CannotMeasureError: It was not in time.
        """
        deadline_s = time.monotonic() + timeout_s
        while not is_so():
            if time.monotonic() > deadline_s:
                raise CannotMeasureError(problem)
            time.sleep(0.001)

    def wait_until_still(self) -> None:
        """Wait until the frame count stands still and no signal comes: all is through."""
        before = (-1, -1)
        while before != (self.frames or 0, len(self._raw_signals)):
            before = (self.frames or 0, len(self._raw_signals))
            time.sleep(STILL_S)

    def _on_connect(self, client: mqtt.Client, *_: Any) -> None:
        client.subscribe([("v1/vehicle/#", 1), ("floor/#", 0)])

    def _on_message(self, _client: Any, _data: Any, message: mqtt.MQTTMessage) -> None:
        received_ns = time.time_ns()
        topic = message.topic
        if topic.startswith("floor/"):
            self.floor[topic].append(received_ns)
            return
        kind, _, rest = topic.removeprefix(self._prefix).partition("/")
        if kind == "signal" and not message.retain:
            self._raw_signals.append((received_ns, rest, bytes(message.payload)))
        elif kind == "telemetry":
            body = json.loads(message.payload)
            self._sequences[body["journal"]].add(body["sequence"])
            self.telemetry_bytes += len(message.payload)
        elif kind == "presence":
            self.is_online = bool(message.payload) and json.loads(message.payload)["online"]
        elif kind == "health" and self.is_online:
            buses = json.loads(message.payload)["buses"].values()
            self.frames = sum(bus["frames"] for bus in buses)


def _ms(instant: str) -> int:
    return round(datetime.fromisoformat(instant).timestamp() * 1000)
