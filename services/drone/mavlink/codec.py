"""Bytes to MAVLink messages and back; nothing here decides anything (pure).

Framing, checksum and signature are checked here, so that a byte lost on a radio costs one packet
and a packet with a false signature changes nothing; the message classes are pymavlink's.
"""

from collections.abc import Container, Iterator
from typing import Any

from internetcar.contract.message import InputError
from services.drone.autopilot import Counts
from services.drone.mavlink.signing import SIGNATURE_BYTES, Signing
from services.drone.moment import Moment

try:
    from pymavlink.dialects.v20 import ardupilotmega as dialect
except ImportError as error:  # pragma: no cover - the tests have it
    raise InputError(
        "MAVLink needs the package pymavlink: pip install 'internetcar[drone]'"
    ) from error

VERSION_1, VERSION_2 = 0xFE, 0xFD
HEADER_BYTES = {VERSION_1: 6, VERSION_2: 10}
SIGNED = 0x01
"""The only incompatibility flag there is; a packet with another one cannot be understood."""
COMPONENT_ID = 190
"""MAV_COMP_ID_MISSIONPLANNER: what a ground station is."""

mavlink: Any = dialect
"""The dialect: message classes and constants; untyped."""
KNOWN: Container[int] = mavlink.mavlink_map
"""The numbers of its messages."""


class Codec:
    """One end of one link."""

    def __init__(self, system_id: int, key: bytes | None = None) -> None:
        self.counts = Counts()
        self._signing = Signing(key) if key is not None else None
        self._buffer = bytearray()
        self._reader = mavlink.MAVLink(None)
        self._writer = mavlink.MAVLink(None, srcSystem=system_id, srcComponent=COMPONENT_ID)

    def decode(self, data: bytes, now: Moment) -> list[Any]:
        """Messages that are complete, known and, where a key is set, rightly signed."""
        self._buffer += data
        messages = []
        for frame, message in self._frames():
            if self._signing is not None and not self._signing.is_good(frame, now.utc_ms):
                self.counts.unsigned += 1
                continue
            self.counts.packets += 1
            messages.append(message)
        return messages

    def clear(self) -> None:
        """Forget the beginning of a packet: a datagram begins with a new one."""
        self._buffer.clear()

    def encode(self, message: Any, now: Moment) -> bytes:
        """The packet of a message, signed where a key is set."""
        if self._signing is not None:
            self._signing.prepare(self._writer.signing, now.utc_ms)
        packet: bytes = message.pack(self._writer)
        self._writer.seq = (self._writer.seq + 1) % 256
        return packet

    def _frames(self) -> Iterator[tuple[bytes, Any]]:
        buffer = self._buffer
        start = 0
        while start < len(buffer):
            length = frame_length(buffer, start)
            if length is None:
                break
            if length and len(buffer) - start < length:
                break
            frame = bytes(buffer[start : start + length])
            message = self._read(frame) if length else None
            if message is None:
                self.counts.junk_bytes += 1
                start += 1
            else:
                yield frame, message
                start += length
        del buffer[:start]

    def _read(self, frame: bytes) -> Any:
        """The message in a frame; `None`: none of the dialect, or its checksum is another one."""
        is_first = frame[0] == VERSION_1
        if (frame[5] if is_first else int.from_bytes(frame[7:10], "little")) not in KNOWN:
            return None
        try:
            return self._reader.decode(bytearray(frame))
        except mavlink.MAVError:
            return None


def frame_length(data: bytes | bytearray, start: int) -> int | None:
    """How long the frame at `start` is; 0: none begins there; `None`: too few bytes to say."""
    header = HEADER_BYTES.get(data[start])
    if header is None:
        return 0
    if len(data) - start < 3:
        return None
    length = header + data[start + 1] + 2
    if data[start] == VERSION_2:
        flags = data[start + 2]
        if flags & ~SIGNED:
            return 0
        length += SIGNATURE_BYTES if flags else 0
    return length
