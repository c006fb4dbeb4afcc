"""`car gateway`: the gateway on this machine's buses."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.bus_settings import ASKING_SENDS
from gateway.bus_spec import parse_bus
from gateway.process import run
from gateway.settings import GatewaySettings, load_settings, make_settings
from gateway.setup import Setup
from internetcar.contract.message import InputError
from internetcar.launcher.mapping_sources import need_sources
from internetcar.launcher.options import (
    BrokerOption,
    DbcOption,
    StateOption,
    broker_of,
    by_bus,
    state_folder,
)

app = typer.Typer()


@app.command()
def gateway(
    config: Annotated[
        Path | None, typer.Option(help="Settings file; `car init` writes one.")
    ] = None,
    bus: Annotated[
        list[str],
        typer.Option(
            help="can0, slcan:/dev/ttyACM0, elm327:///dev/rfcomm0, elm327://HOST:PORT or"
            " NAME=INTERFACE:CHANNEL; instead of --config."
        ),
    ] = [],  # noqa: B006 # typer reads it, nobody changes it
    dbc: DbcOption = [],  # noqa: B006
    bitrate: Annotated[
        int | None,
        typer.Option(
            help="bit/s of --bus, where the adapter is set up by us (slcan, pcan).", min=1
        ),
    ] = None,
    transmit: Annotated[
        bool,
        typer.Option("--transmit", help="Let it send on --bus; else it only listens."),
    ] = False,
    obd: Annotated[
        bool,
        typer.Option("--obd", help="Ask the car over OBD-II on --bus; no DBC is needed."),
    ] = False,
    j1939: Annotated[
        bool,
        typer.Option("--j1939", help="--bus is a truck's: ids by group, long messages joined."),
    ] = False,
    mapping: Annotated[str, typer.Option(help="Mapping to VSS.")] = "",
    vss: Annotated[
        str, typer.Option(metavar="FILE", help="A VSS release or private tree (JSON).")
    ] = "",
    vehicle: Annotated[str, typer.Option(help="A vehicle line of ours, or a folder.")] = "",
    vehicle_id: Annotated[str, typer.Option(help="Letters, digits, - and _.")] = "",
    broker: BrokerOption = "",
    state: StateOption = "",
    check: Annotated[
        bool, typer.Option("--check", help="Only validate the settings, DBC files and mapping.")
    ] = False,
) -> None:
    """Run the gateway on this machine's CAN buses. It only listens unless told to --transmit.

    With a settings file for production, or with --bus and --dbc to try something. A changed mapping
    is taken up without a restart.
    """
    named = {"mapping": mapping, "vss": vss, "vehicle": vehicle, "vehicle_id": vehicle_id}
    if transmit and not bus:
        raise InputError("--transmit goes with --bus; in a settings file it is `transmit` of a bus")
    of_bus: dict[str, object] = {
        "bitrate": bitrate,
        "transmit": transmit,
        "obd": obd,
        "j1939": j1939,
    }
    for option in ("obd", "j1939"):
        if of_bus[option] and len(bus) != 1:
            raise InputError(
                f"--{option} goes with one --bus; in a settings file it is `{option}` of a bus"
            )
    if obd and not transmit:
        raise InputError(f"--obd: {ASKING_SENDS}")
    settings = _settings(config, bus, dbc, of_bus, {key: v for key, v in named.items() if v})
    need_sources(settings)
    if check:
        _check(settings)
        return
    with state_folder(state or settings.state, is_fresh=False) as folder:
        run(settings, broker_of(broker or settings.broker), folder)


def _settings(
    config: Path | None,
    buses: list[str],
    dbc: list[str],
    of_bus: dict[str, object],
    named: dict[str, str],
) -> GatewaySettings:
    if of_bus["bitrate"] is not None and not buses:
        raise InputError(
            "--bitrate goes with --bus; in a settings file it is the `bitrate` of a bus"
        )
    changes: dict[str, object] = dict(named)
    if buses:
        specs = [parse_bus(text) for text in buses]
        changes["buses"] = [
            {
                "name": spec.name,
                "interface": spec.interface,
                "channel": spec.channel,
                **of_bus,
            }
            for spec in specs
        ]
    settings = load_settings(config, **changes) if config else make_settings(**changes)
    return _with_databases(settings, by_bus(dbc)) if dbc else settings


def _with_databases(settings: GatewaySettings, sources: dict[str, list[str]]) -> GatewaySettings:
    """The settings with the databases of the command line; those without a bus are for all."""
    names = [bus.name for bus in settings.buses]
    for name in sources:
        if name and name not in names:
            raise InputError(f"--dbc {name}=…: no bus {name}; the buses are {', '.join(names)}")
    buses = []
    for bus in settings.buses:
        files = sources.get("", []) + sources.get(bus.name, [])
        buses.append(bus.model_copy(update={"dbc": files}) if files else bus)
    return settings.model_copy(update={"buses": buses})


def _check(settings: GatewaySettings) -> None:
    setup = Setup(settings)
    assembly = setup.assemble()
    for name, databases in zip(setup.bus_names, setup.databases, strict=True):
        for database in databases:
            typer.echo(
                f"{name}: {database.name}: {len(database.messages)} messages,"
                f" {len(database.mends)} defects mended, {len(database.refused)} left out"
            )
    for error in assembly.errors:
        typer.echo(f"error: {error}")
    for warning in assembly.warnings:
        typer.echo(f"note: {warning}")
    sending = {bus.name for bus in settings.buses if bus.transmit}
    for requester, paths in assembly.allowed.items():
        silent = {assembly.actuators[path].message.bus_name for path in paths} - sending
        typer.echo(f"{requester} may set {len(paths)} leaves")
        for name in sorted(silent):
            typer.echo(f"note: {name} only listens, so nothing is set there: `transmit = true`")
    if not assembly.paths:
        typer.echo("error: no leaf: the databases have no signal")
    if assembly.errors or not assembly.paths:
        raise typer.Exit(1)
    typer.echo(f"ok: {len(assembly.paths)} leaves")
