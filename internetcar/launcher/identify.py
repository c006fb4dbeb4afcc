"""`car identify`: which known database explains a bus or a recording."""

import os
import shlex
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import track

from gateway.bus_spec import BusSpec, parse_bus
from gateway.databases import Database, DatabaseError, load_database, opendbc_names
from gateway.frames import Buses
from gateway.identify import Match, bus_of_line, fitting_lines, rank, unexplained
from gateway.recordings import SUFFIXES, open_recording
from gateway.traffic import Traffic
from gateway.vehicles import Vehicle, load_vehicle, vehicle_names
from internetcar.contract.message import InputError
from internetcar.launcher.broker import BrokerError, find_broker
from internetcar.launcher.dbc import print_broken, traffic_of
from internetcar.launcher.tables import percent, print_table, printable

app = typer.Typer()

WORTH_TRYING = 0.5
"""A database that knows less of the frames explains them by chance."""
FEW_IDS = 10
TURN_S = 0.1


@dataclass(frozen=True, slots=True)
class Found:
    """What was heard on one channel of a recording, or on one bus, and what explains it."""

    source: str
    channel: str
    traffic: Traffic
    matches: Sequence[Match]
    spec: BusSpec | None = None
    """The bus, where it is none of a recording."""

    @property
    def best(self) -> str | None:
        """The database to use, if there is one worth it."""
        if self.matches and self.matches[0].known >= WORTH_TRYING:
            return self.matches[0].name
        return None


@app.command()
def identify(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="BUS|LOG...", help="can0, slcan:/dev/ttyACM0, or a .log .asc .blf … recording."
        ),
    ],
    dbc: Annotated[
        list[str],
        typer.Option("--dbc", metavar="FILE", help="A further database to try; again for more."),
    ] = [],  # noqa: B006 # typer reads it, nobody changes it
    seconds: Annotated[
        float, typer.Option(help="How long to listen to a bus.", min=0.1, max=3600)
    ] = 5.0,
    top: Annotated[int, typer.Option(help="How many databases to show.", min=1)] = 5,
) -> None:
    """Find out which database explains a bus or a recording, and print the next command.

    Tries every database of opendbc (where installed), those of this project's vehicle lines, and
    each --dbc. They are ranked by the share of frames they know, lengths that agree, and counters
    that count. It only listens.
    """
    logs = [source for source in sources if Path(source).suffix.lower() in SUFFIXES]
    specs = [parse_bus(source) for source in sources if source not in logs]
    heard = [*_recorded(logs), *_listen(specs, seconds)]
    databases = _databases(dbc)
    found = [
        Found(source, channel, traffic, rank(traffic, databases), spec)
        for source, channel, traffic, spec in heard
    ]
    lines = {name: load_vehicle(name) for name in vehicle_names()}
    for one in found:
        _print_found(one, top)
    _print_next(found, lines)
    if not any(one.best for one in found):
        raise typer.Exit(1)


Heard = tuple[str, str, Traffic, BusSpec | None]


def _recorded(logs: Iterable[str]) -> list[Heard]:
    heard: list[Heard] = []
    for log in logs:
        recording = open_recording(log)
        heard += [(log, name, traffic, None) for name, traffic in traffic_of(recording).items()]
        print_broken(recording)
    return heard


def _listen(specs: Sequence[BusSpec], seconds: float) -> list[Heard]:
    if not specs:
        return []
    traffic = [Traffic() for _ in specs]
    buses = Buses(specs)
    typer.echo(f"listening for {seconds:g} s …", err=True)
    end_s = time.monotonic() + seconds
    try:
        while time.monotonic() < end_s:
            buses.wait(TURN_S)
            buses.drain(lambda bus, can_id, payload, _: traffic[bus].add(can_id, payload))
        for bus, spec in enumerate(specs):
            if reason := buses.counters(bus).reason:
                typer.echo(f"{spec.name}: {reason}", err=True)
    finally:
        buses.close()
    return [(spec.name, spec.name, traffic[bus], spec) for bus, spec in enumerate(specs)]


def _databases(files: Iterable[str]) -> list[Database]:
    """What the user gives, then all that is known; one that cannot be used is left out."""
    databases = [load_database(file) for file in files]
    try:
        names = [f"opendbc:{name}" for name in opendbc_names()]
    except DatabaseError as error:
        typer.echo(f"note: {error}; it knows many makes", err=True)
        names = []
    for line in vehicle_names():
        for bus in load_vehicle(line).buses.values():
            names += [source for source in bus.databases if not source.startswith("opendbc:")]
    console = Console(stderr=True)
    for name in track(
        names, "reading databases", console=console, transient=True, disable=not sys.stderr.isatty()
    ):
        try:
            databases.append(load_database(name))
        except DatabaseError as error:
            typer.echo(f"note: {error}", err=True)
    return databases


def _print_found(one: Found, top: int) -> None:
    where = one.channel if one.spec else f"{one.channel} of {one.source}"
    ids = len(one.traffic.ids)
    typer.echo(f"{printable(where)}: {one.traffic.frames} frames, {ids} identifiers")
    if not one.traffic.frames:
        typer.echo("  nothing heard: is the ignition on, and the bit rate right? `car doctor`\n")
        return
    if not one.matches:
        typer.echo("  no known database has any of these identifiers\n")
        return
    columns = ["database", "known", "fitting", "identifiers", "counters"]
    rows = [_row(match) for match in one.matches[:top]]
    print_table(columns, rows, right="known fitting identifiers counters")
    if ids < FEW_IDS and not one.matches[0].counting:
        typer.echo("  so few identifiers that a database may fit by chance")
    typer.echo()


def _row(match: Match) -> list[str]:
    return [
        match.name,
        percent(match.known),
        percent(match.fitting),
        f"{match.ids_known} of {match.ids}",
        f"{match.counting} of {match.counters}",
    ]


def _print_next(found: Sequence[Found], lines: Mapping[str, Vehicle]) -> None:
    for source in dict.fromkeys(one.source for one in found if one.spec is None):
        of_source = [one for one in found if one.source == source and one.best]
        if of_source:
            arguments = ["car", "replay", source]
            for one in of_source:
                arguments += ["--dbc", f"{one.channel}={one.best}"]
            _print_command(arguments, of_source, lines)
    live = [one for one in found if one.spec and one.best]
    if live:
        fitting = fitting_lines([one.best or "" for one in live], lines)
        line = lines[fitting[0]] if fitting else None
        _print_command(_gateway(live, line), live, lines)
    if not any(one.best for one in found):
        typer.echo("no known database explains half of the frames; --dbc FILE tries your own")


def _gateway(live: Sequence[Found], line: Vehicle | None) -> list[str]:
    arguments = ["car", "gateway"]
    for one in live:
        assert one.spec is not None
        name = (line and bus_of_line(line, one.best or "")) or one.spec.name
        arguments += ["--bus", f"{name}={one.spec.interface}:{one.spec.channel}"]
        arguments += ["--dbc", f"{name}={one.best}"]
    return arguments


def _print_command(
    arguments: list[str], explained: Sequence[Found], lines: Mapping[str, Vehicle]
) -> None:
    chosen = [one.best or "" for one in explained]
    fitting = fitting_lines(chosen, lines)
    if not fitting:
        typer.echo("next, with the names of the database:")
    else:
        best = fitting[0]
        arguments = [*arguments, "--vehicle", best]
        typer.echo(f"next, with VSS names ({lines[best].title}{_wishes(lines[best], chosen)}):")
    if not _has_broker():
        arguments = [*arguments, "--broker", "mqtt://127.0.0.1:1883"]
    typer.echo(f"  {shlex.join(arguments)}")
    for name in fitting[1:]:
        line = lines[name]
        typer.echo(f"  or --vehicle {name} ({line.title}{_wishes(line, chosen)})")


def _wishes(line: Vehicle, chosen: Sequence[str]) -> str:
    """What more a vehicle line could explain, and with what."""
    return "".join(
        f"; it says more with {bus.bring} from {bus.project}"
        for bus in unexplained(line, chosen)
        if bus.bring
    )


def _has_broker() -> bool:
    """Whether the next command will find a broker by itself."""
    try:
        find_broker(None, os.environ)
    except BrokerError:
        return False
    except InputError:  # INTERNETCAR_BROKER is set, and the next command says what is wrong there
        return True
    return True
