"""UDP, waiting for an autopilot or speaking to one."""

import socket
from collections.abc import Callable, Sequence
from typing import Any

from services.drone.mavlink.transport_error import TransportError

LARGEST = 4096
AT_ONCE = 256
"""Datagrams of one `read`: a flood must not keep the loop from its heartbeats."""
PEER_S = 5.0
"""So long the peer must be silent before another may take its place."""


class _Udp:
    def __init__(self, url: str, family: int) -> None:
        self._url = url
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._problem: str | None = None
        self.strangers = 0
        """Datagrams of others, which were dropped."""

    @property
    def problem(self) -> str | None:
        """What is wrong now, for a person."""
        return self._problem

    def fileno(self) -> int | None:
        """To wait for."""
        return self._socket.fileno()

    def close(self) -> None:
        """Let go of the port."""
        self._socket.close()

    def _receive(self) -> list[tuple[bytes, Any]]:
        received = []
        for _ in range(AT_ONCE):
            try:
                received.append(self._socket.recvfrom(LARGEST))
            except BlockingIOError:
                break
            except OSError as error:
                self._problem = f"{self._url}: {error.strerror}"
                break
        return received

    def _send(self, datagrams: Sequence[bytes], address: Any) -> None:
        for datagram in datagrams:
            try:
                if address is None:
                    self._socket.send(datagram)
                else:
                    self._socket.sendto(datagram, address)
            except BlockingIOError:
                return
            except OSError as error:
                self._problem = f"{self._url}: {error.strerror}"
                return


class UdpIn(_Udp):
    """Waits on a port and answers whoever spoke a valid packet first, until that one is silent."""

    def __init__(
        self,
        url: str,
        family: int,
        address: Any,
        is_genuine: Callable[[bytes], bool],
        clock: Callable[[], float],
    ) -> None:
        super().__init__(url, family)
        self._is_genuine = is_genuine
        self._clock = clock
        self._peer: Any = None
        self._heard_s = 0.0
        try:
            self._socket.bind(address)
        except OSError as error:
            self._socket.close()
            raise TransportError(f"{url}: cannot listen there ({error.strerror})") from error

    @property
    def problem(self) -> str | None:
        """What is wrong now, for a person."""
        if self._peer is None:
            return self._problem or f"{self._url}: nobody has sent a MAVLink packet yet"
        return self._problem

    def read(self) -> list[bytes]:
        """Datagrams of the peer."""
        return [data for data, sender in self._receive() if self._is_peers(data, sender)]

    def write(self, datagrams: Sequence[bytes]) -> None:
        """Answer the peer; without one nothing can be sent."""
        if self._peer is not None:
            self._send(datagrams, self._peer)

    def _is_peers(self, data: bytes, sender: Any) -> bool:
        now_s = self._clock()
        is_free = self._peer is None or now_s - self._heard_s > PEER_S
        if sender != self._peer and not is_free:
            self.strangers += 1
            return False
        if self._is_genuine(data):
            self._peer, self._heard_s, self._problem = sender, now_s, None
            return True
        if sender != self._peer:
            self.strangers += 1
        return bool(sender == self._peer)


class UdpOut(_Udp):
    """Speaks to one address and hears only that one."""

    def __init__(self, url: str, family: int, address: Any) -> None:
        super().__init__(url, family)
        try:
            self._socket.connect(address)
        except OSError as error:
            self._socket.close()
            raise TransportError(f"{url}: cannot be reached ({error.strerror})") from error

    def read(self) -> list[bytes]:
        """Datagrams of the other end."""
        received = self._receive()
        if received:
            self._problem = None
        return [data for data, _ in received]

    def write(self, datagrams: Sequence[bytes]) -> None:
        """Send them."""
        self._send(datagrams, None)
