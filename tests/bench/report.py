"""What every benchmark prints: a table for people, or with `--json` one flat object."""

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass


class CannotMeasureError(Exception):
    """A part that the benchmark needs is not here; the text says which."""


@dataclass(frozen=True)
class Figure:
    """One measured number and what design and README say of it."""

    name: str
    value: float
    meaning: str
    bar: str = ""
    """The bar of the design in words, empty where there is none."""
    holds: bool | None = None


def progress(text: str) -> None:
    """Say what is going on; stdout is for results."""
    print(text, file=sys.stderr, flush=True)


def main(measure: Callable[[], list[Figure]], title: str) -> None:
    """Measure and print; exit code 1 only where it could not be measured."""
    parser = argparse.ArgumentParser(description=title)
    parser.add_argument("--json", action="store_true", help="one flat JSON object on stdout")
    arguments = parser.parse_args()
    try:
        figures = measure()
    except CannotMeasureError as error:
        progress(str(error))
        sys.exit(1)
    if arguments.json:
        print(json.dumps({figure.name: figure.value for figure in figures}))
        return
    print(title)
    width = max(len(figure.name) for figure in figures)
    for figure in figures:
        verdict = {True: "holds", False: "MISSED", None: ""}[figure.holds]
        bar = f"bar {figure.bar}: {verdict}" if figure.bar else ""
        print(f"  {figure.name:<{width}}  {figure.value:>12.5g}  {figure.meaning}  {bar}".rstrip())
