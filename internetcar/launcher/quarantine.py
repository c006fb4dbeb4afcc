"""`car quarantine`: messages on which a service died, and what becomes of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from internetcar.launcher.tables import print_table
from services.database import Database, open_existing
from services.quarantine import DROPPED, WAITING, kept, release

app = typer.Typer(help="Messages on which a service died three times: look, try again, give up.")

StoreOption = Annotated[
    str, typer.Option(metavar="URL", help="The service's store: a file or postgresql://….")
]
ServiceOption = Annotated[
    str, typer.Option(help="Whose tables, where a PostgreSQL database holds several services.")
]
NumberArgument = Annotated[int, typer.Argument(help="As `list` shows it.")]


@app.command("list")
def list_(store: StoreOption, service: ServiceOption = "") -> None:
    """Show what is in quarantine and how much waits behind it."""
    with _opened(store, service) as database, database.read() as connection:
        entries = kept(connection)
    print_table(
        ("number", "topic", "bytes", "deaths", "waiting behind it"),
        (
            (
                str(each.number),
                each.topic,
                str(each.size_bytes),
                str(each.deaths),
                str(each.waiting),
            )
            for each in entries
        ),
    )


@app.command()
def retry(store: StoreOption, number: NumberArgument, service: ServiceOption = "") -> None:
    """Handle a message once more, then what waits behind it: after an update, say."""
    with _opened(store, service) as database:
        database.run(lambda connection: release(connection, number, state=WAITING))
    typer.echo(f"{number} is handled again as soon as the service runs")


@app.command()
def drop(store: StoreOption, number: NumberArgument, service: ServiceOption = "") -> None:
    """Give a message up for ever, then handle what waits behind it."""
    with _opened(store, service) as database:
        database.run(lambda connection: release(connection, number, state=DROPPED))
    typer.echo(f"{number} is given up; what waited behind it is handled")


@contextmanager
def _opened(store: str, service: str) -> Iterator[Database]:
    database = open_existing(store, service)
    try:
        yield database
    finally:
        database.close()
