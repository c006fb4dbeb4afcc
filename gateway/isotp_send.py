"""Messages cut up into frames as ISO 15765-2 wants it, and sent as the receiver allows (pure)."""

from gateway.isotp import CONSECUTIVE, FIRST, FLOW_CONTROL, SINGLE
from internetcar.contract.message import InputError

N_BS_NS = 1_000_000_000
"""ISO 15765-2, N_Bs: so long may a flow control be waited for."""
MAX_WAITS = 10
"""N_WFTmax: so often may the receiver say "wait"."""
_LENGTHS = (8, 12, 16, 20, 24, 32, 48, 64)  # ISO 11898-1: what a CAN FD frame can hold from 8 on
_MAX_BYTES = 0xFFFF_FFFF
_CONTINUE, _WAIT = 0, 1


class IsoTpError(InputError):
    """A message that cannot be sent, or a receiver that did not take it."""


def flow_control(block_size: int = 0, separation: int = 0, extension: int | None = None) -> bytes:
    """The frame that lets a sender go on.

    Args:
        block_size: After so many frames it waits for the next flow control; 0: never.
        separation: ISO's STmin as it is written: milliseconds up to 127.
        extension: The address byte, with extended or mixed addressing.
    """
    body = bytes((FLOW_CONTROL << 4 | _CONTINUE, block_size, separation))
    return _padded(_address(extension) + body, 8, 0)


def separation_ns(written: int) -> int:
    """The gap that STmin's byte asks for; ISO reads reserved values as the longest."""
    if written <= 0x7F:
        return written * 1_000_000
    if 0xF1 <= written <= 0xF9:
        return (written - 0xF0) * 100_000
    return 0x7F * 1_000_000


def segment(
    payload: bytes, frame_bytes: int = 8, padding: int | None = 0, extension: int | None = None
) -> list[bytes]:
    """The frames of a message: a single one, or a first one and its consecutive ones.

    Args:
        payload: What to send; 1 byte to 4 GiB.
        frame_bytes: 8, or what a CAN FD frame may hold, up to 64.
        padding: Fills short frames (ISO 15765-4 wants them full); None: they stay short.
        extension: The address byte, with extended or mixed addressing.

    Raises:
        IsoTpError: There is nothing to send, or a frame cannot be so long.
    """
    if not 0 < len(payload) <= _MAX_BYTES or frame_bytes not in _LENGTHS:
        raise IsoTpError(f"ISO-TP cannot send {len(payload)} bytes in frames of {frame_bytes}")
    before = _address(extension)
    room = frame_bytes - len(before)
    short = min(room, 8 - len(before)) - 1
    if len(payload) <= short:
        head = bytes((SINGLE << 4 | len(payload),))
        return [_padded(before + head + payload, frame_bytes, padding)]
    if len(payload) <= room - 2 and frame_bytes > 8:
        head = bytes((SINGLE << 4, len(payload)))
        return [_padded(before + head + payload, frame_bytes, padding)]
    if len(payload) <= 0xFFF:
        head = (FIRST << 12 | len(payload)).to_bytes(2, "big")
    else:
        head = (FIRST << 12).to_bytes(2, "big") + len(payload).to_bytes(4, "big")
    at = room - len(head)
    frames = [before + head + payload[:at]]
    sequence = 1
    while at < len(payload):
        head = bytes((CONSECUTIVE << 4 | sequence,))
        part = payload[at : at + room - 1]
        frames.append(_padded(before + head + part, frame_bytes, padding))
        at += len(part)
        sequence = sequence + 1 & 0xF
    return frames


class IsoTpSender:
    """One message on its way: says which frames may go now.

    Args:
        frames: What `segment` made of it.
        now_ns: A clock that only goes forward.
        extension: As given to `segment`.
    """

    def __init__(self, frames: list[bytes], now_ns: int, extension: int | None = None) -> None:
        self._frames = frames
        self._extension = extension
        self._next = 0
        self._allowed = 1
        self._due_ns = now_ns
        self._gap_ns = 0
        self._deadline_ns = now_ns + N_BS_NS
        self._waits = 0

    @property
    def is_done(self) -> bool:
        """Whether the last frame has been handed out."""
        return self._next == len(self._frames)

    @property
    def next_due_ns(self) -> int | None:
        """When `take` has something to do; None when it is done."""
        if self.is_done:
            return None
        return self._due_ns if self._next < self._allowed else self._deadline_ns

    def take(self, now_ns: int) -> list[bytes]:
        """The frames that may be sent now.

        Raises:
            IsoTpError: The receiver did not say that it takes more.
        """
        taken = []
        while not self.is_done and self._next < self._allowed and self._due_ns <= now_ns:
            taken.append(self._frames[self._next])
            self._next += 1
            self._due_ns = now_ns + self._gap_ns
            self._deadline_ns = now_ns + N_BS_NS
        if not taken and self._is_waiting and now_ns >= self._deadline_ns:
            raise IsoTpError(f"no flow control after frame {self._next} of {len(self._frames)}")
        return taken

    def feed(self, payload: bytes, now_ns: int) -> None:
        """Take a frame of the receiver; what is no flow control, or not waited for, is passed over.

        Raises:
            IsoTpError: The receiver refuses the message, or says "wait" for ever.
        """
        before = _address(self._extension)
        body = payload[len(before) :]
        is_ours = payload.startswith(before) and len(body) >= 3 and body[0] >> 4 == FLOW_CONTROL
        if not is_ours or not self._is_waiting or not self._next:
            return
        status, block_size, separation = body[0] & 0xF, body[1], body[2]
        if status == _WAIT and self._waits < MAX_WAITS:
            self._waits += 1
            self._deadline_ns = now_ns + N_BS_NS
        elif status == _CONTINUE:
            self._waits = 0
            self._gap_ns = separation_ns(separation)
            self._allowed = self._next + block_size if block_size else len(self._frames)
            self._due_ns = now_ns
        else:
            self._next = self._allowed = len(self._frames)
            raise IsoTpError(f"the receiver refuses {len(self._frames)} frames (status {status})")

    @property
    def _is_waiting(self) -> bool:
        return not self.is_done and self._next >= self._allowed


def _address(extension: int | None) -> bytes:
    return b"" if extension is None else bytes((extension,))


def _padded(frame: bytes, frame_bytes: int, padding: int | None) -> bytes:
    """ISO 11898-1 knows only some lengths above 8: those are filled up in any case."""
    if len(frame) > 8:
        frame_bytes = next(length for length in _LENGTHS if length >= len(frame))
        return frame.ljust(frame_bytes, bytes((padding or 0,)))
    return frame if padding is None else frame.ljust(8, bytes((padding,)))
