"""`car drone`: ask a car's drone, and see what it does."""

import signal
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from uuid import uuid4

import typer
from pydantic import ValidationError

from internetcar.contract.drone import DroneEvent, DronePresence, DroneRequest, DroneState
from internetcar.contract.link import Link
from internetcar.contract.message import InputError
from internetcar.launcher.drone_talk import ask, look, one_drone
from internetcar.launcher.drone_words import (
    event_line,
    health_lines,
    interlock_rows,
    osd_line,
    presence_line,
    state_line,
)
from internetcar.launcher.options import BrokerOption, broker_of
from internetcar.launcher.roll_call import CONNECT_S
from internetcar.launcher.set import requester_of
from internetcar.launcher.tables import print_table

app = typer.Typer(
    help="The car's drone: what it does, and what it is asked. Ends with 0 only where it is done.",
    no_args_is_help=True,
)

VehicleOption = Annotated[
    str, typer.Option("--vehicle-id", help="Whose drone; needed where there are several.")
]
DroneOption = Annotated[str, typer.Option("--drone-id", help="Which of the car's drones.")]
RequesterOption = Annotated[
    str, typer.Option("--requester", metavar="NAME", help="Who asks, on a broker without users.")
]
TidOption = Annotated[
    str, typer.Option("--id", help="The same id is the same request, for ever; else a fresh one.")
]
WaitOption = Annotated[
    bool, typer.Option("--no-wait", help="End with the answer, not with the flight.")
]
DryOption = Annotated[
    bool, typer.Option("--dry-run", help="Say what would be answered now, and do nothing.")
]
TaskOption = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help="scout, beacon, follow, inspect or hand_over; without --to and --height: scout.",
    ),
]
ToOption = Annotated[
    list[str],
    typer.Option(metavar="LAT,LON", help="Where to; of a task several, by giving it again."),
]
HeightOption = Annotated[
    float | None, typer.Option(metavar="METRES", help="Above the take-off, with --to.")
]
DurationOption = Annotated[
    float | None, typer.Option(metavar="SECONDS", help="How long the task lasts at most.")
]


@app.command()
def status(
    vehicle_id: VehicleOption = "", drone_id: DroneOption = "", broker: BrokerOption = ""
) -> None:
    """Say what each drone does and where it is; exit code 1 where none is online."""
    found = look(broker_of(broker), vehicle_id, drone_id)
    for key, presence in sorted(found.presences.items()):
        typer.echo(presence_line(presence))
        if (state := found.states.get(key)) is not None:
            typer.echo(f"  {state_line(state)}")
        if (place := found.places.get(key)) is not None and presence.online:
            typer.echo(f"  {osd_line(place)}")
        if (health := found.healths.get(key)) is not None and presence.online:
            for line in health_lines(health):
                typer.echo(f"  {line}")
        if state is not None and state.interlocks:
            print_table(
                ("interlock", "value", "limit", "result", "words"),
                interlock_rows(state.interlocks),
                right="value limit",
            )
    if not any(presence.online for presence in found.presences.values()):
        typer.echo("no drone is online")
        raise typer.Exit(1)


@app.command()
def launch(
    task: TaskOption = "",
    to: ToOption = [],  # noqa: B006  # typer's way to say: none
    height: HeightOption = None,
    duration: DurationOption = None,
    no_wait: WaitOption = False,
    dry_run: DryOption = False,
    vehicle_id: VehicleOption = "",
    drone_id: DroneOption = "",
    requester: RequesterOption = "",
    tid: TidOption = "",
    broker: BrokerOption = "",
) -> None:
    """Take off for a task, or to a place and hover there until it is recalled."""
    method, data = _wish(task, to, height, duration)
    _ask(broker, vehicle_id, drone_id, requester, tid, method, data, dry_run, not no_wait)


@app.command("dry-run")
def dry_run(
    task: TaskOption = "",
    to: ToOption = [],  # noqa: B006
    height: HeightOption = None,
    duration: DurationOption = None,
    vehicle_id: VehicleOption = "",
    drone_id: DroneOption = "",
    requester: RequesterOption = "",
    broker: BrokerOption = "",
) -> None:
    """Say why it would not launch now: every interlock with its value and its limit."""
    method, data = _wish(task, to, height, duration)
    _ask(broker, vehicle_id, drone_id, requester, "", method, data, True, False)


@app.command()
def follow(
    duration: DurationOption = None,
    no_wait: WaitOption = False,
    dry_run: DryOption = False,
    vehicle_id: VehicleOption = "",
    drone_id: DroneOption = "",
    requester: RequesterOption = "",
    tid: TidOption = "",
    broker: BrokerOption = "",
) -> None:
    """Film the car while it drives."""
    method, data = _wish("follow", [], None, duration)
    _ask(broker, vehicle_id, drone_id, requester, tid, method, data, dry_run, not no_wait)


@app.command("return")
def return_home(
    cancel: Annotated[
        bool, typer.Option("--cancel", help="Not home after all: hover there.")
    ] = False,
    no_wait: WaitOption = False,
    vehicle_id: VehicleOption = "",
    drone_id: DroneOption = "",
    requester: RequesterOption = "",
    tid: TidOption = "",
    broker: BrokerOption = "",
) -> None:
    """Come home to where the car is then."""
    method = "return_home_cancel" if cancel else "return_home"
    is_waiting = not (cancel or no_wait)
    _ask(broker, vehicle_id, drone_id, requester, tid, method, {}, False, is_waiting)


@app.command()
def stop(
    vehicle_id: VehicleOption = "",
    drone_id: DroneOption = "",
    requester: RequesterOption = "",
    tid: TidOption = "",
    broker: BrokerOption = "",
) -> None:
    """Brake and hover at once; motors are never stopped in the air."""
    method = "drone_emergency_stop"
    _ask(broker, vehicle_id, drone_id, requester, tid, method, {}, False, False)


@app.command()
def confirm(
    vehicle_id: VehicleOption = "",
    drone_id: DroneOption = "",
    requester: RequesterOption = "",
    tid: TidOption = "",
    broker: BrokerOption = "",
) -> None:
    """Confirm that what was handed over is taken: the drone comes home."""
    _ask(broker, vehicle_id, drone_id, requester, tid, "hand_over_confirm", {}, False, False)


@app.command()
def watch(
    seconds: Annotated[
        float | None, typer.Option(help="End by itself after so long.", min=0)
    ] = None,
    vehicle_id: VehicleOption = "",
    drone_id: DroneOption = "",
    broker: BrokerOption = "",
) -> None:
    """Print every state and event until Ctrl-C."""
    levels = {"vehicle_id": vehicle_id} if vehicle_id else {}
    levels |= {"drone_id": drone_id} if drone_id else {}
    end = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: end.set())
    link = Link(broker_of(broker), f"drone-watch-{time.monotonic_ns():x}")
    link.on(DronePresence, lambda each: _print(presence_line(each)), **levels)
    link.on(DroneState, lambda each: _print(state_line(each)), **levels)
    link.on(DroneEvent, lambda each: _print(event_line(each)), **levels)
    link.start(wait_s=CONNECT_S)
    end.wait(seconds)
    link.stop()


@app.command()
def replay(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Of the folder `record`.")],
) -> None:
    """Decide a recorded flight anew; exit code 1 where anything is decided otherwise."""
    from services.drone.record.replay import replay_file

    differences = replay_file(file)
    for each in differences[:20]:
        typer.echo(each)
    if differences:
        typer.echo(f"{len(differences)} decisions differ")
        raise typer.Exit(1)
    typer.echo("the same decisions")


def _print(line: str) -> None:
    sys.stdout.write(f"{datetime.now(UTC):%H:%M:%S} {line}\n")
    sys.stdout.flush()


def _wish(
    task: str, to: list[str], height: float | None, duration: float | None
) -> tuple[str, dict[str, Any]]:
    """The method and its data; what cannot be is found when the request is made."""
    points = [_point(text) for text in to]
    if not task and (points or height is not None):
        if len(points) > 1 or duration is not None:
            raise InputError("several --to, and --duration, belong to a --task")
        data: dict[str, Any] = {"target_height": height} if height is not None else {}
        for lat, lon in points:
            data |= {"target_latitude": lat, "target_longitude": lon}
        return "takeoff_to_point", data
    if height is not None and not points:
        raise InputError("--height: of a task each --to has it; give --to as well")
    data = {"task": task or "scout"}
    data |= {"duration_s": duration} if duration is not None else {}
    above = {} if height is None else {"height": height}
    data["points"] = [{"latitude": lat, "longitude": lon, **above} for lat, lon in points]
    return "flighttask_execute", data


def _point(text: str) -> tuple[float, float]:
    try:
        lat, lon = (float(part) for part in text.split(","))
    except ValueError as error:
        raise InputError(f"--to {text}: write LATITUDE,LONGITUDE, such as 1.3,103.8") from error
    return lat, lon


def _ask(
    broker: str,
    vehicle_id: str,
    drone_id: str,
    requester: str,
    tid: str,
    method: str,
    data: dict[str, Any],
    is_dry: bool,
    is_waiting: bool,
) -> None:
    url = broker_of(broker)
    name = requester_of(url, requester)
    vehicle_id, drone_id = one_drone(url, vehicle_id, drone_id)
    try:
        request = DroneRequest(
            vehicle_id=vehicle_id,
            drone_id=drone_id,
            requester=name,
            tid=tid or f"car-{uuid4().hex[:16]}",
            timestamp=time.time_ns() // 1_000_000,
            method=method,
            data=data,
            dry_run=is_dry,
        )
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the request"
        raise InputError(f"{place}: {first['msg'].removeprefix('Value error, ')}") from error
    if not ask(url, request, is_waiting=is_waiting):
        raise typer.Exit(1)
