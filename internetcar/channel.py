"""A channel of the loopback bus: who is on it, and how a frame gets to everybody else.

Each participant is one UDP socket on 127.0.0.1. Its port is a locked file in the channel's folder
`RUN/CHANNEL/`, where RUN can be read by its owner only. A frame is one datagram with one SocketCAN
record (`struct can_frame`, 16 bytes, or `struct canfd_frame`, 72) to every other participant.
"""

import contextlib
import fcntl
import os
import re
import socket
import stat
import tempfile
import time
import weakref
from collections.abc import Mapping
from pathlib import Path

from internetcar.socketcan import prepare_receiver

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_SETTLED_NS = 50_000_000  # a folder's time stamp moves in steps of a kernel tick (≤ 10 ms)
_DEPARTED_S = 2.0  # how long frames of a participant that has left may still be under way


class LoopbackError(OSError):
    """The channel cannot be joined: its folder is not ours alone, or its name is no name."""


def run_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Where channels register: below $INTERNETCAR_RUN, $XDG_RUNTIME_DIR or the temporary folder."""
    if given := environment.get("INTERNETCAR_RUN"):
        Path(given).mkdir(mode=0o700, parents=True, exist_ok=True)
        return _private_folder(Path(given) / "loopback")
    if runtime := environment.get("XDG_RUNTIME_DIR"):
        base = Path(runtime) / "internetcar"
    else:
        base = Path(tempfile.gettempdir()) / f"internetcar-{os.getuid()}"
    return _private_folder(_private_folder(base) / "loopback")


class Registry:
    """Who is on a channel: a folder with one file per UDP port, locked as long as its owner lives.

    The kernel takes the lock from a process that dies, so nothing has to be guessed from process
    ids. A file without a lock is a participant that left: its last frames still count, and whoever
    looks next removes it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._own: tuple[int, int] | None = None  # port, file descriptor
        self._owner = 0
        self._seen_ns = 0
        self.present: tuple[int, ...] = ()
        self.known: set[bytes] = set()
        """Accepted senders as `sockaddr_in` has them: port and address, in network order."""

    def join(self, port: int) -> None:
        """Registers our port; from now on others send to it."""
        path = self._folder / str(port)
        while True:
            try:
                self._folder.mkdir(mode=0o700, exist_ok=True)
                lock = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            except FileNotFoundError:  # the last participant removed the folder in between
                continue
            fcntl.flock(lock, fcntl.LOCK_EX)
            if _is_still(path, lock):
                break
            os.close(lock)
        os.utime(path)
        os.utime(self._folder)  # who looked between creation and lock looks again
        self._own = (port, lock)
        self._owner = os.getpid()
        self.look(force=True)

    def leave(self) -> None:
        """Ends our registration; the last one to leave takes the folder along."""
        if self._own is None or self._owner != os.getpid():  # a fork must not end its parent's
            return
        self.look(force=True)
        port, lock = self._own
        self._own = None
        if not self.present:
            self._clear()
        with contextlib.suppress(FileNotFoundError):
            os.utime(self._folder / str(port))
        os.close(lock)
        with contextlib.suppress(FileNotFoundError):  # the others look again
            os.utime(self._folder)

    def look(self, force: bool = False) -> None:
        """Brings `present` and `known` up to date; costs one stat when nothing has changed."""
        try:
            changed_ns = os.stat(self._folder).st_mtime_ns
        except FileNotFoundError:
            changed_ns = 1
        if changed_ns == self._seen_ns and not force:
            return
        now_ns = time.time_ns()
        is_settled = abs(now_ns - changed_ns) > _SETTLED_NS
        self._seen_ns = changed_ns if is_settled else 0
        own = self._own[0] if self._own else None
        present, departed = self._scan(own, now_ns / 1e9)
        self.present = tuple(present)
        self.known = {source_key(port) for port in (*present, *departed)}

    def _scan(self, own: int | None, now_s: float) -> tuple[list[int], list[int]]:
        present: list[int] = []
        departed: list[int] = []
        for name in self._names():
            path = self._folder / name
            if int(name) == own:
                continue
            if not _is_free(path):
                present.append(int(name))
            elif _age_s(path, now_s) < _DEPARTED_S:
                departed.append(int(name))
            else:
                path.unlink(missing_ok=True)
        return present, departed

    def _names(self) -> list[str]:
        try:
            return [name for name in os.listdir(self._folder) if name.isdecimal()]
        except FileNotFoundError:
            return []

    def _clear(self) -> None:
        for name in self._names():
            (self._folder / name).unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # somebody joined in between
            self._folder.rmdir()


class LoopbackSocket:
    """One participant of a channel: what it sends, every other one receives; itself it does not.

    Args:
        channel: letters, digits, `_`, `.` and `-`.
        folder: where channels register; None: `run_folder()`.

    Raises:
        LoopbackError: the channel cannot be joined.
    """

    def __init__(self, channel: str, folder: Path | None = None) -> None:
        if not _NAME.fullmatch(channel):
            raise LoopbackError(f"loopback channel {channel!r}: use letters, digits, '_', '.', '-'")
        parent = _private_folder(folder) if folder else run_folder()
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self.socket.bind(("127.0.0.1", 0))
        prepare_receiver(self.socket)
        self.registry = Registry(parent / channel)
        self.registry.join(self.socket.getsockname()[1])
        self._finish = weakref.finalize(self, _finish, self.registry, self.socket)

    def send(self, record: bytes) -> None:
        """Hands one record (see `pack`) to every other participant; a full reader loses it."""
        self.registry.look()
        for port in self.registry.present:
            with contextlib.suppress(BlockingIOError, ConnectionRefusedError):
                self.socket.sendto(record, ("127.0.0.1", port))

    def close(self) -> None:
        """Leaves the channel. Called again it does nothing."""
        self._finish()


def _private_folder(path: Path) -> Path:
    path.mkdir(mode=0o700, exist_ok=True)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise LoopbackError(f"{path} must be a folder that only its owner may enter (chmod 700)")
    return path


def _is_still(path: Path, descriptor: int) -> bool:
    """Whether the file behind the descriptor is the one at the path: else it was removed."""
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _is_free(path: Path) -> bool:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True


def _age_s(path: Path, now_s: float) -> float:
    try:
        return abs(now_s - path.stat().st_mtime)
    except FileNotFoundError:
        return 0.0


def source_key(port: int, host: str = "127.0.0.1") -> bytes:
    """A sender as `Registry.known` has it: port and address in network order."""
    return port.to_bytes(2, "big") + socket.inet_aton(host)


def _finish(registry: Registry, endpoint: socket.socket) -> None:
    registry.leave()
    endpoint.close()
