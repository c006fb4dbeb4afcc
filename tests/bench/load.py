"""How long a database takes from text to decoder: `python -m tests.bench.load`."""

import time

from gateway.databases import load_database, opendbc_names, opendbc_text
from gateway.decode import Decoder
from tests.bench.report import CannotMeasureError, Figure, main, progress


def measure() -> list[Figure]:
    """All files of opendbc: repaired, parsed and compiled."""
    try:
        names = opendbc_names()
    except ValueError as error:
        raise CannotMeasureError(str(error)) from error
    size_kib = took_s = 0.0
    for name in names:
        began_s = time.perf_counter()
        database = load_database(f"opendbc:{name}")
        Decoder([[database]])
        took_s += time.perf_counter() - began_s
        size_kib += len(opendbc_text(name)) / 1024
    progress(f"{len(names)} files, {size_kib:.0f} KiB in {took_s:.1f} s")
    return [Figure("ms_per_kib", took_s * 1000 / size_kib, "repair, parse and compile, per KiB")]


if __name__ == "__main__":
    main(measure, "Loading every DBC of opendbc")
