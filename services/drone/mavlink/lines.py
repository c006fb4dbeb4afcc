"""TCP and serial lines: byte streams that are opened again, later and later, when they are lost."""

import errno
import os
import select
import socket
from collections.abc import Callable, Sequence
from typing import Any

import serial

LARGEST = 65_536
UNSENT_BYTES = 16_384
"""What a stream that does not take more may keep waiting; newer packets are dropped whole."""
FIRST_DELAY_S, LONGEST_DELAY_S = 0.5, 15.0
CONNECT_S = 5.0
DEAD_MS = 5_000
"""A peer that acknowledges nothing for so long is gone."""


class _Stream:
    """What is the same in both: a file descriptor that comes and goes."""

    strangers = 0
    """A line has one other end."""

    def __init__(self, name: str, clock: Callable[[], float]) -> None:
        self._name = name
        self._clock = clock
        self._unsent = bytearray()
        self._delay_s = FIRST_DELAY_S
        self._again_s = clock()
        self._problem: str | None = f"{name}: not connected yet"

    @property
    def problem(self) -> str | None:
        """What is wrong now, for a person."""
        return self._problem

    def fileno(self) -> int | None:
        """To wait for; `None` while it is not there."""
        raise NotImplementedError

    def close(self) -> None:
        """Let go of it."""
        raise NotImplementedError

    def _open(self) -> bool:
        """Open it, or go on opening it; whether it is there now."""
        raise NotImplementedError

    def read(self) -> list[bytes]:
        """What came; it also connects again what was lost."""
        if not self._is_there():
            return []
        fd = self.fileno()
        if fd is None or not select.select([fd], [], [], 0)[0]:
            return []
        try:
            data = os.read(fd, LARGEST)
        except BlockingIOError:
            return []
        except OSError as error:
            self._lose(error.strerror or str(error))
            return []
        if not data:
            self._lose("the other end closed it")
            return []
        return [data]

    def write(self, datagrams: Sequence[bytes]) -> None:
        """Send them in order; what does not fit any more is dropped."""
        if not self._is_there():
            return
        for datagram in datagrams:
            if len(self._unsent) + len(datagram) <= UNSENT_BYTES:
                self._unsent += datagram
        fd = self.fileno()
        if fd is None or not self._unsent:
            return
        try:
            del self._unsent[: os.write(fd, self._unsent)]
        except BlockingIOError:
            return
        except OSError as error:
            self._lose(error.strerror or str(error))

    def _is_there(self) -> bool:
        if self._clock() < self._again_s:
            return self._problem is None
        try:
            is_there = self._open()
        except OSError as error:
            self._lose(error.strerror or str(error))
            return False
        if is_there and self._problem is not None:
            self._problem = None
            self._delay_s = FIRST_DELAY_S
        return is_there

    def _lose(self, why: str) -> None:
        self.close()
        self._unsent.clear()
        self._problem = f"{self._name}: {why}"
        self._again_s = self._clock() + self._delay_s
        self._delay_s = min(2 * self._delay_s, LONGEST_DELAY_S)


class TcpClient(_Stream):
    """Connects to an autopilot or a simulator that listens."""

    def __init__(self, family: int, address: Any, clock: Callable[[], float]) -> None:
        super().__init__(f"tcp://{address[0]}:{address[1]}", clock)
        self._family = family
        self._address = address
        self._socket: socket.socket | None = None
        self._is_connected = False
        self._began_s = 0.0

    def fileno(self) -> int | None:
        """The socket, once it is connected."""
        return self._socket.fileno() if self._socket and self._is_connected else None

    def close(self) -> None:
        """Let go of the connection."""
        if self._socket is not None:
            self._socket.close()
        self._socket, self._is_connected = None, False

    def _open(self) -> bool:
        if self._is_connected:
            return True
        if self._socket is None:
            self._begin()
            return False
        if select.select([], [self._socket], [], 0)[1]:
            if number := self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                raise OSError(number, os.strerror(number))
            self._is_connected = True
        elif self._clock() - self._began_s > CONNECT_S:
            raise OSError(errno.ETIMEDOUT, "does not answer")
        return self._is_connected

    def _begin(self) -> None:
        self._began_s = self._clock()
        self._socket = socket.socket(self._family, socket.SOCK_STREAM)
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if dead := getattr(socket, "TCP_USER_TIMEOUT", None):
            self._socket.setsockopt(socket.IPPROTO_TCP, dead, DEAD_MS)
        number = self._socket.connect_ex(self._address)
        if number not in (0, errno.EINPROGRESS):
            raise OSError(number, os.strerror(number))


class SerialLine(_Stream):
    """A serial device, which may be unplugged and plugged in again."""

    def __init__(self, device: str, baud: int, clock: Callable[[], float]) -> None:
        super().__init__(f"serial://{device}", clock)
        self._device = device
        self._baud = baud
        self._port: Any = None

    def fileno(self) -> int | None:
        """The device, while it is open."""
        return self._port.fileno() if self._port is not None else None

    def close(self) -> None:
        """Let go of the device."""
        if self._port is not None:
            self._port.close()
        self._port = None

    def _open(self) -> bool:
        if self._port is None:
            try:
                self._port = serial.Serial(self._device, self._baud, timeout=0, exclusive=True)
            except serial.SerialException as error:
                raise OSError(error.errno or 0, str(error)) from error
            except ValueError as error:
                raise OSError(0, str(error)) from error
        return True
