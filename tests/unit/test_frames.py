"""Several buses in one thread: what arrives, what is counted, what is refused."""

import logging
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import can
import pytest

from gateway.bus_settings import BusSettings
from gateway.bus_spec import BusSpec, FrameError, parse_bus
from gateway.frames import Buses
from internetcar.channel import LoopbackSocket
from internetcar.socketcan import ERROR, EXTENDED, REMOTE, pack

Frame = tuple[int, int, bytes]


@pytest.fixture(autouse=True)
def _own_run_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTERNETCAR_RUN", str(tmp_path))


@pytest.fixture
def buses() -> Iterator[Buses]:
    opened = Buses([parse_bus("a=loopback:a", transmit=True, fd=True), parse_bus("loopback:b")])
    yield opened
    opened.close()


def socket_of(buses: Buses, bus: int) -> socket.socket:
    port = buses._ports[bus]
    assert port is not None
    descriptor = port.fileno()
    assert descriptor is not None
    return socket.socket(fileno=os.dup(descriptor))


def drain(buses: Buses, count: int) -> list[Frame]:
    """What arrives until so many frames of any kind came, or a second has gone by."""
    frames: list[Frame] = []

    def keep(bus: int, can_id: int, payload: bytes, at_ns: int) -> None:
        assert abs(time.time_ns() - at_ns) < 60_000_000_000
        frames.append((bus, can_id, payload))

    until = time.monotonic() + 1.0
    while count > 0 and time.monotonic() < until:
        buses.wait(0.1)
        count -= buses.drain(keep)
    return frames


def test_frames_of_several_buses_arrive_with_their_ids_and_lengths(buses: Buses) -> None:
    a, b = LoopbackSocket("a"), LoopbackSocket("b")
    sent = [(0, 0x123, b""), (0, 0x123 | EXTENDED, b"1"), (0, 0x7FF, b"12345678")]
    for _, can_id, payload in sent:
        a.send(pack(can_id, payload))
    sent += [(1, 0x1ABCDEF0 | EXTENDED, bytes(range(64))), (1, 1, bytes(12)), (1, 2, b"123")]
    for _, can_id, payload in sent[3:]:
        b.send(pack(can_id, payload, is_fd=True))
    received = drain(buses, 6)
    a.close()
    b.close()
    assert sorted(received) == sorted(sent)
    assert [frame for frame in received if frame[0] == 0] == sent[:3]
    assert [buses.counters(bus).frames for bus in (0, 1)] == [3, 3]
    assert buses.counters(0).bits == pytest.approx(3 * (47 + 3.4) + 9 * 8 * 1.1 + 22)


def test_a_burst_longer_than_one_batch_keeps_its_order(buses: Buses) -> None:
    a = LoopbackSocket("a")
    for number in range(200):
        a.send(pack(number, number.to_bytes(2, "big")))
    received = drain(buses, 200)
    a.close()
    assert [can_id for _, can_id, _ in received] == list(range(200))


def test_error_and_remote_frames_are_counted_and_not_handed_on(buses: Buses) -> None:
    a = LoopbackSocket("a")
    a.send(pack(0x100 | REMOTE, bytes(4)))
    a.send(pack(0x004 | ERROR, bytes(8)))
    a.send(pack(0x100, b"data"))
    assert drain(buses, 3) == [(0, 0x100, b"data")]
    a.close()
    counters = buses.counters(0)
    assert (counters.frames, counters.error_frames, counters.remote_frames) == (1, 1, 1)


def test_junk_is_counted_and_the_next_frame_arrives(buses: Buses) -> None:
    with socket_of(buses, 0) as own:
        to = own.getsockname()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        for datagram in (pack(1, b""), b"", bytes(2000)):
            stranger.sendto(datagram, to)
    a = LoopbackSocket("a")
    for datagram in (b"", bytes(17), bytes(73), b"\0\0\0\0\x09" + bytes(11), b"\0" * 4 + b"A" * 68):
        a.socket.sendto(datagram, to)
    a.send(pack(0x321, b"good"))
    assert drain(buses, 9) == [(0, 0x321, b"good")]
    a.close()
    assert buses.counters(0).junk == 8


def test_received_and_dropped_are_what_was_sent(buses: Buses) -> None:
    with socket_of(buses, 0) as own:
        own.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    a = LoopbackSocket("a")
    for number in range(500):
        a.send(pack(number, b"12345678"))
    received = buses.drain(lambda *_: None)
    a.close()
    assert 0 < received < 500
    assert received + buses.counters(0).dropped == 500


def test_a_bus_sends_only_when_it_may_and_does_not_hear_itself(buses: Buses) -> None:
    a, b = LoopbackSocket("a"), LoopbackSocket("b")
    buses.send(0, 0x10, b"out")
    buses.send(0, 0x11, bytes(32), is_fd=True)
    with pytest.raises(FrameError, match="transmit = true"):
        buses.send(1, 0x10, b"never")
    with pytest.raises(FrameError, match="do not fit"):
        buses.send(0, 0x10, bytes(9))
    assert a.socket.recv(100) == pack(0x10, b"out")
    assert a.socket.recv(100) == pack(0x11, bytes(32), is_fd=True)
    with pytest.raises(BlockingIOError):
        b.socket.recv(100)
    assert buses.drain(lambda *_: None) == 0
    a.close()
    b.close()


def test_an_interface_of_python_can_is_read_with_the_others() -> None:
    buses = Buses([parse_bus("v=virtual:frames-test", transmit=True), parse_bus("loopback:b")])
    b = LoopbackSocket("b")
    with can.Bus(interface="virtual", channel="frames-test") as virtual:
        virtual.send(can.Message(arbitration_id=0x18FEE300, data=b"abc"))
        virtual.send(can.Message(arbitration_id=1, is_remote_frame=True, dlc=2))
        b.send(pack(5, b"d"))
        assert sorted(drain(buses, 3)) == [(0, 0x18FEE300 | EXTENDED, b"abc"), (1, 5, b"d")]
        buses.send(0, 0x7, b"x")
        answer = virtual.recv(1.0)
        assert answer is not None
        assert (answer.arbitration_id, answer.is_extended_id, bytes(answer.data)) == (
            7,
            False,
            b"x",
        )
    assert buses.drain(lambda *_: None) == 0
    assert buses.counters(0).remote_frames == 1
    b.close()
    buses.close()


def test_a_bus_that_cannot_be_opened_says_why_and_the_others_work(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    buses = Buses(
        [parse_bus("nosuchcan"), parse_bus("x=slcan:/dev/null/no"), parse_bus("loopback:b")]
    )
    b = LoopbackSocket("b")
    b.send(pack(1, b"!"))
    assert drain(buses, 1) == [(2, 1, b"!")]
    states = [buses.counters(bus).state for bus in range(3)]
    assert states[0] in ("missing", "refused")
    assert states[1] in ("missing", "refused")
    assert states[2] == "up"
    assert "nosuchcan" in caplog.text
    with pytest.raises(FrameError):
        Buses([parse_bus("x=loopback:b"), parse_bus("x=loopback:c")])
    buses.close()
    b.close()


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("can0", BusSpec("can0", "socketcan", "can0")),
        ("slcan:/dev/ttyACM0", BusSpec("dev_ttyACM0", "slcan", "/dev/ttyACM0")),
        ("powertrain=loopback:powertrain", BusSpec("powertrain", "loopback", "powertrain")),
        ("obd=slcan:tcp://10.0.0.1:3333", BusSpec("obd", "slcan", "tcp://10.0.0.1:3333")),
        ("p=can1", BusSpec("p", "socketcan", "can1")),
        ("elm327:///dev/rfcomm0", BusSpec("dev_rfcomm0", "elm327", "///dev/rfcomm0")),
        (
            "elm327:///dev/serial/by-id/usb-FTDI_FT232R_USB_UART_A50285BI-if00-port0",
            BusSpec(
                "32R_USB_UART_A50285BI-if00-port0",
                "elm327",
                "///dev/serial/by-id/usb-FTDI_FT232R_USB_UART_A50285BI-if00-port0",
            ),
        ),
        ("a.b=can0", BusSpec("a.b", "socketcan", "can0")),
        ("obd=elm327://10.0.0.1:35000", BusSpec("obd", "elm327", "//10.0.0.1:35000")),
    ],
)
def test_a_bus_is_named_in_one_word(text: str, spec: BusSpec) -> None:
    assert parse_bus(text) == spec
    assert BusSettings(name=spec.name).name == spec.name  # one rule


def test_a_name_that_is_refused_comes_with_its_fix() -> None:
    with pytest.raises(FrameError, match=r"1 to 32 of .*; write can0=elm327:///dev/rfcomm0$"):
        parse_bus(f"{'n' * 33}=elm327:///dev/rfcomm0")


@pytest.mark.parametrize(
    "text", ["", "=", "a=", "x=foo:1", "a b=can0", "interface-too-long-for-linux"]
)
def test_what_names_no_bus_is_refused(text: str) -> None:
    with pytest.raises(FrameError, match="bus"):
        parse_bus(text)


def test_a_flood_is_drained_in_parts() -> None:
    buses = Buses([parse_bus("loopback:a")])
    with socket_of(buses, 0) as own:
        own.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 24)
    a = LoopbackSocket("a")
    parts = []
    for _ in range(2):  # as a sink slower than the bus: more comes while it works
        for number in range(1_500):
            a.send(pack(number & 0x7FF, b"12345678"))
    while part := buses.drain(lambda *_: None):
        parts.append(part)
    assert len(parts) > 1
    assert max(parts) <= 1_100
    assert sum(parts) + buses.counters(0).dropped == 3_000
    a.close()
    buses.close()


def test_counts_go_on_in_buses_that_take_the_place_of_others() -> None:
    former = Buses([parse_bus("loopback:a")])
    a = LoopbackSocket("a")
    with socket_of(former, 0) as own:
        own.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    for _ in range(500):
        a.send(pack(1, b"12345678"))
    former.drain(lambda *_: None)
    before = former.counters(0)
    former.close()
    buses = Buses([parse_bus("loopback:a")])
    buses.succeed(former)
    a.send(pack(1, b"12345678"))
    drain(buses, 1)
    after = buses.counters(0)
    assert before.dropped
    assert (after.frames, after.dropped) == (before.frames + 1, before.dropped)
    assert after.bits > before.bits
    a.close()
    buses.close()
