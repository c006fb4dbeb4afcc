"""Recordings of CAN traffic: every frame of a file in its order, and when to play it.

candump logs and SavvyCAN (GVRET) csv are read here, fast and line by line; .asc, .blf, .trc,
python-can's own .csv and .mf4 by python-can. What is broken in a file is counted and skipped.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, BinaryIO

import can

from gateway.bus_spec import FrameError
from gateway.recorded_time import PAUSE_NS, SteadyTime
from gateway.textlogs import (
    MAX_LINE_BYTES,
    MAX_SECONDS,
    HeadedLines,
    LineReader,
    RecordedFrame,
    candump_reader,
    gvret_reader,
    is_gvret,
)
from internetcar.socketcan import ERROR, EXTENDED, REMOTE

SUFFIXES = (".log", ".asc", ".blf", ".trc", ".csv", ".mf4")
YEAR_2000_NS = 946_684_800_000_000_000

_MAX_BROKEN_AT_START = 1_000  # so much that is no frame, and the file is no recording
_READER_ERRORS = (  # what python-can's readers of text raise at a broken line
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    RuntimeError,
)


class Recording:
    """A file of recorded frames; each iteration starts anew.

    Data frames come out as channel, canid_t with bit 31 set for 29-bit ids, payload and UTC
    nanoseconds since 1970; error and remote frames are counted only.

    Args:
        path: the file; its suffix says what it is.
        start_ns: the instant of the first frame; None: the file's own stamps, even where they
            only count from the start of the recording (`is_relative`).

    Raises:
        FrameError: the file cannot be read, or holds no frame.
    """

    def __init__(self, path: Path, start_ns: int | None = None) -> None:
        self.path = path
        self.broken = 0
        """Lines or parts of the file that were no frame, in the latest iteration."""
        self.first_broken = ""
        """Where the first of them is, and what is wrong with it."""
        self.error_frames = 0
        self.remote_frames = 0
        self.channels: set[str] = set()
        """Those met in the latest iteration, up to now."""
        self._file: BinaryIO | None = None
        self._shift_ns = 0
        if path.suffix.lower() not in SUFFIXES:
            raise FrameError(f"{path}: not a recording; known are {', '.join(SUFFIXES)}")
        try:
            self.size_bytes = path.stat().st_size
            first_ns = self._read_first_ns()
        except OSError as error:
            raise FrameError(f"{path}: {error.strerror or error}") from error
        self.is_relative = first_ns < YEAR_2000_NS
        """The stamps count from the start of the recording, not from 1970."""
        if start_ns is not None:
            self._shift_ns = start_ns - first_ns
        self.first_ns = first_ns + self._shift_ns
        """The instant of the first frame."""

    @property
    def bytes_read(self) -> int:
        """How far into the file the latest iteration is that has not ended."""
        if self._file is None or self._file.closed:
            return self.size_bytes
        return self._file.tell()

    def __iter__(self) -> Iterator[RecordedFrame]:
        self.broken = self.error_frames = self.remote_frames = 0
        self.first_broken = ""
        self.channels = set()
        shift_ns = self._shift_ns
        channel_before = ""
        for frame in self._read():
            channel, can_id, payload, at_ns = frame
            if can_id & (ERROR | REMOTE):
                self.error_frames += bool(can_id & ERROR)
                self.remote_frames += not can_id & ERROR
                continue
            if channel != channel_before:
                self.channels.add(channel)
                channel_before = channel
            yield (channel, can_id, payload, at_ns + shift_ns) if shift_ns else frame

    def _read_first_ns(self) -> int:
        for _, _, _, at_ns in SteadyTime(self):
            return at_ns
        detail = f": {self.first_broken}" if self.first_broken else ""
        raise FrameError(f"{self.path}: no CAN frame in this {self.path.suffix} file{detail}")

    def _read(self) -> Iterator[RecordedFrame]:
        before = self._file
        with self.path.open("rb") as file:
            self._file = file
            try:
                yield from self._read_file(file, self.path.suffix.lower())
            finally:
                if before is not None and not before.closed:
                    self._file = before

    def _read_file(self, file: BinaryIO, suffix: str) -> Iterator[RecordedFrame]:
        if suffix == ".log":
            yield from self._read_lines(file, candump_reader(), 1)
        elif suffix == ".csv" and is_gvret(header := file.readline(MAX_LINE_BYTES)):
            try:
                reader = gvret_reader(header)
            except ValueError as error:
                raise FrameError(f"{self.path}: SavvyCAN csv without: {error}") from error
            yield from self._read_lines(file, reader, 2)
        elif suffix in (".asc", ".trc", ".csv"):
            file.seek(0)
            yield from self._read_text(file, suffix)
        else:
            yield from self._read_binary(file, suffix)

    def _read_lines(self, file: BinaryIO, read: LineReader, first: int) -> Iterator[RecordedFrame]:
        found = False
        for number, line in enumerate(iter(partial(file.readline, MAX_LINE_BYTES), b""), first):
            try:
                frame = read(line)
            except (ValueError, LookupError) as error:
                if line.strip():
                    self._note(f"line {number}: {error}")
                    if not found and self.broken > _MAX_BROKEN_AT_START:
                        return
                continue
            found = True
            yield frame

    def _read_text(self, file: BinaryIO, suffix: str) -> Iterator[RecordedFrame]:
        """python-can's text readers end at a broken line: each one begins a new reader after it."""
        lines = HeadedLines(file, suffix)
        readers: dict[str, type[can.io.generic.MessageReader]] = {
            ".asc": can.ASCReader,
            ".trc": can.TRCReader,
            ".csv": can.CSVReader,
        }
        options = {"relative_timestamp": False} if suffix == ".asc" else {}
        found = False
        while found or self.broken <= _MAX_BROKEN_AT_START:
            try:
                reader: Any = readers[suffix](lines.rest(), **options)
                for message in reader:
                    found = True
                    yield _frame(message, suffix)
            except _READER_ERRORS as error:
                self._note(f"line {lines.number}: {error}")
            if lines.is_over:
                return

    def _read_binary(self, file: BinaryIO, suffix: str) -> Iterator[RecordedFrame]:
        if suffix == ".mf4" and find_spec("asammdf") is None:
            raise FrameError(f"{self.path}: reading .mf4 needs the extra: internetcar[mf4]")
        try:
            reader: Any = can.BLFReader(file) if suffix == ".blf" else can.MF4Reader(file)
            for message in reader:
                yield _frame(message, suffix)
            if suffix == ".blf" and reader.file_size > self.size_bytes:
                self._note(f"the file ends after {self.size_bytes} of {reader.file_size} bytes")
        except Exception as error:  # asammdf and its decompressors have errors of their own
            self._note(f"{type(error).__name__} {error}")

    def _note(self, what: str) -> None:
        self.broken += 1
        self.first_broken = self.first_broken or " ".join(what.split())[:200]


def open_recording(path: str | Path, start_ns: int | None = None) -> Recording:
    """Opens a recording; see `Recording` for arguments and errors."""
    return Recording(Path(path), start_ns)


class Player:
    """Which frames of a recording are due: pure, time is an argument.

    A silence of more than an hour is not waited for.

    Args:
        frames: a recording; iterated once per pass.
        speed: how many times real time; None: as fast as they are taken.
        is_looped: begin again at the end, the frames' time going on.
    """

    def __init__(
        self, frames: Iterable[RecordedFrame], speed: float | None = 1.0, is_looped: bool = False
    ) -> None:
        self.time = SteadyTime(frames)
        self._frames = self._endless(self.time) if is_looped else iter(self.time)
        self._speed = speed
        self._next: RecordedFrame | None = next(self._frames, None)
        self._first_ns: float = self._next[3] if self._next else 0

    def take(
        self, elapsed_s: float, sink: Callable[[str, int, bytes, int], None], limit: int = 1_000
    ) -> float | None:
        """Hands on what is due so many seconds after the start, at most `limit` frames.

        Returns seconds until the next frame is due, 0 when more wait, None when all is played.
        """
        due_ns = None if self._speed is None else elapsed_s * self._speed * 1e9 + self._first_ns
        for _ in range(limit):
            if self._next is None:
                return None
            if due_ns is not None and (ahead_ns := self._next[3] - due_ns) > 0:
                if ahead_ns <= PAUSE_NS:
                    return ahead_ns / 1e9 / (self._speed or 1.0)
                self._first_ns += ahead_ns
                due_ns += ahead_ns
            sink(*self._next)
            self._next = next(self._frames, None)
        return 0.0

    @staticmethod
    def _endless(frames: Iterable[RecordedFrame]) -> Iterator[RecordedFrame]:
        shift_ns = 0
        while True:
            count = 0
            first_ns = last_ns = 0
            for channel, can_id, payload, at_ns in frames:
                first_ns = at_ns if count == 0 else first_ns
                last_ns = max(last_ns, at_ns)
                count += 1
                yield channel, can_id, payload, at_ns + shift_ns
            if count == 0:
                return
            gap_ns = (last_ns - first_ns) // max(1, count - 1) or 1_000_000
            shift_ns += last_ns - first_ns + gap_ns


def _frame(message: can.Message, suffix: str) -> RecordedFrame:
    channel = message.channel
    if channel is None:
        channel = 0
    if isinstance(channel, int):
        channel = f"can{max(0, channel - 1) if suffix == '.trc' else channel}"
    can_id = message.arbitration_id
    if not 0 <= can_id <= (0x1FFF_FFFF if message.is_extended_id else 0x7FF):
        raise ValueError(f"id {can_id:X}")
    if len(message.data) > 64:
        raise ValueError(f"{len(message.data)} bytes in one frame")
    if not 0 <= message.timestamp < MAX_SECONDS:
        raise ValueError(f"time {message.timestamp}")
    can_id |= EXTENDED if message.is_extended_id else 0
    can_id |= REMOTE if message.is_remote_frame else 0
    can_id |= ERROR if message.is_error_frame else 0
    at_ns = round(message.timestamp * 1e6) * 1_000
    return str(channel), can_id, bytes(message.data), at_ns
