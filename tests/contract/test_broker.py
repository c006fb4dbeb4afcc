"""Brokers that start and stop with us, and how a command finds one."""

import json
import os
import signal
import stat
import subprocess
import sys
import textwrap
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from internetcar.contract.broker_url import BrokerUrl, BrokerUrlError
from internetcar.contract.link import Link
from internetcar.contract.settings import default_state_folder
from internetcar.launcher import broker as launcher
from internetcar.launcher.broker import BrokerError, RunningBroker, find_broker, start_broker
from internetcar.launcher.run_file import (
    Running,
    announced,
    lasting_folder,
    read_run_file,
    run_file_path,
)
from tests.contract.test_link import BATCH, HERE, running, stranger
from tests.waiting import PATIENCE_S, eventually

URL = BrokerUrl("127.0.0.1", 1999, "car", "hunter2", protocol="3.1.1")


def is_alive(pid: int) -> bool:
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def test_only_the_generated_user_gets_in_and_only_from_this_machine(broker: RunningBroker) -> None:
    anonymous = BrokerUrl("127.0.0.1", broker.url.port, protocol=broker.url.protocol)
    with pytest.raises(Exception, match="refuses us"):
        Link(anonymous, "stranger").start(PATIENCE_S)
    listening = [
        line.split()[1]
        for table in ("/proc/net/tcp", "/proc/net/tcp6")
        for line in Path(table).read_text().splitlines()
        if line.split()[1].endswith(f":{broker.url.port:04X}") and line.split()[3] == "0A"
    ]
    assert listening == [f"0100007F:{broker.url.port:04X}"]


@pytest.mark.parametrize(
    ("username", "password"),
    [
        ("car", None),
        ("car", "wrong"),
        ("Car", ""),
        (None, None),
        ("", ""),
        ("car\n", "x"),
        ("x", ""),
    ],
)
def test_wrong_credentials_are_refused(
    broker: RunningBroker, username: str | None, password: str | None
) -> None:
    known = broker.url.password if password == "" else password
    url = replace(broker.url, username=username, password=known if username else None)
    # mosquitto hangs up without a word on a user name with a line break.
    refusal, wait_s = (
        ("does not answer", 5.0) if username == "car\n" else ("refuses us", PATIENCE_S)
    )
    if broker.kind == "embedded":
        refusal, wait_s = "refuses us", PATIENCE_S
    with pytest.raises(Exception, match=refusal):
        Link(url, "stranger").start(wait_s)


def test_what_the_broker_writes_is_for_its_owner_alone(mosquitto: RunningBroker) -> None:
    state = Path(Path(f"/proc/{mosquitto.pid}/cmdline").read_text().split("\0")[2]).parent
    assert stat.S_IMODE(state.stat().st_mode) == 0o700
    for name in ("passwords", "access", "mosquitto.conf"):
        assert stat.S_IMODE((state / name).stat().st_mode) == 0o600
    assert mosquitto.url.password is not None
    everything = b"".join(path.read_bytes() for path in state.iterdir())
    assert mosquitto.url.password.encode() not in everything
    assert mosquitto.url.password not in Path(f"/proc/{mosquitto.pid}/cmdline").read_text()


def test_no_secret_is_visible_in_the_process_list(broker: RunningBroker) -> None:
    assert broker.url.password is not None
    for name in ("cmdline", "environ"):
        assert broker.url.password not in Path(f"/proc/{broker.pid}/{name}").read_text()


def test_mosquitto_keeps_its_memory_over_a_restart_on_the_same_port(
    mosquitto: RunningBroker,
) -> None:
    with running(Link(mosquitto.url, "gateway")) as link:
        link.publish(HERE)
        assert link.drain(PATIENCE_S)
    url = mosquitto.url
    mosquitto.restart()
    assert mosquitto.url == url
    with stranger(url, "v1/#") as heard:
        eventually(lambda: heard)
    assert heard == [(HERE.topic, HERE.encode(), True)]


def test_a_client_hears_the_retained_messages_of_its_own_filters_alone(
    broker: RunningBroker,
) -> None:
    with running(Link(broker.url, "gateway")) as link, stranger(broker.url, "v1/#") as everything:
        link.publish(HERE)
        assert link.drain(PATIENCE_S)
        eventually(lambda: everything)
        with (
            stranger(broker.url, "nothing/here") as nothing,
            stranger(broker.url, HERE.topic) as own,
        ):
            eventually(lambda: own)
        with stranger(broker.url, HERE.topic) as again:
            eventually(lambda: again)
    assert nothing == []
    assert own == again == [(HERE.topic, HERE.encode(), True)]


def test_a_broker_ends_on_stop_and_can_be_stopped_twice(broker: RunningBroker) -> None:
    pid = broker.pid
    assert pid is not None
    broker.stop()
    broker.stop()
    assert not is_alive(pid)
    assert not broker.is_running


@pytest.mark.parametrize("kind", ["mosquitto", "embedded"])
def test_a_broker_does_not_outlive_its_parent(kind: str, tmp_path: Path) -> None:
    program = """
        import sys, time
        from pathlib import Path
        from internetcar.launcher.broker import RunningBroker
        print(RunningBroker(sys.argv[1], Path(sys.argv[2])).pid, flush=True)
        time.sleep(60)
    """
    if kind == "mosquitto" and launcher.mosquitto_path() is None:
        pytest.skip(f"no mosquitto: {launcher.APT_LINE}")
    parent = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program), kind, str(tmp_path / "broker")],
        stdout=subprocess.PIPE,
    )
    with parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert is_alive(pid)
        parent.send_signal(signal.SIGKILL)
        eventually(lambda: not is_alive(pid))


def test_a_broker_that_does_not_start_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with RunningBroker("embedded", tmp_path / "first") as first:
        monkeypatch.setattr(launcher, "free_port", lambda: first.url.port)
        monkeypatch.setattr(launcher, "_listens", lambda _: False)
        with pytest.raises(BrokerError, match="did not start"):
            RunningBroker("embedded", tmp_path / "second")


def test_the_choice_of_a_broker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert start_broker("mqtt://pi", tmp_path) == BrokerUrl("pi", 1883)
    with pytest.raises(BrokerUrlError, match="mqtt://"):
        start_broker("rabbit", tmp_path)
    monkeypatch.setattr(launcher, "mosquitto_path", lambda: None)
    with pytest.raises(BrokerError, match="apt-get install mosquitto"):
        start_broker("mosquitto", tmp_path)
    chosen = start_broker(None, tmp_path)
    assert isinstance(chosen, RunningBroker)
    with chosen:
        assert chosen.kind == "embedded"
        with running(Link(chosen.url, "gateway")) as link:
            delivery = link.publish(BATCH)
            assert link.drain(PATIENCE_S)
    assert delivery is not None
    assert delivery.is_acknowledged


def test_mosquitto_is_also_found_where_an_ordinary_path_does_not_lead(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if launcher.mosquitto_path() is None:
        pytest.skip(f"no mosquitto: {launcher.APT_LINE}")
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    assert launcher.mosquitto_path() is not None


def test_a_command_finds_its_broker_by_option_then_environment_then_run_file(
    tmp_path: Path,
) -> None:
    environ = {"XDG_RUNTIME_DIR": str(tmp_path), "HOME": str(tmp_path)}
    with pytest.raises(BrokerError) as caught:
        find_broker(None, environ)
    for way in ("--broker", "INTERNETCAR_BROKER", "car up"):
        assert way in str(caught.value)
    with announced(URL, Path("/state"), environ):
        assert find_broker(None, environ) == URL
        environ["INTERNETCAR_BROKER"] = "mqtt://two"
        assert find_broker(None, environ).host == "two"
        assert find_broker("mqtt://one", environ).host == "one"
        with pytest.raises(BrokerUrlError):
            find_broker("nonsense", environ)


def test_the_run_file_is_private_and_goes_with_its_process(tmp_path: Path) -> None:
    environ = {"HOME": str(tmp_path)}
    with announced(URL, Path("/state"), environ) as path:
        assert path == run_file_path(environ, os.getpid())
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        running_up = read_run_file(environ)
        assert running_up is not None
        assert running_up == Running(URL, os.getpid(), Path("/state"))
        assert lasting_folder("", environ) == Path("/state")
        assert lasting_folder("elsewhere", environ) == Path("elsewhere")
        content = json.loads(path.read_text())
        path.write_text(json.dumps(content | {"started": "1"}))
        assert read_run_file(environ) is None, "another process has that pid now"
        path.write_text(json.dumps(content))
        path.chmod(0o644)
        assert read_run_file(environ) is None, "others could read it"
        path.chmod(0o600)
    assert not path.exists()
    assert lasting_folder("", environ) == default_state_folder(environ)


def test_the_run_file_of_a_process_that_is_gone_is_ignored(tmp_path: Path) -> None:
    environ = {"HOME": str(tmp_path)}
    program = """
        import os, sys, time
        from pathlib import Path
        from internetcar.contract.broker_url import BrokerUrl
        from internetcar.launcher.run_file import announced
        with announced(BrokerUrl("pi", 1883), Path("/state"), {"HOME": sys.argv[1]}):
            print("there", flush=True)
            time.sleep(60)
    """
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program), str(tmp_path)], stdout=subprocess.PIPE
    ) as up:
        assert up.stdout is not None
        up.stdout.readline()
        assert read_run_file(environ) is not None
        up.kill()
        eventually(lambda: read_run_file(environ) is None)
    left = run_file_path(environ, up.pid)
    assert left.exists()
    with announced(URL, Path("/state"), environ):
        assert not left.exists()


def test_while_several_run_the_latest_is_found_and_then_the_one_before_it(tmp_path: Path) -> None:
    environ = {"HOME": str(tmp_path)}
    program = """
        import sys
        from pathlib import Path
        from internetcar.contract.broker_url import BrokerUrl
        from internetcar.launcher.run_file import announced
        with announced(BrokerUrl("second", 1883), Path("/state"), {"HOME": sys.argv[1]}):
            print("there", flush=True)
            sys.stdin.read()
    """
    with announced(URL, Path("/state"), environ) as first:
        os.utime(first, (1, 1))
        with subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(program), str(tmp_path)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        ) as up:  # fmt: skip
            assert up.stdout is not None
            up.stdout.readline()
            assert find_broker(None, environ).host == "second"
            up.communicate()
        assert find_broker(None, environ) == URL


@pytest.mark.parametrize("junk", [b"", b"[]", b"{}", b"null", b"\xff", b'{"pid": "x"}', b"[" * 99])
def test_a_broken_run_file_is_no_run_file(tmp_path: Path, junk: bytes) -> None:
    environ = {"XDG_RUNTIME_DIR": str(tmp_path)}
    path = run_file_path(environ, 1)
    path.write_bytes(junk)
    path.chmod(0o600)
    assert read_run_file(environ) is None
