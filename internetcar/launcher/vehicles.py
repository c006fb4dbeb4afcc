"""`car vehicles`: every vehicle a broker knows."""

from datetime import UTC, datetime

import typer

from internetcar.launcher.options import BrokerOption, broker_of
from internetcar.launcher.roll_call import Heard, roll_call
from internetcar.launcher.tables import print_table
from internetcar.launcher.view import age, batches

app = typer.Typer()


@app.command()
def vehicles(broker: BrokerOption = "") -> None:
    """List the vehicles a broker knows: online, asleep, clock, software, backlog, last seen."""
    url = broker_of(broker)
    heard = roll_call(url).vehicles
    if not heard:
        typer.echo(f"{url} knows no vehicle yet; `car up` starts a simulated one")
        return
    now = datetime.now(UTC)
    columns = ("vehicle", "state", "origin", "clock", "software", "backlog", "last seen")
    print_table(columns, (_row(vehicle, now) for vehicle in heard))


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
        batches(health.outbox_batches) if health else "?",
        age(health.at, now) if health else f"since {presence.since:%Y-%m-%d %H:%M}",
    )
