"""OBD-II's questions and answers on CAN: SAE J1979 / ISO 15031-5 services 01, 03, 07 and 09 (pure).

What a number in an answer means stands in `obd_pids.py`, what a trouble code means in
`trouble_codes.py`. An answer here is a whole message, as `isotp.py` puts it together.
"""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from gateway.trouble_codes import parse_codes
from internetcar.contract.message import InputError
from internetcar.socketcan import EXTENDED

CURRENT, STORED, PENDING, VEHICLE = 0x01, 0x03, 0x07, 0x09
"""Services: current data, confirmed trouble codes, codes of this drive, and the vehicle itself."""
VIN, ECU_NAME = 0x02, 0x0A
"""What service 09 is asked for."""
FUNCTIONAL = 0x7DF
"""ISO 15765-4: a request to all emission-related controllers, with 11-bit ids."""
FUNCTIONAL_29 = EXTENDED | 0x18DB33F1
"""The same with 29-bit ids."""
BITMAPS = range(0x00, 0x100, 0x20)
"""The PIDs that say which of the next 32 there are."""

NOT_SUPPORTED = frozenset({0x10, 0x11, 0x12, 0x31, 0x33, 0x7E, 0x7F})
"""Reasons of a refusal (ISO 14229-1) that will be the same the next time."""
RESPONSE_PENDING = 0x78
"""A refusal that says: the answer takes longer, wait."""

_ANSWERS = range(0x7E8, 0x7F0)
_ANSWERS_29 = EXTENDED | 0x18DAF100
_POSITIVE, _REFUSED = 0x40, 0x7F
_VIN = re.compile(r"[A-HJ-NPR-Z0-9]{17}")  # ISO 3779: no I, O, Q


class ObdError(InputError):
    """An answer that says nothing; its sender's fault."""


class Current(NamedTuple):
    """Answer of service 01: the bytes of each PID."""

    data: Mapping[int, bytes]


class Codes(NamedTuple):
    """Answer of service 03 or 07: trouble codes such as `P0301`."""

    service: int
    codes: tuple[str, ...]


class Vehicle(NamedTuple):
    """Answer of service 09: what was asked for, and its bytes without the count of items."""

    kind: int
    data: bytes


class Refusal(NamedTuple):
    """A negative answer."""

    service: int
    reason: int


Answer = Current | Codes | Vehicle | Refusal


def physical_id(answer_id: int) -> int | None:
    """The id that asks one controller alone, from the id it answers with; None: no OBD answer."""
    if answer_id in _ANSWERS:
        return answer_id - 8
    if answer_id & 0xFFFF_FF00 == _ANSWERS_29:
        return EXTENDED | 0x18DA00F1 | (answer_id & 0xFF) << 8
    return None


def is_request(can_id: int) -> bool:
    """Whether a tester sends with this id: to all, or to one controller."""
    if can_id & EXTENDED:
        return can_id == FUNCTIONAL_29 or can_id & 0xFFFF_00FF == EXTENDED | 0x18DA00F1
    return can_id == FUNCTIONAL or can_id + 8 in _ANSWERS


def is_answer(payload: bytes) -> bool:
    """Whether a message answers one of these services, or refuses it; UDS has others."""
    service = payload[1] if payload[0] == _REFUSED and len(payload) > 1 else payload[0] - _POSITIVE
    return service in (CURRENT, STORED, PENDING, VEHICLE)


def request(service: int, item: int | None = None) -> bytes:
    """The message of a question; `item` is a PID, or service 09's kind."""
    return bytes((service,) if item is None else (service, item))


def parse_answer(payload: bytes, lengths: Mapping[int, int]) -> Answer:
    """Read a whole answer.

    Args:
        payload: As ISO-TP put it together.
        lengths: How many bytes each PID of service 01 has. One that is not in it is taken to be
            the last of the answer.

    Raises:
        ObdError: It is no answer of these services, or cut short.
    """
    if len(payload) < 2:
        raise ObdError(f"an answer of {len(payload)} bytes says nothing")
    if payload[0] == _REFUSED:
        if len(payload) < 3:
            raise ObdError("a refusal without its reason")
        return Refusal(payload[1], payload[2])
    service = payload[0] - _POSITIVE
    if service == CURRENT:
        return Current(dict(_items(payload[1:], lengths)))
    if service in (STORED, PENDING):
        return Codes(service, parse_codes(payload[1:]))
    if service == VEHICLE:
        is_bitmap = payload[1] == 0
        return Vehicle(payload[1], payload[2 if is_bitmap else 3 :])
    raise ObdError(f"not an answer of OBD-II: {payload[:8].hex()}")


def supported(first: int, bitmap: bytes) -> list[int]:
    """The PIDs a bitmap names: its first bit is the one after `first`."""
    bits = int.from_bytes(bitmap[:4].ljust(4, b"\0"), "big")
    return [first + 1 + bit for bit in range(32) if bits >> (31 - bit) & 1]


def vin(data: bytes) -> str | None:
    """The vehicle identification number of service 09; None where the car gives none."""
    text = data.decode("latin-1").strip("\0 \xff")
    return text if _VIN.fullmatch(text) else None


def _items(rest: bytes, lengths: Mapping[int, int]) -> Iterator[tuple[int, bytes]]:
    while rest:
        pid = rest[0]
        length = 4 if pid in BITMAPS else lengths.get(pid, len(rest) - 1)
        if len(rest) - 1 < length or not length:
            raise ObdError(f"PID {pid:02X} has {len(rest) - 1} bytes, not {max(length, 1)}")
        yield pid, rest[1 : 1 + length]
        rest = rest[1 + length :]
