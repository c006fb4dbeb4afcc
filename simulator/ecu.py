"""A controller that answers OBD-II over ISO-TP: for tests, and for trying without a car.

Pure: frames and the clock come in, frames go out. It speaks the standards by itself, so that it
shares no mistake with the gateway.
"""

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

EXTENDED = 0x8000_0000
"""Bit of a canid_t: 29-bit id."""
_REFUSED, _NOT_SUPPORTED = 0x7F, 0x12


@dataclass(frozen=True)
class Facts:
    """What a controller knows."""

    current: Mapping[int, bytes] = field(default_factory=dict)
    """Service 01: the bytes of each PID; the lists of PIDs are made from it."""
    stored: tuple[str, ...] = ()
    """Trouble codes such as `P0301`."""
    pending: tuple[str, ...] = ()
    vin: str | None = None
    is_lit: bool | None = None
    """The warning light; None: it is, where there are codes."""


class Ecu:
    """One controller on a bus.

    Args:
        number: 0 is the engine's: it answers with 7E8, or 18DAF100 with 29 bits.
        facts: What it knows, asked for each answer.
        is_29_bit: Which ids it uses; it is deaf to the other.
        delay_ns: How long it thinks.
        refuses: It says no to what it does not know, instead of nothing.
    """

    def __init__(
        self,
        number: int,
        facts: Callable[[], Facts],
        *,
        is_29_bit: bool = False,
        delay_ns: int = 5_000_000,
        refuses: bool = False,
    ) -> None:
        self.answers_with = EXTENDED | 0x18DAF100 | number if is_29_bit else 0x7E8 + number
        self._hears = (
            (EXTENDED | 0x18DB33F1, EXTENDED | 0x18DA00F1 | number << 8)
            if is_29_bit
            else (0x7DF, 0x7E0 + number)
        )
        self._facts = facts
        self._delay_ns = delay_ns
        self._refuses = refuses
        self._due: list[tuple[int, bytes]] = []
        self._waiting: list[bytes] = []
        self.is_awake = True

    def feed(self, can_id: int, payload: bytes, now_ns: int) -> None:
        """Hear a frame of the bus."""
        if can_id not in self._hears or not self.is_awake or not payload:
            return
        kind, length = payload[0] >> 4, payload[0] & 0xF
        if payload[0] == 0x30 and can_id == self._hears[1]:
            self._due += [(now_ns, frame) for frame in self._waiting]
            self._waiting = []
        elif kind == 0 < length < len(payload):
            answer = self._answer(payload[1 : 1 + length])
            if answer is not None:
                first, *self._waiting = _frames(answer)
                self._due.append((now_ns + self._delay_ns, first))

    def take(self, now_ns: int) -> list[tuple[int, bytes]]:
        """The frames it sends by now."""
        ready = [frame for due_ns, frame in self._due if due_ns <= now_ns]
        self._due = [each for each in self._due if each[0] > now_ns]
        return [(self.answers_with, frame) for frame in ready]

    def _answer(self, request: bytes) -> bytes | None:
        facts, service, items = self._facts(), request[0], request[1:]
        known: bytes | None = None
        if service == 1:
            known = b"".join(_current(facts, pid) for pid in items)
        elif service in (3, 7):
            codes = facts.stored if service == 3 else facts.pending
            known = bytes((len(codes),)) + b"".join(map(encode_code, codes))
        elif service == 9 and items == b"\x02" and facts.vin:
            known = b"\x02\x01" + facts.vin.encode("ascii")
        elif service == 9 and items == b"\x00":
            known = b"\x00" + (b"\x40\0\0\0" if facts.vin else bytes(4))
        if known:
            return bytes((service + 0x40,)) + known
        return bytes((_REFUSED, service, _NOT_SUPPORTED)) if self._refuses else None


def encode_code(code: str) -> bytes:
    """`P0301` as the two bytes of SAE J2012."""
    return ("PCBU".index(code[0]) << 14 | int(code[1:], 16)).to_bytes(2, "big")


def electric_car(
    *,
    speed_kmh: float,
    charge_pct: float,
    odometer_m: float,
    outside_c: float,
    battery_v: float = 14.2,
) -> dict[int, bytes]:
    """Service 01 of an electric car, from the state of a simulated one."""
    return {
        0x0D: bytes((min(255, round(speed_kmh)),)),
        0x42: struct.pack(">H", round(battery_v * 1_000)),
        0x46: bytes((min(255, max(0, round(outside_c + 40))),)),
        0x5B: bytes((round(charge_pct * 2.55),)),
        0xA6: struct.pack(">I", round(odometer_m / 100)),
    }


def _current(facts: Facts, pid: int) -> bytes:
    known = {0x01: _status(facts), **facts.current}
    if pid % 0x20 == 0:
        following = {each - pid for each in known if pid < each <= pid + 0x20}
        if any(each > pid + 0x20 for each in known):
            following.add(0x20)
        bits = sum(1 << (32 - each) for each in following)
        return bytes((pid,)) + bits.to_bytes(4, "big") if following else b""
    return bytes((pid,)) + known[pid] if pid in known else b""


def _status(facts: Facts) -> bytes:
    is_lit = bool(facts.stored) if facts.is_lit is None else facts.is_lit
    return bytes((is_lit << 7 | len(facts.stored), 0, 0, 0))


def _frames(answer: bytes) -> list[bytes]:
    """ISO 15765-2 on classic CAN, padded as many controllers do."""
    if len(answer) < 8:
        return [(bytes((len(answer),)) + answer).ljust(8, b"\xaa")]
    frames = [struct.pack(">H", 0x1000 | len(answer)) + answer[:6]]
    for number, at in enumerate(range(6, len(answer), 7), 1):
        frames.append((bytes((0x20 | number % 16,)) + answer[at : at + 7]).ljust(8, b"\xaa"))
    return frames
