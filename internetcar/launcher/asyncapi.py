"""`car asyncapi`: the document of every topic."""

from importlib.metadata import version

import orjson
import typer

from internetcar.contract.asyncapi import document

app = typer.Typer()


@app.command()
def asyncapi() -> None:
    """Print the AsyncAPI 3 document of every topic, as JSON."""
    typer.echo(orjson.dumps(document(version("internetcar")), option=orjson.OPT_INDENT_2))
