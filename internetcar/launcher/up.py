"""`car up`: a broker, a simulated car on a virtual bus, the gateway, and a live view."""

import fcntl
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Annotated

import typer

from gateway.settings import ENVIRONMENT_PREFIX, HomeAssistantSettings
from gateway.vehicles import load_vehicle
from internetcar.contract.broker_url import BrokerUrl
from internetcar.contract.link import Link
from internetcar.contract.message import InputError
from internetcar.contract.settings import default_state_folder
from internetcar.launcher.broker import RunningBroker, start_broker
from internetcar.launcher.options import (
    FreshOption,
    VehicleIdOption,
    state_folder,
    vehicle_id_of,
)
from internetcar.launcher.run_file import announced
from internetcar.launcher.show import Show
from internetcar.launcher.supervisor import Supervisor
from internetcar.launcher.up_drone import WITHOUT
from internetcar.launcher.up_parts import ACCOUNT, Part, Past, live, start_parts
from internetcar.launcher.virtual_bus import virtual_buses
from services.recommendations.settings import SERVICE

app = typer.Typer()

VEHICLE = "reference"
START_M = 700.0
"""Half a kilometre before the first gantry of the loop."""
MOST_DAYS, MOST_REJECTIONS = 400, 30
SEED = 2
"""A morning that stays dry for twenty minutes: the drone flies in no rain."""
TURN_S = 0.1
CONNECT_S = 10.0
REQUESTERS = ("car", "home-assistant", "node-red")
"""Who may set the simulated car besides the broker's user: `car set`, and what docs/ shows."""
RECOMMENDED = ("Vehicle.Cabin.HVAC.*", "Vehicle.Cabin.Seat.Row1.*")
"""What of it a recommendation may set that somebody has accepted."""


@app.command()
def up(
    vehicle_id: VehicleIdOption = "demo",
    broker: Annotated[
        str,
        typer.Option(
            metavar="KIND|URL",
            help="embedded, mosquitto, or the URL of a broker that runs already;"
            " else mosquitto where it is installed, and embedded where not.",
        ),
    ] = "",
    state: Annotated[
        str,
        typer.Option(
            metavar="DIR", help="Folder for what must last [$XDG_STATE_HOME/internetcar/up]."
        ),
    ] = "",
    fresh: FreshOption = False,
    plain: Annotated[
        bool,
        typer.Option(
            "--plain",
            help="Lines instead of the live view; the first is `broker URL`. Logs go to stderr.",
        ),
    ] = False,
    seconds: Annotated[
        float | None, typer.Option(help="End by itself after so long, with exit code 0.", min=0)
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the simulated car's driver and noise.")] = SEED,
    start_m: Annotated[
        float,
        typer.Option(metavar="METRES", help="Where on its loop the car starts.", min=0, max=1e6),
    ] = START_M,
    days: Annotated[
        int,
        typer.Option(
            metavar="N",
            help="First live so many days before today: trips, habits, and what they teach.",
            min=0,
            max=MOST_DAYS,
        ),
    ] = 0,
    rejections: Annotated[
        int,
        typer.Option(
            metavar="K",
            help="On the last K of these days the driver rejects the climate that is offered.",
            min=0,
            max=MOST_REJECTIONS,
        ),
    ] = 0,
    without: Annotated[
        list[Part] | None,
        typer.Option(help="A part to leave out, for a small computer; may be given again."),
    ] = None,
) -> None:
    """Start everything here: broker, car, gateway, tolls, wallet, drone, trips, suggestions, view.

    The simulated car drives a loop in Singapore, pays at its gantries with play money, and sends
    its simulated drone ahead where traffic stands. On a broker that runs already, tolls, wallet,
    drone, trips and suggestions are left to those whose broker it is.
    Ctrl-C ends all of it and leaves nothing behind but the state folder.
    """
    vehicle_id = vehicle_id_of(vehicle_id)
    if rejections > days:
        raise InputError("--rejections: on no more days than --days")
    unwanted = {*(without or ())}
    if days and unwanted & {Part.TRIPS, Part.RECOMMENDATIONS}:
        raise InputError("--days: not without trips and recommendations, which learn from them")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda _number, _frame: stop.set())
    is_plain = plain or not sys.stdout.isatty()
    with ExitStack() as stack:
        lasting = state or ("" if fresh else str(default_state_folder(os.environ) / "up"))
        folder = stack.enter_context(state_folder(lasting, is_fresh=fresh))
        stack.enter_context(_only_one(folder))
        started = start_broker(broker or None, folder / "broker")
        if isinstance(started, RunningBroker):
            stack.enter_context(started)
        elif days:
            raise InputError("--days: only with a broker of its own; leave --broker URL away")
        else:
            _need_connection(started)
        url = started.url if isinstance(started, RunningBroker) else started
        stack.enter_context(announced(url, folder, os.environ))
        # Somebody else's broker is where Home Assistant may be.
        prefix = "" if isinstance(started, RunningBroker) else HomeAssistantSettings().prefix
        has_wallet = isinstance(started, RunningBroker) and Part.TOLLS not in unwanted
        show = stack.enter_context(
            Show(
                url,
                vehicle_id,
                is_plain=is_plain,
                announced_with=prefix,
                account=ACCOUNT if has_wallet else "",
                since=datetime.now(UTC) if days else None,
            )
        )
        buses = stack.enter_context(virtual_buses(list(load_vehicle(VEHICLE).buses), os.getpid()))
        log = None if is_plain else stack.enter_context((folder / "up.log").open("ab"))
        supervisor = Supervisor(log, show.notify)
        stack.callback(supervisor.stop)
        who = {*REQUESTERS, url.username or "car"}
        if days:
            driver = url.username or "car"
            past = Past(vehicle_id, folder, driver, days, rejections, seed, start_m)
            live(past, url, who, supervisor, show, stop)
            if stop.is_set():
                return
        config = _write_settings(folder / "gateway.toml", vehicle_id, folder, buses, url.username)
        here = [sys.executable, "-m"]
        supervisor.start(
            "gateway",
            [*here, "gateway", str(config)],
            {"INTERNETCAR_BROKER": url.secret},
            without=ENVIRONMENT_PREFIX,  # it is the gateway of the simulated car, not yours
        )
        supervisor.start("simulated car", [*here, "simulator", *_car(buses, seed, start_m)], {})
        show.refresh()
        if isinstance(started, RunningBroker):
            missing = unwanted | ({Part.RECOMMENDATIONS} if days else set())  # it runs already
            if not start_parts(supervisor, url, vehicle_id, folder, who, seed, missing):
                show.notify(WITHOUT)
        _watch(started, supervisor, show, stop, seconds)


def _need_connection(broker: BrokerUrl) -> None:
    """Make sure of somebody else's broker.

    Raises:
        LinkError: No connection to it.
    """
    link = Link(broker, f"up-{os.getpid()}")
    try:
        link.start(wait_s=CONNECT_S)
    finally:
        link.stop()


def _watch(
    broker: RunningBroker | BrokerUrl,
    supervisor: Supervisor,
    show: Show,
    stop: threading.Event,
    seconds: float | None,
) -> None:
    end_s = None if seconds is None else time.monotonic() + seconds
    while not stop.wait(TURN_S) and (end_s is None or time.monotonic() < end_s):
        if isinstance(broker, RunningBroker) and not broker.is_running:
            show.notify("the broker ended; starting it again")
            broker.restart()
        supervisor.watch()
        show.refresh()


def _car(buses: dict[str, str], seed: int, start_m: float) -> list[str]:
    arguments = ["--seed", str(seed), "--start-m", str(start_m)]
    for name, channel in buses.items():
        arguments += ["--bus", f"{name}={channel}"]
    return arguments


def _write_settings(
    path: Path, vehicle_id: str, state: Path, buses: dict[str, str], user: str | None
) -> Path:
    """The gateway's settings; the broker, with its password, goes by the environment.

    All that the simulated car lets be set may be set: by the broker's user, and by those whom
    brokers without users know by these names; by the recommendation service climate and seats.
    """
    lines = [
        f"vehicle_id = {json.dumps(vehicle_id)}",
        f"vehicle = {json.dumps(VEHICLE)}",
        f"state = {json.dumps(str(state))}",
        'origin = "simulation"',
    ]
    for name, place in buses.items():
        interface, _, channel = place.partition(":")
        lines += ["[[buses]]", f"name = {json.dumps(name)}", f"interface = {json.dumps(interface)}"]
        lines += [f"channel = {json.dumps(channel)}", "fd = true", "transmit = true"]
    lines += ["[commands]", "trust_clock = true", "[commands.allow]"]
    lines += [f'{json.dumps(name)} = ["*"]' for name in sorted({*REQUESTERS, user or "car"})]
    lines += [f"{SERVICE} = {json.dumps(RECOMMENDED)}"]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@contextmanager
def _only_one(folder: Path) -> Iterator[None]:
    """Hold the state folder for this process.

    Raises:
        InputError: Another `up` holds it, or it cannot be written.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock: IO[str] = (folder / "up.lock").open("w")
    except OSError as error:
        raise InputError(f"{folder}: cannot be written ({error.strerror}); --state DIR") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise InputError(
                f"another `car up` uses {folder}; end it, or use --state DIR or --fresh"
            ) from error
        yield
