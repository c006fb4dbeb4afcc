"""How well a car's model says what each trip takes, beside a constant per km (pure)."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from services.recommendations.eco.drive import Drive, Unit
from services.recommendations.eco.model import LEAST_TRIPS, fitted


class Guess(NamedTuple):
    """A trip: what it took, and what was expected by what was known before it."""

    used: float
    model: float
    constant: float


class Errors(NamedTuple):
    """Mean errors in percent: over the trips, and of all that was used.

    Attributes:
        trips: How many were guessed.
        model: Mean of |expected - used| / used.
        constant: The same of a constant per km.
        model_of_all: Sum of |expected - used| over that of what was used.
        constant_of_all: The same of a constant per km.
    """

    trips: int
    model: float
    constant: float
    model_of_all: float
    constant_of_all: float


def guesses(drives: Sequence[Drive], unit: Unit) -> Iterator[Guess]:
    """Each trip of a car after the first ten, the oldest first; those that took less than 0 not."""
    told = [drive for drive in drives if drive.used(unit) is not None]
    for number in range(LEAST_TRIPS, len(told)):
        model = fitted(told[:number], unit)
        used = told[number].used(unit)
        if model is not None and used is not None and used > 0:
            before = told[:number]
            per_m = sum(drive.used(unit) or 0.0 for drive in before) / sum(
                drive.speed_m for drive in before
            )
            yield Guess(used, model.used(told[number]), per_m * told[number].speed_m)


def errors(guessed: Sequence[Guess]) -> Errors | None:
    """Of guesses; `None` where there is none."""
    if not guessed:
        return None
    used, model, constant = np.array(guessed).T
    return Errors(
        len(guessed),
        *(100 * float(np.mean(np.abs(each - used) / used)) for each in (model, constant)),
        *(100 * float(np.abs(each - used).sum() / used.sum()) for each in (model, constant)),
    )
