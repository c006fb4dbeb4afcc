"""SocketCAN as the kernel's headers have it: a frame's record, what a socket says about itself."""

import socket
import struct

EXTENDED, REMOTE, ERROR = 0x8000_0000, 0x4000_0000, 0x2000_0000
"""Bits of a canid_t: 29-bit id, remote frame, error frame."""

CLASSIC = struct.Struct("=IBBxx8s")
"""struct can_frame: canid_t, length, flags (unused), payload."""
FD = struct.Struct("=IBBxx64s")
"""struct canfd_frame: canid_t, length, flags, payload."""
BIT_RATE_SWITCH, ERROR_STATE, FD_FRAME = 0x01, 0x02, 0x04
"""canfd_frame.flags."""

CAN_RAW_ERR_FILTER = 2  # linux/can/raw.h
SO_RCVBUFFORCE, SO_TIMESTAMPNS, SO_MEMINFO = 33, 35, 55  # asm-generic/socket.h; not in `socket`
TIMESTAMP = struct.Struct("@ll")
"""struct timespec of SO_TIMESTAMPNS: seconds since 1970 and nanoseconds, UTC."""

_MEMINFO_DROPS = 8  # linux/sock_diag.h: SK_MEMINFO_DROPS
_RECEIVE_BUFFER_BYTES = 8 << 20


def pack(can_id: int, payload: bytes, is_fd: bool = False, flags: int = 0) -> bytes:
    """The record of a frame; `can_id` is a canid_t with its flag bits.

    A remote frame's payload stands for its length only.
    """
    if is_fd:
        return FD.pack(can_id, len(payload), flags | FD_FRAME, payload)
    return CLASSIC.pack(can_id, len(payload), 0, payload)


def prepare_receiver(receiver: socket.socket) -> None:
    """Never blocks, stamps each frame on arrival, and has room for a burst.

    The room goes beyond the system's limit (net.core.rmem_max) where we have the right.
    """
    receiver.setblocking(False)
    receiver.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    try:
        receiver.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, _RECEIVE_BUFFER_BYTES)
    except PermissionError:
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER_BYTES)


def dropped_frames(receiver: socket.socket) -> int:
    """Frames the kernel could not queue on this socket since it was opened (what SO_RXQ_OVFL says).

    Asked of the socket, so that the count does not have to wait for a next frame to ride on.
    """
    raw = receiver.getsockopt(socket.SOL_SOCKET, SO_MEMINFO, 4 * (_MEMINFO_DROPS + 1))
    return int(struct.unpack_from("=I", raw, 4 * _MEMINFO_DROPS)[0])
