"""`car evaluate`: how good the predictions would have been on visits of the past."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import orjson
import typer

from internetcar.contract.message import InputError
from internetcar.launcher.tables import print_table
from services.recommendations.evaluation import boosting
from services.recommendations.evaluation.online import BASELINES, BOOSTING, MIXTURE, Known
from services.recommendations.evaluation.scores import Score
from services.recommendations.evaluation.total import Report, report
from services.recommendations.evaluation.visits_csv import read_visits

app = typer.Typer(help="Evaluate predictions on visits of the past.")

_LONGEST_LINE = 10_000
_SHOWN_USERS = 50
_COLUMNS = ("Acc@1", "Acc@3", "MRR", "mean(p)-acc", "p≥0.7", "right")


@app.callback()
def evaluate() -> None:
    """Evaluate predictions on visits of the past."""


@app.command()
def recommendations(
    visits: Annotated[
        Path,
        typer.Argument(metavar="VISITS.csv", help="Columns user, place, start, end, split."),
    ],
    known: Annotated[
        Known,
        typer.Option(help="What is known: when the last visit ends, or when the next one starts."),
    ] = "departure",
    zone: Annotated[
        str, typer.Option(metavar="ZONE", help="Times of the day there, such as Asia/Singapore.")
    ] = "",
    trees: Annotated[
        bool, typer.Option("--trees/--no-trees", help="With gradient boosting, if installed.")
    ] = True,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Predict each visit, then learn it; say how often the rows of split test were right.

    A time without an offset is the user's wall clock; with one, the wall clock it was written by.
    """
    file = read_visits(_lines(visits), visits.name, _zone(zone))
    with_trees = trees and boosting.is_installed()
    found = report(file, known, with_trees=with_trees)
    if not found.asked:
        raise InputError(f"{visits.name}: no row has split test; there is nothing to count")
    if as_json:
        typer.echo(orjson.dumps(found.as_json(), option=orjson.OPT_INDENT_2).decode())
        return
    _print(found, known)
    if trees and not with_trees:
        typer.echo(f"{BOOSTING}: scikit-learn is not installed (the extra `bench`)")
    for note in found.notes:
        typer.echo(note, err=True)


def _print(found: Report, known: Known) -> None:
    typer.echo(
        f"{found.asked} test visits of {len(found.users)} users, asked at {known};"
        f" {found.new} led somewhere new"
    )
    print_table(
        ("contender", *_COLUMNS),
        ((name, *_cells(score)) for name, score in found.pooled.items()),
        right=" ".join(_COLUMNS),
    )
    most = sorted(found.users.items(), key=lambda item: -item[1].asked)[:_SHOWN_USERS]
    names = (*BASELINES, MIXTURE, *([BOOSTING] if BOOSTING in found.pooled else []))
    typer.echo("")
    print_table(
        ("user", "test", "new", *names, "mean(p)-acc", "p≥0.7", "right"),
        (
            (
                user[:40],
                str(result.asked),
                str(result.new),
                *(_percent(result.scores[name].figures()["acc_1"]) for name in names),
                *_cells(result.scores[MIXTURE])[3:],
            )
            for user, result in most
        ),
    )
    if len(found.users) > len(most):
        typer.echo(f"… and {len(found.users) - len(most)} more users; --json has all")


def _cells(score: Score) -> list[str]:
    figures = score.figures()
    found = [_percent(value) for value in figures.values()]
    calibration = figures["calibration"]
    found[3] = "—" if calibration is None else f"{calibration:+.3f}"
    return found


def _percent(share: float | None) -> str:
    return "—" if share is None else f"{100 * share:.1f}"


def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InputError(
            f"--zone {name[:40]!r}: no such time zone; one is Europe/Berlin"
        ) from error


def _lines(path: Path) -> Iterator[str]:
    """The lines of a file, none of them long.

    Raises:
        InputError: It cannot be read, is no UTF-8 text, or has a line without an end.
    """
    number = 0
    try:
        with path.open("rb") as file:
            while line := file.readline(_LONGEST_LINE + 1):
                number += 1
                if len(line) > _LONGEST_LINE:
                    raise InputError(
                        f"{path.name}, line {number}: longer than {_LONGEST_LINE} bytes; is it CSV?"
                    )
                yield line.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{path.name}, line {number}: not UTF-8; save it as such") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
