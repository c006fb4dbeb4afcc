"""One opened bus of each kind: what can be read, sent and watched, behind one protocol."""

import errno
import fcntl
import socket
import struct
from collections.abc import Collection
from typing import Protocol

from typing_extensions import override

from gateway.drain import BusCounters, FrameDrain, FrameSink, State, WireTime
from internetcar.channel import LoopbackSocket
from internetcar.socketcan import (
    CAN_RAW_ERR_FILTER,
    EXTENDED,
    dropped_frames,
    pack,
    prepare_receiver,
)

_SIOCGIFFLAGS, _SIOCGIFINDEX = 0x8913, 0x8933  # linux/sockios.h
_IFF_UP, _IFF_RUNNING = 0x1, 0x40
_MAX_FILTERS = 512  # linux/can/raw.h: CAN_RAW_FILTER_MAX


class BusMissingError(Exception):
    """There is no such bus now; it may come."""


class BusRefusedError(Exception):
    """The bus cannot be opened as things are; the text says what to do."""


class Port(Protocol):
    """An opened bus."""

    @property
    def dropped(self) -> int:
        """Frames lost before they could be read."""

    @property
    def volts(self) -> float | None:
        """Of the car's small battery; None: it does not measure that, or has not yet."""
        return None

    def fileno(self) -> int | None:
        """Readable when a frame waits; None: it has to be asked."""

    def drain(self, bus: int, sink: FrameSink, counters: BusCounters) -> int:
        """Hands on what waits. Raises OSError when the bus went down, BusMissingError for good."""

    def send(self, can_id: int, payload: bytes, is_fd: bool) -> None:
        """Sends one frame. Raises OSError where it cannot."""

    def look(self) -> tuple[State, str]:
        """How the bus is now, and why it is not up; of one that is, what it is.

        Raises:
            BusMissingError: It is gone.
        """

    def close(self) -> None:
        """Gives the bus back."""


class LoopbackPort(Port):
    """A participant of a loopback channel."""

    def __init__(self, channel: str, drain: FrameDrain, wire_time: WireTime) -> None:
        try:
            self._endpoint = LoopbackSocket(channel)
        except OSError as error:
            raise BusRefusedError(str(error)) from error
        self._drain = drain
        self._wire_time = wire_time

    @property
    @override
    def dropped(self) -> int:
        return dropped_frames(self._endpoint.socket)

    @override
    def fileno(self) -> int | None:
        return self._endpoint.socket.fileno()

    @override
    def drain(self, bus: int, sink: FrameSink, counters: BusCounters) -> int:
        descriptor = self._endpoint.socket.fileno()
        senders = self._endpoint.registry
        return self._drain.drain(descriptor, bus, sink, counters, self._wire_time, senders)

    @override
    def send(self, can_id: int, payload: bytes, is_fd: bool) -> None:
        self._endpoint.send(pack(can_id, payload, is_fd))

    @override
    def look(self) -> tuple[State, str]:
        return "up", ""

    @override
    def close(self) -> None:
        self._endpoint.close()


class SocketCanPort(Port):
    """A raw AF_CAN socket on one interface: CAN FD and error frames too, own frames not heard.

    Args:
        interface: `can0`.
        can_ids: with a flag for 29 bits; what else comes is held back by the kernel. None: all.
    """

    def __init__(
        self,
        interface: str,
        drain: FrameDrain,
        wire_time: WireTime,
        can_ids: Collection[int] | None = None,
    ) -> None:
        self._interface = interface
        self._drain = drain
        self._wire_time = wire_time
        try:
            self._socket = socket.socket(socket.AF_CAN, socket.SOCK_RAW, socket.CAN_RAW)
        except OSError as error:
            raise BusRefusedError(_no_socket(error)) from error
        try:
            prepare_receiver(self._socket)
            self._socket.setsockopt(socket.SOL_CAN_RAW, socket.CAN_RAW_FD_FRAMES, 1)
            every_error = 0x1FFF_FFFF  # linux/can/error.h: CAN_ERR_MASK
            self._socket.setsockopt(socket.SOL_CAN_RAW, CAN_RAW_ERR_FILTER, every_error)
            if can_ids is not None and len(can_ids) <= _MAX_FILTERS:
                self._socket.setsockopt(
                    socket.SOL_CAN_RAW, socket.CAN_RAW_FILTER, _kernel_filter(can_ids)
                )
            self._index = self._request(_SIOCGIFINDEX)
            self._socket.bind((interface,))
        except OSError as error:
            self._socket.close()
            if error.errno == errno.ENODEV:
                raise BusMissingError(_no_interface(interface)) from error
            raise BusRefusedError(f"{interface}: {error.strerror}") from error
        except BusMissingError:
            self._socket.close()
            raise

    @property
    @override
    def dropped(self) -> int:
        return dropped_frames(self._socket)

    @override
    def fileno(self) -> int | None:
        return self._socket.fileno()

    @override
    def drain(self, bus: int, sink: FrameSink, counters: BusCounters) -> int:
        return self._drain.drain(self._socket.fileno(), bus, sink, counters, self._wire_time)

    @override
    def send(self, can_id: int, payload: bytes, is_fd: bool) -> None:
        self._socket.send(pack(can_id, payload, is_fd))

    @override
    def look(self) -> tuple[State, str]:
        if self._request(_SIOCGIFINDEX) != self._index:
            raise BusMissingError(f"{self._interface} was deleted and made again")
        flags = self._request(_SIOCGIFFLAGS)
        if not flags & _IFF_UP:
            return "down", f"{self._interface} is down: sudo ip link set {self._interface} up"
        if not flags & _IFF_RUNNING:
            return (
                "down",
                f"{self._interface} has no carrier (bus-off, or the adapter is unplugged)",
            )
        return "up", ""

    @override
    def close(self) -> None:
        self._socket.close()

    def _request(self, request: int) -> int:
        """An interface's index or flags by its name (netdevice(7))."""
        name = self._interface.encode()
        try:
            answer = fcntl.ioctl(self._socket, request, struct.pack("16s16x8x", name))
        except OSError as error:
            raise BusMissingError(_no_interface(self._interface)) from error
        layout = "@16si" if request == _SIOCGIFINDEX else "@16sH"
        return int(struct.unpack_from(layout, answer)[1])


def _kernel_filter(can_ids: Collection[int]) -> bytes:
    """CAN_RAW_FILTER's array: each id with a mask that keeps 11 and 29 bits apart."""
    return b"".join(
        struct.pack("=II", can_id, EXTENDED | (0x1FFF_FFFF if can_id & EXTENDED else 0x7FF))
        for can_id in can_ids
    )


def _no_interface(interface: str) -> str:
    return (
        f"there is no interface {interface}: plug the adapter in, or for a virtual bus "
        f"`sudo ip link add {interface} type vcan && sudo ip link set {interface} up`"
    )


def _no_socket(error: OSError) -> str:
    if error.errno == errno.EAFNOSUPPORT:
        return (
            "this kernel has no SocketCAN: `sudo modprobe can_raw`, or use the bus `loopback:NAME`"
        )
    if error.errno in (errno.EPERM, errno.EACCES):
        return (
            "no permission for CAN sockets: allow AF_CAN in the service or container that runs us"
        )
    return f"no CAN socket: {error.strerror}"
