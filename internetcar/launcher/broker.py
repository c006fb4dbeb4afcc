"""The broker of a running `up`: one that is configured, mosquitto, or the embedded one."""

import base64
import hashlib
import json
import logging
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from internetcar.contract.broker_url import BrokerUrl, parse_broker_url
from internetcar.contract.message import InputError, Message
from internetcar.launcher.child import dying_with_us, end_child
from internetcar.launcher.run_file import read_run_file

log = logging.getLogger(__name__)

Kind = Literal["mosquitto", "embedded"]

ENVIRONMENT = "INTERNETCAR_BROKER"
APT_LINE = "apt-get install mosquitto"

_EVERYTHING = "topic readwrite #\ntopic read $SYS/#\n"
_READY_S = 20.0
_QUEUE_BYTES = 256 << 20
"""What mosquitto keeps at most for one client that is away: as much as the gateway's history."""
BOUNDS = (
    "persistence true",
    "autosave_interval 60",
    "max_queued_messages 0",
    f"max_queued_bytes {_QUEUE_BYTES}",
    f"message_size_limit {Message.MAX_PAYLOAD_BYTES}",
    "persistent_client_expiration 14d",
    "set_tcp_nodelay true",
    "log_type error",
    "log_type warning",
    "log_dest stderr",
)
"""What every mosquitto of ours keeps, and how much at most."""
_PBKDF2_ROUNDS = 101
"""What mosquitto_passwd uses; the password is random, so more rounds would protect nothing."""


class BrokerError(InputError):
    """There is no broker to use; says why, and what to do."""


def find_broker(option: str | None, environ: Mapping[str, str]) -> BrokerUrl:
    """The broker a command talks to: its option, else the environment, else the running `up`.

    Raises:
        BrokerError: None of the three names one.
        BrokerUrlError: What is named is not the URL of a broker.
    """
    named = option or environ.get(ENVIRONMENT)
    if named:
        return parse_broker_url(named)
    running = read_run_file(environ)
    if running is None:
        raise BrokerError(
            f"no broker: give --broker mqtt://HOST:PORT, set {ENVIRONMENT}, or start `car up`"
        )
    return running.broker


class RunningBroker:
    """A broker we started, on 127.0.0.1, open to one generated user; a context manager.

    `restart` brings it back on the same port, with the same user and what it had stored.
    """

    def __init__(self, kind: Kind, state: Path, access: str = _EVERYTHING) -> None:
        """Start a broker and wait until it takes connections.

        Args:
            kind: Which.
            state: A folder of its own for what it keeps; it is made, for this user only.
            access: What the generated user may do, as lines of mosquitto's `acl_file`.

        Raises:
            BrokerError: It is not installed, or does not start.
        """
        self.kind = kind
        self.url = BrokerUrl(
            host="127.0.0.1",
            port=free_port(),
            username="car",
            password=secrets.token_urlsafe(18),
            protocol="3.1.1" if kind == "embedded" else "5",
        )
        self._state = state
        self._access = access
        self._child: subprocess.Popen[bytes] | None = None
        self.restart()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int | None:
        """The process, `None` while there is none."""
        return None if self._child is None else self._child.pid

    @property
    def is_running(self) -> bool:
        """Whether the process is there."""
        return self._child is not None and self._child.poll() is None

    def stop(self) -> None:
        """End it; what it must keep is on disk."""
        if self._child is not None:
            end_child(self._child)
            self._child = None

    def restart(self) -> None:
        """Start it, or start it again, on its port.

        Raises:
            BrokerError: It does not start.
        """
        self.stop()
        self._state.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._child = (
            _start_mosquitto(self.url, self._state, self._access)
            if self.kind == "mosquitto"
            else _start_embedded(self.url, self._state)
        )
        deadline_s = time.monotonic() + _READY_S
        while not _listens(self.url) or self._child.poll() is not None:
            if self._child.poll() is not None or time.monotonic() > deadline_s:
                self.stop()
                raise BrokerError(f"{self.kind} did not start: {_last_line(self._state)}")
            time.sleep(0.02)
        log.info("%s listens on %s", self.kind, self.url)


def start_broker(choice: str | None, state: Path) -> "RunningBroker | BrokerUrl":
    """The broker for `up`: a URL is taken as it is; anything else is started.

    Args:
        choice: A URL, `mosquitto`, `embedded`, or `None` for mosquitto where there is one.
        state: The folder in which the broker makes its own.

    Raises:
        BrokerError: It is not installed, or does not start.
        BrokerUrlError: The choice is neither a kind of broker nor a URL.
    """
    if choice is None:
        choice = "mosquitto" if mosquitto_path() else "embedded"
        if choice == "embedded":
            log.info("no mosquitto here (%s): using the embedded broker", APT_LINE)
    if choice in ("mosquitto", "embedded"):
        kind: Kind = "mosquitto" if choice == "mosquitto" else "embedded"
        return RunningBroker(kind, state / kind)
    return parse_broker_url(choice)


def mosquitto_path() -> str | None:
    """The mosquitto of this machine, also where the PATH of an ordinary user does not lead."""
    return shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody uses at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _start_mosquitto(url: BrokerUrl, state: Path, access: str) -> "subprocess.Popen[bytes]":
    path = mosquitto_path()
    if path is None:
        raise BrokerError(f"mosquitto is not installed: {APT_LINE}, or use --broker embedded")
    assert url.username is not None
    assert url.password is not None
    _write(state / "passwords", f"{url.username}:{_mosquitto_hash(url.password)}\n")
    _write(state / "access", f"user {url.username}\n{access}")
    _write(state / "mosquitto.conf", _mosquitto_configuration(url.port, state))
    return _start([path, "-c", str(state / "mosquitto.conf")], state)


def _mosquitto_configuration(port: int, state: Path) -> str:
    lines = [
        f"listener {port} 127.0.0.1",
        "allow_anonymous false",
        f"password_file {state / 'passwords'}",
        f"acl_file {state / 'access'}",
        f"persistence_location {state}/",
        *BOUNDS,
    ]
    if os.geteuid() == 0:  # else it becomes the user mosquitto, who cannot read this folder
        lines.append("user root")
    return "\n".join(lines) + "\n"


def _mosquitto_hash(password: str) -> str:
    salt = secrets.token_bytes(12)
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, _PBKDF2_ROUNDS)
    encoded = (base64.b64encode(part).decode() for part in (salt, digest))
    return f"$7${_PBKDF2_ROUNDS}$" + "$".join(encoded)


def _start_embedded(url: BrokerUrl, state: Path) -> "subprocess.Popen[bytes]":
    child = _start([sys.executable, "-m", "internetcar.launcher.embedded"], state)
    settings = {"port": url.port, "username": url.username, "password": url.password}
    assert child.stdin is not None
    child.stdin.write(json.dumps(settings).encode() + b"\n")
    child.stdin.flush()
    return child


def _start(command: list[str], state: Path) -> "subprocess.Popen[bytes]":
    with (state / "log").open("wb") as output:
        return subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            preexec_fn=dying_with_us(),
            start_new_session=True,  # Ctrl-C is for us: the broker ends last
        )


def _write(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)


def _listens(url: BrokerUrl) -> bool:
    try:
        with socket.create_connection((url.host, url.port), timeout=1.0):
            return True
    except OSError:
        return False


def _last_line(state: Path) -> str:
    lines = (state / "log").read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else f"it says nothing; its folder is {state}"
