"""A virtual CAN bus that never leaves this machine: the kernel's vcan, else our loopback."""

import contextlib
import logging
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from internetcar.channel import run_folder

log = logging.getLogger(__name__)

_CANFD_MTU = "72"
_TIMEOUT_S = 5.0


@contextmanager
def virtual_buses(names: Sequence[str], number: int) -> Iterator[dict[str, str]]:
    """One virtual bus for each name, as `interface:channel`; taken away at the end.

    Args:
        names: What the buses are called.
        number: Keeps several users of this apart, such as a process id.
    """
    interfaces = [f"vcan{number % 1_000_000}{index}" for index in range(len(names))]
    made: list[str] = []
    try:
        for interface in interfaces:
            if not _make(interface):
                break
            made.append(interface)
        if len(made) == len(names):
            yield {name: f"socketcan:{made[index]}" for index, name in enumerate(names)}
        else:
            log.info("no vcan in this kernel, or no right to make one: using loopback buses")
            yield {name: f"loopback:up-{number}-{name}" for name in names}
            _remove_if_empty(run_folder())
    finally:
        for interface in made:
            _ip("link", "delete", "dev", interface)


def _remove_if_empty(folder: Path) -> None:
    with contextlib.suppress(OSError):
        folder.rmdir()
        folder.parent.rmdir()


def _make(interface: str) -> bool:
    return (
        _ip("link", "add", "dev", interface, "type", "vcan")
        and _ip("link", "set", "dev", interface, "mtu", _CANFD_MTU)
        and _ip("link", "set", "dev", interface, "up")
    )


def _ip(*arguments: str) -> bool:
    """Run ip(8); false where it is missing or refuses."""
    program = shutil.which("ip") or shutil.which("ip", path="/usr/sbin:/sbin")
    if program is None:
        return False
    try:
        ended = subprocess.run(
            [program, *arguments], capture_output=True, timeout=_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return ended.returncode == 0
