"""Lines of text recordings: candump's and SavvyCAN's (GVRET) as frames, others to read on after."""

import re
from binascii import unhexlify
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any, BinaryIO

from internetcar.socketcan import ERROR, EXTENDED, REMOTE

RecordedFrame = tuple[str, int, bytes, int]
"""Channel, canid_t with its flag bits, payload, nanoseconds as the file has them."""

MAX_SECONDS = 10_000_000_000
"""No instant of a recording is later (the year 2286): a larger stamp is a broken one."""

MAX_LINE_BYTES = 4_096

LineReader = Callable[[bytes], RecordedFrame]
"""Reads one line; any LookupError or ValueError says that it is broken."""

_MAX_HEADER_LINES = 1_000
_DIRECTIONS = (b"R", b"T")
_CANDUMP = re.compile(
    rb"\s*\((?P<seconds>\d{1,10})(?:\.(?P<fraction>\d{1,9}))?\)\s+(?P<channel>\S{1,64})\s+"
    rb"(?P<id>[0-9A-Fa-f]{3}|[0-9A-Fa-f]{8})#(?:(?P<remote>R)(?P<length>[0-8]?)|"
    rb"(?P<fd>#[0-9A-Fa-f])?(?P<payload>(?:[0-9A-Fa-f]{2}\.?)*))(?:_[0-9A-Fa-f])?(?:\s+[RT])?\s*"
)
_CANDUMP_SCREEN = re.compile(
    rb"\s*\((?P<seconds>\d{1,10})\.(?P<fraction>\d{1,9})\)\s+(?P<channel>\S{1,64})\s+"
    rb"(?:[RT]X\s+\S+\s+)?(?P<id>[0-9A-Fa-f]{3}|[0-9A-Fa-f]{8})\s+\[(?P<length>\d{1,2})\]\s*"
    rb"(?P<payload>(?:[0-9A-Fa-f]{2}\s*)*)(?:'.*'\s*)?"
)


def candump_reader() -> LineReader:
    """For `candump -l` and `-L` (`(1.000000) can0 123#00FF`), and `candump -ta` on a screen.

    The common case is taken apart by partition and a dictionary of what stands before the payload:
    five times as fast as the regular expression, which has the last word on anything else.
    """
    heads: dict[bytes, tuple[str, int]] = {}

    def read(line: bytes) -> RecordedFrame:
        stamp, _, rest = line.partition(b" ")
        head, _, tail = rest.partition(b"#")
        known = heads.get(head)
        digits = stamp.strip(b"()").replace(b".", b"", 1)
        payload = tail.removesuffix(b" R\n").rstrip()
        six_decimals = stamp[-8:-7] == b"."
        if known is not None and six_decimals and len(digits) <= 16 and len(payload) <= 16:
            try:
                return (known[0], known[1], unhexlify(payload), int(digits) * 1_000)
            except ValueError:
                pass
        frame = _candump_frame(line)
        if b"#" in line and not frame[1] & (ERROR | REMOTE):
            heads[head] = frame[:2]
        return frame

    return read


def _candump_frame(line: bytes) -> RecordedFrame:
    found = _CANDUMP.fullmatch(line) or _CANDUMP_SCREEN.fullmatch(line)
    if found is None:
        raise ValueError("not a line of candump")
    parts = found.groupdict()
    can_id = int(parts["id"], 16)
    if len(parts["id"]) == 8 and not can_id & ERROR:
        can_id = can_id & 0x1FFF_FFFF | EXTENDED
    elif can_id > 0x7FF and not can_id & ERROR:
        raise ValueError("an 11-bit id above 7FF")
    payload = b""
    if parts.get("remote"):
        can_id |= REMOTE
    else:
        payload = unhexlify(re.sub(rb"[.\s]", b"", parts["payload"]))
    if len(payload) > (8 if "fd" in parts and not parts["fd"] else 64):
        raise ValueError(f"{len(payload)} bytes in one frame")
    if "fd" not in parts and len(payload) != int(parts["length"]):
        raise ValueError(f"{len(payload)} bytes, not {int(parts['length'])}")
    at_ns = int(parts["seconds"]) * 1_000_000_000
    at_ns += int((parts["fraction"] or b"0").ljust(9, b"0"))
    return parts["channel"].decode("ascii", "replace"), can_id, payload, at_ns


def is_gvret(header: bytes) -> bool:
    """Whether a csv starts as SavvyCAN's do."""
    return header.lower().replace(b" ", b"").startswith(b"timestamp,id,extended,")


def gvret_reader(header: bytes) -> LineReader:
    """For SavvyCAN csv: microseconds, id in hex, whether it has 29 bits, bus, length, bytes in hex.

    Raises:
        ValueError: a column is missing.
    """
    columns = [name.strip().lower() for name in header.decode("ascii", "replace").split(",")]
    id_at, extended_at = columns.index("id"), columns.index("extended")
    bus_at, length_at, first_at = columns.index("bus"), columns.index("len"), columns.index("d1")
    heads: dict[tuple[bytes, bytes, bytes], tuple[str, int]] = {}

    def read(line: bytes) -> RecordedFrame:
        cells = line.rstrip().split(b",")
        key = (cells[bus_at], cells[id_at], cells[extended_at])
        known = heads.get(key)
        if known is None:
            known = heads[key] = _gvret_head(*key)
        length = int(cells[length_at])
        payload = unhexlify(b"".join(cells[first_at : first_at + length]))
        if len(payload) != length or length > 64:
            raise ValueError(f"{len(payload)} bytes, not {length}")
        at_us = int(cells[0])
        if not 0 <= at_us < MAX_SECONDS * 1_000_000:
            raise ValueError(f"time {at_us}")
        return (*known, payload, at_us * 1_000)

    return read


def _gvret_head(bus: bytes, can_id: bytes, extended: bytes) -> tuple[str, int]:
    number = int(can_id, 16)
    is_extended = extended.strip().lower() in (b"true", b"1")
    if not 0 <= number <= (0x1FFF_FFFF if is_extended else 0x7FF):
        raise ValueError(f"id {number:X}")
    return f"can{int(bus)}", number | (EXTENDED if is_extended else 0)


class HeadedLines:
    """A text file's lines, for readers that end at a broken line and need the header to begin anew.

    Args:
        file: opened at its start.
        suffix: `.csv` has one line of header, the others all before the first that has a number.
    """

    def __init__(self, file: BinaryIO, suffix: str) -> None:
        self._file = file
        self.number = 0
        """Of the latest line that was read, from 1."""
        self.is_over = False
        """No line is left."""
        self._header: list[str] = []
        self._pending: list[str] = []
        for line in self._forward():
            is_first = suffix == ".csv" and not self._header
            if not is_first and (suffix == ".csv" or line.lstrip()[:1].isdigit()):
                self._pending = [line]
                return
            self._header.append(line)
            if len(self._header) > _MAX_HEADER_LINES:
                return

    def rest(self) -> Any:
        """The header and what has not been read, as much of a text file as python-can asks for."""
        pending, self._pending = self._pending, []
        return _LineFile(chain(self._header, pending, self._forward()))

    def _forward(self) -> Iterator[str]:
        while line := self._file.readline(MAX_LINE_BYTES):
            self.number += 1
            yield line.decode("utf-8", "replace")
        self.is_over = True


class _LineFile:
    """As much of a text file as python-can's readers need."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines

    def __iter__(self) -> Iterator[str]:
        return self._lines

    def __next__(self) -> str:
        return next(self._lines)

    def read(self) -> str:
        return next(self._lines, "")

    def close(self) -> None:
        """Nothing to close: the recording owns the file."""
