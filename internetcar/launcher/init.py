"""`car init`: the gateway's settings file, every key with its default."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.settings import template
from internetcar.contract.message import InputError

app = typer.Typer()


@app.command()
def init(
    path: Annotated[Path, typer.Argument(help="The file to write.")] = Path("internetcar.toml"),
    force: Annotated[bool, typer.Option(help="Replace a file that is there.")] = False,
) -> None:
    """Write a settings file with every key, what it means, and its default."""
    if path.exists() and not force:
        raise InputError(f"{path} is there already; --force replaces it")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)  # it is where a broker's password will stand
        path.write_text(template(), encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror})") from error
    typer.echo(f"wrote {path}\nnext: write your vehicle_id, broker and buses into it, then")
    typer.echo(f"      car gateway --config {path} --check")
