"""The loopback bus: between processes, against strangers, and what it leaves behind."""

import os
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import can
import pytest

from internetcar.channel import LoopbackError, LoopbackSocket, run_folder
from internetcar.loopback import LoopbackBus
from internetcar.socketcan import pack

SENDER = """
import sys, can
from internetcar.loopback import LoopbackBus
bus = LoopbackBus("powertrain")
for line in sys.stdin:
    can_id, extended, fd, payload = line.split()
    bus.send(can.Message(arbitration_id=int(can_id, 16), is_extended_id=extended == "1",
                         is_fd=fd == "1", data=bytes.fromhex(payload)))
    print("sent", flush=True)
if sys.argv[1:] == ["stay"]:
    signal = __import__("signal").pause()
bus.shutdown()
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("INTERNETCAR_RUN", str(tmp_path / "run"))
    return tmp_path / "run" / "loopback"


@pytest.fixture
def bus() -> Iterator[LoopbackBus]:
    opened = LoopbackBus("powertrain")
    yield opened
    opened.shutdown()


def sender(*arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", SENDER, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_frames_of_another_process_arrive_as_they_were_sent(bus: LoopbackBus) -> None:
    frames = [
        ("123", "0", "0", "00ff"),
        ("123", "1", "0", "01"),
        ("18fee300", "1", "0", "0102030405060708"),
        ("7ff", "0", "1", "11" * 48),
        ("1abcdef0", "1", "1", "22" * 64),
    ]
    with sender() as process:
        process.communicate("".join(" ".join(frame) + "\n" for frame in frames), timeout=20)
    received = [bus.recv(1.0) for _ in frames]
    assert [
        (f"{m.arbitration_id:x}", str(int(m.is_extended_id)), str(int(m.is_fd)), m.data.hex())
        for m in received
        if m
    ] == frames
    assert bus.recv(0) is None


def test_remote_and_error_frames_keep_their_kind(bus: LoopbackBus) -> None:
    with LoopbackBus("powertrain") as other:
        other.send(can.Message(arbitration_id=1, is_remote_frame=True, dlc=5, is_extended_id=False))
        other.send(can.Message(arbitration_id=4, is_error_frame=True, is_extended_id=False))
    remote, error = bus.recv(1.0), bus.recv(1.0)
    assert remote is not None
    assert error is not None
    assert (remote.is_remote_frame, remote.dlc) == (True, 5)
    assert error.is_error_frame


def test_own_frames_are_heard_only_when_asked_for(bus: LoopbackBus) -> None:
    message = can.Message(arbitration_id=1, is_extended_id=False)
    bus.send(message)
    assert bus.recv(0) is None
    with LoopbackBus("powertrain", receive_own_messages=True) as echoing:
        echoing.send(message)
        assert echoing.recv(0) is message


def test_channels_do_not_hear_each_other(bus: LoopbackBus) -> None:
    with LoopbackBus("comfort") as other:
        other.send(can.Message(arbitration_id=1))
    assert bus.recv(0.05) is None


def test_strangers_and_malformed_datagrams_are_counted_and_dropped(bus: LoopbackBus) -> None:
    to = ("127.0.0.1", bus._endpoint.socket.getsockname()[1])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.sendto(pack(0x123, b"hello"), to)
    endpoint = LoopbackSocket("powertrain")
    for junk in (b"", b"x", bytes(15), bytes(71), bytes(500), struct.pack("=IB11x", 1, 9)):
        endpoint.socket.sendto(junk, to)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as twin:  # a known port elsewhere
        twin.bind(("127.0.0.2", endpoint.socket.getsockname()[1]))
        twin.sendto(pack(0x123, b"hello"), to)
    endpoint.send(pack(0x123, b"good"))
    message = bus.recv(1.0)
    endpoint.close()
    assert message is not None
    assert message.data == b"good"
    assert bus.junk == 8


def test_received_and_dropped_are_what_was_sent(bus: LoopbackBus) -> None:
    bus._endpoint.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    with LoopbackBus("powertrain") as other:
        for number in range(500):
            other.send(can.Message(arbitration_id=number, is_extended_id=False))
        received = sum(1 for _ in iter(lambda: bus.recv(0), None))
    assert 0 < received < 500
    assert received + bus.dropped == 500


def test_frames_of_a_participant_that_has_left_still_count(bus: LoopbackBus) -> None:
    with LoopbackBus("powertrain") as other:
        other.send(can.Message(arbitration_id=7))
    assert bus.recv(1.0) is not None


def test_nothing_is_left_behind(folder: Path) -> None:
    first, second = LoopbackBus("x"), LoopbackBus("x")
    assert len(list(folder.glob("x/*"))) == 2
    first.shutdown()
    second.shutdown()
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_a_killed_participant_is_cleared_away_by_the_next(
    folder: Path, end: signal.Signals
) -> None:
    with sender("stay") as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("1 0 0 00\n")
        process.stdin.flush()
        process.stdout.readline()
        process.send_signal(end)
        process.wait(20)
    assert len(list(folder.glob("powertrain/*"))) == 1
    LoopbackBus("powertrain").shutdown()
    assert list(folder.iterdir()) == []


def test_a_fork_does_not_end_its_parents_registration(folder: Path, bus: LoopbackBus) -> None:
    child = os.fork()
    if child == 0:
        bus._endpoint.close()
        os._exit(0)
    os.waitpid(child, 0)
    assert len(list(folder.glob("powertrain/*"))) == 1


def test_a_run_folder_others_may_enter_is_refused(tmp_path: Path) -> None:
    (tmp_path / "open" / "loopback").mkdir(parents=True)
    (tmp_path / "open" / "loopback").chmod(0o755)
    with pytest.raises(LoopbackError, match="only its owner"):
        run_folder({"INTERNETCAR_RUN": str(tmp_path / "open")})
    assert run_folder({"XDG_RUNTIME_DIR": str(tmp_path)}) == tmp_path / "internetcar" / "loopback"


@pytest.mark.parametrize("name", ["", "..", "a/b", ".hidden", "x" * 65, "a b"])
def test_a_channel_name_that_is_no_file_name_is_refused(name: str) -> None:
    with pytest.raises(can.CanInitializationError, match="loopback channel"):
        LoopbackBus(name)
