"""Commands end to end over mosquitto and `loopback`: how soon the car confirms, and what holds.

Run `python -m tests.bench.commands`; with `--json` stdout is one flat object. The ECU is a process
of its own that says its state every 20 ms; the settings are as shipped, but for the rates where the
most commands a second are measured. The floor is a script that checks and keeps nothing.
"""

import itertools
import json
import os
import queue
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median, quantiles
from typing import Any, Self

from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from internetcar.contract.broker_url import BrokerUrl
from internetcar.launcher.broker import BrokerError, RunningBroker
from tests.bench.ecu import quicken
from tests.bench.report import CannotMeasureError, Figure, main, progress
from tests.e2e.command_car import (
    CYCLE_S,
    FAN,
    LIGHT,
    REQUESTER,
    TEMPERATURE,
    TOPIC,
    VEHICLE,
    mapping,
    write_config,
)
from tests.fuzz import Valid, hostile_commands

CONFIRMED = int(os.environ.get("INTERNETCAR_BENCH_CONFIRMED", "300"))
BURST = int(os.environ.get("INTERNETCAR_BENCH_BURST", "2000"))
FUZZED = int(os.environ.get("INTERNETCAR_FUZZED", "1000000"))
PATIENCE_S = 30.0
IN_FLIGHT = 16
CYCLE_MS = CYCLE_S * 1000


def measure() -> list[Figure]:
    """All figures, in one run."""
    with tempfile.TemporaryDirectory() as folder_name:
        folder = Path(folder_name)
        os.environ["INTERNETCAR_RUN"] = str(folder / "run")
        try:
            broker = RunningBroker("mosquitto", folder / "broker")
        except BrokerError as error:
            raise CannotMeasureError(str(error)) from error
        with broker:
            os.environ["INTERNETCAR_BROKER"] = broker.url.secret
            floor_ms = _floor_ms(folder, broker.url)
            confirm_ms = _confirm_ms(folder, broker.url)
            per_s = _commands_per_s(folder, broker.url)
            fuzzed, refused = _fuzzed_frames(folder, broker.url)
    p95_ms = quantiles(confirm_ms, n=20)[-1]
    over_ms = p95_ms - CYCLE_MS
    return [
        Figure("confirm_p50_ms", median(confirm_ms), "from publish to `confirmed` heard"),
        Figure("floor_p50_ms", median(floor_ms), "the same by a script that checks nothing"),
        Figure("confirm_p95_ms", p95_ms, "95 % are sooner"),
        Figure(
            "confirm_p95_minus_cycle_ms", over_ms, "beyond the feedback's cycle of 20 ms",
            "≤ 50", over_ms <= 50,
        ),
        Figure("commands_per_s", per_s, "accepted, on disk, sent and said, of one requester"),
        Figure("fuzz_refused", refused, "hostile commands refused (those that came at all)"),
        Figure("fuzzed_frames", fuzzed, "frames they caused", "0", fuzzed == 0),
    ]  # fmt: skip


class Asker:
    """A plain paho client: gives commands and takes note of when each state came."""

    def __init__(self, url: BrokerUrl) -> None:
        self.heard: queue.SimpleQueue[tuple[float, str, Any]] = queue.SimpleQueue()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
        self._client.username_pw_set(url.username, url.password)
        self._client.max_inflight_messages_set(1000)
        self._client.on_connect = self._on_connect
        self._client.on_message = self._on_message
        self._client.connect(url.host, url.port)
        quicken(self._client)

    def __enter__(self) -> Self:
        self._client.loop_start()
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def send(self, topic: str, payload: bytes, qos: int = 1) -> mqtt.MQTTMessageInfo:
        return self._client.publish(topic, payload, qos)

    def ask(self, identifier: str, path: str, value: object) -> float:
        """When it was sent."""
        body = json.dumps({"id": identifier, "value": value}).encode()
        self.send(f"{TOPIC}/command/{REQUESTER}/{path}", body)
        return time.monotonic()

    def until(self, topic: str, **wanted: object) -> tuple[float, Any]:
        """When a message with these fields came on a topic that ends so, and its body."""
        deadline_s = time.monotonic() + PATIENCE_S
        while (left_s := deadline_s - time.monotonic()) > 0:
            try:
                at_s, heard, body = self.heard.get(timeout=left_s)
            except queue.Empty:
                break
            if heard.endswith(topic) and all(body.get(key) == v for key, v in wanted.items()):
                return at_s, body
        raise CannotMeasureError(f"no {topic} with {wanted} came")

    def _on_connect(self, *_: Any) -> None:
        self._client.subscribe(
            [(f"{TOPIC}/command-status", 1), (f"{TOPIC}/presence", 1), (f"{TOPIC}/health", 0),
             (f"{TOPIC}/signal/#", 0), ("floor/#", 1)]
        )  # fmt: skip

    def _on_message(self, _client: object, _data: object, message: mqtt.MQTTMessage) -> None:
        body = json.loads(message.payload) if message.payload.startswith(b"{") else {}
        self.heard.put((time.monotonic(), message.topic, body))


@contextmanager
def _process(*arguments: str) -> Iterator["subprocess.Popen[bytes]"]:
    child = subprocess.Popen([sys.executable, "-m", *arguments], stderr=subprocess.DEVNULL)
    try:
        yield child
    finally:
        child.terminate()
        child.wait(20)


@contextmanager
def _car(folder: Path, url: BrokerUrl, rules: str, rate_hz: float = 10) -> Iterator[Asker]:
    """The ECU, the gateway and somebody who asks, from the first signal on."""
    config = write_config(folder, rules=rules, requester_rate_hz=rate_hz)
    with (
        Asker(url) as asker,
        _process("tests.bench.ecu", str(folder / "heard.json")),
        _process("gateway", str(config)),
    ):
        asker.until("health")  # not retained: it is of this gateway
        yield asker


def _values() -> Iterator[float]:
    return itertools.cycle([20.5, 21, 21.5, 22])


def _floor_ms(folder: Path, url: BrokerUrl) -> list[float]:
    progress("the floor …")
    with Asker(url) as asker, _process("tests.bench.ecu", str(folder / "floor.json"), "floor"):
        asker.until("floor/ready")
        found = []
        for value in itertools.islice(_values(), CONFIRMED):
            sent_s = time.monotonic()
            asker.send("floor/command", str(value).encode())
            found.append((asker.until("floor/confirmed")[0] - sent_s) * 1000)
            time.sleep(0.013)  # not in step with the cycle
    return found


def _confirm_ms(folder: Path, url: BrokerUrl) -> list[float]:
    progress(f"{CONFIRMED} commands, each confirmed …")
    found = []
    with _car(folder, url, mapping()) as asker:
        for index, value in enumerate(itertools.islice(_values(), CONFIRMED)):
            sent_s = asker.ask(f"c{index}", TEMPERATURE, value)
            at_s, body = asker.until("command-status", id=f"c{index}", final=True)
            if body["state"] != "confirmed":
                raise CannotMeasureError(f"not confirmed: {body}")
            found.append((at_s - sent_s) * 1000)
            time.sleep(0.113)  # below the requester's rate, and not in step with the cycle
    return found


def _commands_per_s(folder: Path, url: BrokerUrl) -> float:
    progress(f"{BURST} commands, {IN_FLIGHT} under way …")
    with _car(folder, url, mapping(confirm="", rate_limit_hz=1000), rate_hz=1000) as asker:
        began_s = time.monotonic()
        for index in range(min(IN_FLIGHT, BURST)):
            asker.ask(f"b{index}", TEMPERATURE, 21)
        states: list[str] = []
        while len(states) < BURST:
            at_s, body = asker.until("command-status", final=True)
            states.append(body["state"])
            if (following := len(states) - 1 + IN_FLIGHT) < BURST:
                asker.ask(f"b{following}", TEMPERATURE, 21)
        return states.count("sent") / (at_s - began_s)


def _fuzzed_frames(folder: Path, url: BrokerUrl) -> tuple[int, int]:
    progress(f"{FUZZED} hostile commands …")
    with _car(folder, url, mapping(), rate_hz=1000) as asker:
        valid = Valid(REQUESTER, TEMPERATURE, 21.5, [FAN, LIGHT, "Vehicle.Speed"])
        last = None
        commands = hostile_commands(1, VEHICLE, valid)
        for number, (topic, payload) in enumerate(itertools.islice(commands, FUZZED)):
            last = asker.send(topic, payload)
            if number % 500 == 499:
                last.wait_for_publish(PATIENCE_S)
        if last is not None:
            last.wait_for_publish(PATIENCE_S)
        refused, before = 0, -1
        while refused != before:
            before = refused
            for _ in range(3):
                refused = asker.until("health")[1]["commands_refused"]
    frames = json.loads((folder / "heard.json").read_text())
    return sum(frames.values()), refused


if __name__ == "__main__":
    main(measure, "Commands: confirmed by the car, over mosquitto and loopback")
