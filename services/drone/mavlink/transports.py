"""Ways to an autopilot, from a URL: UDP, TCP and serial lines. None of them ever blocks."""

import socket
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol
from urllib.parse import SplitResult, parse_qs, urlsplit

from services.drone.mavlink.clock import RealClock
from services.drone.mavlink.codec import Codec, mavlink
from services.drone.mavlink.lines import SerialLine, TcpClient
from services.drone.mavlink.transport_error import TransportError
from services.drone.mavlink.udp import UdpIn, UdpOut

FORMS = "udpin://HOST:PORT, udpout://HOST:PORT, tcp://HOST:PORT or serial:///dev/DEVICE?baud=57600"
BAUD = 57_600

IsGenuine = Callable[[bytes], bool]
"""Whether a datagram is an autopilot's: the first that sends one gets the link."""


class Transport(Protocol):
    """One way to one autopilot."""

    strangers: int
    """Datagrams of others, which were dropped."""

    @property
    def problem(self) -> str | None:
        """What is wrong now, for a person."""

    def fileno(self) -> int | None:
        """To wait for; `None`: there is nothing now, call `read` again later."""

    def read(self) -> list[bytes]:
        """What came; it also connects again what was lost."""

    def write(self, datagrams: Sequence[bytes]) -> None:
        """Send them; what cannot be sent now is dropped, as on a radio."""

    def close(self) -> None:
        """Let go of it."""


def open_transport(
    url: str,
    is_genuine: IsGenuine | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Transport:
    """The transport that a URL names.

    Raises:
        TransportError: The URL is none of ours, or its port is taken.
    """
    parts = _split(url)
    if parts.scheme == "serial":
        return SerialLine(parts.path, _baud(url, parts), clock)
    family, address = _address(url, parts)
    match parts.scheme:
        case "udpin":
            return UdpIn(url, family, address, is_genuine or genuine(), clock)
        case "udpout":
            return UdpOut(url, family, address)
        case _:
            return TcpClient(family, address, clock)


def genuine(key: bytes | None = None) -> IsGenuine:
    """Datagrams with a whole packet of an autopilot in them; with a key, a rightly signed new one.

    A ground station that speaks to our port by mistake is no autopilot.
    """
    codec = Codec(0, key)
    clock = RealClock()

    def is_genuine(data: bytes) -> bool:
        codec.clear()
        return any(
            message.get_srcComponent() == mavlink.MAV_COMP_ID_AUTOPILOT1
            for message in codec.decode(data, clock.now())
        )

    return is_genuine


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise TransportError(f"{url}: {error}; write {FORMS}") from error
    if parts.scheme not in ("udpin", "udpout", "tcp", "serial"):
        raise TransportError(f"{url}: no such transport; write {FORMS}")
    if parts.scheme == "serial":
        if not parts.path.strip("/") or parts.netloc:
            raise TransportError(f"{url}: names no device; write serial:///dev/ttyACM0?baud=57600")
    elif not parts.hostname or not port:
        raise TransportError(
            f"{url}: needs a host and a port, such as {parts.scheme}://127.0.0.1:14550"
        )
    return parts


def _baud(url: str, parts: SplitResult) -> int:
    query = parse_qs(parts.query)
    text = query.pop("baud", [str(BAUD)])[0]
    if query or not text.isascii() or not text.isdigit() or not 0 < int(text) <= 4_000_000:
        raise TransportError(f"{url}: only ?baud=NUMBER may follow, such as ?baud=57600")
    return int(text)


def _address(url: str, parts: SplitResult) -> tuple[int, Any]:
    """Looked up once, at the start: a name server that hangs must not stop the loop."""
    kind = socket.SOCK_STREAM if parts.scheme == "tcp" else socket.SOCK_DGRAM
    try:
        found = socket.getaddrinfo(parts.hostname, parts.port, type=kind)
    except (OSError, UnicodeError) as error:
        raise TransportError(f"{url}: the host is not known ({error})") from error
    return found[0][0], found[0][4]
