"""`car service`: one of the services, in this process."""

from pathlib import Path
from typing import Annotated

import typer

from internetcar.contract.message import InputError
from services.__main__ import load, names

app = typer.Typer()


@app.command()
def service(
    name: Annotated[str, typer.Argument(help="drone, payments, recommendations, tolls or trips.")],
    config: Annotated[
        Path | None, typer.Option(help="Its settings, a TOML file; the environment stands above.")
    ] = None,
) -> None:
    """Run a service until Ctrl-C; several processes may share the work (`share`, `replica`)."""
    if name not in names():
        raise InputError(f"{name[:60]!r} is no service; there are {', '.join(names())}")
    load(name)(config)
