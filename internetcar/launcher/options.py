"""The options several subcommands share, each with one meaning everywhere."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from pydantic import TypeAdapter, ValidationError

from internetcar.contract.broker_url import BrokerUrl
from internetcar.contract.message import InputError, Name
from internetcar.contract.settings import default_state_folder
from internetcar.launcher.broker import find_broker

_FIRST_YEAR, _LAST_YEAR = 1970, 2261
"""Nanoseconds since 1970 in 64 bits end in 2262."""

BrokerOption = Annotated[
    str,
    typer.Option(
        "--broker",
        metavar="URL",
        help="mqtt://USER:PASSWORD@HOST:PORT or mqtts://…; else INTERNETCAR_BROKER, else the"
        " `car up` that runs here.",
    ),
]
StateOption = Annotated[
    str,
    typer.Option(
        "--state", metavar="DIR", help="Folder for what must last [$XDG_STATE_HOME/internetcar]."
    ),
]
FreshOption = Annotated[
    bool, typer.Option("--fresh", help="Use a temporary state folder and remove it at the end.")
]
VehicleIdOption = Annotated[
    str, typer.Option("--vehicle-id", help="Letters, digits, - and _; a pseudonym, not the VIN.")
]
DbcOption = Annotated[
    list[str],
    typer.Option(
        "--dbc",
        metavar="BUS=FILE",
        help="What explains a bus: can0=FILE or can0=opendbc:NAME; may be given again.",
    ),
]


def broker_of(option: str) -> BrokerUrl:
    """The broker of a command: its option, the environment, or the running `up`."""
    return find_broker(option or None, os.environ)


def vehicle_id_of(text: str) -> str:
    """A vehicle id that may stand in a topic.

    Raises:
        InputError: It may not.
    """
    try:
        return TypeAdapter(Name).validate_python(text)
    except ValidationError as error:
        raise InputError(f"--vehicle-id {text!r}: 1 to 36 letters, digits, - and _") from error


@contextmanager
def state_folder(state: str, *, is_fresh: bool) -> Iterator[Path]:
    """The folder for what must last; a fresh one is removed at the end."""
    if not is_fresh:
        yield Path(state) if state else default_state_folder(os.environ)
        return
    if state:
        raise InputError("--state and --fresh exclude each other")
    folder = Path(tempfile.mkdtemp(prefix="internetcar-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def by_bus(assignments: list[str]) -> dict[str, list[str]]:
    """`can0=FILE` as file names by bus; without a bus they hold for every bus (key empty).

    Raises:
        InputError: An empty name on either side.
    """
    found: dict[str, list[str]] = {}
    for assignment in assignments:
        bus, equals, source = assignment.partition("=")
        if not equals:
            bus, source = "", assignment
        if not source or (equals and not bus):
            raise InputError(f"--dbc {assignment}: write BUS=FILE or BUS=opendbc:NAME")
        found.setdefault(bus, []).append(source)
    return found


def instant_ns(text: str) -> int:
    """An RFC 3339 instant as UTC nanoseconds since 1970.

    Raises:
        InputError: It is none, or has no time zone.
    """
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise InputError(f"{text}: write an instant like 2026-05-01T08:00:00Z") from error
    if instant.tzinfo is None:
        raise InputError(f"{text}: add the time zone, as in 2026-05-01T08:00:00Z")
    if not _FIRST_YEAR <= instant.year <= _LAST_YEAR:
        raise InputError(f"{text}: only years from {_FIRST_YEAR} to {_LAST_YEAR}")
    return max(0, int(instant.timestamp() * 1000)) * 1_000_000
