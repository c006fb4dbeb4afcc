"""Decides a recorded flight anew, as `car drone replay FILE` shows it."""

from pathlib import Path
from typing import Any

import orjson

from internetcar.contract.message import InputError
from internetcar.contract.settings import layered
from services.drone.assembly import make_pilot
from services.drone.record import journal
from services.drone.record.journal import JournalError
from services.drone.settings import DroneSettings


def replay_file(path: Path) -> list[str]:
    """What is decided otherwise than it was, in words.

    Raises:
        InputError: The file cannot be read, or is no recording; one line that names it.
    """
    try:
        head, *lines = path.read_bytes().splitlines()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise InputError(f"{path}: it is empty") from error
    try:
        settings, memory = _read_head(head)
        return journal.replay(lines, make_pilot(settings, memory))
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def _read_head(head: bytes) -> tuple[DroneSettings, str | None]:
    try:
        body: dict[str, Any] = orjson.loads(head)
        named, memory = dict(body["settings"]), body["memory"]
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        raise JournalError("its first line is not that of a recording") from error
    if not isinstance(memory, str | None):
        raise JournalError("its first line does not say what the pilot remembered")
    return layered(DroneSettings, {}, named), memory
