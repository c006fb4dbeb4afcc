"""`car dbc`: what is wrong with a CAN database, and how much of a recording it explains."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.coverage import Coverage, Unexpected, coverage
from gateway.databases import Database, DatabaseError, Notice, load_database
from gateway.recordings import Recording, open_recording
from gateway.traffic import Traffic, id_text
from internetcar.contract.message import InputError
from internetcar.launcher.options import DbcOption, by_bus
from internetcar.launcher.tables import percent, print_table, printable

app = typer.Typer(
    help="Check a CAN database, or how much of a recording it explains.", no_args_is_help=True
)


@app.command("lint")
def lint(
    files: Annotated[
        list[str],
        typer.Argument(metavar="FILE...", help="DBC, KCD, SYM or ARXML files, or opendbc:NAME."),
    ],
) -> None:
    """List what is wrong with CAN databases and what the gateway makes of it.

    Each defect of the text is named with its line and how it is mended; then the messages and
    signals that are left out, and those that share bits. Only a file that cannot be used at all is
    an error.
    """
    is_unusable = False
    for number, source in enumerate(files):
        if number:
            typer.echo()
        try:
            _print_database(load_database(source))
        except DatabaseError as error:
            typer.echo(f"car: {' '.join(str(error).split())}", err=True)
            is_unusable = True
    if is_unusable:
        raise typer.Exit(2)


@app.command("coverage")
def coverage_(
    log: Annotated[Path, typer.Argument(help="A .log .asc .blf .trc .csv or .mf4 recording.")],
    dbc: DbcOption = [],  # noqa: B006 # typer reads it, nobody changes it
    top: Annotated[int, typer.Option(help="How many lines of each list; 0: all.", min=0)] = 10,
) -> None:
    """Say how much of a recording its databases explain, bus by bus.

    Shows the share of frames known, the identifiers that are not, frames shorter or longer than
    defined, and messages that never came.
    """
    recording = open_recording(log)
    sources = by_bus(dbc)
    if not sources:
        raise InputError(f"no --dbc: `car identify {log}` says which explains this recording")
    databases = {
        bus: [load_database(source) for source in of_bus] for bus, of_bus in sources.items()
    }
    traffic = traffic_of(recording)
    if absent := sorted(databases.keys() - {""} - traffic.keys()):
        raise InputError(
            f"{log}: no channel {', '.join(absent)}; it has {', '.join(sorted(traffic))}"
        )
    for number, bus in enumerate(sorted(traffic)):
        if number:
            typer.echo()
        explaining = databases.get(bus, databases.get("", []))
        if not explaining:
            typer.echo(f"{bus}: {traffic[bus].frames} frames, and no --dbc for it")
            continue
        _print_coverage(bus, coverage(traffic[bus], explaining), top)
    print_broken(recording)


def traffic_of(recording: Recording) -> dict[str, Traffic]:
    """Everything in a recording, by channel."""
    found: dict[str, Traffic] = {}
    for channel, can_id, payload, _ in recording:
        found.setdefault(channel, Traffic()).add(can_id, payload)
    return found


def print_broken(recording: Recording) -> None:
    """Say what in a recording was no frame."""
    if recording.broken:
        first = printable(recording.first_broken)
        typer.echo(f"{recording.broken} broken lines, first: {first}", err=True)


def _print_database(database: Database) -> None:
    signals = sum(len(message.signals) for message in database.messages)
    typer.echo(
        f"{database.name}: {len(database.messages)} messages, {signals} signals;"
        f" {len(database.mends)} defects mended, {len(database.refused)} left out,"
        f" {len(database.overlaps)} overlaps"
    )
    for mend in database.mends:
        typer.echo(f"  line {mend.line}: {printable(f'{mend.defect}: {mend.mend}')}")
    for title, notices in (
        ("left out", database.refused),
        ("decoded all the same", database.overlaps),
    ):
        for notice in notices:
            typer.echo(f"  {title}: {_place(notice)}: {printable(notice.reason)}")


def _place(notice: Notice) -> str:
    return printable(f"{notice.message}.{notice.signal}" if notice.signal else notice.message)


def _print_coverage(bus: str, found: Coverage, top: int) -> None:
    typer.echo(f"{bus}: {found.known} of {found.frames} frames known ({percent(found.share)})")
    _print_list(
        "unknown identifiers",
        ["id", "frames"],
        [[id_text(can_id), str(frames)] for can_id, frames in found.unknown],
        top,
    )
    for title, unexpected in (
        ("frames shorter than defined", found.shorter),
        ("frames longer than defined", found.longer),
    ):
        columns = ["message", "id", "defined", "came", "frames"]
        _print_list(title, columns, [_length_row(one) for one in unexpected], top)
    seen = found.messages - len(found.unseen)
    typer.echo(f"{seen} of {found.messages} messages seen")
    rows = [[message.name, id_text(message.can_id)] for message in found.unseen]
    _print_list("never seen", ["message", "id"], rows, top)


def _length_row(one: Unexpected) -> list[str]:
    came = ", ".join(str(length) for length in one.lengths)
    message = one.message
    return [message.name, id_text(message.can_id), str(message.length), came, str(one.frames)]


def _print_list(title: str, columns: list[str], rows: list[list[str]], top: int) -> None:
    if not rows:
        return
    left_out = len(rows) - top if top else 0
    more = f", the first {top}" if left_out > 0 else ""
    typer.echo(f"{len(rows)} {title}{more}:")
    print_table(columns, rows[:top] if top else rows, right="frames defined")
