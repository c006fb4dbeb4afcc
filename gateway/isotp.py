"""Messages longer than a frame, as ISO 15765-2 cuts them up: put together again (pure).

Time is an argument, so that a replay at any speed gives what the drive gave. What the other side
of a reassembly needs is in `isotp_send.py`.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

N_CR_NS = 1_000_000_000
"""ISO 15765-2, N_Cr: so long may a consecutive frame be waited for."""
SINGLE, FIRST, CONSECUTIVE, FLOW_CONTROL = range(4)
"""The frame's kind, in the upper half of its first protocol byte."""

Fault = Literal[
    "malformed", "too_long", "stray", "wrong_sequence", "timed_out", "interrupted", "crowded_out"
]


class Pdu(NamedTuple):
    """A complete message; its instant is that of its last frame."""

    bus: int
    can_id: int
    payload: bytes
    at_ns: int
    extension: int | None = None
    """The address byte before the protocol byte, with extended or mixed addressing."""


class Begun(NamedTuple):
    """A first frame: whoever asked for this message owes its sender a flow control."""

    bus: int
    can_id: int
    start: bytes
    length: int
    extension: int | None = None


@dataclass(slots=True)
class _Reception:
    length: int
    frame_bytes: int
    last_ns: int
    payload: bytearray
    sequence: int = 1


_Key = tuple[int, int, int | None]


@dataclass
class IsoTpReassembler:
    """Puts the messages of many senders together, each by its bus, id and address byte.

    A passive listener needs no flow control; frames of that kind are passed over. Memory is
    bounded by `max_senders` times `max_bytes`, and grows only with bytes that really came.
    """

    has_extension: bool = False
    """Extended or mixed addressing: the first byte of every frame is an address."""
    max_bytes: int = 65_536
    max_senders: int = 64
    """Receptions at a time; one more crowds out the one that waits longest."""
    faults: Counter[Fault] = field(default_factory=Counter)
    """How many frames or messages were given up, and why."""
    _receptions: dict[_Key, _Reception] = field(default_factory=dict)

    @property
    def waiting(self) -> int:
        """How many messages are incomplete now."""
        return len(self._receptions)

    def feed(self, bus: int, can_id: int, payload: bytes, at_ns: int) -> Pdu | Begun | None:
        """Take one frame of an id that carries ISO-TP; say what it completes or begins."""
        extension: int | None = None
        if self.has_extension:
            if not payload:
                self.faults["malformed"] += 1
                return None
            extension, payload = payload[0], payload[1:]
        if not payload:
            self.faults["malformed"] += 1
            return None
        key = (bus, can_id, extension)
        kind = payload[0] >> 4
        if kind == CONSECUTIVE:
            return self._go_on(key, payload, at_ns)
        if kind == FIRST:
            return self._begin(key, payload, at_ns)
        if kind == SINGLE:
            return self._single(key, payload, at_ns)
        if kind != FLOW_CONTROL:
            self.faults["malformed"] += 1
        return None

    def expire(self, now_ns: int) -> None:
        """Give up what waits too long; `feed` does it for its own sender."""
        for key, reception in tuple(self._receptions.items()):
            if now_ns - reception.last_ns > N_CR_NS:
                self._give_up(key, "timed_out")

    def _single(self, key: _Key, payload: bytes, at_ns: int) -> Pdu | None:
        length, start = payload[0] & 0xF, 1
        if not length and self._is_long(payload):  # CAN FD: the length has a byte of its own
            length, start = payload[1], 2
        if not 0 < length <= len(payload) - start:
            self.faults["malformed"] += 1
            return None
        self._interrupt(key, at_ns)
        bus, can_id, extension = key
        return Pdu(bus, can_id, payload[start : start + length], at_ns, extension)

    def _begin(self, key: _Key, payload: bytes, at_ns: int) -> Begun | None:
        room = 7 if self.has_extension else 8
        if len(payload) < room:
            self.faults["malformed"] += 1
            return None
        length, start = (payload[0] & 0xF) << 8 | payload[1], 2
        if not length:
            length, start = int.from_bytes(payload[2:6], "big"), 6
            if length <= 0xFFF:  # would have fitted the short form: ISO says to ignore it
                self.faults["malformed"] += 1
                return None
        if length <= (room - 1 if len(payload) == room else len(payload) - 2):
            self.faults["malformed"] += 1
            return None
        self._interrupt(key, at_ns)
        if length > self.max_bytes:
            self.faults["too_long"] += 1
            return None
        if len(self._receptions) >= self.max_senders:
            longest = min(self._receptions, key=lambda each: self._receptions[each].last_ns)
            self._give_up(longest, "crowded_out")
        part = bytearray(payload[start:])
        self._receptions[key] = _Reception(length, len(payload), at_ns, part)
        bus, can_id, extension = key
        return Begun(bus, can_id, bytes(part), length, extension)

    def _go_on(self, key: _Key, payload: bytes, at_ns: int) -> Pdu | None:
        reception = self._receptions.get(key)
        if reception is None:
            self.faults["stray"] += 1
            return None
        if _is_late(reception, at_ns):
            self._give_up(key, "timed_out")
            return None
        if payload[0] & 0xF != reception.sequence:
            self._give_up(key, "wrong_sequence")
            return None
        left = reception.length - len(reception.payload)
        part = payload[1 : 1 + left]
        if len(part) < min(left, reception.frame_bytes - 1):
            self._give_up(key, "malformed")
            return None
        reception.payload += part
        reception.sequence = reception.sequence + 1 & 0xF
        reception.last_ns = at_ns
        if len(reception.payload) < reception.length:
            return None
        del self._receptions[key]
        bus, can_id, extension = key
        return Pdu(bus, can_id, bytes(reception.payload), at_ns, extension)

    def _is_long(self, payload: bytes) -> bool:
        return len(payload) > (7 if self.has_extension else 8)

    def _interrupt(self, key: _Key, at_ns: int) -> None:
        reception = self._receptions.get(key)
        if reception is not None:
            self._give_up(key, "timed_out" if _is_late(reception, at_ns) else "interrupted")

    def _give_up(self, key: _Key, fault: Fault) -> None:
        del self._receptions[key]
        self.faults[fault] += 1


def _is_late(reception: _Reception, at_ns: int) -> bool:
    """Also when time went backwards: that is another drive."""
    return abs(at_ns - reception.last_ns) > N_CR_NS
