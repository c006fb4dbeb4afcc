"""Recommendations: what a trip will take, by the model of its car, beside a constant per km.

`python -m tests.bench.recommendation_eco` drives cars that do not exist for a year: the reference
car's physics, a petrol and an electric car, none of them linear in what the model knows.
`--store URL` takes the trips of a trip store instead, such as those that `car trips import` made of
the Vehicle Energy Dataset, and prints a line for each vehicle. `--json` prints one flat object.
"""

import argparse
import json
import sys
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from services.database import open_existing
from services.database_errors import StoreError
from services.recommendations.eco.drive import Drive, Unit, drive_of
from services.recommendations.eco.evaluation import Errors, Guess, errors, guesses
from services.trips import store
from services.trips.settings import SERVICE
from services.trips.tables import VERSION
from tests.bench.report import Figure, progress
from tests.eco_cars import Use, drives, electric_wh, petrol_ml, reference_wh

TITLE = "Recommendations: what a trip takes, by the model of its car and by a constant per km"
TRIPS, SEED = 120, 101
"""Nothing was tuned on this seed."""
CARS: tuple[tuple[str, Use, Unit, float], ...] = (
    ("reference car", reference_wh, "Wh", 1.0),
    ("electric car", electric_wh, "Wh", 1.0),
    ("petrol car", petrol_ml, "ml", 1.0),
    ("petrol car by OBD, each 10 s", petrol_ml, "ml", 10.0),
)
MOST_TRIPS = 2_000


class Line(NamedTuple):
    """A car and how well its trips were guessed."""

    name: str
    unit: Unit
    found: Errors
    guessed: list[Guess]


def main() -> None:
    parser = argparse.ArgumentParser(description=TITLE)
    parser.add_argument("--json", action="store_true", help="one flat JSON object on stdout")
    parser.add_argument("--store", metavar="URL", help="of a trip store: its trips instead")
    arguments = parser.parse_args()
    try:
        lines = list(imported(arguments.store) if arguments.store else invented())
    except StoreError as error:
        sys.exit(str(error))
    found = figures(lines) if lines else []
    if arguments.json:
        print(json.dumps({figure.name: figure.value for figure in found}))
        return
    print(TITLE)
    print(f"  {'percent of a trip; of all that was used':<34}{'trips':>7}{'model':>8}{'per km':>8}"
          f"{'model':>10}{'per km':>8}")  # fmt: skip
    for name, unit, each, _ in lines:
        print(f"  {f'{name} ({unit})':<34}{each.trips:>7}{each.model:>8.1f}{each.constant:>8.1f}"
              f"{each.model_of_all:>10.1f}{each.constant_of_all:>8.1f}")  # fmt: skip
    for figure in found:
        print(f"  {figure.name:<22}{figure.value:>8.1f}  {figure.meaning}")


def figures(lines: Iterable[Line]) -> list[Figure]:
    """Over all trips of all cars."""
    whole = errors([guess for line in lines for guess in line.guessed])
    assert whole is not None
    return [
        Figure("eco_error_pct", whole.model, f"of a trip's use, {whole.trips} trips; by the model"),
        Figure("eco_constant_error_pct", whole.constant, "the same, by a constant per km"),
    ]


def invented() -> Iterator[Line]:
    """A year of each of the cars that do not exist."""
    for name, use, unit, each_s in CARS:
        progress(f"{name} …")
        lived = [drive for _, drive in drives({unit: use}, SEED, TRIPS, each_s)]
        yield from _lines(name, lived)


def imported(url: str) -> Iterator[Line]:
    """The vehicles of a trip store, those with more than ten trips that tell enough."""
    database = open_existing(url, SERVICE, version=VERSION)
    try:
        with database.read() as connection:
            trips = store.find(connection, last=store.count(connection))
    finally:
        database.close()
    by_vehicle: dict[str, list[Drive]] = {}
    for trip in reversed(trips):
        drive = drive_of(trip)
        if drive is not None:
            by_vehicle.setdefault(trip.vehicle_id, []).append(drive)
    for vehicle_id, lived in sorted(by_vehicle.items()):
        yield from _lines(vehicle_id, lived[-MOST_TRIPS:])


def _lines(name: str, lived: list[Drive]) -> Iterator[Line]:
    units: tuple[Unit, ...] = ("Wh", "ml")
    for unit in units:
        guessed = list(guesses(lived, unit))
        found = errors(guessed)
        if found is not None and np.isfinite(found.model):
            yield Line(name, unit, found, guessed)


if __name__ == "__main__":
    main()
