"""How other commands find the running `up` of the same user: a file only that user reads.

Each `up` has one of its own. Where several run, the latest is found, and once it has ended the one
before it.
"""

import contextlib
import json
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from internetcar.contract.broker_url import BrokerUrl, BrokerUrlError, parse_broker_url
from internetcar.contract.settings import default_state_folder

_NAMES = "internetcar-up.*.json"


@dataclass(frozen=True)
class Running:
    """A running `up`: its broker, its process, and the folder of what must last."""

    broker: BrokerUrl
    pid: int
    state: Path


def run_file_path(environ: Mapping[str, str], pid: int) -> Path:
    """`$XDG_RUNTIME_DIR/internetcar-up.PID.json`, else one in the default state folder."""
    return _folder(environ) / _NAMES.replace("*", str(pid))


@contextmanager
def announced(broker: BrokerUrl, state: Path, environ: Mapping[str, str]) -> Iterator[Path]:
    """Write the run file of this process, and take it away at the end."""
    pid = os.getpid()
    path = run_file_path(environ, pid)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    for left in _run_files(environ):
        if _read(left) is None:
            left.unlink(missing_ok=True)
    content = {
        "pid": pid, "started": _started(pid), "broker": broker.secret,
        "state": str(state.absolute()),
    }  # fmt: skip
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(content, file)
    fresh.replace(path)
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def read_run_file(environ: Mapping[str, str]) -> Running | None:
    """The `up` that began last; `None` when none runs, or what its file says is no longer true."""
    for path in _run_files(environ):
        running = _read(path)
        if running is not None:
            return running
    return None


def lasting_folder(option: str, environ: Mapping[str, str]) -> Path:
    """Where lasting things lie for a command: its option, else the running `up`, else the default.

    Args:
        option: `--state`, or empty.
        environ: Whose.
    """
    if option:
        return Path(option)
    running = read_run_file(environ)
    return default_state_folder(environ) if running is None else running.state


def _folder(environ: Mapping[str, str]) -> Path:
    folder = environ.get("XDG_RUNTIME_DIR")
    return Path(folder) if folder and Path(folder).is_dir() else default_state_folder(environ)


def _run_files(environ: Mapping[str, str]) -> list[Path]:
    """What every `up` has written, the latest first."""
    found: list[tuple[int, Path]] = []
    for path in _folder(environ).glob(_NAMES):
        with contextlib.suppress(FileNotFoundError):  # it has ended in between
            found.append((path.lstat().st_mtime_ns, path))
    return [path for _, path in sorted(found, reverse=True)]


def _read(path: Path) -> Running | None:
    try:
        with path.open(encoding="utf-8") as file:
            status = os.fstat(file.fileno())
            if status.st_uid != os.geteuid() or stat.S_IMODE(status.st_mode) & 0o077:
                return None  # not ours, or others could have read or written it
            content = json.load(file)
        pid, broker = int(content["pid"]), parse_broker_url(content["broker"])
        state = Path(content["state"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError, BrokerUrlError):
        return None
    started = _started(pid)
    if started is None or started != content.get("started"):
        return None
    return Running(broker, pid, state)


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
