"""`car explain`: one leaf from its frame to what is published, or why not."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from gateway.explain import Heard, NoSuchLeafError, Step, Trace, explain_heard, unsaid
from gateway.pacing import Pace
from gateway.recordings import open_recording
from gateway.settings import GatewaySettings, load_settings, make_settings
from gateway.setup import Setup, read_mapping
from gateway.vehicles import load_vehicle
from internetcar.contract.broker_url import BrokerUrl
from internetcar.contract.link import Link
from internetcar.contract.message import InputError
from internetcar.contract.presence import Health, Presence
from internetcar.contract.signals import Catalog, Signal
from internetcar.launcher.dbc import print_broken
from internetcar.launcher.options import BrokerOption, DbcOption, broker_of, by_bus
from internetcar.launcher.roll_call import CONNECT_S, LISTEN_S, one_vehicle
from internetcar.launcher.tables import print_table

app = typer.Typer()


@app.command()
def explain(
    path: Annotated[
        str,
        typer.Argument(
            metavar="PATH", help="Vehicle.Speed, or Message.Signal where there is no mapping."
        ),
    ],
    log: Annotated[
        Path | None,
        typer.Option("--log", metavar="LOG", help="Follow it through a recording, offline."),
    ] = None,
    config: Annotated[
        Path | None, typer.Option(help="The gateway's settings: its buses, databases and mapping.")
    ] = None,
    dbc: DbcOption = [],  # noqa: B006 # typer reads it, nobody changes it
    mapping: Annotated[str, typer.Option(help="Mapping to VSS.")] = "",
    vehicle: Annotated[str, typer.Option(help="A vehicle line of ours, or a folder.")] = "",
    vehicle_id: Annotated[
        str, typer.Option(help="Which running gateway; needed where the broker knows several.")
    ] = "",
    broker: BrokerOption = "",
) -> None:
    """Say where one signal comes from and what becomes of it, or why nothing does.

    Its frame, the signal in the frame, the leaf its mapping makes of it, and what was published.
    With --log a recording is followed without a broker; else a running gateway is asked. Ends
    with 1 where the signal is not published.
    """
    settings = _settings(config, dbc, mapping, vehicle, log)
    if log is not None:
        if settings is None:
            raise InputError(f"no --dbc: `car identify {log}` says which explains this recording")
        steps, is_published = _replayed(path, log, settings)
    else:
        if config is not None and settings is not None:
            vehicle_id = vehicle_id or settings.vehicle_id
        url = broker_of(broker or (settings.broker if settings else ""))
        steps, is_published = _heard(path, settings, one_vehicle(url, vehicle_id), url)
    typer.echo(path)
    print_table(["", ""], steps)
    if not is_published:
        raise typer.Exit(1)


def _settings(
    config: Path | None, dbc: list[str], mapping: str, vehicle: str, log: Path | None
) -> GatewaySettings | None:
    """The databases and mapping to use; `None` where the user names none."""
    changes: dict[str, object] = {}
    sources = by_bus(dbc)
    if "" in sources:
        raise InputError(f"--dbc {sources[''][0]}: say of which bus, as in can0={sources[''][0]}")
    if sources:
        changes["buses"] = [{"name": name, "dbc": files} for name, files in sources.items()]
    elif vehicle and log is not None:
        changes["buses"] = [{"name": name} for name in load_vehicle(vehicle).buses]
    changes.update({k: v for k, v in (("mapping", mapping), ("vehicle", vehicle)) if v})
    if config is None:
        return make_settings(**changes) if "buses" in changes else None
    return load_settings(config, **changes)


def _replayed(path: str, log: Path, settings: GatewaySettings) -> tuple[Sequence[Step], bool]:
    setup = Setup(settings)
    assembly = setup.assemble()
    pacing = settings.pacing
    pace = Pace(pacing.interval_ms * 1_000_000, max_interval_ns=pacing.max_interval_ms * 1_000_000)
    if path not in assembly.paths:
        _refuse_unsaid(path, setup, assembly.warnings)
    trace = Trace(assembly, path, setup.bus_names, pace)
    recording = open_recording(log)
    bus_of = {name: bus for bus, name in enumerate(setup.bus_names)}
    for channel, can_id, payload, at_ns in recording:
        bus = bus_of.get(channel)
        if bus is not None:
            trace.feed(bus, can_id, payload, at_ns)
    print_broken(recording)
    if not recording.channels & bus_of.keys():
        channels, names = ", ".join(sorted(recording.channels)), ", ".join(bus_of)
        raise InputError(f"{log}: its channels are {channels}, and the --dbc are for {names}")
    return trace.steps(), trace.is_published


def _refuse_unsaid(path: str, setup: Setup, warnings: Sequence[str]) -> None:
    if setup.mapping_path is None:
        return
    rules = read_mapping(setup.mapping_path).leaves
    only_set = {leaf: rule.source is None for leaf, rule in rules.items()}
    if why := unsaid(path, warnings, only_set):
        raise NoSuchLeafError(why)


def _heard(
    path: str, settings: GatewaySettings | None, vehicle_id: str, broker: BrokerUrl
) -> tuple[Sequence[Step], bool]:
    heard = listen(broker, vehicle_id, path)
    if heard.presence is None:
        raise InputError(f"{vehicle_id}: no such vehicle on {broker}; `car vehicles` lists them")
    if path not in heard.leaves and settings is not None:
        setup = Setup(settings)
        _refuse_unsaid(path, setup, setup.assemble().warnings)
    return explain_heard(path, heard, datetime.now(UTC)), heard.signal is not None


def listen(broker: BrokerUrl, vehicle_id: str, path: str) -> Heard:
    """What a gateway says of itself and of one leaf.

    Raises:
        LinkError: No connection to the broker.
    """
    heard = Heard()

    def on_presence(presence: Presence) -> None:
        heard.presence = presence

    def on_health(health: Health) -> None:
        heard.health = health

    def on_signal(signal: Signal) -> None:
        heard.signal = signal

    link = Link(broker, f"explain-{time.monotonic_ns():x}")
    link.on(Presence, on_presence, vehicle_id=vehicle_id)
    link.on(Health, on_health, vehicle_id=vehicle_id)
    link.on(Signal, on_signal, vehicle_id=vehicle_id, path=path)
    link.on(Catalog, lambda catalog: heard.leaves.update(catalog.leaves), vehicle_id=vehicle_id)
    link.start(wait_s=CONNECT_S)
    time.sleep(LISTEN_S)
    link.stop()
    return heard
