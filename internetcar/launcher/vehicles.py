"""`car vehicles`: every vehicle a broker knows."""

from datetime import UTC, datetime

import typer
from rich.console import Console
from rich.table import Table

from internetcar.launcher.options import BrokerOption, broker_of
from internetcar.launcher.roll_call import Heard, roll_call
from internetcar.launcher.view import age

app = typer.Typer()


@app.command()
def vehicles(broker: BrokerOption = "") -> None:
    """List the vehicles a broker knows: online, asleep, clock, software, backlog, last seen."""
    url = broker_of(broker)
    heard = roll_call(url).vehicles
    if not heard:
        typer.echo(f"{url} knows no vehicle yet; `car up` starts a simulated one")
        return
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for column in ("vehicle", "state", "origin", "clock", "software", "backlog", "last seen"):
        table.add_column(column, no_wrap=True)
    now = datetime.now(UTC)
    for vehicle in heard:
        table.add_row(*_row(vehicle, now))
    Console().print(table)


def _row(vehicle: Heard, now: datetime) -> tuple[str, ...]:
    presence, health = vehicle.presence, vehicle.health
    state = "online" if presence.online else "offline"
    if presence.online and presence.asleep:
        state = "asleep"
    return (
        presence.vehicle_id,
        state,
        presence.origin,
        presence.clock,
        presence.software,
        f"{health.outbox_batches} batches" if health else "?",
        age(health.at, now) if health else f"since {presence.since:%Y-%m-%d %H:%M}",
    )
