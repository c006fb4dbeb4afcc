"""The simulated copter as a process: heard over UDP, over TCP, and on a car's roof."""

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from pymavlink.dialects.v20 import ardupilotmega as dialect

from internetcar.contract.link import Link
from internetcar.contract.signals import Position
from internetcar.launcher.broker import RunningBroker
from tests.waiting import PATIENCE_S, eventually


class Station:
    """A ground station on one socket."""

    def __init__(self, connection: socket.socket) -> None:
        connection.settimeout(PATIENCE_S)
        self.connection = connection
        self.codec = dialect.MAVLink(None, 255, 190)
        self.codec.robust_parsing = True

    def hear(self, name: str) -> Any:
        while True:
            data = self.connection.recv(65_535)
            assert data, "hung up"
            for message in self.codec.parse_buffer(data) or ():
                if message.get_type() == name:
                    return message

    def request(self, number: int) -> bytes:
        return bytes(
            dialect.MAVLink_command_long_message(1, 1, 512, 0, number, 0, 0, 0, 0, 0, 0).pack(
                self.codec
            )
        )


@contextmanager
def copter(*arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process that ends on SIGTERM, cleanly."""
    process = subprocess.Popen([sys.executable, "-m", "simulator.copter", *arguments])
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


def free_port(kind: int) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_heartbeats_come_over_udp_and_a_command_goes_back() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ground:
        ground.bind(("127.0.0.1", 0))
        port = ground.getsockname()[1]
        with copter("--url", f"udpout:127.0.0.1:{port}", "--place", "48,11"):
            data, peer = ground.recvfrom(1_000)
            ground.connect(peer)
            station = Station(ground)
            assert data[0] == 0xFD
            assert station.hear("HEARTBEAT").autopilot == 3
            ground.send(station.request(2))
            told = station.hear("SYSTEM_TIME")
            age_s = datetime.now(UTC).timestamp() - told.time_unix_usec * 1e-6
            assert abs(age_s) < PATIENCE_S


def test_who_speaks_to_an_open_port_is_answered() -> None:
    port = free_port(socket.SOCK_DGRAM)
    with (
        copter("--url", f"udpin:127.0.0.1:{port}", "--ready-after", "0", "--speed-factor", "10"),
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ground,
    ):
        ground.connect(("127.0.0.1", port))
        station = Station(ground)
        ground.settimeout(0.1)

        def answered() -> bool:
            try:
                ground.send(station.request(2))
                return bool(ground.recv(1_000))
            except OSError:
                return False

        eventually(answered)
        ground.settimeout(PATIENCE_S)
        assert station.hear("HEARTBEAT").type == 2


def connected(port: int) -> socket.socket:
    found: list[socket.socket] = []

    def knock() -> bool:
        try:
            found.append(socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S))
        except ConnectionRefusedError:
            return False
        return True

    eventually(knock)
    return found[0]


def test_heartbeats_come_over_tcp_to_everybody() -> None:
    port = free_port(socket.SOCK_STREAM)
    with copter("--url", f"tcp:127.0.0.1:{port}"):
        with connected(port) as first, connected(port) as second:
            assert Station(first).hear("HEARTBEAT").type == 2
            assert Station(second).hear("HEARTBEAT").type == 2
        with connected(port) as third:
            assert Station(third).hear("HEARTBEAT").type == 2


def test_it_stands_where_its_car_is(mosquitto: RunningBroker) -> None:
    port = free_port(socket.SOCK_STREAM)
    link = Link(mosquitto.url, "car-of-the-copter")
    link.start(wait_s=10)

    def drive(latitude: float) -> None:
        at = datetime.now(UTC)
        link.publish(Position(vehicle_id="kona", latitude=latitude, longitude=11.5, at=at))

    drive(48.0)
    arguments = ["--url", f"tcp:127.0.0.1:{port}", "--ready-after", "0"]
    broker = ["--follow-car", mosquitto.url.secret, "--vehicle-id", "kona"]
    with copter(*arguments, *broker), connected(port) as ground:
        station = Station(ground)

        def latitude() -> float:
            ground.send(station.request(33))
            return float(station.hear("GLOBAL_POSITION_INT").lat * 1e-7)

        assert latitude() == pytest.approx(48.0, abs=1e-6)
        drive(48.001)
        eventually(lambda: latitude() == pytest.approx(48.001, abs=1e-6))
    link.stop()


def test_a_wrong_address_is_said_in_words_and_ends_it() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "simulator.copter", "--url", "carrier-pigeon"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "not an address" in done.stderr
