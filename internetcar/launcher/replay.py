"""`car replay`: a recording of a real car through the gateway."""

import signal
import sys
import threading
import time
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from gateway.recordings import open_recording
from gateway.replay import Replay
from gateway.settings import GatewaySettings, make_settings
from gateway.vehicles import load_vehicle
from internetcar.contract.broker_url import BrokerUrl
from internetcar.contract.link import Link
from internetcar.contract.message import InputError
from internetcar.contract.presence import Presence
from internetcar.launcher.mapping_sources import need_sources
from internetcar.launcher.options import (
    BrokerOption,
    DbcOption,
    FreshOption,
    StateOption,
    VehicleIdOption,
    broker_of,
    by_bus,
    instant_ns,
    state_folder,
)

app = typer.Typer()

LOOK_S = 0.5
"""How long a broker is given to say that the vehicle is online already."""
CONNECT_S = 10.0
LONGEST_JOURNAL = 64
LOOKED_AT = 100_000
"""Frames in which each channel of a recording should have spoken."""
VEHICLE_ID = "replay"
"""Of a recording whose vehicle nobody names."""


@app.command()
def replay(
    log: Annotated[Path, typer.Argument(help="A .log .asc .blf .trc .csv or .mf4 recording.")],
    dbc: DbcOption = [],  # noqa: B006 # typer reads it, nobody changes it
    mapping: Annotated[
        str, typer.Option(help="Mapping to VSS; without one every signal is Message.Signal.")
    ] = "",
    vehicle: Annotated[
        str, typer.Option(help="A vehicle line of ours or a folder: its DBC files and mapping.")
    ] = "",
    vehicle_id: VehicleIdOption = "",
    broker: BrokerOption = "",
    speed: Annotated[float, typer.Option(help="Times real time.", min=0.001)] = 1.0,
    fast: Annotated[bool, typer.Option("--fast", help="As fast as it goes.")] = False,
    loop: Annotated[bool, typer.Option("--loop", help="Begin again at the end.")] = False,
    obd: Annotated[
        bool,
        typer.Option("--obd", help="Also hear what a tester was answered over OBD-II."),
    ] = False,
    j1939: Annotated[
        bool, typer.Option("--j1939", help="A truck's: ids by group, long messages joined.")
    ] = False,
    start: Annotated[
        str, typer.Option(help="Instant of the first frame, for logs with relative time.")
    ] = "",
    no_pacing: Annotated[
        bool, typer.Option("--no-pacing", help="Every changed signal of every frame.")
    ] = False,
    journal: Annotated[
        str,
        typer.Option(
            help="A fixed journal id for a run that can be repeated; needs --fresh. A reader that"
            " has seen the id drops the rerun as duplicates."
        ),
    ] = "",
    take_over: Annotated[
        bool, typer.Option("--take-over", help="Even if the vehicle id is online already.")
    ] = False,
    state: StateOption = "",
    fresh: FreshOption = False,
) -> None:
    """Send a recording of a real car through the gateway.

    Ends with 0 only when the broker has acknowledged every telemetry batch and was handed the last
    value of every signal; else says how many are left and in which state folder.
    """
    if journal and not fresh:
        raise InputError("--journal needs --fresh: a journal is written once per state folder")
    if len(journal) > LONGEST_JOURNAL:
        raise InputError(f"--journal: at most {LONGEST_JOURNAL} characters, not {len(journal)}")
    recording = open_recording(log, instant_ns(start) if start else None)
    more: dict[str, object] = {}
    if obd:
        more["obd"] = "listen"
    if j1939:
        more["j1939"] = True
    settings = _settings(
        vehicle_id, vehicle, mapping, by_bus(dbc), log, more, is_paced=not no_pacing
    )
    need_sources(settings)
    if recording.is_relative and not start:
        typer.echo(
            f"note: {log} counts from its own start, so all of it is of January 1970;"
            " --start INSTANT says when it was",
            err=True,
        )
    url = broker_of(broker)
    with state_folder(state, is_fresh=fresh) as folder:
        player = Replay(
            settings,
            recording,
            url,
            folder,
            speed=None if fast else speed,
            is_looped=loop,
            journal=journal or None,
        )
        if not take_over:
            _refuse_if_online(url, settings.vehicle_id)
        for warning in player.warnings:
            typer.echo(f"note: {warning}", err=True)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: player.stop())
        _play(player, recording.path.name, url, None if fresh else folder)
        if recording.broken:
            typer.echo(
                f"{recording.broken} broken lines, first: {recording.first_broken}", err=True
            )


def _settings(
    vehicle_id: str,
    vehicle: str,
    mapping: str,
    sources: dict[str, list[str]],
    log: Path,
    more: dict[str, object],
    *,
    is_paced: bool,
) -> GatewaySettings:
    """What is given on the command line, then the environment, then the defaults of a replay."""
    texts = {"vehicle_id": vehicle_id, "vehicle": vehicle, "mapping": mapping}
    named: dict[str, object] = {key: text for key, text in texts.items() if text}
    if not is_paced:
        named["pacing"] = {"enabled": False}
    named["buses"] = [{**bus, **more} for bus in _buses(sources, vehicle, log, bool(more))]
    return make_settings({"vehicle_id": VEHICLE_ID}, **named)


def _play(player: Replay, name: str, broker: BrokerUrl, kept_in: Path | None) -> None:
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        disable=not sys.stderr.isatty(),
    ) as progress:
        task = progress.add_task(name, total=None)
        played = player.run(lambda done, total: progress.update(task, completed=done, total=total))
    typer.echo(f"{played.frames} frames of {name} sent to {broker}")
    if played.broken_stamps:
        typer.echo(
            f"{played.broken_stamps} frames left out: their time is far from the others',"
            f" first: {played.first_broken_ns / 1e9:.6f}",
            err=True,
        )
    if played.steps_back:
        typer.echo(
            f"the recording's clock steps back {played.steps_back} times;"
            " what follows is played as going on",
            err=True,
        )
    if played.unknown_channels:
        channels = ", ".join(sorted(played.unknown_channels))
        typer.echo(f"left out, for want of a --dbc: channel {channels}", err=True)
    if played.batches_given_up:
        typer.echo(
            f"car: {played.batches_given_up} telemetry batches were given up, stated as lost:"
            " broker or disk is slower than the replay; use --speed",
            err=True,
        )
    if played.batches_left:
        fate = (
            f"they are in {kept_in} and the next run sends them first"
            if kept_in
            else "they are gone with the temporary state folder (--fresh)"
        )
        typer.echo(
            f"car: {played.batches_left} telemetry batches are not acknowledged; {fate}", err=True
        )
        raise typer.Exit(1)
    if not played.is_said:
        typer.echo("car: the broker was not handed the last value of every signal", err=True)
    if played.batches_given_up or not played.is_said:
        raise typer.Exit(1)


def _buses(
    sources: dict[str, list[str]], vehicle: str, log: Path, needs_no_dbc: bool
) -> list[dict[str, object]]:
    if "" in sources:
        raise InputError(f"--dbc {sources[''][0]}: say of which channel, as in can0=FILE")
    if not sources and not vehicle and not needs_no_dbc:
        raise InputError(f"no --dbc: `car identify {log}` says which explains this recording")
    buses: list[dict[str, object]]
    if sources or not vehicle:
        buses = [{"name": name, "dbc": files} for name, files in sources.items()]
    else:
        buses = [{"name": name} for name in load_vehicle(vehicle).buses]
    if needs_no_dbc:
        known = {bus["name"] for bus in buses}
        buses += [{"name": name} for name in _channels(log) if name not in known]
    return buses


def _channels(log: Path) -> list[str]:
    """The channels of a recording, as far as its beginning has them.

    Raises:
        InputError: It has no frame.
    """
    recording = open_recording(log)
    for _ in islice(recording, LOOKED_AT):
        pass
    if not recording.channels:
        raise InputError(f"{log}: no frame in it")
    return sorted(recording.channels)


def _refuse_if_online(broker: BrokerUrl, vehicle_id: str) -> None:
    heard = threading.Event()
    online: list[Presence] = []

    def on_presence(presence: Presence) -> None:
        online.append(presence)
        heard.set()

    link = Link(broker, f"replay-look-{time.monotonic_ns():x}")
    link.on(Presence, on_presence, vehicle_id=vehicle_id)
    link.start(wait_s=CONNECT_S)
    heard.wait(LOOK_S)
    link.stop()
    if online and online[-1].online:
        raise InputError(
            f"vehicle {vehicle_id} is online already (journal {online[-1].journal});"
            " choose another --vehicle-id, or --take-over"
        )
