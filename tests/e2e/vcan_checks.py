"""Checks that need SocketCAN: run by `test_vcan.py` inside user-mode Linux, never collected."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from gateway.bus_spec import BusSpec, FrameError, parse_bus
from gateway.frames import Buses
from gateway.interfaces import find_interfaces, has_socketcan
from internetcar.channel import LoopbackSocket
from internetcar.socketcan import ERROR, EXTENDED, REMOTE, pack

Frame = tuple[int, int, bytes]

PEER = """
import sys, can
with can.Bus(interface="socketcan", channel=sys.argv[1], fd=True) as bus:
    for word in sys.argv[2:]:
        can_id, extended, fd, payload = word.split(":")
        bus.send(can.Message(arbitration_id=int(can_id, 16), is_extended_id=extended == "1",
                             is_fd=fd == "1", data=bytes.fromhex(payload)))
"""


def ip(arguments: str) -> None:
    subprocess.run(["ip", "link", *arguments.split()], check=True)


def peer(*arguments: str) -> None:
    subprocess.run([sys.executable, "-c", PEER, *arguments], check=True, timeout=60)


@pytest.fixture
def other() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_CAN, socket.SOCK_RAW, socket.CAN_RAW) as opened:
        opened.setsockopt(socket.SOL_CAN_RAW, socket.CAN_RAW_FD_FRAMES, 1)
        opened.bind(("vcan0",))
        opened.settimeout(5)
        yield opened


@pytest.fixture
def buses() -> Iterator[Buses]:
    opened = Buses([parse_bus("vcan0", transmit=True, fd=True), parse_bus("vcan1")])
    yield opened
    opened.close()


def drain(buses: Buses, count: int) -> list[Frame]:
    frames: list[Frame] = []
    until = time.monotonic() + 5.0
    while count > 0 and time.monotonic() < until:
        buses.wait(0.1)
        count -= buses.drain(lambda bus, can_id, payload, _: frames.append((bus, can_id, payload)))
    return frames


def wait_for_state(buses: Buses, bus: int, state: str) -> None:
    until = time.monotonic() + 5.0
    while buses.counters(bus).state != state and time.monotonic() < until:
        buses.wait(0.1)
        buses.drain(lambda *_: None)
    assert buses.counters(bus).state == state


def test_another_process_is_heard_with_both_id_lengths_and_fd(buses: Buses) -> None:
    peer("vcan0", "123:0:0:00ff", "123:1:0:01", "18fee300:1:1:" + "22" * 64)
    peer("vcan1", "7ff:0:0:", "1:0:1:" + "33" * 12)
    assert sorted(drain(buses, 5)) == [
        (0, 0x123, b"\x00\xff"),
        (0, 0x123 | EXTENDED, b"\x01"),
        (0, 0x18FEE300 | EXTENDED, b"\x22" * 64),
        (1, 1, b"\x33" * 12),
        (1, 0x7FF, b""),
    ]
    assert [buses.counters(bus).frames for bus in (0, 1)] == [3, 2]


def test_frames_carry_the_kernels_time(buses: Buses, other: socket.socket) -> None:
    stamps: list[int] = []
    before_ns = time.time_ns()
    other.send(pack(1, b""))
    between_ns = time.time_ns()
    time.sleep(0.2)
    buses.wait(1.0)
    buses.drain(lambda *frame: stamps.append(frame[3]))
    assert before_ns - 20_000_000 <= stamps[0] <= between_ns + 20_000_000


def test_kernel_and_loopback_buses_share_a_drain(
    other: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INTERNETCAR_RUN", "/run/checks")  # hostfs keeps folders' times too long
    buses = Buses([parse_bus("vcan0"), parse_bus("loopback:x")])
    x = LoopbackSocket("x")
    heard: list[tuple[int, int]] = []
    for turn in range(4):
        before_ns = time.time_ns() - 20_000_000
        for number in range(10):
            other.send(pack(turn * 10 + number, bytes(number % 9)))
            x.send(pack(turn * 10 + number, bytes(12), is_fd=True))
        frames: list[tuple[int, int, bytes, int]] = []
        until = time.monotonic() + 5.0
        while len(frames) < 20 and time.monotonic() < until:
            buses.wait(1.0)
            buses.drain(lambda *frame, into=frames: into.append(frame))
        heard += [frame[:2] for frame in frames]
        stamps = [frame[3] for frame in frames]
        assert before_ns <= min(stamps)
        assert max(stamps) <= time.time_ns() + 20_000_000
    for bus in (0, 1):
        assert [can_id for which, can_id in heard if which == bus] == list(range(40))
    x.close()
    buses.close()


def test_error_and_remote_frames_are_counted(buses: Buses, other: socket.socket) -> None:
    for can_id in (0x4 | ERROR, 0x100 | REMOTE, 0x100):
        other.send(pack(can_id, b"12345678"))
    assert drain(buses, 3) == [(0, 0x100, b"12345678")]
    counters = buses.counters(0)
    assert (counters.frames, counters.error_frames, counters.remote_frames) == (1, 1, 1)


def test_the_kernel_holds_back_what_is_not_wanted(other: socket.socket) -> None:
    wanted = frozenset({0x123, 0x123 | EXTENDED, 0x7FF})
    buses = Buses([BusSpec("a", channel="vcan0", can_ids=wanted)])
    sent = [0x123, 0x124, 0x123 | EXTENDED, 0x7FF, 0x7FF | EXTENDED, 0x123]
    for can_id in sent:
        other.send(pack(can_id, b"x"))
    received = [can_id for _, can_id, _ in drain(buses, 4)]
    assert received == [can_id for can_id in sent if can_id in wanted]
    assert buses.drain(lambda *_: None) == 0
    buses.close()


def test_one_socket_sends_and_does_not_hear_itself(buses: Buses, other: socket.socket) -> None:
    buses.send(0, 0x10 | EXTENDED, b"out")
    buses.send(0, 0x11, bytes(24), is_fd=True)
    assert other.recv(100) == pack(0x10 | EXTENDED, b"out")
    assert other.recv(100)[:8] == pack(0x11, bytes(24), is_fd=True)[:8]
    assert buses.drain(lambda *_: None) == 0
    with pytest.raises(FrameError, match="transmit = true"):
        buses.send(1, 0x10, b"never")


def test_received_and_dropped_are_what_was_sent(buses: Buses, other: socket.socket) -> None:
    port = buses._ports[0]
    assert port is not None
    descriptor = port.fileno()
    assert descriptor is not None
    with socket.socket(fileno=os.dup(descriptor)) as own:
        own.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        own.setsockopt(socket.SOL_SOCKET, 40, 1)  # SO_RXQ_OVFL: asked here as a second witness
        for number in range(1000):
            other.send(pack(number, b"12345678"))
        received = buses.drain(lambda *_: None)
        dropped = buses.counters(0).dropped
        other.send(pack(0x7FF, b"last"))
        own.setblocking(True)
        _, ancillary, _, _ = own.recvmsg(72, 200)
    rides_along = {kind: data for _, kind, data in ancillary}[40]
    assert 0 < received < 1000
    assert received + dropped == 1000
    assert int.from_bytes(rides_along[:4], sys.byteorder) == dropped


def test_a_bus_goes_down_and_up_again_on_the_same_socket(
    buses: Buses, other: socket.socket
) -> None:
    port = buses._ports[0]
    ip("set vcan0 down")
    wait_for_state(buses, 0, "down")
    assert "ip link set vcan0 up" in buses.counters(0).reason
    with pytest.raises(FrameError, match="did not take the frame"):
        buses.send(0, 1, b"")
    peer("vcan1", "5:0:0:55")
    assert drain(buses, 1) == [(1, 5, b"\x55")]
    ip("set vcan0 up")
    wait_for_state(buses, 0, "up")
    with socket.socket(socket.AF_CAN, socket.SOCK_RAW, socket.CAN_RAW) as again:
        again.bind(("vcan0",))
        again.send(pack(6, b"f"))
    assert drain(buses, 1) == [(0, 6, b"f")]
    assert buses._ports[0] is port


def test_a_bus_that_is_down_at_the_start_is_heard_once_it_is_up() -> None:
    ip("set vcan1 down")
    buses = Buses([parse_bus("vcan1")])
    wait_for_state(buses, 0, "down")
    ip("set vcan1 up")
    wait_for_state(buses, 0, "up")
    peer("vcan1", "5:0:0:55")
    assert drain(buses, 1) == [(0, 5, b"\x55")]
    buses.close()


def test_a_bus_that_was_deleted_is_opened_again_when_it_is_there_again(buses: Buses) -> None:
    peer("vcan1", "1:0:0:01")
    assert drain(buses, 1) == [(1, 1, b"\x01")]
    ip("del vcan1")
    wait_for_state(buses, 1, "missing")
    ip("add dev vcan1 type vcan")
    wait_for_state(buses, 1, "down")
    ip("set vcan1 up")
    wait_for_state(buses, 1, "up")
    peer("vcan1", "2:0:0:02")
    assert drain(buses, 1) == [(1, 2, b"\x02")]
    ip("del vcan1")  # and at once again: the old socket would be silent for ever
    ip("add dev vcan1 type vcan")
    ip("set vcan1 up")
    buses.look()
    peer("vcan1", "3:0:0:03")
    assert drain(buses, 1) == [(1, 3, b"\x03")]
    assert buses.counters(1).frames == 3


def test_the_interfaces_are_known() -> None:
    assert has_socketcan()
    first = find_interfaces()[0]
    assert (first.name, first.kind, first.is_up, first.takes_fd) == ("vcan0", "vcan", True, True)
    assert first.fix() is None
