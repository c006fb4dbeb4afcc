"""Where the copter's bytes go: UDP out, UDP in, or a TCP server."""

import logging
import select
import socket
from collections.abc import Sequence
from typing import Protocol

from internetcar.contract.message import InputError

log = logging.getLogger(__name__)

_BYTES = 65_535
_DATAGRAMS_A_TURN = 200
_PEERS = 8
_PENDING_BYTES = 1 << 20
"""A TCP client that lets so much lie is thrown out."""
_FORM = "udpout:HOST:PORT, udpin:HOST:PORT or tcp:HOST:PORT"


class Endpoint(Protocol):
    """One way to the outside; never blocks."""

    def send(self, messages: Sequence[bytes]) -> None:
        """Send each; what cannot go is lost, as on a radio."""

    def receive(self) -> list[bytes]:
        """What has come."""

    def sockets(self) -> list[socket.socket]:
        """What to wait for."""

    def close(self) -> None:
        """Let go of the port."""


class UdpOut:
    """Sends to one address, hears what comes back."""

    def __init__(self, host: str, port: int) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._peers: list[tuple[str, int]] = [(host, port)]
        self._may_learn = False

    def send(self, messages: Sequence[bytes]) -> None:
        """Send each to everybody who is known."""
        for peer in self._peers:
            for message in messages:
                try:
                    self._socket.sendto(message, peer)
                except OSError as error:
                    log.debug("%s:%d: %s", *peer, error)

    def receive(self) -> list[bytes]:
        """What has come; a port that nobody listens on says so here."""
        out: list[bytes] = []
        for _ in range(_DATAGRAMS_A_TURN):
            try:
                data, peer = self._socket.recvfrom(_BYTES)
            except BlockingIOError:
                break
            except OSError:
                continue
            out.append(data)
            if self._may_learn and peer not in self._peers:
                self._peers = [*self._peers, peer][-_PEERS:]
                log.info("heard %s:%d", *peer)
        return out

    def sockets(self) -> list[socket.socket]:
        """What to wait for."""
        return [self._socket]

    def close(self) -> None:
        """Let go of the port."""
        self._socket.close()


class UdpIn(UdpOut):
    """Hears on an address, answers everybody who spoke."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(host, port)
        self._socket.bind((host, port))
        self._peers = []
        self._may_learn = True


class TcpServer:
    """Lets clients in; all hear the same."""

    def __init__(self, host: str, port: int) -> None:
        self._listener = socket.create_server((host, port))
        self._listener.setblocking(False)
        self._clients: dict[socket.socket, bytearray] = {}

    def send(self, messages: Sequence[bytes]) -> None:
        """Send to everybody; a client that does not read is thrown out."""
        data = b"".join(messages)
        for client, pending in list(self._clients.items()):
            pending += data
            try:
                del pending[: client.send(pending) if pending else 0]
            except BlockingIOError:
                pass
            except OSError:
                self._drop(client)
                continue
            if len(pending) > _PENDING_BYTES:
                self._drop(client)

    def receive(self) -> list[bytes]:
        """Let in who knocks; what the others said."""
        try:
            client, (host, port, *_) = self._listener.accept()
        except OSError:
            pass
        else:
            client.setblocking(False)
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._clients[client] = bytearray()
            log.info("connected: %s:%d", host, port)
        out = []
        for client in list(self._clients):
            try:
                data = client.recv(_BYTES)
            except BlockingIOError:
                continue
            except OSError:
                data = b""
            if data:
                out.append(data)
            else:
                self._drop(client)
        return out

    def sockets(self) -> list[socket.socket]:
        """What to wait for."""
        return [self._listener, *self._clients]

    def close(self) -> None:
        """Let go of the port and of everybody."""
        for client in list(self._clients):
            self._drop(client)
        self._listener.close()

    def _drop(self, client: socket.socket) -> None:
        self._clients.pop(client)
        client.close()


def open_endpoint(url: str) -> Endpoint:
    """The endpoint of a URL, with or without slashes.

    Raises:
        InputError: It is none, or its port is taken.
    """
    scheme, _, rest = url.partition(":")
    host, _, port = rest.removeprefix("//").rstrip("/").rpartition(":")
    kinds: dict[str, type[UdpOut] | type[TcpServer]] = {
        "udpout": UdpOut,
        "udpin": UdpIn,
        "tcp": TcpServer,
        "tcpin": TcpServer,
    }
    if scheme not in kinds or not port.isascii() or not port.isdigit() or int(port) > 65_535:
        raise InputError(f"{url}: not an address; {_FORM}")
    try:
        return kinds[scheme](host or "127.0.0.1", int(port))
    except OSError as error:
        raise InputError(f"{url}: {error.strerror}") from error


def wait(endpoint: Endpoint, seconds: float) -> None:
    """Return when something came, or after a time."""
    select.select(endpoint.sockets(), (), (), seconds)
