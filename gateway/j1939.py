"""J1939 messages longer than a frame (SAE J1939-21 transport protocol), put together again (pure).

Both ways to send one: BAM to everybody, and RTS/CTS between two, heard as a bystander. Time is an
argument, so that a replay at any speed gives what the drive gave.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from internetcar.socketcan import EXTENDED

GLOBAL = 0xFF
"""The destination address that means everybody."""
T1_NS = 750_000_000
"""SAE J1939-21: the longest gap between two packets."""
T2_NS = 1_250_000_000
"""SAE J1939-21: the longest wait for a packet after a clear-to-send (T2), or for one (T3)."""
MAX_BYTES = 1_785
"""255 packets of 7 bytes."""

_CONNECTION, _DATA = 0xEC, 0xEB  # PDU format of TP.CM and TP.DT
_PGN_END = 0x4_0000  # a PGN has 18 bits

Fault = Literal["malformed", "stray", "lost", "timed_out", "interrupted", "aborted", "crowded_out"]


class J1939Id(NamedTuple):
    """What a 29-bit id says in J1939."""

    priority: int
    pgn: int
    source: int
    destination: int
    """`GLOBAL` where the parameter group is for everybody."""


class J1939Message(NamedTuple):
    """A complete message; its instant is that of its last packet."""

    bus: int
    pgn: int
    source: int
    destination: int
    payload: bytes
    at_ns: int

    @property
    def can_id(self) -> int:
        """The canid_t a frame of this parameter group has: a DBC's, priority 6."""
        is_addressed = (self.pgn >> 8 & 0xFF) < 0xF0
        specific = self.destination if is_addressed else 0
        return EXTENDED | 6 << 26 | (self.pgn | specific) << 8 | self.source


class _Control:
    """First byte of TP.CM: what a frame that steers a message says."""

    RTS, CTS, END, BAM, ABORT = 16, 17, 19, 32, 255


@dataclass(slots=True)
class _Session:
    pgn: int
    size: int
    last_ns: int
    packets: dict[int, bytes] = field(default_factory=dict)

    @property
    def count(self) -> int:
        return -(-self.size // 7)


_Key = tuple[int, int, int]


@dataclass
class J1939Reassembler:
    """Puts the messages of all senders together, each by its bus, source and destination.

    Memory is bounded by `max_sessions` times 1,785 bytes.
    """

    max_sessions: int = 256
    """Messages at a time; one more crowds out the one that waits longest."""
    faults: Counter[Fault] = field(default_factory=Counter)
    """How many packets or messages were given up, and why."""
    _sessions: dict[_Key, _Session] = field(default_factory=dict)

    @property
    def waiting(self) -> int:
        """How many messages are incomplete now."""
        return len(self._sessions)

    def feed(self, bus: int, can_id: int, payload: bytes, at_ns: int) -> J1939Message | None:
        """Take one frame, any frame; say which message it completes."""
        if not can_id & EXTENDED:
            return None
        kind = can_id >> 16 & 0x3FF  # both data pages and the PDU format
        if kind not in (_CONNECTION, _DATA):
            return None
        if len(payload) != 8:
            self.faults["malformed"] += 1
            return None
        _, _, source, destination = parse_id(can_id)
        if kind == _DATA:
            return self._packet((bus, source, destination), payload, at_ns)
        self._control(bus, source, destination, payload, at_ns)
        return None

    def expire(self, now_ns: int) -> None:
        """Give up what waits too long; `feed` does it for its own sender."""
        for key, session in tuple(self._sessions.items()):
            if _is_late(key, session, now_ns):
                self._give_up(key, "timed_out")

    def _control(self, bus: int, source: int, to: int, payload: bytes, at_ns: int) -> None:
        """Take a frame that begins a message, or steers one that is under way.

        To everybody only BAM may be said; between two, the sender asks (RTS) and the receiver
        lets it go on (CTS) and thanks (end), and either may abort.
        """
        control, pgn = payload[0], int.from_bytes(payload[5:8], "little")
        forwards, backwards = (bus, source, to), (bus, to, source)
        match control, to == GLOBAL:
            case (_Control.BAM, True) | (_Control.RTS, False):
                self._begin(forwards, payload, pgn, at_ns)
            case _Control.CTS, False:
                if (session := self._of_group(backwards, pgn)) is not None:
                    session.last_ns = at_ns
            case _Control.ABORT, False:
                for key in (backwards, forwards):
                    if self._of_group(key, pgn) is not None:
                        self._give_up(key, "aborted")
            case _Control.END, _:
                pass  # its last packet has ended it
            case _:
                self.faults["malformed"] += 1

    def _of_group(self, key: _Key, pgn: int) -> _Session | None:
        session = self._sessions.get(key)
        return session if session is not None and session.pgn == pgn else None

    def _begin(self, key: _Key, payload: bytes, pgn: int, at_ns: int) -> None:
        size = int.from_bytes(payload[1:3], "little")
        if not 8 < size <= MAX_BYTES or payload[3] != -(-size // 7) or pgn >= _PGN_END:
            self.faults["malformed"] += 1
            return
        if (former := self._sessions.get(key)) is not None:
            self._give_up(key, "timed_out" if _is_late(key, former, at_ns) else "interrupted")
        if len(self._sessions) >= self.max_sessions:
            longest = min(self._sessions, key=lambda each: self._sessions[each].last_ns)
            self._give_up(longest, "crowded_out")
        self._sessions[key] = _Session(pgn, size, at_ns)

    def _packet(self, key: _Key, payload: bytes, at_ns: int) -> J1939Message | None:
        session = self._sessions.get(key)
        if session is None:
            self.faults["stray"] += 1
            return None
        if _is_late(key, session, at_ns):
            self._give_up(key, "timed_out")
            return None
        bus, source, destination = key
        number = payload[0]
        if destination == GLOBAL and number != len(session.packets) + 1:
            self._give_up(key, "lost")  # nobody will ask for it again
            return None
        if not 0 < number <= session.count:
            self._give_up(key, "malformed")
            return None
        session.packets[number] = payload[1:]
        session.last_ns = at_ns
        if len(session.packets) < session.count:
            return None
        del self._sessions[key]
        whole = b"".join(session.packets[each] for each in range(1, session.count + 1))
        return J1939Message(bus, session.pgn, source, destination, whole[: session.size], at_ns)

    def _give_up(self, key: _Key, fault: Fault) -> None:
        del self._sessions[key]
        self.faults[fault] += 1


def parse_id(can_id: int) -> J1939Id:
    """Take a 29-bit id apart; below PDU format 240 its lower byte is a destination."""
    pgn, destination = can_id >> 8 & 0x3_FFFF, GLOBAL
    if (pgn >> 8 & 0xFF) < 0xF0:
        pgn, destination = pgn & 0x3_FF00, pgn & 0xFF
    return J1939Id(can_id >> 26 & 7, pgn, can_id & 0xFF, destination)


def _is_late(key: _Key, session: _Session, at_ns: int) -> bool:
    """Also when time went backwards: that is another drive."""
    longest_ns = T1_NS if key[2] == GLOBAL else T2_NS
    return abs(at_ns - session.last_ns) > longest_ns
