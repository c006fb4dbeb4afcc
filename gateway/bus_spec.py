"""A bus as its user names it: `can0`, `slcan:/dev/ttyACM0`, `elm327:///dev/rfcomm0`."""

import importlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from internetcar.contract.message import InputError

RAW = ("socketcan", "loopback")
"""Interfaces read without python-can."""
ELM327 = "elm327"
"""A chip that talks text: it answers requests, and with ST commands it also listens."""
_SPEC = re.compile(r"(?:(?P<name>[^=:]+)=)?(?:(?P<interface>[a-z0-9_]+):)?(?P<channel>.+)")
NAME = r"[A-Za-z0-9_.-]{1,32}"
"""What a bus may be named."""
_LONGEST_NAME = 32
_INTERFACE = re.compile(r"[!-.0-9;<>-~]{1,15}")  # the kernel's dev_valid_name, without '='


class FrameError(InputError):
    """A bus or a recording that cannot be used as it was given."""


@dataclass(frozen=True)
class BusSpec:
    """One bus as the user names it."""

    name: str
    interface: str = "socketcan"
    channel: str = ""
    bitrate: int | None = None
    """Bits a second; None: as the interface is set."""
    data_bitrate: int | None = None
    """Of CAN FD; None: four times the other, where it has to be known."""
    fd: bool = False
    transmit: bool = False
    listen_only: bool = True
    """Not even acknowledge, where the interface can; a bus that transmits cannot be listen-only."""
    can_ids: frozenset[int] | None = field(default=None, repr=False)
    """Let the kernel hold back all others, where it filters. None: everything is heard."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """More arguments of python-can's own, such as slcan's `tty_baudrate`."""


def parse_bus(text: str, **settings: Any) -> BusSpec:
    """Reads `can0`, `slcan:/dev/ttyACM0`, `elm327://host:port` or `name=loopback:powertrain`.

    Raises:
        FrameError: it names no bus.
    """
    found = _SPEC.fullmatch(text.strip())
    if found is None:
        raise FrameError(f"bus {text!r}: write can0, INTERFACE:CHANNEL or NAME=INTERFACE:CHANNEL")
    interface = found["interface"] or "socketcan"
    channel = found["channel"]
    name = found["name"] or _name_of(channel)
    if not re.fullmatch(NAME, name):
        raise FrameError(
            f"bus {text!r}: the name {name!r} is not 1 to {_LONGEST_NAME} of A-Z a-z 0-9 _ . -; "
            f"write can0={interface}:{channel}"
        )
    if interface not in (*RAW, ELM327) and interface not in (known := adapter().interfaces()):
        names = ", ".join((ELM327, *known))
        raise FrameError(f"bus {text!r}: no interface {interface!r}; there are {names}")
    if interface == "socketcan" and not _INTERFACE.fullmatch(channel):
        raise FrameError(f"bus {text!r}: {channel!r} is no interface's name (at most 15 letters)")
    return BusSpec(name, interface, channel, **settings)


def _name_of(channel: str) -> str:
    """The name of a bus that was given none: its channel; of a long one the end, which differs."""
    return re.sub(r"[^A-Za-z0-9_-]+", "_", channel).strip("_")[-_LONGEST_NAME:].lstrip("_-")


def elm327() -> ModuleType:
    """The way through an ELM327, imported when a bus needs it: it brings pyserial along."""
    return importlib.import_module("gateway.elm327")


def adapter() -> ModuleType:
    """The way through python-can, imported when a bus needs it.

    Where the extra `mf4` is installed python-can brings pandas along: 50 MB that a raw bus does
    not need.
    """
    return importlib.import_module("gateway.adapter")
