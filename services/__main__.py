"""`python -m services NAME [CONFIG.toml]`: one service in this process."""

import argparse
import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path

from internetcar.contract.importing import import_quickly
from internetcar.contract.message import InputError


def names() -> list[str]:
    """The services there are: the folders with a `service.py`."""
    return sorted(path.parent.name for path in Path(__file__).parent.glob("*/service.py"))


def load(name: str) -> Callable[[Path | None], None]:
    """What runs a service with the settings of a file until SIGTERM."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # its threads spin on matrices this small
    entry: Callable[[Path | None], None] = import_quickly(f"services.{name}.service").main
    return entry


def main() -> None:
    """Run the service that is named until SIGTERM; wrong input ends it with one line."""
    parser = argparse.ArgumentParser("services", description="A service on the broker.")
    parser.add_argument("name", choices=names())
    parser.add_argument("settings", type=Path, nargs="?", help="its settings, a TOML file")
    arguments = parser.parse_args()
    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    for room in ("services", "internetcar"):
        logging.getLogger(room).setLevel(logging.INFO)
    try:
        load(arguments.name)(arguments.settings)
    except InputError as error:
        sys.exit(f"{arguments.name}: {' '.join(str(error).split())}")


if __name__ == "__main__":
    main()
