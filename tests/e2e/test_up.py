"""`car up` as a process: everything starts, everything ends, and what dies comes back."""

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
from functools import partial
from pathlib import Path

import pytest

from internetcar.contract.broker_url import BrokerUrl, parse_broker_url
from internetcar.launcher.broker import RunningBroker
from internetcar.launcher.up_parts import Part
from tests.conftest import need_mosquitto
from tests.e2e.observer import Observer
from tests.e2e.stage import PYTHON, Actor, Stage, children, is_alive, until_gone
from tests.waiting import PATIENCE_S, eventually

CAR = [PYTHON, "-m", "internetcar.launcher"]
FULL_BYTES = 4096
CHILDREN = 10
"""Broker, gateway, wallet, toll charger, four services, copter and car."""
SMALL = [word for part in Part for word in ("--without", part)]
"""For what is proven by broker, gateway and car as well as by all ten."""
SMALL_CHILDREN = 3
LINKS = 7
"""Those of the ten that say when they are connected, and the view."""


@pytest.fixture(params=["mosquitto", "embedded"])
def kind(request: pytest.FixtureRequest) -> str:
    if request.param == "mosquitto":
        need_mosquitto()
    return str(request.param)


@pytest.fixture
def temporary(stage: Stage) -> Path:
    """Where `--fresh` makes its folder."""
    folder = stage.folder / "temporary"
    folder.mkdir()
    stage.environ["TMPDIR"] = str(folder)
    return folder


def broker_of(up: Actor) -> BrokerUrl:
    """The broker, as the first line says it."""
    eventually(lambda: "\n" in up.stdout)
    word, _, url = up.stdout.splitlines()[0].partition(" ")
    assert word == "broker"
    return parse_broker_url(url)


def until_signals(up: Actor) -> None:
    eventually(lambda: "\nVehicle.Speed = " in up.stdout)


def all_children(up: Actor) -> list[int]:
    """The children of `up`, once all have been started."""
    eventually(lambda: len(children(up.process.pid)) == CHILDREN)
    return list(children(up.process.pid))


def child(up: Actor, word: str) -> int | None:
    """The child of `up` whose command line has a word."""
    found = [pid for pid, command in children(up.process.pid).items() if word in command]
    return found[0] if found else None


def until_replaced(up: Actor, word: str, pid: int) -> None:
    eventually(lambda: child(up, word) not in (None, pid))


def assert_nothing_left(stage: Stage, pids: list[int]) -> None:
    until_gone(pids)
    assert [path for path in stage.run.rglob("*") if not path.is_dir()] == []
    assert list(stage.run.glob("internetcar/loopback/*")) == []


def test_it_starts_with_every_broker_and_ends_when_asked(
    stage: Stage, kind: str, temporary: Path
) -> None:
    up = stage.car("up", "--plain", "--fresh", "--broker", kind)
    url = broker_of(up)
    assert url.password
    until_signals(up)
    with Observer(url) as observer:
        assert observer.until_presence(online=True)["origin"] == "simulation"
        observer.until(lambda heard: len(heard.signals()) > 40 and heard.of("position"))
        pids = all_children(up)
        up.send(signal.SIGTERM)
        observer.until_presence(online=False)
    assert up.wait(PATIENCE_S) == 0, up.stderr
    assert_nothing_left(stage, pids)
    assert list(temporary.iterdir()) == []
    assert "Traceback" not in up.stderr


def test_ctrl_c_ends_it_as_cleanly_and_what_is_left_out_does_not_run(
    stage: Stage, temporary: Path
) -> None:
    up = stage.car("up", "--plain", "--fresh", "--broker", "embedded", *SMALL)
    until_signals(up)
    pids = list(children(up.process.pid))
    assert len(pids) == SMALL_CHILDREN
    up.send(signal.SIGINT)
    assert up.wait(PATIENCE_S) == 0, up.stderr
    assert_nothing_left(stage, pids)
    assert list(temporary.iterdir()) == []


def test_it_ends_by_itself_after_the_seconds_it_was_given(stage: Stage, temporary: Path) -> None:
    up = stage.ended("up", "--plain", "--fresh", "--broker", "embedded", "--seconds", "0.5")
    assert up.process.returncode == 0, up.stderr
    assert up.stdout.startswith("broker mqtt://car:")
    assert_nothing_left(stage, [])
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("is_closed", [False, True], ids=["full", "closed"])
def test_it_ends_cleanly_when_nobody_reads_its_output(
    stage: Stage, temporary: Path, is_closed: bool
) -> None:
    arguments = ["up", "--plain", "--fresh", "--broker", "embedded", *SMALL]
    with (stage.folder / "stderr").open("wb") as stderr:
        up = subprocess.Popen(
            [*CAR, *arguments], stdout=subprocess.PIPE, stderr=stderr, env=stage.environ
        )
    assert up.stdout is not None
    try:
        fcntl.fcntl(up.stdout, fcntl.F_SETPIPE_SZ, FULL_BYTES)
        assert select.select([up.stdout], [], [], PATIENCE_S)[0]
        eventually(lambda: waiting_bytes(up) > FULL_BYTES - 200)
        if is_closed:
            up.stdout.close()
        pids = list(children(up.pid))
        assert len(pids) == SMALL_CHILDREN
        up.terminate()
        assert up.wait(PATIENCE_S) == 0, (stage.folder / "stderr").read_text()
    finally:
        up.kill()
        up.wait()
        up.stdout.close()
    assert_nothing_left(stage, pids)
    assert list(temporary.iterdir()) == []


def test_in_a_terminal_it_draws_a_picture_and_gives_the_screen_back(stage: Stage) -> None:
    master, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("4H", 40, 140, 0, 0))
    up = subprocess.Popen(
        [*CAR, "up", "--fresh", "--broker", "embedded"],
        stdout=terminal,
        stderr=subprocess.DEVNULL,
        env={**stage.environ, "TERM": "xterm"},
    )
    os.close(terminal)
    seen = bytearray()

    def has_drawn(text: bytes) -> bool:
        if select.select([master], [], [], 0.1)[0]:
            with contextlib.suppress(OSError):  # EIO: the other side has gone
                seen.extend(os.read(master, 1 << 16))
        return text in seen

    try:
        for text in (b"waiting for the gateway", b"mosquitto_sub -h 127.0.0.1", b"Vehicle.Speed"):
            eventually(partial(has_drawn, text))
        pids = list(children(up.pid))
        up.send_signal(signal.SIGINT)
        eventually(lambda: has_drawn(b"\x1b[?1049l"))
        assert up.wait(PATIENCE_S) == 0
    finally:
        up.kill()
        up.wait()
        os.close(master)
    assert_nothing_left(stage, pids)


def waiting_bytes(process: "subprocess.Popen[bytes]") -> int:
    """What waits in the pipe of a process's output."""
    assert process.stdout is not None
    answer = fcntl.ioctl(process.stdout, termios.FIONREAD, b"\0" * 4)
    return int(struct.unpack("i", answer)[0])


def test_each_child_that_is_killed_is_started_again(stage: Stage, kind: str) -> None:
    is_whole = kind == "embedded"
    up = stage.car("up", "--plain", "--fresh", "--broker", kind, *([] if is_whole else SMALL))
    url = broker_of(up)
    until_signals(up)
    if is_whole:  # a service that dies with the broker would be told of, too
        eventually(lambda: up.stderr.count(": connected to ") >= LINKS)
    with Observer(url) as observer:
        for word in (kind,) if kind == "embedded" else (" simulator ", " gateway ", kind):
            before = child(up, word)
            assert before is not None
            os.kill(before, signal.SIGKILL)
            until_replaced(up, word, before)
            observer.until_presence(online=True)
            observer.until_more("signal", 20)
            observer.until_more("telemetry", 2)
    assert up.stderr.count("; again in ") == (0 if kind == "embedded" else 2)
    assert "the broker ended; starting it again" in up.stderr
    assert up.end() == 0


def test_children_do_not_outlive_it_and_what_it_left_is_ignored(stage: Stage) -> None:
    up = stage.car("up", "--plain", "--state", str(stage.state), "--broker", "embedded")
    until_signals(up)
    pids = all_children(up)
    up.kill()
    until_gone(pids)
    vehicles = stage.ended("vehicles")
    assert vehicles.process.returncode == 2
    assert "no broker" in vehicles.stderr
    again = stage.car("up", "--plain", "--state", str(stage.state), "--broker", "embedded", *SMALL)
    until_signals(again)
    assert again.end() == 0
    assert_nothing_left(stage, [])


def test_a_second_one_on_the_same_state_is_refused_and_others_find_the_first(stage: Stage) -> None:
    arguments = ("up", "--plain", "--state", str(stage.state), "--broker", "embedded", *SMALL)
    up = stage.car(*arguments)
    until_signals(up)
    second = stage.car(*arguments)
    vehicles = stage.car("vehicles")
    watch = stage.car("watch", "--plain", "--seconds", "60")
    assert second.wait() == 2
    assert second.stderr.startswith("car: another `car up` uses ")
    assert second.stderr.count("\n") == 1
    assert vehicles.wait() == 0, vehicles.stderr
    assert "demo" in vehicles.stdout
    assert "online" in vehicles.stdout
    until_signals(watch)
    assert watch.end() == 0
    assert up.is_running
    assert is_alive(up.process.pid)
    assert up.end() == 0


@pytest.mark.parametrize(
    ("said", "arguments"),
    [
        ("--state and --fresh exclude each other", ["--fresh", "--state", "x"]),
        ("not with mqtt:// or mqtts://", ["--fresh", "--broker", "rabbit"]),
        ("letters, digits, - and _", ["--fresh", "--vehicle-id", "a/b", "--broker", "embedded"]),
        ("cannot be written", ["--state", "/proc/nothing"]),
    ],
)
def test_a_wrong_option_is_one_clear_line(stage: Stage, said: str, arguments: list[str]) -> None:
    up = stage.ended("up", "--plain", "--seconds", "5", *arguments)
    assert up.process.returncode == 2
    assert said in up.stderr
    assert [line[:5] for line in up.stderr.splitlines()] == ["car: "]
    assert_nothing_left(stage, [])


def test_a_vehicle_nobody_has_heard_of_is_said_to_be_silent(
    stage: Stage, mosquitto: RunningBroker
) -> None:
    watch = stage.ended(
        *("watch", "--plain", "--seconds", "3", "--vehicle-id", "nobody"),
        *("--broker", mosquitto.url.secret),
    )
    assert watch.process.returncode == 0
    assert "nothing is heard of nobody; `car vehicles`" in watch.stderr


def test_a_broker_out_of_reach_ends_it_in_words(stage: Stage) -> None:
    up = stage.ended("up", "--plain", "--fresh", "--broker", "mqtt://127.0.0.1:1")
    assert up.process.returncode == 2
    assert up.stderr.splitlines()[-1].startswith("car: mqtt://127.0.0.1:1: ")
    assert_nothing_left(stage, [])
