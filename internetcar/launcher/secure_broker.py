"""A mosquitto that knows everybody by certificate: its configuration, and the one that runs."""

import os
import signal
import subprocess
import threading
import time
from pathlib import Path

from internetcar.launcher.broker import APT_LINE, BOUNDS, BrokerError, mosquitto_path
from internetcar.launcher.child import dying_with_us, end_child

CONFIGURATION = "mosquitto.conf"
_PID_FILE = "mosquitto.pid"
_TOO_SHORT_S = 1.0
_BACK_S = 15.0


def configuration(port: int, bind: str, folder: Path, user: str | None) -> str:
    """The configuration of a broker that lets in whom the authority vouches for, and nobody else.

    Args:
        port: Where it listens.
        bind: The only address on which it does; empty: on all.
        folder: Where its files are.
        user: Who it becomes when it is started as root; `None` leaves that to mosquitto.
    """
    lines = [
        "# Written by `car secure`, and written anew each time: change nothing here.",
        f"listener {port} {bind}".strip(),
        "tls_version tlsv1.3",
        f"cafile {folder / 'ca.pem'}",
        f"certfile {folder / 'broker.pem'}",
        f"keyfile {folder / 'broker.key'}",
        f"crlfile {folder / 'crl.pem'}",
        "require_certificate true",
        "use_identity_as_username true",
        "allow_anonymous false",
        f"acl_file {folder / 'access'}",
        f"persistence_location {folder / 'store'}/",
        f"pid_file {folder / _PID_FILE}",
        *BOUNDS,
    ]
    if user is not None:
        lines.append(f"user {user}")
    return "\n".join(lines) + "\n"


def running_pid(folder: Path) -> int | None:
    """The mosquitto that runs on this machine with the files in a folder, if one does."""
    try:
        pid = int((folder / _PID_FILE).read_text())
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (OSError, ValueError):
        return None
    return pid if os.fsencode(folder / CONFIGURATION) in command else None


def reload(folder: Path) -> bool:
    """Tell the running broker to read its files again; false if none runs here.

    Raises:
        BrokerError: It belongs to somebody else.
    """
    return _send(folder, signal.SIGHUP) is not None


def end_connections(folder: Path) -> bool:
    """End the running broker, and with it every connection; false if none runs here.

    mosquitto 2.0 looks at a certificate when a client connects and never again, so this is what
    ends a client whose certificate is revoked. What the broker has stored is kept.

    Raises:
        BrokerError: It belongs to somebody else, or nothing has started it again.
    """
    reload(folder)  # from here on the client is deaf and mute, whatever comes
    before = _send(folder, signal.SIGTERM)
    if before is None:
        return False
    deadline_s = time.monotonic() + _BACK_S
    while running_pid(folder) in (None, before):
        if time.monotonic() > deadline_s:
            raise BrokerError(
                "the broker was ended, so that nobody whose certificate is revoked is left inside,"
                " and nothing has started it again: start it"
            )
        time.sleep(0.02)
    return True


def run(folder: Path) -> None:
    """Run mosquitto and start it again whenever it was ended, until SIGTERM or Ctrl-C.

    Raises:
        BrokerError: It is not installed, or fails at once; its own words are on stderr.
    """
    path = mosquitto_path()
    if path is None:
        raise BrokerError(f"mosquitto is not installed: {APT_LINE}")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    while not stop.is_set():
        began_s = time.monotonic()
        child = subprocess.Popen(
            [path, "-c", str(folder / CONFIGURATION)],
            preexec_fn=dying_with_us(),
            start_new_session=True,  # Ctrl-C is for us
        )
        while child.poll() is None and not stop.wait(0.1):
            pass
        code = end_child(child)
        if code and not stop.is_set() and time.monotonic() - began_s < _TOO_SHORT_S:
            raise BrokerError(f"mosquitto ended at once with exit code {code}")


def _send(folder: Path, number: signal.Signals) -> int | None:
    pid = running_pid(folder)
    if pid is None:
        return None
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return None
    except PermissionError as error:
        raise BrokerError(
            f"mosquitto ({pid}) belongs to another user: sudo kill -{number.name[3:]} {pid}"
        ) from error
    return pid
