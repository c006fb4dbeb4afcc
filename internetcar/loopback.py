"""python-can's interface `loopback`: a CAN bus without a kernel, inside this machine and user."""

import os
import select
import socket
import time
from pathlib import Path

import can
from can.typechecking import CanFilters, Channel

from internetcar.channel import LoopbackSocket, source_key
from internetcar.socketcan import (
    BIT_RATE_SWITCH,
    CLASSIC,
    ERROR,
    ERROR_STATE,
    EXTENDED,
    FD,
    REMOTE,
    TIMESTAMP,
    dropped_frames,
    pack,
)


class LoopbackBus(can.BusABC):
    """python-can's view of a loopback channel; arguments as any other python-can bus."""

    def __init__(
        self,
        channel: Channel = "default",
        can_filters: CanFilters | None = None,
        *,
        receive_own_messages: bool = False,
        folder: str | os.PathLike[str] | None = None,
        **_: object,
    ) -> None:
        try:
            self._endpoint = LoopbackSocket(str(channel), Path(folder) if folder else None)
        except OSError as error:
            raise can.CanInitializationError(str(error)) from error
        self._echo: list[can.Message] | None = [] if receive_own_messages else None
        self._junk = 0
        self.channel_info = f"loopback channel {channel}"
        super().__init__(channel, can_filters)
        self._can_protocol = can.CanProtocol.CAN_FD

    @property
    def junk(self) -> int:
        """Datagrams that no participant sent, or that were no frame."""
        return self._junk

    @property
    def dropped(self) -> int:
        """Frames that came while our receive buffer was full."""
        return dropped_frames(self._endpoint.socket)

    def fileno(self) -> int:
        """The socket's file descriptor, readable when a frame waits."""
        return self._endpoint.socket.fileno()

    def send(self, msg: can.Message, timeout: float | None = None) -> None:
        """Sends to every other participant; never waits."""
        can_id = msg.arbitration_id
        can_id |= EXTENDED if msg.is_extended_id else 0
        can_id |= REMOTE if msg.is_remote_frame else 0
        can_id |= ERROR if msg.is_error_frame else 0
        flags = BIT_RATE_SWITCH if msg.bitrate_switch else 0
        flags |= ERROR_STATE if msg.error_state_indicator else 0
        payload = bytes(min(msg.dlc, 8)) if msg.is_remote_frame else bytes(msg.data)
        self._endpoint.send(pack(can_id, payload, msg.is_fd, flags))
        if self._echo is not None:
            self._echo.append(msg)

    def _recv_internal(self, timeout: float | None) -> tuple[can.Message | None, bool]:
        if self._echo:
            return self._echo.pop(0), False
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            left = None if deadline is None else max(0.0, deadline - time.monotonic())
            if not select.select([self.fileno()], [], [], left)[0]:
                return None, False
            if (message := self._receive()) is not None:
                return message, False

    def _receive(self) -> can.Message | None:
        room = socket.CMSG_SPACE(TIMESTAMP.size)
        try:
            record, ancillary, _, source = self._endpoint.socket.recvmsg(FD.size + 1, room)
        except BlockingIOError:
            return None
        registry = self._endpoint.registry
        key = source_key(source[1], source[0])
        if key not in registry.known:
            registry.look()
        layout = {CLASSIC.size: CLASSIC, FD.size: FD}.get(len(record))
        if key not in registry.known or layout is None:
            self._junk += 1
            return None
        can_id, length, flags, payload = layout.unpack(record)
        if length > len(payload):
            self._junk += 1
            return None
        seconds, nanoseconds = TIMESTAMP.unpack(ancillary[0][2])
        is_remote = bool(can_id & REMOTE)
        return can.Message(
            timestamp=seconds + nanoseconds / 1e9,
            arbitration_id=can_id & 0x1FFF_FFFF,
            is_extended_id=bool(can_id & EXTENDED),
            is_remote_frame=is_remote,
            is_error_frame=bool(can_id & ERROR),
            channel=self.channel_info.rpartition(" ")[2],
            dlc=length,
            data=None if is_remote else payload[:length],
            is_fd=layout is FD,
            bitrate_switch=bool(layout is FD and flags & BIT_RATE_SWITCH),
            error_state_indicator=bool(layout is FD and flags & ERROR_STATE),
        )

    def shutdown(self) -> None:
        """Leaves the channel."""
        super().shutdown()
        self._endpoint.close()
