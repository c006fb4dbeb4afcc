"""What one car takes: least squares on its trips, held near the usual car (pure).

It is what recursive least squares with forgetting come to, reckoned at once from the trips: so no
state is kept that could run away, and what is forgotten is gone. Where the trips say little, the
ridge holds it near the usual car, scaled to this one. A trip that fits badly weighs less (Huber
1964, "Robust estimation of a location parameter"), and so does an old one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.recommendations.eco.drive import Drive, Unit
from services.recommendations.eco.parts import DOUBT, Columns, parts

LEAST_TRIPS = 10
HALF_LIFE_TRIPS = 200.0
_ROUNDS = 4
_HUBER = 1.5
_NOISE, _NOISE_TRIPS = 0.12, 5.0
"""Of a trip's use: what the error is taken for before anything is known, worth so many trips."""
_LEAST_NOISE = 0.01
_MOST_SCALE = 20.0
_LEAST_USED = 1.0


@dataclass(frozen=True, slots=True)
class Model:
    """What a car takes of each part.

    Attributes:
        unit: Of what it takes.
        share: Of each part of the usual car, in the order of `NAMES`.
        covariance: How well that is known.
        trips: From how many it was learned.
    """

    unit: Unit
    share: Columns
    covariance: Columns
    trips: int

    def used(self, drive: Drive) -> float:
        """What the car takes for a trip."""
        used = float(parts([drive], self.unit)[0] @ self.share)
        return max(0.0, used) if self.unit == "ml" else used

    def saved(self, drive: Drive, instead: Drive) -> tuple[float, float]:
        """What another way to drive would have saved, and the standard error of it."""
        both = parts([drive, instead], self.unit)
        less = both[0] - both[1]
        return float(less @ self.share), float(np.sqrt(max(0.0, less @ self.covariance @ less)))


def fitted(drives: Sequence[Drive], unit: Unit) -> Model | None:
    """The model from a car's trips, the oldest first; `None` below ten that tell this unit."""
    told = [drive for drive in drives if drive.used(unit) is not None]
    if len(told) < LEAST_TRIPS:
        return None
    used = np.array([drive.used(unit) for drive in told], float)
    usual = parts(told, unit)
    gross = np.maximum(usual.clip(min=0).sum(axis=1), _LEAST_USED)
    scale = float(np.median(used / np.maximum(usual.sum(axis=1), gross / 4)))
    scale = min(max(scale, 1 / _MOST_SCALE), _MOST_SCALE)
    size = scale * gross
    age = np.arange(len(told))[::-1]
    share, covariance = _solved(
        usual * scale / size[:, None], used / size, 0.5 ** (age / HALF_LIFE_TRIPS)
    )
    return Model(unit, share * scale, covariance * scale**2, len(told))


def _solved(rows: Columns, used: Columns, weights: NDArray[np.float64]) -> tuple[Columns, Columns]:
    """Ridge towards 1 with Huber's weights: the shares and their covariance."""
    ridge, ones, noise = np.diag(1 / DOUBT**2), np.ones(len(DOUBT)), _NOISE
    share: Columns = ones
    inverse: Columns = np.diag(DOUBT**2)
    trusted = weights
    for _ in range(_ROUNDS):
        inverse = np.asarray(np.linalg.inv((rows.T * trusted) @ rows / noise**2 + ridge), float)
        share = inverse @ ((rows.T * trusted) @ used / noise**2 + ridge @ ones)
        wrong = np.abs(used - rows @ share)
        noise = _noise(wrong, weights)
        trusted = weights * np.minimum(1.0, _HUBER * noise / np.maximum(wrong, 1e-9))
    return share, inverse


def _noise(wrong: Columns, weights: Columns) -> float:
    """The standard deviation of what a trip's use is beside, that outliers do not raise."""
    median = 1.4826 * float(np.median(wrong))
    least = np.minimum(wrong, 2.5 * max(median, _LEAST_NOISE))
    total = _NOISE_TRIPS * _NOISE**2 + float(weights @ least**2)
    return max(_LEAST_NOISE, float(np.sqrt(total / (_NOISE_TRIPS + float(weights.sum())))))
