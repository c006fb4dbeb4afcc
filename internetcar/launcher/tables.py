"""Tables for a terminal, and readable columns of plain text for everything else."""

import math
import sys
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

PLAIN_WIDTH = 240
"""Columns of plain text are not squeezed into 80 characters."""


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]], right: str = "") -> None:
    """Print rows under their columns.

    Args:
        columns: Their titles; no line of titles where all are empty.
        rows: Plain text; nothing in it is markup or steers a terminal.
        right: The titles of columns that are aligned to the right, separated by spaces.
    """
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", show_header=any(columns))
    for column in columns:
        table.add_column(column, justify="right" if column in right.split() else "left")
    for row in rows:
        table.add_row(*(Text(printable(cell)) for cell in row))
    if sys.stdout.isatty():
        Console(highlight=False).print(table)
        return
    console = Console(width=PLAIN_WIDTH, highlight=False)
    with console.capture() as captured:
        console.print(table)
    for line in captured.get().splitlines():
        sys.stdout.write(line.rstrip() + "\n")


def printable(text: str) -> str:
    """A stranger's text without what would steer the terminal it is shown on."""
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in text)


def percent(share: float) -> str:
    """A share (0…1) in percent, rounded down: 100 % only where nothing is missing."""
    return f"{math.floor(share * 10_000) / 100:g} %"


def plain(value: object, digits: int = 9) -> str:
    """A value as a person reads it, a number with so many significant digits."""
    if value is None:
        return "—"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.{digits}g}" if isinstance(value, float) else str(value)
