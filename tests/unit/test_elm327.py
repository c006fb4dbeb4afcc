"""An ELM327 or STN adapter on a pseudo terminal and on a socket, as the gateway opens it."""

import os
import select
import socket
import threading
import time
import tty
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gateway.drain import BusCounters, WireTime
from gateway.elm327 import Elm327Port
from gateway.ports import BusMissingError, BusRefusedError
from simulator.ecu import Ecu
from simulator.elm327 import SimulatedElm
from tests.elm_line import Adapter
from tests.unit.obd_car import PETROL
from tests.waiting import PATIENCE_S, eventually

pytest.importorskip("serial", reason="needs pyserial: pip install 'python-can[serial]'")

STN = "STN2120 v5.6.5"
SPEED = b"\x02\x01\x0d\0\0\0\0\0"
WIRE = WireTime.of(4.0)
Frame = tuple[int, bytes]


Plug = Callable[[SimulatedElm], tuple[Adapter, str]]


@pytest.fixture(params=["serial", "network"])
def plug(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Plug]:
    """Plugs an adapter in; gives its channel too."""
    plugged: list[Adapter] = []
    others: list[Callable[[], None]] = []

    def serial_line(chip: SimulatedElm) -> tuple[Adapter, str]:
        ours, theirs = os.openpty()
        tty.setraw(theirs)
        path = tmp_path / "rfcomm0"
        path.symlink_to(os.ttyname(theirs))
        others.append(lambda: os.close(theirs))
        plugged.append(Adapter(chip, ours))
        return plugged[0], f"//{path}"

    def network_line(chip: SimulatedElm) -> tuple[Adapter, str]:
        server = socket.create_server(("127.0.0.1", 0))
        server.settimeout(PATIENCE_S)

        def accept() -> None:
            line, _ = server.accept()
            plugged.append(Adapter(chip, line.detach()))

        thread = threading.Thread(target=accept)
        thread.start()
        others.extend((thread.join, server.close))
        lazy = _Lazy(plugged)
        return lazy, f"//127.0.0.1:{server.getsockname()[1]}"  # type: ignore[return-value]

    yield serial_line if request.param == "serial" else network_line
    for end in others:  # first: who accepts a connection may only now note its adapter
        end()
    for adapter in plugged:
        adapter.unplug()


class _Lazy:
    """An adapter that is there as soon as somebody has connected."""

    def __init__(self, plugged: list[Adapter]) -> None:
        self._plugged = plugged

    def __getattr__(self, name: str) -> object:
        eventually(lambda: self._plugged)
        return getattr(self._plugged[0], name)


class Heard:
    """Drains a port until enough has come."""

    def __init__(self, port: Elm327Port) -> None:
        self.port = port
        self.counters = BusCounters()
        self.frames: list[Frame] = []

    def until(self, is_enough: Callable[[], bool], seconds: float = 20.0) -> None:
        deadline = time.monotonic() + seconds
        while not is_enough():
            assert time.monotonic() < deadline, (self.frames, self.counters)
            descriptor = self.port.fileno()
            assert descriptor is not None
            if select.select([descriptor], [], [], 0.05)[0]:
                self.port.drain(0, self._sink, self.counters)
            else:
                self.port.look()

    def _sink(self, bus: int, can_id: int, payload: bytes, at_ns: int) -> None:
        assert abs(at_ns - time.time_ns()) < 5_000_000_000
        self.frames.append((can_id, payload))


def petrol() -> list[Ecu]:
    return [Ecu(0, lambda: PETROL)]


def test_an_elm_answers_requests_and_says_what_it_is(plug: Plug) -> None:
    chip = SimulatedElm(petrol())
    _, channel = plug(chip)
    port = Elm327Port(channel, WIRE, transmits=True)
    assert port.look() == ("up", "ELM327 v1.5: answers requests, cannot listen to the bus")
    assert port.description == port.look()[1]
    heard = Heard(port)
    port.send(0x7DF, SPEED, False)
    heard.until(lambda: bool(heard.frames))
    assert heard.frames == [(0x7E8, bytes.fromhex("03410d32aaaaaaaa"))]
    assert heard.counters.frames == 1
    assert heard.counters.bits > 100
    heard.until(lambda: port.volts == 12.6)
    assert chip.sent == [(0x7DF, SPEED)]
    with pytest.raises(OSError, match="no CAN FD"):
        port.send(0x7DF, SPEED, True)
    port.close()


def test_a_stn_only_listens_without_transmit(plug: Plug) -> None:
    chip = SimulatedElm(petrol(), stn=STN)
    adapter, channel = plug(chip)
    port = Elm327Port(channel, WIRE, transmits=False)
    heard = Heard(port)
    heard.until(lambda: chip.is_monitoring)
    adapter.hear(0x123, b"\x01\x02")
    heard.until(lambda: bool(heard.frames))
    adapter.says(b"CAN ERROR\rwhat?\rBUFFER FULL\r")
    heard.until(lambda: port.dropped == 1)
    assert (heard.counters.error_frames, heard.counters.junk) == (1, 1)
    assert heard.frames == [(0x123, b"\x01\x02")]
    with pytest.raises(OSError, match="only listens"):
        port.send(0x7DF, SPEED, False)
    port.close()
    assert chip.sent == []


def test_an_elm_without_transmit_is_refused_and_told_why(plug: Plug) -> None:
    chip = SimulatedElm(petrol())
    _, channel = plug(chip)
    with pytest.raises(BusRefusedError, match="set transmit = true"):
        Elm327Port(channel, WIRE, transmits=False)
    assert chip.sent == []


def test_an_adapter_that_was_reset_or_unplugged_is_missing(plug: Plug) -> None:
    adapter, channel = plug(SimulatedElm(petrol(), stn=STN))
    port = Elm327Port(channel, WIRE, transmits=True)
    heard = Heard(port)
    heard.until(lambda: adapter.chip.is_monitoring)
    adapter.says(b"LV RESET\r")
    with pytest.raises(BusMissingError, match="was reset"):
        heard.until(lambda: False)
    adapter.unplug()
    with pytest.raises(BusMissingError):
        heard.until(lambda: False)
    port.close()


def test_what_is_not_there_is_missing(tmp_path: Path) -> None:
    with pytest.raises(BusMissingError, match="nothing"):
        Elm327Port(f"//{tmp_path}/nothing", WIRE, transmits=True)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(BusMissingError, match="refused"):
        Elm327Port(f"//127.0.0.1:{port}", WIRE, transmits=True)


@pytest.mark.parametrize("channel", ["rfcomm0", "//host", "//:1", ""])
def test_a_channel_that_names_no_adapter_is_refused(channel: str) -> None:
    with pytest.raises(BusRefusedError, match="elm327:///dev/rfcomm0 or elm327://host:port"):
        Elm327Port(channel, WIRE, transmits=True)


@pytest.mark.parametrize("port", [0, 65_536, 99_999])
def test_a_port_that_cannot_be_is_refused(port: int) -> None:
    with pytest.raises(BusRefusedError, match=rf"there is no port {port}: they are 1 to 65535"):
        Elm327Port(f"//127.0.0.1:{port}", WIRE, transmits=True)


def test_a_bit_rate_the_chip_does_not_know_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BusRefusedError, match="125000"):
        Elm327Port(f"//{tmp_path}/rfcomm0", WIRE, transmits=True, bitrate=125_000)


def test_a_line_on_which_nobody_speaks_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.elm327_talk.PROMPT_NS", 50_000_000)
    ours, theirs = os.openpty()
    tty.setraw(theirs)
    with pytest.raises(BusRefusedError, match="does not answer ATZ"):
        Elm327Port(os.ttyname(theirs), WIRE, transmits=True)
    written = os.read(ours, 1_000)
    assert written == b"ATZ\r" * 9  # three times at each of three speeds
    os.close(ours)
    os.close(theirs)


def test_a_request_on_a_line_that_is_gone_is_refused(tmp_path: Path) -> None:
    ours, theirs = os.openpty()
    tty.setraw(theirs)
    adapter = Adapter(SimulatedElm(petrol()), ours)
    port = Elm327Port(os.ttyname(theirs), WIRE, transmits=True, baud_rate=38_400)
    Heard(port).until(lambda: port.volts is not None)
    adapter.unplug()
    with pytest.raises(OSError, match="Input/output error"):
        port.send(0x7DF, SPEED, False)
    port.close()
    os.close(theirs)
