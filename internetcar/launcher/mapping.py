"""`car mapping`: begin a mapping to VSS, check one, and hold KUKSA's against ours."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from gateway.databases import Database, load_database
from gateway.decode import SignalDefinition, signal_definitions
from gateway.kuksa import Difference, Frame, compare
from gateway.mapping import MappingError, parse_mapping
from gateway.mapping_guess import guess, skeleton
from gateway.mapping_lint import lint as findings_of
from gateway.recordings import Recording, open_recording
from gateway.setup import read_mapping
from gateway.vehicles import load_vehicle, vehicle_names
from gateway.vss import VssError, VssLeaf, parse_vss
from internetcar.contract.message import InputError
from internetcar.launcher.mapping_sources import NO_SOURCE
from internetcar.launcher.options import DbcOption, by_bus
from internetcar.launcher.tables import printable

app = typer.Typer(
    help="Begin a mapping from CAN signals to VSS names, check one, or compare it with KUKSA's.",
    no_args_is_help=True,
)

BUS = "can0"
"""What the bus of a --dbc without one is called."""
VssOption = Annotated[
    Path | None,
    typer.Option(
        "--vss",
        metavar="FILE",
        help="A VSS release or your own tree, as JSON or vspec (github.com/COVESA"
        "/vehicle_signal_specification, releases).",
    ),
]


@app.command("init")
def init(
    files: Annotated[
        list[str],
        typer.Argument(metavar="FILE...", help="The databases of the car, or opendbc:NAME."),
    ],
    vss: VssOption = None,
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write here instead of to the screen.")
    ] = None,
) -> None:
    """Write a mapping to begin with: leaves of VSS guessed from the names and units of signals.

    Every leaf says that it is a guess, and how sure. Without --vss only those leaves are looked for
    that the vehicle lines of this project have.
    """
    signals = signal_definitions([[load_database(source) for source in files]])
    guesses = guess(signals, _vss(vss) if vss else _common_leaves())
    if not guesses:
        raise InputError(
            f"{', '.join(files)}: no signal's name is like a VSS leaf; `car identify` with a"
            " recording may know a better database"
        )
    text = json.dumps(skeleton(guesses, signals), indent=2, ensure_ascii=False)
    if output is None:
        typer.echo(text)
        return
    try:
        with output.open("x", encoding="utf-8") as file:
            file.write(text + "\n")
    except FileExistsError as error:
        raise InputError(f"{output} is there already; give --output another name") from error
    except OSError as error:
        raise InputError(f"{output}: cannot be written ({error.strerror})") from error
    typer.echo(f"wrote {output}: {len(guesses)} leaves, all of them guesses to check")
    sources = " ".join(f"--dbc {source}" for source in files)
    typer.echo(f"next: car mapping lint {output} {sources}")


@app.command("lint")
def lint(
    mapping: Annotated[Path, typer.Argument(help="KUKSA JSON or .vspec, with our keys or not.")],
    dbc: DbcOption = [],  # noqa: B006 # typer reads it, nobody changes it
    vss: VssOption = None,
) -> None:
    """Check a mapping: by itself, against the signals of its databases, and against VSS.

    Ends with 1 where a leaf cannot be used; what is only doubtful is a warning.
    """
    text = _read(mapping)
    rules = parse_mapping(text, mapping.name)
    signals, bus_names = _signals(dbc)
    found = findings_of(
        rules, text, signals if dbc else None, bus_names, _vss(vss) if vss else None
    )
    for finding in found:
        place = f"{mapping}:{finding.line}" if finding.line else str(mapping)
        leaf = f"{finding.path}: " if finding.path else ""
        text = printable(f"{leaf}{finding.text}; {finding.fix}")
        typer.echo(f"{place}: {finding.severity}: {text}")
    count = Counter(finding.severity for finding in found)
    if not any(rule.source for rule in rules.leaves.values()):
        typer.echo(f"{mapping}: error: {NO_SOURCE}")
        count["error"] += 1
    typer.echo(
        f"{len(rules.leaves)} leaves: {count['error']} errors, {count['warning']} warnings,"
        f" {count['note']} notes",
        err=True,
    )
    if count["error"]:
        raise typer.Exit(1)


@app.command("diff")
def diff(
    mapping: Annotated[Path, typer.Argument(help="A mapping written for KUKSA.")],
    log: Annotated[Path, typer.Option("--log", metavar="LOG", help="A recording of the car.")],
    dbc: DbcOption = [],  # noqa: B006 # typer reads it, nobody changes it
) -> None:
    """Say what KUKSA would send for a recording, what we send, where and why they differ."""
    if any("=" not in assignment for assignment in dbc):
        raise InputError("--dbc: say of which channel of the recording, as in can0=FILE")
    databases, bus_names = _databases(dbc)
    if not databases:
        raise InputError(f"no --dbc: `car identify {log}` says which explains this recording")
    recording = open_recording(log)
    rules = read_mapping(mapping)
    differences = compare(rules, databases, bus_names, _frames(recording, bus_names))
    for difference in differences:
        _print_difference(difference, recording.first_ns)
    typer.echo(
        f"{len(differences)} of {len(rules.leaves)} leaves differ over {recording.path.name}"
    )


def _print_difference(difference: Difference, start_ns: int) -> None:
    where = ""
    if difference.first_at_ns is not None:
        at_s = (difference.first_at_ns - start_ns) / 1e9
        where = f"; the first difference {at_s:.3f} s after the start"
    typer.echo(
        f"{difference.path}: KUKSA sends {len(difference.kuksa)} values,"
        f" ours {len(difference.ours)}{where}"
    )
    for reason in difference.reasons:
        typer.echo(f"    {printable(reason)}")


def _databases(dbc: list[str]) -> tuple[list[list[Database]], list[str]]:
    sources: dict[str, list[str]] = {}
    for bus, of_bus in by_bus(dbc).items():
        sources.setdefault(bus or BUS, []).extend(of_bus)
    return [[load_database(source) for source in files] for files in sources.values()], list(
        sources
    )


def _signals(dbc: list[str]) -> tuple[list[SignalDefinition], list[str]]:
    databases, bus_names = _databases(dbc)
    return signal_definitions(databases), bus_names


def _frames(recording: Recording, bus_names: Sequence[str]) -> Iterator[Frame]:
    bus_of = {name: index for index, name in enumerate(bus_names)}
    for channel, can_id, payload, at_ns in recording:
        bus = bus_of.get(channel)
        if bus is not None:
            yield bus, can_id, payload, at_ns
    if not bus_of.keys() & recording.channels:
        channels = ", ".join(sorted(recording.channels))
        raise InputError(f"{recording.path}: its channels are {channels}; give --dbc CHANNEL=FILE")


def _common_leaves() -> dict[str, VssLeaf]:
    leaves: dict[str, VssLeaf] = {}
    for name in vehicle_names():
        path = Path(load_vehicle(name).mapping)
        for leaf in parse_vss(_read(path), path.name).values():  # without what is of that car only
            leaves[leaf.path] = replace(leaf, min=None, max=None, description=None)
    return leaves


def _vss(path: Path) -> dict[str, VssLeaf]:
    try:
        return parse_vss(path.read_text(encoding="utf-8"), path.name)
    except (OSError, UnicodeDecodeError) as error:
        raise VssError(f"{path}: cannot be read ({error})") from error


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise MappingError(f"{path}: cannot be read ({error})") from error
