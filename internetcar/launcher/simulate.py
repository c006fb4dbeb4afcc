"""`car simulate`: simulated cars on CAN buses, with or without their gateways."""

import shlex
import signal
import sys
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Annotated

import typer

from gateway.settings import make_settings
from internetcar.contract.broker_url import BrokerUrl
from internetcar.contract.message import InputError
from internetcar.launcher.options import FreshOption, StateOption, broker_of, state_folder
from internetcar.launcher.supervisor import Supervisor
from simulator.bus import BusChoice, parse_bus
from simulator.garage import load_databases, reference_folder
from simulator.process import Settings, run

app = typer.Typer()

LINE = "reference"
TURN_S = 0.1
ORIGIN = {"INTERNETCAR_GATEWAY_ORIGIN": "simulation"}
"""What a gateway must be told, so that nobody takes the drive for a real one."""


@app.command()
def simulate(
    vehicles: Annotated[int, typer.Option(metavar="N", help="How many cars.", min=1)] = 1,
    bus: Annotated[
        list[str],
        typer.Option(
            metavar="NAME=INTERFACE:CHANNEL",
            help="A bus of the car (powertrain, comfort, telematics) and where it is; {vehicle} in"
            " the channel becomes the car's number. May be given again; else all on loopback.",
        ),
    ] = [],  # noqa: B006 # typer reads it, nobody changes it
    seed: Annotated[int, typer.Option(help="Same seed, same drive; car N has SEED + N - 1.")] = 1,
    speed: Annotated[float, typer.Option(help="Times real time.", min=0.001, max=1000)] = 1.0,
    seconds: Annotated[
        float | None, typer.Option(help="End after so many simulated seconds.", min=0)
    ] = None,
    broker: Annotated[
        str,
        typer.Option(
            metavar="URL",
            help="Also run a gateway for each car, on mqtt://USER:PASSWORD@HOST:PORT.",
        ),
    ] = "",
    vehicle_id: Annotated[
        str, typer.Option(help="Of the gateways; several cars are NAME-1, NAME-2 and so on.")
    ] = "simulated",
    state: StateOption = "",
    fresh: FreshOption = False,
    transmit_on_real_bus: Annotated[
        bool,
        typer.Option(
            "--transmit-on-real-bus",
            help="Send also where a real car may listen: only on a bench, never in a car.",
        ),
    ] = False,
) -> None:
    """Simulate cars that drive through Singapore and speak on CAN buses.

    With --broker each car also gets its gateway, so that a whole fleet is on that broker; without,
    the command that starts each gateway is printed. The buses never leave this machine unless
    --bus names others.
    """
    choices = tuple(parse_bus(text) for text in bus) or _loopback(vehicles)
    _refuse_shared(choices, vehicles)
    settings = Settings(
        choices,
        vehicles=vehicles,
        seed=seed,
        speed_factor=speed,
        seconds=seconds,
        transmit_on_real_bus=transmit_on_real_bus,
    )
    gateways = _gateways(vehicle_id, vehicles, choices)
    if not broker:
        for arguments in gateways.values():
            typer.echo(shlex.join(["env", *(f"{k}={v}" for k, v in ORIGIN.items()), *arguments]))
        _drive(settings, None)
        return
    with state_folder(state, is_fresh=fresh) as folder:
        _drive_with_gateways(settings, gateways, broker_of(broker), folder)


def _gateways(
    vehicle_id: str, vehicles: int, choices: tuple[BusChoice, ...]
) -> dict[str, list[str]]:
    """The command line of each car's gateway, by vehicle id."""
    names = [vehicle_id] if vehicles == 1 else [f"{vehicle_id}-{n + 1}" for n in range(vehicles)]
    make_settings(vehicle_id=names[-1])  # the longest; a wrong one is said here, not by each
    return {
        name: gateway_arguments(name, numbered(choices, number))
        for number, name in enumerate(names, start=1)
    }


def _drive_with_gateways(
    settings: Settings, gateways: dict[str, list[str]], broker: BrokerUrl, folder: Path
) -> None:
    supervisor = Supervisor(None, lambda notice: typer.echo(notice, err=True))
    try:
        _start_gateways(supervisor, gateways, broker.secret, folder)
        typer.echo(f"{len(gateways)} simulated on {broker}; `car vehicles` lists them, Ctrl-C ends")
        _drive(settings, supervisor)
    finally:
        supervisor.stop()


def gateway_arguments(vehicle_id: str, choices: tuple[BusChoice, ...]) -> list[str]:
    """The command line of the gateway of one simulated car."""
    arguments = ["car", "gateway", "--vehicle", LINE, "--vehicle-id", vehicle_id]
    for choice in choices:
        arguments += ["--bus", f"{choice.name}={choice.interface}:{choice.channel}"]
    return arguments


def numbered(choices: tuple[BusChoice, ...], vehicle: int) -> tuple[BusChoice, ...]:
    """The buses of one car: its number, from 1, in place of `{vehicle}`."""
    return tuple(
        BusChoice(choice.name, choice.interface, choice.channel.replace("{vehicle}", str(vehicle)))
        for choice in choices
    )


def _loopback(vehicles: int) -> tuple[BusChoice, ...]:
    suffix = "" if vehicles == 1 else "-{vehicle}"
    return tuple(
        BusChoice(name, "loopback", f"{name}{suffix}")
        for name in load_databases(reference_folder())
    )


def _refuse_shared(choices: tuple[BusChoice, ...], vehicles: int) -> None:
    for choice in choices:
        if vehicles > 1 and "{vehicle}" not in choice.channel:
            raise InputError(
                f"--bus {choice.name}={choice.interface}:{choice.channel}: {vehicles} cars cannot"
                " share a bus; write {vehicle} where the car's number belongs"
            )


def _start_gateways(
    supervisor: Supervisor, gateways: dict[str, list[str]], broker: str, folder: Path
) -> None:
    environ = {**ORIGIN, "INTERNETCAR_BROKER": broker}
    for name, arguments in gateways.items():
        command = [sys.executable, "-m", "internetcar.launcher", *arguments[1:]]
        supervisor.start(f"gateway of {name}", [*command, "--state", str(folder)], environ)


def _drive(settings: Settings, supervisor: Supervisor | None) -> None:
    """Simulate in a thread, since children live as long as the thread that starts them again."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    with ThreadPoolExecutor(1) as pool:
        ended: Future[None] = pool.submit(run, settings, stop, time.time_ns() // 1_000_000)
        try:
            while not ended.done():
                if supervisor is not None:
                    supervisor.watch()
                stop.wait(TURN_S)
        finally:
            stop.set()
        ended.result()
