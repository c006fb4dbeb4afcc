"""The command `car`: its subcommands, and what every one of them does with an error."""

import logging
import sys

import typer

from internetcar.contract.importing import import_quickly
from internetcar.contract.message import InputError

SUBCOMMANDS = (
    "up", "watch", "set", "audit", "vehicles", "replay", "gateway", "simulate", "service", "wallet",
    "tolls", "trips", "recommend", "drone", "quarantine", "init", "install", "doctor", "identify",
    "explain", "codes", "dbc", "mapping", "asyncapi", "secure", "forget", "evaluate",
)  # fmt: skip
"""Each is `app` in the module of its name, in the order a newcomer meets them."""
LONG_RUNNING = {"up", "gateway", "service", "simulate"}
"""They log what happens; the others speak for themselves and log only what is wrong."""


def build(arguments: list[str]) -> typer.Typer:
    """The command line with the subcommand that is asked for, or with all of them for `--help`.

    Importing one module instead of all keeps `car` quick on a small computer.
    """
    root = typer.Typer(
        name="car",
        help="A car's CAN traffic as named signals on MQTT. It only listens until you say"
        " otherwise.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    root.callback()(_version)
    wanted = [name for name in SUBCOMMANDS if name in arguments[:1]] or SUBCOMMANDS
    for name in wanted:
        app: typer.Typer = import_quickly(f"internetcar.launcher.{name}").app
        is_group = app.registered_groups or app.registered_callback
        if len(app.registered_commands) == 1 and not is_group:
            only = app.registered_commands[0]
            assert only.callback is not None
            root.command(name, context_settings=only.context_settings)(only.callback)
        else:
            root.add_typer(app, name=name)
    return root


def _print_version(is_asked: bool) -> None:
    if is_asked:
        from importlib.metadata import version

        typer.echo(version("internetcar"))
        raise typer.Exit


def _version(
    version: bool = typer.Option(
        False,
        "--version",
        is_eager=True,  # before a missing command is complained of
        callback=_print_version,
        help="Print the version and exit.",
    ),
) -> None:
    pass


def main() -> None:
    """Run `car`; wrong input ends it with one line on stderr and exit code 2."""
    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    if LONG_RUNNING.intersection(sys.argv[1:2]):
        for room in ("internetcar", "gateway", "services", "simulator"):
            logging.getLogger(room).setLevel(logging.INFO)
    try:
        build(sys.argv[1:])()
    except InputError as error:
        sys.stderr.write(f"car: {' '.join(str(error).split())}\n")
        sys.exit(2)
