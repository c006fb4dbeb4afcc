"""Processes of a test: with folders of their own, and gone when the test is over."""

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Self

from tests.waiting import PATIENCE_S, eventually

REPOSITORY = Path(__file__).resolve().parents[2]
PYTHON = sys.executable


class Actor:
    """One process; its output goes to files, so that nothing holds it up."""

    def __init__(self, command: list[str], folder: Path, environ: dict[str, str]) -> None:
        folder.mkdir(parents=True)
        self._stdout, self._stderr = folder / "stdout", folder / "stderr"
        with self._stdout.open("wb") as stdout, self._stderr.open("wb") as stderr:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr, env=environ
            )

    @property
    def stdout(self) -> str:
        return self._stdout.read_text()

    @property
    def stderr(self) -> str:
        return self._stderr.read_text()

    @property
    def is_running(self) -> bool:
        return self.process.poll() is None

    def wait(self, timeout_s: float = PATIENCE_S) -> int:
        return self.process.wait(timeout_s)

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def kill(self) -> None:
        """kill -9."""
        self.process.kill()
        self.process.wait(PATIENCE_S)

    def end(self) -> int:
        """Ask it to end, as systemd would."""
        self.process.terminate()
        return self.wait()


class Stage:
    """Starts `car` and others as processes that never see the user's own state or run files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state = folder / "state"
        self.run = folder / "run"
        self._actors: list[Actor] = []
        self.run.mkdir(mode=0o700, parents=True)
        self.environ = {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "LANG": "C.UTF-8",
            "HOME": str(folder),
            "XDG_STATE_HOME": str(folder / "xdg-state"),
            "XDG_RUNTIME_DIR": str(self.run),
            "PYTHONPATH": str(REPOSITORY),
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for actor in self._actors:
            if actor.is_running:
                actor.process.terminate()
        for actor in self._actors:
            try:
                actor.process.wait(15)
            except subprocess.TimeoutExpired:
                actor.kill()
        for pid in self._survivors():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def _survivors(self) -> list[int]:
        """Whoever still runs with our HOME: a child that a failing test made an orphan."""
        mark = f"\0HOME={self.folder}\0".encode()
        found = []
        for path in Path("/proc").glob("[0-9]*/environ"):
            with contextlib.suppress(OSError):
                if mark in b"\0" + path.read_bytes():
                    found.append(int(path.parent.name))
        return found

    def start(self, *command: str, environ: dict[str, str] | None = None) -> Actor:
        folder = self.folder / "output" / str(len(self._actors))
        actor = Actor(list(command), folder, {**self.environ, **(environ or {})})
        self._actors.append(actor)
        return actor

    def car(self, *arguments: str, environ: dict[str, str] | None = None) -> Actor:
        """Start the command `car`."""
        return self.start(PYTHON, "-m", "internetcar.launcher", *arguments, environ=environ)

    def ended(
        self, *arguments: str, timeout_s: float = PATIENCE_S, environ: dict[str, str] | None = None
    ) -> Actor:
        """Run the command `car` to its end."""
        actor = self.car(*arguments, environ=environ)
        actor.wait(timeout_s)
        return actor


def children(pid: int) -> dict[int, str]:
    """The living children of a process and their command lines (proc(5))."""
    found = {}
    for folder in Path("/proc").iterdir():
        if not folder.name.isdecimal():
            continue
        try:
            after_name = (folder / "stat").read_text().rpartition(")")[2].split()
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if int(after_name[1]) == pid and after_name[0] not in "ZX":
            found[int(folder.name)] = command.strip()
    return found


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


def until_gone(pids: list[int]) -> None:
    eventually(lambda: not any(is_alive(pid) for pid in pids))
