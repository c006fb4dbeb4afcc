"""The settable car's ECU as a process: `python -m tests.bench.ecu RECORD [floor]`.

It writes how many frames of each id it heard to RECORD when it ends. With `floor` it is its own
gateway: a message on `floor/command` becomes a frame, and `floor/confirmed` says that its feedback
was seen, with nothing checked or kept: what MQTT, the bus and the cycle cost alone.
"""

import json
import os
import signal
import socket
import sys
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import can
from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from internetcar.contract.broker_url import parse_broker_url
from internetcar.loopback import LoopbackBus
from tests.e2e.command_car import CHANNEL, COMMAND_ID, STATUS_ID, Ecu


def main(record: Path, is_floor: bool) -> None:
    """Run until SIGTERM."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    ecu = Ecu()
    if is_floor:
        _bridge(stop)
    stop.wait()
    ecu.close()
    record.write_text(json.dumps(Counter(f"{can_id:x}" for can_id, _ in ecu.heard)))


def quicken(client: mqtt.Client) -> None:
    """Send small packets at once, as our link does: else Nagle's 40 ms are measured."""
    connected: Any = client.socket()
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _bridge(stop: threading.Event) -> None:
    url = parse_broker_url(os.environ["INTERNETCAR_BROKER"])
    bus = LoopbackBus(CHANNEL)
    wanted: list[int] = []

    def on_message(_client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
        raw = round(float(message.payload) * 2)
        payload = bytes([raw, 255, 0, 0])
        bus.send(can.Message(arbitration_id=COMMAND_ID, data=payload, is_extended_id=False))
        wanted.append(raw)

    client = mqtt.Client(CallbackAPIVersion.VERSION2)
    client.username_pw_set(url.username, url.password)

    def on_connect(*_: Any) -> None:
        client.subscribe("floor/command", 1)

    def on_subscribe(*_: Any) -> None:
        client.publish("floor/ready", b"1", retain=True)

    client.on_connect = on_connect
    client.on_subscribe = on_subscribe
    client.on_message = on_message
    client.connect(url.host, url.port)
    quicken(client)
    client.loop_start()
    while not stop.is_set():
        message = bus.recv(0.1)
        is_status = message is not None and message.arbitration_id == STATUS_ID
        if message is not None and is_status and wanted[:1] == [message.data[0]]:
            wanted.pop(0)
            client.publish("floor/confirmed", b"1", 1)
    client.disconnect()
    bus.shutdown()


if __name__ == "__main__":
    main(Path(sys.argv[1]), "floor" in sys.argv[2:])
