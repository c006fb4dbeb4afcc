"""`python -m services.drone.record.replay FILE`: decides a recorded flight anew."""

import sys
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


def main() -> None:
    """The entry point: exit code 1 where anything is decided otherwise."""
    if len(sys.argv) != 2:
        sys.exit("usage: python -m services.drone.record.replay FILE")
    try:
        differences = replay_file(Path(sys.argv[1]))
    except InputError as error:
        sys.exit(f"replay: {error}")
    sys.stdout.write("".join(f"{each}\n" for each in differences) or "the same decisions\n")
    sys.exit(1 if differences else 0)


if __name__ == "__main__":
    main()
