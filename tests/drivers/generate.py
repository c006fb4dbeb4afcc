"""Drivers' lives from a persona and a seed, as trips, as visits, and as one hash of everything."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from tests.drivers.dice import Dice
from tests.drivers.life import FIRST_DAY, Life, Trip
from tests.drivers.more_personas import PERSONAS
from tests.drivers.town import Town
from tests.drivers.weather import Weather

DAYS = 300
TRAIN_DAYS, VALID_DAYS = 120, 180
"""Before these days a visit is for training, or for choosing; after them it is the test's."""


@dataclass(frozen=True)
class Row:
    """One visit as a file of visits has it."""

    user: str
    place: str
    start: datetime
    end: datetime
    split: str


def life(persona: str, seed: int, days: int = DAYS) -> list[Trip]:
    """Every trip of one car, in order, lost ones included."""
    name = f"{persona}/{seed}"
    centre = 48.0 + seed % 7, 8.0 + seed % 5
    one = Life(
        name, Dice(name), Town(Dice(name, "town"), centre), Weather(Dice(name, "sky"), days, 8),
        days,
    )  # fmt: skip
    one.town.place("home")
    for day in range(days):
        one.clock = max(one.clock, day * 1440.0)
        one.drive(day, PERSONAS[persona](one, day))
    return one.trips


def rows(persona: str, seed: int, days: int = DAYS) -> list[Row]:
    """The visits that a file has of one car: lost trips are missing."""
    return rows_of(persona, seed, life(persona, seed, days))


def rows_of(persona: str, seed: int, trips: Iterable[Trip]) -> list[Row]:
    """The same of trips that are there already."""
    return [
        Row(f"{persona} {seed}", trip.place, trip.arrives_at, trip.leaves_at, split_of(trip))
        for trip in trips
        if not trip.is_lost
    ]


def split_of(trip: Trip) -> str:
    day = (trip.arrives_at - FIRST_DAY).days
    return "train" if day < TRAIN_DAYS else "valid" if day < VALID_DAYS else "test"


def digest_of(lives: Iterable[list[Trip]]) -> str:
    """One hash of all that is done, heard and set in some lives."""
    whole = hashlib.sha256()
    for trips in lives:
        for trip in trips:
            whole.update(repr(trip).encode())
    return whole.hexdigest()
