"""The socket's outgoing side, shared by the MQTT library and the hot path."""

import ssl
import threading
from collections.abc import Callable
from typing import Protocol

_MOST_WAITING_BYTES = 4 << 20
_WRITTEN_AT_ONCE = 256 << 10


class Socket(Protocol):
    """What is needed of a TCP or TLS socket that does not block."""

    def send(self, data: bytes | memoryview, /) -> int:
        """Take what fits."""


class Outgoing:
    """Writes whole batches of QoS 0 packets between the packets the MQTT library writes.

    The library hands its packets to the system one by one; a car sends dozens in one go, which is
    ten times cheaper. Each side starts only when the other has no packet half written.
    """

    def __init__(
        self,
        sock: Socket,
        *,
        library_waits: Callable[[], bool],
        library_writes: Callable[[], object],
        is_shareable: bool,
        wake: Callable[[], None],
    ) -> None:
        """Begin with an empty buffer.

        Args:
            sock: Connected and not blocking.
            library_waits: Whether the library has something to write.
            library_writes: Makes the library write until the socket is full.
            is_shareable: Whether `send` may write from another thread (TLS sockets must not).
            wake: Calls the thread that calls `pump`.
        """
        self._sock = sock
        self._library_waits = library_waits
        self._library_writes = library_writes
        self._is_shareable = is_shareable
        self._wake = wake
        self._lock = threading.Lock()
        self._buffer = bytearray()
        self._is_half_written = False
        self._is_broken = False

    @property
    def is_waiting(self) -> bool:
        """Whether anything waits for room in the socket."""
        return bool(self._buffer) or self._library_waits()

    def send(self, packets: bytes) -> bool:
        """Write packets now, or keep them for `pump`; false if there is no room or no connection.

        Any thread may call this.
        """
        with self._lock:
            if self._is_broken or len(self._buffer) + len(packets) > _MOST_WAITING_BYTES:
                return False
            was_idle = not self._buffer
            self._buffer += packets
            if was_idle and self._is_shareable and not self._library_waits():
                self._write()
            is_left, is_broken = bool(self._buffer), self._is_broken
        if is_left:
            self._wake()
        return not is_broken

    def pump(self) -> None:
        """Write what waits, until done or the socket is full. For the thread of the loop."""
        with self._lock:
            if self._is_half_written:
                self._write()
            if not self._is_half_written:
                self._library_writes()
                if not self._library_waits() and self._buffer:
                    self._write()

    def _write(self) -> None:
        try:
            written = self._sock.send(bytes(self._buffer[:_WRITTEN_AT_ONCE]))
        except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
            return
        except OSError:  # the connection is gone: the reading side finds out why
            self._buffer.clear()
            self._is_half_written = False
            self._is_broken = True
            return
        del self._buffer[:written]
        self._is_half_written = bool(self._buffer)
