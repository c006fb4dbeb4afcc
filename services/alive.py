"""`python -m services.alive NAME [CONFIG.toml]`: does a service serve? A container's health check.

A service that turns and is connected touches a file in its state folder; here it is looked at.
"""

import argparse
import sys
import time
from pathlib import Path

from pydantic_settings import SettingsConfigDict

from internetcar.contract.message import InputError
from services.settings import ServiceSettings, load_settings, replica_folder, service_config

FILE_NAME = "alive"
OFTEN_S = 5.0
OLD_S = 30.0


class Heartbeat:
    """Touches the file, not too often.

    Args:
        folder: The replica's own.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE_NAME
        self._next_s = 0.0

    def beat(self, now_s: float) -> None:
        """Say that the service serves; `now_s` is the monotonic clock."""
        if now_s >= self._next_s:
            self._next_s = now_s + OFTEN_S
            self._path.touch(mode=0o600)


def trouble(folder: Path, now_s: float) -> str | None:
    """What is wrong with the service of this folder; `None` when it serves.

    Args:
        folder: The replica's own.
        now_s: Seconds since 1970, the clock of files.
    """
    try:
        age_s = now_s - (folder / FILE_NAME).stat().st_mtime
    except FileNotFoundError:
        return f"{folder}: it has never been connected to its broker"
    except OSError as error:
        return f"{folder}: {error.strerror}"
    if abs(age_s) > OLD_S:
        return f"not connected for {age_s:.0f} s"
    return None


def _place_class(name: str) -> type[ServiceSettings]:
    """The settings every service has; what else stands in the file is the service's affair."""

    class Place(ServiceSettings):
        model_config = SettingsConfigDict(**{**service_config(name), "extra": "ignore"})

    return Place


def main() -> None:
    """The entry point: exit code 0 when the service serves, 1 when not, with one line why."""
    parser = argparse.ArgumentParser("services.alive", description="Does the service serve?")
    parser.add_argument("name")
    parser.add_argument("settings", type=Path, nargs="?", help="its settings, a TOML file")
    given = parser.parse_args()
    try:
        settings = load_settings(_place_class(given.name), given.settings)
        problem = trouble(replica_folder(settings, given.name), time.time())
    except InputError as error:
        problem = str(error)
    if problem:
        sys.exit(f"alive: {given.name}: {problem}")


if __name__ == "__main__":
    main()
