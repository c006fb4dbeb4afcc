"""A link whose broker dies, stays silent or is old; and a reader that dies itself."""

import os
import random
import signal
import socket
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from internetcar.contract.broker_url import BrokerUrl
from internetcar.contract.delivery import Outcome
from internetcar.contract.link import Link
from internetcar.contract.message import Message
from internetcar.contract.retry import BrokerUnreachableError, LinkOptions
from internetcar.contract.signals import Signal
from internetcar.contract.telemetry import Telemetry
from internetcar.launcher.broker import RunningBroker
from tests.contract.test_link import BATCH, QUICK, SPEED, running
from tests.waiting import PATIENCE_S, eventually


def kill(broker: RunningBroker) -> None:
    assert broker.pid is not None
    os.kill(broker.pid, signal.SIGKILL)
    eventually(lambda: not broker.is_running)


def test_after_a_broker_is_killed_the_link_comes_back_and_hears_again(
    broker: RunningBroker,
) -> None:
    heard: list[Message] = []
    connected: list[bool] = []
    link = Link(broker.url, "reader", options=QUICK)
    link.on(Signal, heard.append)
    link.on_connected(lambda: connected.append(True))
    with running(link):
        for times in (1, 2, 3):
            while len(connected) < times:
                eventually(lambda: link.is_connected)
            heard.clear()
            eventually(lambda: link.publish(SPEED) or heard)
            kill(broker)
            eventually(lambda: not link.is_connected)
            outcome = link.publish_bytes(SPEED.topic, b"").outcome
            assert outcome is Outcome.LOST
            broker.restart()
        eventually(lambda: link.is_connected)
        assert link.problem is None


def test_every_turn_calls_back_with_and_without_a_broker(mosquitto: RunningBroker) -> None:
    seen: list[bool] = []
    link = Link(mosquitto.url, "service", options=QUICK)
    link.on_turn(lambda: seen.append(link.is_connected))
    with running(link):
        eventually(lambda: True in seen)
        kill(mosquitto)
        eventually(lambda: seen[-3:] == [False] * 3)
        mosquitto.restart()
        eventually(lambda: seen[-1])


def test_a_link_that_outlives_a_refusal_says_why_and_tries_again(broker: RunningBroker) -> None:
    options = replace(QUICK, outlives_refusal=True)
    link = Link(replace(broker.url, password="hunter2"), "patient", options=options)
    link.start()
    eventually(lambda: "refuses us" in (link.problem or ""))
    link.broker = broker.url
    eventually(lambda: link.is_connected)
    link.stop()


def test_what_was_unanswered_when_the_broker_died_comes_back_to_its_sender(
    mosquitto: RunningBroker,
) -> None:
    outcomes: list[Outcome | None] = []
    assert mosquitto.pid is not None
    with running(Link(mosquitto.url, "gateway", options=QUICK)) as link:
        os.kill(mosquitto.pid, signal.SIGSTOP)
        for _ in range(5):
            link.publish(BATCH, lambda delivery: outcomes.append(delivery.outcome))
        assert link.unacknowledged == 5
        kill(mosquitto)
        eventually(lambda: len(outcomes) == 5)
        mosquitto.restart()
        eventually(lambda: link.is_connected)
        link.publish(BATCH, lambda delivery: outcomes.append(delivery.outcome))
        eventually(lambda: len(outcomes) == 6)
    assert outcomes == [Outcome.LOST] * 5 + [Outcome.ACKNOWLEDGED]


def test_a_broker_that_falls_silent_is_noticed(mosquitto: RunningBroker) -> None:
    assert mosquitto.pid is not None
    with running(Link(mosquitto.url, "gateway", options=replace(QUICK, keepalive_s=1))) as link:
        os.kill(mosquitto.pid, signal.SIGSTOP)
        try:
            eventually(lambda: "pings" in str(link.problem))
        finally:
            os.kill(mosquitto.pid, signal.SIGCONT)
        eventually(lambda: link.is_connected)


@contextmanager
def listening(answer: bytes | None, *, hangs_up: bool = False) -> Iterator[list[bytes]]:
    """A server that is no good broker; yields the port as text, then what clients sent."""
    seen: list[bytes] = []
    connections: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        seen.append(str(server.getsockname()[1]).encode())

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                    connections.append(connection)
                    seen.append(connection.recv(4096))
                    if answer is not None:
                        connection.sendall(answer)
                    if hangs_up:
                        connection.close()
                except OSError:
                    return

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield seen
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()
            for connection in connections:
                connection.close()


def versions(seen: list[bytes]) -> list[int]:
    """The protocol levels of the CONNECT packets (byte 8): 5, or 4 for 3.1.1."""
    return [packet[8] for packet in seen[1:] if packet]


@pytest.mark.parametrize(
    ("answer", "hangs_up"),
    [
        (None, False),
        (None, True),
        (b"\x20\x02\x00\x01", True),
        (b"\x20\x03\x00\x84\x00", True),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", True),
    ],
    ids=["silent", "hangs up", "refuses as 3.1.1 does", "refuses as 5 does", "is no broker"],
)
def test_a_broker_that_does_not_answer_mqtt_5_is_asked_in_3_1_1(
    answer: bytes | None, hangs_up: bool
) -> None:
    options = replace(QUICK, connack_timeout_s=0.1)
    with listening(answer, hangs_up=hangs_up) as seen:
        link = Link(BrokerUrl("127.0.0.1", int(seen[0])), "client", options=options)
        link.start()
        eventually(lambda: len(versions(seen)) >= 4)
        link.stop()
    assert versions(seen)[:4] == [5, 4, 5, 4]


def test_a_silent_broker_is_named_in_the_error() -> None:
    options = replace(QUICK, connack_timeout_s=0.05)
    with listening(None) as seen:
        link = Link(BrokerUrl("127.0.0.1", int(seen[0])), "client", options=options)
        with pytest.raises(BrokerUnreachableError, match="does not answer"):
            link.start(wait_s=1.0)


def test_the_fallback_is_remembered(tmp_path: Path) -> None:
    """The embedded broker does not answer MQTT 5 with a user name at all."""
    connected: list[bool] = []
    with RunningBroker("embedded", tmp_path / "broker") as broker:
        options = replace(QUICK, connack_timeout_s=1.0)
        link = Link(replace(broker.url, protocol=None), "client", options=options)
        link.on_connected(lambda: connected.append(True))
        with running(link):
            broker.stop()
            with listening_on(broker.url.port) as seen:
                eventually(lambda: len(versions(seen)) >= 2)
    assert connected == [True]
    assert set(versions(seen)) == {4}


@contextmanager
def listening_on(port: int) -> Iterator[list[bytes]]:
    """A server on a known port that takes CONNECT and hangs up."""
    seen: list[bytes] = [b""]
    with socket.create_server(("127.0.0.1", port)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                    with connection:
                        seen.append(connection.recv(4096))
                except OSError:
                    return

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield seen
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


def test_a_broker_that_sends_anything_does_not_end_the_process(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Every kind of packet with random contents, after a correct welcome."""
    chance = random.Random(3)
    errors: list[BaseException] = []
    served: list[int] = []

    def junk(number: int) -> bytes:
        body = chance.randbytes(chance.randrange(24))
        kind = (number % 16) << 4 | chance.randrange(16)
        return bytes([kind, len(body) if chance.random() < 0.8 else chance.randrange(256)]) + body

    def serve(server: socket.socket) -> None:
        for number in range(320):
            try:
                connection, _ = server.accept()
                with connection:
                    level = connection.recv(4096)[8]
                    connection.sendall(b"\x20\x03\0\0\0" if level == 5 else b"\x20\x02\0\0")
                    connection.sendall(b"".join(junk(number) for _ in range(3)))
            except (OSError, IndexError):
                continue
            finally:
                served.append(number)

    options = LinkOptions(first_retry_s=0.001, longest_retry_s=0.001, connack_timeout_s=1.0)
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve, args=(server,), daemon=True)
        thread.start()
        broker = BrokerUrl("127.0.0.1", server.getsockname()[1])
        link = Link(broker, "client", options=options, on_failure=errors.append)
        link.on(Signal, errors.append)  # type: ignore[arg-type]  # nothing readable may come
        link.start()
        eventually(lambda: len(served) == 320 or errors)
        link.stop()
        server.shutdown(socket.SHUT_RDWR)
        thread.join()
    assert errors == []
    assert "not MQTT" in caplog.text


READER = """
    import sys
    from internetcar.contract.broker_url import parse_broker_url
    from internetcar.contract.link import Link
    from internetcar.contract.retry import LinkOptions
    from internetcar.contract.signals import Signal
    from internetcar.contract.telemetry import Telemetry

    def on_telemetry(batch: Telemetry) -> None:
        print(batch.sequence, flush=True)
        if batch.sequence == int(sys.argv[2]):
            raise ZeroDivisionError
        if batch.sequence == 4:
            link.stop()

    link = Link(
        parse_broker_url(sys.argv[1]), "tolls-0",
        options=LinkOptions(persistent=True, first_retry_s=0.05),
    )
    link.on(Telemetry, on_telemetry)
    link.on(Signal, lambda _: print("ready", flush=True))
    RUN
"""


def start_reader(url: BrokerUrl, fails_at: int, run: str) -> "subprocess.Popen[str]":
    program = textwrap.dedent(READER).replace("RUN", run)
    return subprocess.Popen(
        [sys.executable, "-c", program, url.secret, str(fails_at)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("run", "code"), [("link.run()", 1), ("link.start(); import time; time.sleep(60)", 70)]
)
@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_a_message_on_which_a_reader_dies_is_delivered_again(
    mosquitto: RunningBroker, run: str, code: int, protocol: str
) -> None:
    url = replace(mosquitto.url, protocol="5" if protocol == "5" else "3.1.1")
    with running(Link(mosquitto.url, "gateway")) as link:
        link.publish(SPEED)  # retained: who hears it has subscribed to the batches, too
        dying = start_reader(url, fails_at=2, run=run)
        assert dying.stdout is not None
        assert dying.stdout.readline() == "ready\n"
        for sequence in range(1, 5):
            link.publish(BATCH.model_copy(update={"sequence": sequence}))
        assert link.drain(PATIENCE_S)
    out, error = dying.communicate(timeout=PATIENCE_S)
    assert (out, dying.returncode) == ("1\n2\n", code)
    assert "Traceback" in error
    assert "ZeroDivisionError" in error
    out, error = start_reader(url, fails_at=0, run="link.run()").communicate(timeout=PATIENCE_S)
    assert [line for line in out.splitlines() if line != "ready"] == ["2", "3", "4"], error


def test_a_second_client_with_the_same_id_is_a_problem_that_is_named(
    mosquitto: RunningBroker, caplog: pytest.LogCaptureFixture
) -> None:
    slow = LinkOptions(first_retry_s=60, longest_retry_s=60)
    with (
        running(Link(mosquitto.url, "twin", options=slow)) as first,
        running(Link(mosquitto.url, "twin", options=slow)),
    ):
        eventually(lambda: first.problem)
        assert "our id" in str(first.problem)
    assert "our id" in caplog.text


def test_telemetry_waits_for_a_reader_that_is_away(mosquitto: RunningBroker) -> None:
    heard: list[Telemetry] = []
    options = LinkOptions(persistent=True)
    for is_first in (True, False):
        reader = Link(mosquitto.url, "tolls-0", options=options)
        reader.on(Telemetry, heard.append)
        with running(reader):
            if not is_first:
                eventually(lambda: len(heard) == 1000)
        if is_first:
            with running(Link(mosquitto.url, "gateway")) as gateway:
                for sequence in range(1000):
                    gateway.publish(BATCH.model_copy(update={"sequence": sequence + 1}))
                assert gateway.drain(PATIENCE_S)
                assert gateway.unacknowledged == 0
    assert [batch.sequence for batch in heard] == list(range(1, 1001))
