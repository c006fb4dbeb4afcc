"""Every CAN interface python-can knows, as a port of the gateway."""

import contextlib
import time
from collections.abc import Mapping
from typing import Any

import can
from typing_extensions import override

from gateway.drain import BusCounters, FrameSink, State, WireTime
from gateway.ports import BusMissingError, BusRefusedError, Port
from internetcar.socketcan import EXTENDED, REMOTE

_MAX_PER_DRAIN = 1_000  # so that one busy adapter does not starve the other buses
_CLOCK_SPAN_S = 1.0  # a stamp further from now is of another clock, or of one that drifted
_LISTEN_ONLY: Mapping[str, Mapping[str, Any]] = {
    "slcan": {"listen_only": True},
    "vector": {"listen_only": True},
    "nixnet": {"listen_only": True},
    "kvaser": {"driver_mode": False},
    "pcan": {"state": can.BusState.PASSIVE},
    "systec": {"state": can.BusState.PASSIVE},
    "seeedstudio": {"operation_mode": "silent"},
}
_OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "slcan": {"timeout": 0},  # else each look for a frame that is not there takes a millisecond
}
_EXTRAS = {"slcan": "serial", "robotell": "serial", "gs_usb": "gs-usb"}
"""Extras of python-can that are not named as the interface is."""


def interfaces() -> list[str]:
    """The names of all interfaces a bus may have."""
    return sorted({*can.VALID_INTERFACES, "loopback"})


class AdapterPort(Port):
    """A bus opened through python-can; neither echo nor software filters.

    Args:
        settings: more of python-can's own arguments, such as `bitrate`.
    """

    def __init__(
        self,
        interface: str,
        channel: str,
        wire_time: WireTime,
        *,
        is_fd: bool,
        is_listen_only: bool,
        **settings: Any,
    ) -> None:
        settings = {**_OPTIONS.get(interface, {}), **({"fd": True} if is_fd else {}), **settings}
        settings |= _LISTEN_ONLY.get(interface, {}) if is_listen_only else {}
        self._channel = channel
        self._wire_time = wire_time
        self._offset_s = 0.0
        try:
            self._bus = can.Bus(channel=channel, interface=interface, **settings)
        except (can.CanInterfaceNotImplementedError, ImportError) as error:
            raise BusRefusedError(
                f"{interface}:{channel}: {error} (pip install "
                f"'python-can[{_EXTRAS.get(interface, interface)}]', or its maker's driver)"
            ) from error
        except (OSError, can.CanError) as error:
            if isinstance(error.__cause__ or error, PermissionError) or "ermission" in str(error):
                raise BusRefusedError(
                    f"no permission for {channel}: add yourself to its group "
                    f"(`ls -l {channel}`, usually `sudo usermod -aG dialout $USER`)"
                ) from error
            raise BusMissingError(f"{interface}:{channel}: {error}") from error
        except Exception as error:  # drivers have errors of their own
            raise BusRefusedError(f"{interface}:{channel}: {error or repr(error)}") from error
        try:
            self._descriptor: int | None = self._bus.fileno()
        except (NotImplementedError, OSError, AttributeError):
            self._descriptor = None

    @property
    @override
    def dropped(self) -> int:
        return 0

    @override
    def fileno(self) -> int | None:
        return self._descriptor if self._descriptor != -1 else None

    @override
    def drain(self, bus: int, sink: FrameSink, counters: BusCounters) -> int:
        for total in range(_MAX_PER_DRAIN):
            try:
                message = self._bus.recv(0)
                if message is None:
                    return total
                can_id = _can_id(message)
            except Exception as error:  # drivers have errors of their own
                reason = error.__cause__ or error
                if not isinstance(reason, ValueError | LookupError):
                    raise BusMissingError(f"{self._channel}: {error or repr(error)}") from error
                counters.junk += 1  # what came over a serial line was no frame
                flush = getattr(self._bus, "flush", None)
                if isinstance(reason, UnicodeError) and flush:  # slcan would read it for ever
                    flush()
            else:
                self._hand_on(message, can_id, bus, sink, counters)
        return _MAX_PER_DRAIN

    @override
    def send(self, can_id: int, payload: bytes, is_fd: bool) -> None:
        message = can.Message(
            arbitration_id=can_id & 0x1FFF_FFFF,
            is_extended_id=bool(can_id & EXTENDED),
            is_remote_frame=bool(can_id & REMOTE),
            data=None if can_id & REMOTE else payload,
            dlc=len(payload),
            is_fd=is_fd,
            bitrate_switch=is_fd,
        )
        try:
            self._bus.send(message, timeout=0)
        except Exception as error:  # drivers have errors of their own
            raise OSError(str(error)) from error

    @override
    def look(self) -> tuple[State, str]:
        return "up", ""

    @override
    def close(self) -> None:
        with contextlib.suppress(Exception):  # an unplugged one cannot say goodbye
            self._bus.shutdown()

    def _hand_on(
        self, message: can.Message, can_id: int, bus: int, sink: FrameSink, counters: BusCounters
    ) -> None:
        length = len(message.data)
        counters.bits += self._wire_time.fd[length] if message.is_fd else 0.0
        counters.bits += 0.0 if message.is_fd else self._wire_time.classic[min(length, 8)]
        if message.is_error_frame:
            counters.error_frames += 1
            return
        if message.is_remote_frame:
            counters.remote_frames += 1
            return
        if message.is_extended_id:
            counters.bits += self._wire_time.longer_id
        counters.frames += 1
        sink(bus, can_id, bytes(message.data), self._at_ns(message.timestamp))

    def _at_ns(self, stamp_s: float) -> int:
        """UTC of an adapter's stamp; one of another clock is anchored anew when it is far off."""
        now_s = time.time()
        if not stamp_s:  # python-can's way to say that there is none
            return round(now_s * 1e6) * 1_000
        if abs(stamp_s + self._offset_s - now_s) > _CLOCK_SPAN_S:
            self._offset_s = now_s - stamp_s if abs(stamp_s - now_s) > _CLOCK_SPAN_S else 0.0
        return round((stamp_s + self._offset_s) * 1e6) * 1_000


def _can_id(message: can.Message) -> int:
    """The canid_t of a frame. Raises ValueError where an adapter made up what can be none."""
    number, is_extended = message.arbitration_id, message.is_extended_id
    if len(message.data) > 64 or not 0 <= number <= (0x1FFF_FFFF if is_extended else 0x7FF):
        raise ValueError(f"no CAN frame: {message}")
    return number | EXTENDED if is_extended else number
