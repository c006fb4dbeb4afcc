"""The simulator on buses: what it refuses, what it sends and hears, how it ends."""

import os
import signal
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path

import can
import pytest

from internetcar.loopback import LoopbackBus
from simulator.bus import BusChoice, BusError, Buses, parse_bus
from simulator.encode import EXTENDED
from simulator.garage import GarageError, load_databases, load_route
from simulator.process import Settings, main, parse_arguments, run
from simulator.route import RouteError
from simulator.simulation import Frame

NAMES = ("powertrain", "comfort", "telematics")


@pytest.fixture
def channel() -> str:
    return f"test-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def listener(channel: str) -> Iterator[can.BusABC]:
    with can.Bus(interface="virtual", channel=channel, receive_own_messages=False) as bus:
        yield bus


def choices(interface: str, channel: str) -> tuple[BusChoice, ...]:
    return tuple(BusChoice(name, interface, f"{channel}-{name}") for name in NAMES)


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        ("comfort=loopback:body", BusChoice("comfort", "loopback", "body")),
        ("comfort=vcan0", BusChoice("comfort", "socketcan", "vcan0")),
        ("comfort=slcan:/dev/ttyUSB0@115200", BusChoice("comfort", "slcan", "/dev/ttyUSB0@115200")),
    ],
)
def test_a_bus_is_named_with_its_place(text: str, choice: BusChoice) -> None:
    assert parse_bus(text) == choice


@pytest.mark.parametrize("text", ["", "comfort", "comfort=", "=vcan0", "comfort=:x", "comfort=y:"])
def test_a_bus_that_is_not_written_so_is_refused(text: str) -> None:
    with pytest.raises(BusError, match="NAME=INTERFACE:CHANNEL"):
        parse_bus(text)


@pytest.mark.parametrize(
    "choice",
    [
        BusChoice("comfort", "socketcan", "can0"),
        BusChoice("comfort", "socketcan", "vcan987"),  # of that name, but not there
        BusChoice("comfort", "slcan", "/dev/ttyUSB0"),
        BusChoice("comfort", "pcan", "PCAN_USBBUS1"),
        BusChoice("comfort", "udp_multicast", "239.74.163.2"),  # the local network hears it
    ],
)
def test_what_may_be_a_real_car_is_refused(choice: BusChoice) -> None:
    with pytest.raises(BusError, match="--transmit-on-real-bus"):
        Buses([choice], {"comfort": False}, allow_physical=False)


@pytest.mark.parametrize("allow_physical", [False, True])
def test_an_unknown_interface_is_called_unknown(allow_physical: bool) -> None:
    choice = BusChoice("comfort", "vcan", "vcan0")
    with pytest.raises(BusError, match=r"unknown interface 'vcan'; .*loopback.*socketcan"):
        Buses([choice], {"comfort": False}, allow_physical)


def test_a_bus_that_is_not_there_is_an_error_in_words() -> None:
    choice = BusChoice("comfort", "socketcan", "nosuchcan")
    with pytest.raises(BusError, match="cannot open socketcan:nosuchcan"):
        Buses([choice], {"comfort": False}, allow_physical=True)


def test_frames_go_out_and_come_in_as_they_are(channel: str, listener: can.BusABC) -> None:
    with Buses([BusChoice("comfort", "virtual", channel)], {"comfort": True}, False) as buses:
        buses.send(Frame(0.0, "comfort", 0x123 | EXTENDED, b"\1\2", True))
        buses.send(Frame(0.0, "elsewhere", 0x123, b"", False))
        heard = listener.recv(timeout=2)
        assert heard is not None
        assert (heard.arbitration_id, heard.is_extended_id, heard.is_fd) == (0x123, True, True)
        assert bytes(heard.data) == b"\1\2"
        listener.send(can.Message(arbitration_id=0x211, is_extended_id=False, data=b"\5"))
        listener.send(can.Message(arbitration_id=0x211, is_remote_frame=True))
        assert list(buses.received()) == [("comfort", 0x211, b"\5")]


def test_a_bus_that_takes_nothing_is_counted() -> None:
    buses = Buses([BusChoice("comfort", "virtual", uuid.uuid4().hex)], {"comfort": False}, False)
    for bus in buses._buses.values():
        bus.shutdown()
    buses.send(Frame(0.0, "comfort", 0x123, b"", False))
    assert list(buses.received()) == []
    assert buses.unsent == 1


def test_several_cars_run_and_end_by_themselves(channel: str) -> None:
    numbered = tuple(
        BusChoice(c.name, c.interface, c.channel + "-{vehicle}")
        for c in choices("virtual", channel)
    )
    with can.Bus(interface="virtual", channel=f"{channel}-powertrain-2") as second:
        run(
            Settings(numbered, vehicles=2, seconds=5.0, speed_factor=100.0),
            threading.Event(),
            start_at_ms=0,
        )
        heard = [second.recv(timeout=0) for _ in range(100)]
    assert (
        sum(1 for message in heard if message is not None and message.arbitration_id == 0x110) > 20
    )


def test_a_car_has_only_its_own_buses() -> None:
    with pytest.raises(BusError, match="no such bus; it has powertrain, comfort, telematics"):
        run(Settings((BusChoice("engine", "virtual", "x"),)), threading.Event(), 0)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--bus", "comfort"],
        ["--bus", "comfort=virtual:x", "--vehicles", "0"],
        ["--bus", "comfort=virtual:x", "--speed-factor", "0"],
        ["--bus", "comfort=virtual:x", "--speed-factor", "nan"],
        ["--bus", "comfort=virtual:x", "--start-m", "nan"],
    ],
)
def test_wrong_arguments_end_with_words(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        parse_arguments(arguments)
    assert ended.value.code == 2
    assert "error:" in capsys.readouterr().err


def test_wrong_files_end_with_words(tmp_path: Path) -> None:
    with pytest.raises(GarageError, match="not a vehicle"):
        load_databases(tmp_path)
    (tmp_path / "vehicle.toml").write_text('[buses]\ncan0 = "absent.dbc"\n')
    with pytest.raises(GarageError, match=r"absent\.dbc"):
        load_databases(tmp_path)
    (tmp_path / "absent.dbc").write_text("no database")
    with pytest.raises(GarageError, match="not a vehicle"):
        load_databases(tmp_path)
    with pytest.raises(RouteError, match=r"absent\.json"):
        load_route(tmp_path / "absent.json")


def test_the_command_says_what_is_wrong_and_exits_two(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        code = main(["--bus", "powertrain=virtual:x", "--car", str(tmp_path)])
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    assert code == 2
    assert "not a vehicle" in caplog.text


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_process_speaks_and_ends_cleanly_when_told(channel: str, number: int) -> None:
    buses = [f"--bus={c.name}={c.interface}:{c.channel}" for c in choices("loopback", channel)]
    with LoopbackBus(f"{channel}-telematics") as listener:
        process = subprocess.Popen(
            [sys.executable, "-m", "simulator", *buses],
            stderr=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
        )
        try:
            heard = listener.recv(timeout=20)
            assert heard is not None
            assert heard.is_fd
            process.send_signal(number)
            _, errors = process.communicate(timeout=20)
        finally:
            process.kill()
            process.wait()
    assert process.returncode == 0
    assert b"Traceback" not in errors
