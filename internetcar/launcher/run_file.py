"""How other commands find the running `up` of the same user: a file only that user reads."""

import json
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from internetcar.contract.broker_url import BrokerUrl, BrokerUrlError, parse_broker_url

_NAME = "internetcar-up.json"


@dataclass(frozen=True)
class Running:
    """A running `up`."""

    broker: BrokerUrl
    pid: int


def run_file_path(environ: Mapping[str, str]) -> Path:
    """`$XDG_RUNTIME_DIR/internetcar-up.json`, else one in the default state folder."""
    folder = environ.get("XDG_RUNTIME_DIR")
    if folder and Path(folder).is_dir():
        return Path(folder) / _NAME
    return default_state_folder(environ) / _NAME


def default_state_folder(environ: Mapping[str, str]) -> Path:
    """Where lasting things lie unless `--state` says otherwise: `$XDG_STATE_HOME/internetcar`."""
    home = Path(environ.get("HOME") or Path.home())
    return Path(environ.get("XDG_STATE_HOME") or home / ".local" / "state") / "internetcar"


@contextmanager
def announced(broker: BrokerUrl, environ: Mapping[str, str]) -> Iterator[Path]:
    """Write the run file for this process, and take it away at the end unless another has it."""
    path = run_file_path(environ)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    pid = os.getpid()
    content = {"pid": pid, "started": _started(pid), "broker": broker.secret}
    fresh = path.with_name(f"{path.name}.{pid}")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(content, file)
    fresh.replace(path)
    try:
        yield path
    finally:
        running = read_run_file(environ)
        if running is not None and running.pid == pid:
            path.unlink(missing_ok=True)


def read_run_file(environ: Mapping[str, str]) -> Running | None:
    """The running `up`; `None` when there is none or what the file says is no longer true."""
    path = run_file_path(environ)
    try:
        with path.open(encoding="utf-8") as file:
            status = os.fstat(file.fileno())
            if status.st_uid != os.geteuid() or stat.S_IMODE(status.st_mode) & 0o077:
                return None  # not ours, or others could have read or written it
            content = json.load(file)
        pid, broker = int(content["pid"]), parse_broker_url(content["broker"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError, BrokerUrlError):
        return None
    started = _started(pid)
    if started is None or started != content.get("started"):
        return None
    return Running(broker, pid)


def _started(pid: int) -> str | None:
    """When a process began (proc(5): field 22, clock ticks after boot), for a pid is reused."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return "running" if not Path("/proc/self").exists() and _is_alive(pid) else None
    fields = text.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else fields[19]


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
