"""Nobody's memory follows what a stranger may publish."""

import os
import socket
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from internetcar.contract.broker_url import parse_broker_url
from internetcar.contract.delivery import Delivery, encode_publish
from internetcar.contract.link import Link
from internetcar.contract.message import Message
from internetcar.contract.mqtt import connect
from internetcar.contract.retry import LinkOptions
from internetcar.contract.signals import Signal
from internetcar.contract.telemetry import Telemetry
from internetcar.launcher import broker as launcher
from internetcar.launcher.broker import Kind, RunningBroker
from tests.conftest import need_mosquitto
from tests.contract.test_link import BATCH, QUICK, SPEED, running, stranger
from tests.waiting import eventually

LARGE = b"x" * (8 << 20)
LARGEST = b"x" * Message.MAX_PAYLOAD_BYTES


@pytest.mark.parametrize(
    ("kind", "protocol"), [("mosquitto", "5"), ("mosquitto", "3.1.1"), ("embedded", "3.1.1")]
)
def test_a_link_does_not_take_in_a_message_no_contract_allows(
    tmp_path: Path,
    kind: Kind,
    protocol: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """MQTT 5 tells the broker; over 3.1.1 the link ends the connection, and comes back."""
    if kind == "mosquitto":
        need_mosquitto()
    written = launcher._mosquitto_configuration
    monkeypatch.setattr(
        launcher,
        "_mosquitto_configuration",
        lambda port, state: written(port, state).replace("message_size_limit", "# "),
    )
    sizes: list[int] = []
    heard: list[Message] = []
    with RunningBroker(kind, tmp_path / kind) as broker:
        url = replace(broker.url, protocol="5" if protocol == "5" else "3.1.1")
        reader = Link(url, "reader", options=QUICK)
        reader.on_received(Telemetry.filter(), lambda it: sizes.append(len(it.payload)), qos=1)
        reader.on(Signal, heard.append)
        with running(reader), running(Link(url, "stranger", options=QUICK)) as other:
            eventually(lambda: other.publish_bytes(BATCH.topic, LARGEST) and sizes)
            sent = other.publish_bytes(BATCH.topic, LARGE)
            eventually(lambda: sent.is_acknowledged)
            eventually(lambda: other.publish(SPEED) or heard)
            if protocol == "3.1.1":
                eventually(lambda: "a message came of more than" in caplog.text)
            else:
                assert "no connection" not in caplog.text
    assert set(sizes) == {len(LARGEST)}


def test_our_mosquitto_takes_the_largest_payload_and_no_larger_one(
    mosquitto: RunningBroker,
) -> None:
    with (
        stranger(mosquitto.url, "v1/#") as others,
        running(Link(mosquitto.url, "gateway", options=QUICK)) as link,
    ):
        larger = link.publish_bytes(BATCH.topic, LARGEST + b"x")
        eventually(lambda: larger.outcome)
        assert not larger.is_acknowledged
        eventually(lambda: link.publish_bytes(BATCH.topic, LARGEST) and others)
    assert {len(payload) for _, payload, _ in others} == {len(LARGEST)}


def test_the_brokers_of_compose_and_of_up_take_the_same() -> None:
    line = f"message_size_limit {Message.MAX_PAYLOAD_BYTES}\n"
    assert line in (Path(__file__).parents[2] / "deploy" / "mosquitto.conf").read_text()
    assert line in launcher._mosquitto_configuration(1883, Path("/state"))


@pytest.mark.parametrize(("count", "size", "most"), [(3_000, 100, 64), (30, 900_000, 5)])
def test_in_a_flood_no_more_is_read_at_once_however_many_answers_are_awaited(
    count: int, size: int, most: int
) -> None:
    packets = [
        encode_publish(b"t", str(at).zfill(size).encode(), retain=False, is_v5=False)
        for at in range(count)
    ]
    flood = b"".join(packets)
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = parse_broker_url(f"mqtt://127.0.0.1:{server.getsockname()[1]}")
        wake_fd, other_fd = os.pipe()
        ours = connect(url, "3.1.1", "reader", LinkOptions(), None, lambda: None, wake_fd)
        its, _ = server.accept()
        with its:
            its.sendall(b"\x20\x02\x00\x00")
            while ours.answer is None:
                ours.turn(1.0)
            for _ in range(400):
                ours.deliveries.start(Delivery("a"), lambda: ours.publish("a", b"", False, None))
            sending = threading.Thread(target=its.sendall, args=(flood,), daemon=True)
            sending.start()
            heard: list[int] = []
            highest = 0
            while len(heard) < count:
                ours.turn(1.0)
                highest = max(highest, len(ours.arrivals))
                heard += [
                    int(each.received.payload[-9:]) for each in ours.arrivals if each.received
                ]
                ours.arrivals.clear()
            sending.join()
            ours.close(with_goodbye=False)
        os.close(wake_fd)
        os.close(other_fd)
    assert heard == list(range(count))
    assert highest <= most
