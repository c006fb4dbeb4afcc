"""A serial adapter (slcan) on a pseudo terminal: what it is told, what it says, when it goes."""

import os
import time
import tty
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gateway.bus_spec import BusSpec, FrameError
from gateway.frames import Buses
from internetcar.socketcan import EXTENDED

pytest.importorskip("serial", reason="needs pyserial: pip install 'python-can[serial]'")

Frame = tuple[int, bytes]


class Adapter:
    """The adapter's end of the line."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)
        self.plug_in()

    def plug_in(self) -> None:
        self.ours, self._theirs = os.openpty()
        tty.setraw(self._theirs)
        os.symlink(os.ttyname(self._theirs), self.path)

    def says(self, text: bytes) -> None:
        os.write(self.ours, text)

    def was_told(self) -> bytes:
        return os.read(self.ours, 1_000)

    def unplug(self) -> None:
        os.unlink(self.path)
        os.close(self._theirs)
        os.close(self.ours)


@pytest.fixture
def adapter(tmp_path: Path) -> Iterator[Adapter]:
    plugged = Adapter(tmp_path / "ttyACM0")
    yield plugged
    plugged.unplug()


@pytest.fixture
def buses(adapter: Adapter, request: pytest.FixtureRequest) -> Iterator[Buses]:
    transmit = getattr(request, "param", False)
    options = {"sleep_after_open": 0}
    spec = BusSpec("obd", "slcan", adapter.path, 500_000, transmit=transmit, options=options)
    opened = Buses([spec])
    yield opened
    opened.close()


def drain(buses: Buses, is_enough: Callable[[list[Frame]], bool]) -> list[Frame]:
    frames: list[Frame] = []
    until = time.monotonic() + 3.0
    while not is_enough(frames) and time.monotonic() < until:
        buses.wait(0.1)
        buses.drain(lambda bus, can_id, payload, at_ns: frames.append((can_id, payload)))
    return frames


def test_an_adapter_is_opened_listen_only_at_the_bit_rate(adapter: Adapter, buses: Buses) -> None:
    told = b""
    while not told.endswith(b"L\rL\r"):
        told += adapter.was_told()
    assert b"S6\r" in told
    assert b"O\r" not in told
    with pytest.raises(FrameError, match="only listens"):
        buses.send(0, 1, b"")


def test_frames_arrive_and_what_is_none_is_counted(adapter: Adapter, buses: Buses) -> None:
    adapter.says(b"t1232AABB\rT18FEE3001FF\r\r\rr1234\rt7FF0\r")
    assert drain(buses, lambda frames: len(frames) == 3) == [
        (0x123, b"\xaa\xbb"),
        (0x18FEE300 | EXTENDED, b"\xff"),
        (0x7FF, b""),
    ]
    adapter.says(b"\xff\xfe\r")
    drain(buses, lambda _: buses.counters(0).junk == 1)
    adapter.says(b"tzz\rt\rTFFFFFFFF0\rt12Z9\r")
    adapter.says(b"t3211AA\r")
    assert drain(buses, lambda frames: len(frames) == 1) == [(0x321, b"\xaa")]
    assert buses.counters(0).junk == 5
    assert buses.counters(0).remote_frames == 1


@pytest.mark.parametrize("buses", [True], indirect=True)
def test_a_bus_that_transmits_is_opened_so_and_sends(adapter: Adapter, buses: Buses) -> None:
    told = b""
    while not told.endswith(b"O\rO\r"):
        told += adapter.was_told()
    assert b"L\r" not in told
    buses.send(0, 0x18FEE300 | EXTENDED, b"\x01")
    assert adapter.was_told() == b"T18FEE300101\r"


def test_an_adapter_that_was_unplugged_is_opened_again(adapter: Adapter, buses: Buses) -> None:
    adapter.unplug()
    drain(buses, lambda _: buses.counters(0).state != "up")
    assert buses.counters(0).state == "missing"
    assert adapter.path in buses.counters(0).reason
    adapter.plug_in()
    drain(buses, lambda _: buses.counters(0).state == "up")
    adapter.says(b"t3211AA\r")
    assert drain(buses, lambda frames: len(frames) == 1) == [(0x321, b"\xaa")]
