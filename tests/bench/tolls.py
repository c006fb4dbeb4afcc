"""Tolls: simulated passages through the detector, beside a circle geofence and a bare line.

Run `python -m tests.bench.tolls`; `--passages N` sets how many are simulated (the same number is
the same passage in every run), `--crashes N` how often the services are killed. With
`--json` stdout is one flat object; what fails, and where, is said on stderr either way.
"""

import argparse
import json
import os
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import cache

from tests.bench import toll_fees, toll_ledger, toll_speed
from tests.bench.report import CannotMeasureError, Figure, progress
from tests.bench.toll_figures import Row, explain, flat, rows, table
from tests.bench.toll_scenarios import Mixture
from tests.bench.toll_verdicts import Judge, Tally
from tests.bench.toll_worlds import Ground

TITLE = "Tolls: simulated passages, ours beside a circle geofence and a bare line"
CHUNK = 250


def main() -> None:
    _keep_to_one_core()
    parser = argparse.ArgumentParser(description=TITLE)
    parser.add_argument("--json", action="store_true", help="one flat JSON object on stdout")
    parser.add_argument("--passages", type=int, default=100_000, help="how many to simulate")
    parser.add_argument("--crashes", type=int, default=300, help="how many processes die")
    parser.add_argument("--first", type=int, default=0, help="the number of the first passage")
    parser.add_argument("--workers", type=int, default=min(2, os.cpu_count() or 1))
    arguments = parser.parse_args()
    numbers = range(arguments.first, arguments.first + arguments.passages)
    try:
        found = measure(numbers, arguments.workers, arguments.crashes)
    except CannotMeasureError as error:
        progress(str(error))
        sys.exit(1)
    print(json.dumps(flat(found)) if arguments.json else table(found, TITLE))


def _keep_to_one_core() -> None:
    """Begin anew without the threads of numpy's linear algebra, which wait for each other."""
    if "OPENBLAS_NUM_THREADS" not in os.environ:
        os.environ["OPENBLAS_NUM_THREADS"] = "1"
        os.execv(sys.executable, [sys.executable, "-m", "tests.bench.tolls", *sys.argv[1:]])


def measure(numbers: range, workers: int, crashes: int) -> list[Row]:
    """All figures, in one run."""
    found = [share_row()]
    ground, mixture, _ = _parts()
    tally = simulated(numbers, workers)
    explain(tally)
    progress(f"{crashes} processes that die …")
    ledger = toll_ledger.measure(ground, crashes)
    found += rows(tally, ledger)
    found += [Row(figure) for figure in ledger.figures()]
    progress("how fast …")
    found += [Row(figure) for figure in toll_speed.measure(ground, mixture)]
    progress("fees against the sources …")
    count, wrong = toll_fees.check()
    words = f"fees that are not those of the sources, to the minor unit ({count} cases)"
    return [*found, Row(Figure("fee_wrong", wrong, words, "0", wrong == 0))]


def share_row() -> Row:
    """How many gantries can be proven at all, and why the others cannot."""
    gates = _parts()[0].provability["singapore"]
    for one in gates:
        if not one.is_provable:
            progress(f"  gantry {one.gate} is not provable: {one.reason}")
    value = sum(one.is_provable for one in gates) / len(gates)
    words = f"of {len(gates)} Singapore gantries provable at sigma 5 m, 1 Hz"
    return Row(Figure("provable_share", value, words))


@cache
def _parts() -> tuple[Ground, Mixture, Judge]:
    """Of this process: contexts and detectors are made once."""
    ground = Ground()
    provable = {
        name: frozenset(one.gate for one in gates if one.is_provable)
        for name, gates in ground.provability.items()
    }
    mixture = Mixture(ground, provable)
    return ground, mixture, Judge(ground, mixture, provable)


def judged(numbers: Iterable[int]) -> Tally:
    """What came of some passages."""
    tally = Tally()
    for number in numbers:
        _parts()[2].judge(number, tally)
    return tally


def simulated(numbers: range, workers: int) -> Tally:
    """What came of all passages, on so many processes."""
    whole = Tally()
    with ProcessPoolExecutor(workers) as pool:
        for done, tally in enumerate(pool.map(judged, _chunks(numbers)), start=1):
            whole.add(tally)
            if done % 20 == 0:
                progress(f"{min(done * CHUNK, len(numbers))} of {len(numbers)} passages …")
    return whole


def _chunks(numbers: range) -> Iterator[range]:
    for start in range(0, len(numbers), CHUNK):
        yield numbers[start : start + CHUNK]


if __name__ == "__main__":
    main()
