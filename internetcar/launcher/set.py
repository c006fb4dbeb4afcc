"""`car set`: ask a vehicle for a value, and say what became of it."""

import json
import math
import queue
import time
from typing import Annotated
from uuid import uuid4

import typer
from pydantic import TypeAdapter, ValidationError

from internetcar.contract.broker_url import BrokerUrl
from internetcar.contract.commands import Command, CommandStatus
from internetcar.contract.delivery import Delivery, Outcome
from internetcar.contract.link import Link
from internetcar.contract.message import InputError, Name, Scalar
from internetcar.launcher.options import BrokerOption, broker_of
from internetcar.launcher.roll_call import CONNECT_S, one_vehicle
from internetcar.launcher.tables import printable

app = typer.Typer()

_LEAST, _MOST = -(1 << 63), (1 << 64) - 1
"""The whole numbers that JSON's encoder takes."""
SILENCE_S = 2.0
"""A gateway that is there answers within a fraction of it."""
LONGEST_S = 660.0
"""The longest time-out a mapping can give, and a minute: what takes longer is lost."""


@app.command(context_settings={"ignore_unknown_options": True})  # else -5 would be an option
def set_value(
    path: Annotated[str, typer.Argument(metavar="PATH", help="The VSS path of an actuator.")],
    value: Annotated[
        str | None,
        typer.Argument(metavar="VALUE", help="A number, true, false, or a word; none: --release."),
    ] = None,
    vehicle_id: Annotated[
        str, typer.Option(help="Which vehicle; needed where several are online.")
    ] = "",
    requester: Annotated[
        str, typer.Option(metavar="NAME", help="Who asks, on a broker without users.")
    ] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be sent, and send nothing.")
    ] = False,
    release: Annotated[
        bool, typer.Option("--release", help="Let go of what is held, instead of a value.")
    ] = False,
    command_id: Annotated[
        str, typer.Option("--id", help="The same id is the same command; else a fresh one.")
    ] = "",
    broker: BrokerOption = "",
) -> None:
    """Set something in a car and wait until the car shows that it happened.

    Prints each state. Ends with 0 only where the car confirms it (with --dry-run: where it would
    be sent), with 1 where it does not.
    """
    if (value is None) is not release:
        raise InputError("give a VALUE, or --release: one of the two")
    url = broker_of(broker)
    name = requester_of(url, requester)
    try:
        command = Command(
            vehicle_id=one_vehicle(url, vehicle_id, is_online=True),
            requester=name,
            path=path,
            id=command_id or f"set-{uuid4().hex[:16]}",
            value=None if value is None else _scalar(value),
            dry_run=dry_run,
        )
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise InputError(f"{first['loc'][0]}: {first['msg']}") from error
    last = _ask(url, command)
    if last is None or last.state not in ("confirmed", "checked"):
        raise typer.Exit(1)


def requester_of(broker: BrokerUrl, option: str) -> str:
    """Who asks: the broker's user, or on a broker without users who the option says.

    Raises:
        InputError: Nobody is named, or two are.
    """
    name = broker.username or option
    if not name:
        raise InputError("--requester NAME: this broker's URL names no user, so say who asks")
    if option and option != name:
        raise InputError(f"--requester {option}: this broker knows us as {name}")
    try:
        return TypeAdapter(Name).validate_python(name)
    except ValidationError as error:
        raise InputError(f"{name!r} cannot ask: 1 to 36 letters, digits, - and _") from error


def _scalar(text: str) -> Scalar:
    """A word of the command line as JSON has it: 21.5, true, "12" in quotes; else the word."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    if isinstance(value, float) and not math.isfinite(value):
        raise InputError(f"{text}: no car can be told so; a number is finite")
    if isinstance(value, int) and not _LEAST <= value <= _MOST:
        raise InputError(f"{text}: a whole number has at most 64 bits")
    return value if isinstance(value, str | int | float) else text


def _ask(broker: BrokerUrl, command: Command) -> CommandStatus | None:
    """Send, print what comes, and give the last; `None` where nobody answers."""
    heard: queue.SimpleQueue[CommandStatus | Delivery] = queue.SimpleQueue()
    link = Link(broker, f"set-{time.monotonic_ns():x}")
    link.on(CommandStatus, heard.put, vehicle_id=command.vehicle_id)
    link.start(wait_s=CONNECT_S)
    try:
        link.publish(command, heard.put)
        return _follow(heard, command)
    finally:
        link.stop()


def _follow(
    heard: "queue.SimpleQueue[CommandStatus | Delivery]", command: Command
) -> CommandStatus | None:
    status: CommandStatus | None = None
    deadline_s = time.monotonic() + SILENCE_S
    while (left_s := deadline_s - time.monotonic()) > 0:
        try:
            found = heard.get(timeout=left_s)
        except queue.Empty:
            break
        if isinstance(found, Delivery):
            if found.outcome is Outcome.NOT_PERMITTED:
                typer.echo(f"refused: the broker's rules do not let {command.requester} ask this")
                return None
        elif (found.id, found.requester) == (command.id, command.requester):
            status = found
            typer.echo(_line(status))
            deadline_s = time.monotonic() + LONGEST_S
            if status.final:
                return status
    if status is None:
        typer.echo(
            f"no answer: {command.vehicle_id}'s gateway is away, or the broker's rules do not let"
            f" {command.requester} ask it, and then nothing happens; if it is only slow, it may"
            " still act within ten seconds (`car audit` says so)"
        )
    else:
        typer.echo(f"lost: nothing more was heard after {status.state}")
    return None


def _line(status: CommandStatus) -> str:
    parts = (status.state, status.reason, status.detail)
    return ": ".join(printable(part) for part in parts if part)
