"""The simulator's CAN buses: any python-can interface, a physical one only on request.

The only module of the simulator that imports can.
"""

import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import can

from internetcar.contract.message import InputError
from internetcar.loopback import LoopbackBus
from simulator.encode import EXTENDED
from simulator.simulation import Frame

log = logging.getLogger(__name__)

SOFTWARE_INTERFACES = frozenset({"virtual", "loopback"})
KERNEL_SOFTWARE = re.compile(r"vx?can\d+")
VIRTUAL_DEVICES = Path("/sys/devices/virtual/net")


class BusError(InputError):
    """A bus that cannot be used, and why."""


@dataclass(frozen=True, slots=True)
class BusChoice:
    """`name` is the bus of the car; interface and channel are python-can's."""

    name: str
    interface: str
    channel: str

    @property
    def is_software(self) -> bool:
        """Whether the bus never leaves the machine: nothing there can move a real car."""
        if self.interface == "socketcan":
            exists = (VIRTUAL_DEVICES / self.channel).exists()
            return exists and KERNEL_SOFTWARE.fullmatch(self.channel) is not None
        return self.interface in SOFTWARE_INTERFACES


def parse_bus(text: str) -> BusChoice:
    """The choice written as `powertrain=loopback:powertrain`; without interface it is socketcan.

    Raises:
        BusError: It is not written so.
    """
    name, equals, place = text.partition("=")
    interface, colon, channel = place.partition(":")
    if not colon:
        interface, channel = "socketcan", place
    if not (name and equals and interface and channel):
        raise BusError(f"--bus {text}: write NAME=INTERFACE:CHANNEL, as powertrain=socketcan:vcan0")
    return BusChoice(name, interface, channel)


class Buses:
    """The buses of one car, open."""

    def __init__(
        self, choices: Sequence[BusChoice], is_fd: Mapping[str, bool], allow_physical: bool
    ):
        self._buses: dict[str, can.BusABC] = {}
        self.unsent = 0
        try:
            for choice in choices:
                self._buses[choice.name] = _open(choice, is_fd[choice.name], allow_physical)
        except BusError:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def send(self, frame: Frame) -> None:
        """Put a frame on its bus; a bus that takes nothing is counted, not waited for."""
        bus = self._buses.get(frame.bus)
        if bus is None:
            return
        message = can.Message(
            arbitration_id=frame.can_id & 0x1FFF_FFFF,
            is_extended_id=bool(frame.can_id & EXTENDED),
            is_fd=frame.is_fd,
            bitrate_switch=frame.is_fd,
            data=frame.payload,
        )
        try:
            bus.send(message)
        except (can.CanError, OSError) as error:
            self.unsent += 1
            if self.unsent == 1:
                log.warning("bus %s takes no frames: %s", frame.bus, error)

    def received(self) -> Iterator[tuple[str, int, bytes]]:
        """What others sent since the last call: bus, id as in canid_t, payload."""
        for name, bus in self._buses.items():
            while (message := _next(bus)) is not None:
                if not (message.is_error_frame or message.is_remote_frame):
                    extended = EXTENDED if message.is_extended_id else 0
                    yield name, message.arbitration_id | extended, bytes(message.data)

    def close(self) -> None:
        """Close every bus."""
        for bus in self._buses.values():
            bus.shutdown()
        self._buses.clear()


def _open(choice: BusChoice, is_fd: bool, allow_physical: bool) -> can.BusABC:
    known = {*can.VALID_INTERFACES, "loopback"}
    if choice.interface not in known:
        raise BusError(
            f"bus {choice.name}: unknown interface {choice.interface!r}; "
            f"the known ones: {', '.join(sorted(known))}"
        )
    if not (choice.is_software or allow_physical):
        raise BusError(
            f"bus {choice.name}: {choice.interface}:{choice.channel} may be a real car; "
            "a simulated one speaks there only with --transmit-on-real-bus"
        )
    try:
        if choice.interface == "loopback":  # also where the package is not installed
            return LoopbackBus(choice.channel)
        return can.Bus(interface=choice.interface, channel=choice.channel, fd=is_fd)
    except (can.CanError, OSError, ValueError, TypeError) as error:
        raise BusError(
            f"bus {choice.name}: cannot open {choice.interface}:{choice.channel}: {error}"
        ) from error


def _next(bus: can.BusABC) -> can.Message | None:
    try:
        return bus.recv(timeout=0)
    except (can.CanError, OSError):  # a bus that is gone: sending counts it
        return None
