import os
import pty
import socket
import tty
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from internetcar.contract.message import InputError
from services.drone.mavlink.transport_error import TransportError
from services.drone.mavlink.transports import Transport, genuine, open_transport
from tests.unit.drone_mavlink_vehicle import Vehicle
from tests.waiting import eventually

HOST = "127.0.0.1"


class Clock:
    def __init__(self) -> None:
        self.s = 50.0

    def __call__(self) -> float:
        return self.s


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


def beat(vehicle: Vehicle | None = None) -> bytes:
    vehicle = vehicle or Vehicle()
    vehicle.heartbeat()
    return vehicle.out.pop()


def udp(stack: ExitStack) -> socket.socket:
    made = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    made.bind((HOST, 0))
    made.settimeout(5.0)
    return made


def free_port(kind: int = socket.SOCK_DGRAM) -> int:
    with socket.socket(socket.AF_INET, kind) as made:
        made.bind((HOST, 0))
        return int(made.getsockname()[1])


def open_(stack: ExitStack, url: str, clock: Callable[[], float] | None = None) -> Transport:
    transport = open_transport(url, clock=clock or Clock())
    return stack.enter_context(closing(transport))


@pytest.mark.parametrize(("url", "words"), [
    ("", "no such transport"), ("udp://127.0.0.1:1", "no such transport"),
    ("udpin://127.0.0.1", "needs a host and a port"), ("tcp://:5760", "needs a host and a port"),
    ("tcp://127.0.0.1:99999", "write udpin"), ("tcp://[::1:5", "write udpin"),
    ("serial://", "names no device"), ("serial://ttyACM0", "names no device"),
    ("serial:///dev/ttyACM0?baud=fast", r"\?baud=NUMBER"),
    ("serial:///dev/ttyACM0?speed=9600", r"\?baud=NUMBER"),
    ("serial:///dev/ttyACM0?baud=0", r"\?baud=NUMBER"),
    ("tcp://nowhere.invalid:5760", "host is not known"),
])  # fmt: skip
def test_a_wrong_url_is_refused_with_the_fix(url: str, words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        open_transport(url)
    assert isinstance(caught.value, TransportError)
    assert "\n" not in str(caught.value)


def test_a_port_that_is_taken_is_named(stack: ExitStack) -> None:
    port = udp(stack).getsockname()[1]
    with pytest.raises(TransportError, match=f"127.0.0.1:{port}.*cannot listen"):
        open_transport(f"udpin://{HOST}:{port}")


def test_the_first_that_speaks_mavlink_gets_the_link_and_keeps_it(stack: ExitStack) -> None:
    clock = Clock()
    port = free_port()
    transport = open_(stack, f"udpin://{HOST}:{port}", clock)
    noise, first, stranger = udp(stack), udp(stack), udp(stack)
    assert transport.problem is not None
    transport.write([b"to nobody"])
    noise.sendto(b"no packet", (HOST, port))
    first.sendto(beat(), (HOST, port))
    stranger.sendto(beat(), (HOST, port))
    eventually(lambda: b"".join(transport.read()) == beat())
    assert transport.problem is None
    first.sendto(b"the peer's own junk", (HOST, port))
    eventually(lambda: transport.read() == [b"the peer's own junk"])
    transport.write([b"answer"])
    assert first.recv(100) == b"answer"
    clock.s += 4.0
    stranger.sendto(beat(), (HOST, port))
    first.sendto(beat(), (HOST, port))
    eventually(lambda: len(transport.read()) == 1)
    clock.s += 6.0
    stranger.sendto(b"junk of a stranger", (HOST, port))
    stranger.sendto(beat(), (HOST, port))
    eventually(lambda: transport.read() == [beat()])
    transport.write([b"now you"])
    assert stranger.recv(100) == b"now you"
    assert transport.strangers == 4


def test_with_a_key_only_who_signs_gets_the_link() -> None:
    key = bytes(range(32))
    is_genuine = genuine(key)
    assert not is_genuine(beat())
    assert not is_genuine(beat(Vehicle(key=bytes(32))))
    assert not genuine()(beat()[:-1])
    assert not genuine()(beat(Vehicle(component=190)))
    assert genuine()(beat())


def test_speaking_to_an_address_hears_only_that_one(stack: ExitStack) -> None:
    other, stranger = udp(stack), udp(stack)
    transport = open_(stack, f"udpout://{HOST}:{other.getsockname()[1]}")
    transport.write([b"one", b"two"])
    data, sender = other.recvfrom(100)
    assert data == b"one"
    assert other.recv(100) == b"two"
    stranger.sendto(b"no", sender)
    other.sendto(b"yes", sender)
    eventually(lambda: transport.read() == [b"yes"])
    assert transport.fileno() is not None


def test_nobody_at_the_address_is_a_problem_until_somebody_is(stack: ExitStack) -> None:
    port = free_port()
    transport = open_(stack, f"udpout://{HOST}:{port}")

    def is_told() -> bool:
        transport.write([b"hello"])
        return transport.read() == [] and transport.problem is not None

    eventually(is_told)
    assert str(port) in str(transport.problem)
    other = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    other.bind((HOST, port))
    other.settimeout(5.0)

    def is_answered() -> bool:
        transport.write([b"hello"])
        other.sendto(b"here", other.recvfrom(100)[1])
        return bool(transport.read())

    eventually(is_answered)
    assert transport.problem is None


def test_tcp_connects_again_later_and_later_and_never_waits(stack: ExitStack) -> None:
    clock = Clock()
    port = free_port(socket.SOCK_STREAM)
    transport = open_(stack, f"tcp://{HOST}:{port}", clock)
    for delay_s in (0.5, 1.0, 2.0):
        eventually(lambda: transport.read() == [] and "refused" in str(transport.problem))
        clock.s += delay_s - 0.1
        assert transport.read() == []
        assert transport.fileno() is None
        clock.s += 0.2
        transport._problem = "asked again"  # type: ignore[attr-defined]
    server = stack.enter_context(socket.create_server((HOST, port)))
    server.settimeout(5.0)
    clock.s += 60.0
    eventually(lambda: transport.read() == [] and transport.problem is None)
    peer, _ = server.accept()
    with peer:
        transport.write([b"ab", b"cd"])
        assert peer.recv(100) == b"abcd"
        peer.sendall(b"xyz")
        eventually(lambda: transport.read() == [b"xyz"])
    eventually(lambda: transport.read() == [] and "closed it" in str(transport.problem))
    clock.s += 0.6
    eventually(lambda: transport.read() == [] and transport.problem is None)


def test_a_tcp_peer_that_reads_nothing_costs_packets_but_no_time(stack: ExitStack) -> None:
    server = stack.enter_context(socket.create_server((HOST, 0)))
    transport = open_(stack, f"tcp://{HOST}:{server.getsockname()[1]}")
    eventually(lambda: transport.read() == [] and transport.problem is None)
    peer, _ = server.accept()
    with peer:
        for _ in range(2_000):
            transport.write([bytes(8_000)])
        assert transport.problem is None


def test_a_serial_line_comes_and_goes(stack: ExitStack, tmp_path: Path) -> None:
    clock = Clock()
    device = tmp_path / "ttyACM0"
    transport = open_(stack, f"serial://{device}?baud=115200", clock)
    assert transport.read() == []
    assert str(device) in str(transport.problem)
    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    device.symlink_to(os.ttyname(theirs))
    clock.s += 0.6
    assert transport.read() == []
    assert transport.problem is None
    transport.write([b"ab"])
    assert os.read(ours, 100) == b"ab"
    os.write(ours, b"xyz")
    eventually(lambda: transport.read() == [b"xyz"])
    os.close(theirs)
    os.close(ours)
    eventually(lambda: transport.read() == [] and transport.problem is not None)
    transport.write([b"lost"])
    assert transport.fileno() is None
