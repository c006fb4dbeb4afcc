"""An ELM327 or STN adapter, on a serial line or a network socket, as a port of the gateway."""

import contextlib
import os
import re
import select
import socket
import termios
import time
from collections.abc import Callable
from functools import partial

import serial
from typing_extensions import override

from gateway.drain import BusCounters, FrameSink, State, WireTime
from gateway.elm327_talk import ElmError, ElmTalk
from gateway.ports import BusMissingError, BusRefusedError, Port
from internetcar.socketcan import EXTENDED

BAUD_RATES = (115_200, 38_400, 9_600)
"""Tried in this order where none is given; Bluetooth ignores it."""
MAX_PORT = 65_535
_CONNECT_S = 5.0
_MOST_BYTES = 65_536
_NETWORK = re.compile(r"//(?P<host>[^/:\s]+|\[[0-9a-fA-F:]+\]):(?P<port>\d{1,5})")
_DEVICE = re.compile(r"(?://)?(?P<path>/[^/]\S*)")


class Elm327Port(Port):
    """A chip that was opened and told how to talk.

    Opening takes seconds, so it belongs into a thread of its own.

    Args:
        channel: `///dev/rfcomm0` or `//host:port`, as it stands after `elm327:`.
        transmits: Whether the bus may be sent to. Without, nothing ever is.
        bitrate: Of the CAN bus; None: 500,000.
        baud_rate: Of the serial line; None: the usual ones are tried.
        now_ns: The monotonic clock.
    """

    def __init__(
        self,
        channel: str,
        wire_time: WireTime,
        *,
        transmits: bool,
        bitrate: int | None = None,
        baud_rate: int | None = None,
        now_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._channel = channel
        self._now_ns = now_ns
        self._wire_time = wire_time
        try:
            self._open(channel, transmits, bitrate or 500_000, baud_rate)
        except ElmError as error:
            raise BusRefusedError(f"elm327:{channel}: {error}") from error

    @property
    def description(self) -> str:
        """What the chip is, and whether it polls or listens."""
        return self._talk.description

    @property
    @override
    def volts(self) -> float | None:
        """Of the car's small battery, as the chip measures it; None while it is not known."""
        return self._talk.volts

    @property
    @override
    def dropped(self) -> int:
        return self._talk.lost

    @override
    def fileno(self) -> int | None:
        return self._descriptor

    @override
    def drain(self, bus: int, sink: FrameSink, counters: BusCounters) -> int:
        text = self._read()
        before = self._talk.errors, self._talk.junk
        try:
            frames = self._talk.feed(text)
            self._write(self._talk.take(self._now_ns()))
        except ElmError as error:
            raise BusMissingError(f"elm327:{self._channel}: {error}") from error
        at_ns = time.time_ns()
        for can_id, payload in frames:
            counters.bits += self._wire_time.classic[len(payload)]
            counters.bits += self._wire_time.longer_id if can_id & EXTENDED else 0.0
            sink(bus, can_id, payload, at_ns)
        counters.frames += len(frames)
        counters.error_frames += self._talk.errors - before[0]
        counters.junk += self._talk.junk - before[1]
        return len(frames)

    @override
    def send(self, can_id: int, payload: bytes, is_fd: bool) -> None:
        if is_fd:
            raise OSError("an ELM327 has no CAN FD")
        try:
            self._talk.send(can_id, payload)
            self._write(self._talk.take(self._now_ns()))
        except (ElmError, BusMissingError) as error:
            raise OSError(str(error)) from error

    @override
    def look(self) -> tuple[State, str]:
        try:
            self._write(self._talk.take(self._now_ns()))
        except ElmError as error:
            raise BusMissingError(f"elm327:{self._channel}: {error}") from error
        return "up", self._talk.description

    @override
    def close(self) -> None:
        with contextlib.suppress(OSError):
            if self._talk.is_stn:
                os.write(self._descriptor, b" ")  # let it not talk on to nobody
        with contextlib.suppress(OSError):
            self._give_back()

    def _open(self, channel: str, transmits: bool, bitrate: int, baud_rate: int | None) -> None:
        self._talk = ElmTalk(may_send=transmits, bitrate=bitrate)
        if found := _NETWORK.fullmatch(channel):
            host, port = found["host"].strip("[]"), int(found["port"])
            if not 0 < port <= MAX_PORT:
                raise ElmError(f"there is no port {port}: they are 1 to {MAX_PORT}")
            self._connect(partial(_connected, host, port))
            self._converse()
            return
        device = _DEVICE.fullmatch(channel)
        if device is None:
            raise ElmError("write elm327:///dev/rfcomm0 or elm327://host:port")
        rates = BAUD_RATES if baud_rate is None else (baud_rate,)
        for rate in rates:
            self._connect(partial(_serial, device["path"], rate))
            self._talk = ElmTalk(may_send=transmits, bitrate=bitrate)
            try:
                self._converse()
            except ElmError:
                if rate == rates[-1] or self._talk.chip:
                    raise
            else:
                return

    def _connect(self, connect: Callable[[], serial.Serial | socket.socket]) -> None:
        try:
            line = connect()
        except (OSError, ValueError) as error:
            reason = f"elm327:{self._channel}: {error}"
            if isinstance(error, PermissionError) or "ermission" in str(error):
                raise BusRefusedError(f"{reason}: add yourself to its group, dialout") from error
            raise BusMissingError(reason) from error
        self._descriptor = line.fileno()
        self._give_back = line.close

    def _converse(self) -> None:
        """Take the chip through its opening."""
        talk = self._talk
        try:
            while not talk.is_ready:
                self._write(talk.take(self._now_ns()))
                if select.select([self._descriptor], [], [], 0.1)[0]:
                    talk.feed(self._read())
            self._write(talk.take(self._now_ns()))
        except (ElmError, BusMissingError):
            self._give_back()
            raise

    def _read(self) -> bytes:
        try:
            text = os.read(self._descriptor, _MOST_BYTES)
        except BlockingIOError:
            return b""
        except OSError as error:
            raise BusMissingError(f"elm327:{self._channel}: {error.strerror}") from error
        if not text:
            raise BusMissingError(f"elm327:{self._channel}: the adapter is gone")
        return text

    def _write(self, text: bytes) -> None:
        if not text:
            return
        try:
            written = os.write(self._descriptor, text)
        except OSError as error:
            raise BusMissingError(f"elm327:{self._channel}: {error.strerror}") from error
        if written != len(text):
            raise BusMissingError(f"elm327:{self._channel}: the line is full")


def _serial(path: str, baud_rate: int) -> serial.Serial:
    line = serial.Serial(path, baud_rate, timeout=0, exclusive=True)
    try:
        line.reset_input_buffer()
        os.set_blocking(line.fileno(), False)
    except (OSError, termios.error) as error:  # unplugged in this moment
        line.close()
        raise OSError(str(error)) from error
    return line


def _connected(host: str, port: int) -> socket.socket:
    line = socket.create_connection((host, port), _CONNECT_S)
    line.setblocking(False)
    return line
