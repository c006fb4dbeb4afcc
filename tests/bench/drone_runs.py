"""Many runs by seed on all cores, and what each leaves behind."""

import tempfile
import traceback
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from tests.bench.report import progress
from tests.drone_world import World

REPLAYED = 13
"""Every so-manieth run is decided anew from its recording; prime: so each kind has its turn."""
FAST_S = 0.1
"""The step of the campaigns whose figures do not hang on a twentieth of a second."""


@dataclass
class Row:
    """One run."""

    seed: int
    kind: str
    figures: dict[str, float] = field(default_factory=dict)
    errors: list[float] = field(default_factory=list)
    """Of every moment, in metres, where a figure is about all moments of all runs."""
    faults: list[str] = field(default_factory=list)
    replayed: int = 0
    differences: list[str] = field(default_factory=list)


@dataclass
class Campaign:
    """All runs of one campaign."""

    name: str
    rows: list[Row]

    def of(self, *kinds: str) -> list[Row]:
        return [row for row in self.rows if row.kind in kinds]

    def all(self, figure: str, *kinds: str) -> list[float]:
        """One figure of all runs that have it."""
        rows = self.of(*kinds) if kinds else self.rows
        return [row.figures[figure] for row in rows if figure in row.figures]

    @property
    def faults(self) -> list[str]:
        return [
            f"{self.name} seed {row.seed} ({row.kind}): {e}"
            for row in self.rows
            for e in row.faults
        ]


@contextmanager
def folder() -> Iterator[Path]:
    """In memory where there is such a place: nothing here asks what a disk does."""
    where = "/dev/shm" if Path("/dev/shm").is_dir() else None
    with tempfile.TemporaryDirectory(prefix="drone-", dir=where) as name:
        yield Path(name)


@contextmanager
def world(seed: int, row: Row, **given: Any) -> Iterator[World]:
    """A world in a folder of its own; some are recorded, and decided anew at the end."""
    records = seed % REPLAYED == 0
    with folder() as path:
        here = World(path, seed, records=records, **given)
        try:
            yield here
            if records:
                row.replayed = 1
                row.differences = here.replay_differences()
        finally:
            here.close()


def guarded(run: Callable[[int], Row], seed: int) -> Row:
    """One run; what it dies of is its fault, and ends no campaign."""
    try:
        return run(seed)
    except Exception:
        return Row(seed, "died", faults=[traceback.format_exc(limit=-6)])


def fly(name: str, run: Callable[[int], Row], seeds: Iterable[int], workers: int) -> Campaign:
    """All runs, in any order; the rows by seed."""
    numbers = list(seeds)
    rows: list[Row] = []
    with ProcessPoolExecutor(workers) as pool:
        for done, row in enumerate(pool.map(partial(guarded, run), numbers), start=1):
            rows.append(row)
            for fault in row.faults:
                progress(f"  {name} seed {row.seed} ({row.kind}): {fault}")
            if done % 10 == 0:
                progress(f"  {name}: {done} of {len(numbers)}")
    return Campaign(name, rows)


def share(values: Iterable[float], part: float) -> float:
    """The value that so large a part does not exceed."""
    ordered = sorted(values)
    if not ordered:
        return float("nan")
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]
