"""What the machine knows about its CAN interfaces, as plain data for `car doctor`."""

import json
import shutil
import socket
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ARPHRD_CAN = 280  # linux/if_arp.h
_IFF_UP = 0x1
_CANFD_MTU = 72


@dataclass(frozen=True)
class CanInterface:
    """One SocketCAN interface; None: the system does not say."""

    name: str
    kind: str | None
    """`can` (an adapter with a controller), `vcan`, `vxcan`, `slcan`."""
    is_up: bool
    takes_fd: bool
    """CAN FD frames fit its MTU."""
    controller_state: str | None = None
    """`ERROR-ACTIVE`, `ERROR-WARNING`, `ERROR-PASSIVE`, `BUS-OFF`, `STOPPED`."""
    bitrate: int | None = None
    data_bitrate: int | None = None
    is_listen_only: bool | None = None
    restart_ms: int | None = None
    """How long after bus-off it starts again; 0: never by itself."""
    receive_errors: int | None = None
    dropped: int | None = None

    def fix(self) -> str | None:
        """The command that brings it into the state for listening; None when it is in it."""
        if self.kind == "can" and not self.bitrate:
            return f"sudo ip link set {self.name} up type can bitrate 500000 listen-only on"
        if not self.is_up:
            return f"sudo ip link set {self.name} up"
        if self.controller_state == "BUS-OFF":
            return (
                f"sudo ip link set {self.name} down && "
                f"sudo ip link set {self.name} up type can restart-ms 100"
            )
        return None


def find_interfaces(classes: Path = Path("/sys/class/net")) -> list[CanInterface]:
    """All CAN interfaces of this machine, by name; none where the kernel has no CAN."""
    told = {link.name: link for link in _from_ip()}
    found = [told.get(link.name, link) for link in _from_sysfs(classes)]
    return sorted(found or told.values(), key=lambda link: link.name)


def has_socketcan() -> bool:
    """Whether this kernel opens CAN sockets for us."""
    try:
        socket.socket(socket.AF_CAN, socket.SOCK_RAW, socket.CAN_RAW).close()
    except OSError:
        return False
    return True


def parse_links(text: str) -> list[CanInterface]:
    """The CAN interfaces in what `ip -details -statistics -json link` prints."""
    try:
        links = json.loads(text)
    except ValueError:
        return []
    if not isinstance(links, list):
        return []
    return [
        _link(link) for link in links if isinstance(link, dict) and link.get("link_type") == "can"
    ]


def _link(link: Mapping[str, Any]) -> CanInterface:
    details = _part(link, "linkinfo")
    controller = _part(details, "info_data")
    modes = controller.get("ctrlmode", ())
    received = _part(_part(link, "stats64"), "rx")
    kind = details.get("info_kind")
    return CanInterface(
        name=str(link.get("ifname")),
        kind=kind,
        is_up="UP" in link.get("flags", ()),
        takes_fd=link.get("mtu", 0) >= _CANFD_MTU,
        controller_state=controller.get("state"),
        bitrate=_part(controller, "bittiming").get("bitrate"),
        data_bitrate=_part(controller, "data_bittiming").get("bitrate"),
        is_listen_only="LISTEN-ONLY" in modes if kind == "can" else None,
        restart_ms=controller.get("restart_ms", 0) if kind == "can" else None,
        receive_errors=received.get("errors"),
        dropped=received.get("dropped"),
    )


def _part(parent: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    part = parent.get(key)
    return part if isinstance(part, dict) else {}


def _from_ip() -> list[CanInterface]:
    command = shutil.which("ip") or shutil.which("ip", path="/usr/sbin:/sbin")
    if command is None:
        return []
    try:
        answer = subprocess.run(
            [command, "-details", "-statistics", "-json", "link"],
            capture_output=True,
            text=True,
            timeout=5,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return []
    return parse_links(answer.stdout)


def _from_sysfs(classes: Path) -> list[CanInterface]:
    found = []
    for folder in classes.glob("*"):
        if _number(folder / "type") == ARPHRD_CAN:
            is_up = bool((_number(folder / "flags") or 0) & _IFF_UP)
            takes_fd = (_number(folder / "mtu") or 0) >= _CANFD_MTU
            found.append(CanInterface(folder.name, None, is_up, takes_fd))
    return found


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text().strip(), 0)
    except (OSError, ValueError):
        return None
