"""`car audit`: what was asked of a vehicle, by whom, and what became of it."""

import json
import os
from pathlib import Path
from typing import Annotated

import typer

from gateway.audit import read_audit
from internetcar.contract.message import InputError
from internetcar.launcher.options import StateOption, VehicleIdOption, vehicle_id_of
from internetcar.launcher.run_file import lasting_folder
from internetcar.launcher.tables import print_table

app = typer.Typer()


@app.command()
def audit(
    vehicle_id: VehicleIdOption = "",
    state: StateOption = "",
    last: Annotated[int, typer.Option(min=1, help="So many of the newest states.")] = 50,
) -> None:
    """Print the newest states of commands, as this machine's gateway wrote them down.

    Each is on disk before the gateway acts on it, and is never changed.
    """
    folder = lasting_folder(state, os.environ)
    entries = read_audit(_file(folder, vehicle_id), last)
    columns = ("at", "requester", "id", "path", "value", "state", "why")
    print_table(
        columns,
        (
            (
                f"{entry.at:%Y-%m-%d %H:%M:%S.%f}"[:-3],
                entry.requester,
                entry.id,
                entry.path,
                json.dumps(entry.value),
                entry.state,
                ": ".join(part for part in (entry.reason, entry.detail) if part),
            )
            for entry in entries
        ),
    )


def _file(folder: Path, vehicle_id: str) -> Path:
    """The audit of the named vehicle, or of the only one.

    Raises:
        InputError: There is none, or there are several.
    """
    if vehicle_id:
        path = folder / vehicle_id_of(vehicle_id) / "commands.db"
        if not path.is_file():
            raise InputError(f"{path}: no such file; --state DIR is the gateway's state folder")
        return path
    found = sorted(folder.glob("*/commands.db"))
    if len(found) != 1:
        names = ", ".join(path.parent.name for path in found) or "none"
        raise InputError(f"--vehicle-id: which one? {folder} has {names}")
    return found[0]
