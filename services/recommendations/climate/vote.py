"""What a driver's own trips in such weather say of a setting (pure).

Each expert is a kernel over the past trips: how near in the temperature outside, in age, and for
some in the time of day; each is shrunk to what the driver has in roughly such weather, as if some
trips more had been so. Which of them to believe is learned from how much each gave to what was set
on the trips of late, the older the less (a Bayesian mixture that forgets).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.recommendations.climate.past import MARKS_S, Column, Past
from services.recommendations.destination.moment import MINUTES_PER_DAY

Weights = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Expert:
    """A kernel.

    Attributes:
        width_c: Of the temperature outside, °C.
        half_life_d: Of age, days.
        width_min: Of the time of day, minutes; `None`: it does not count.
    """

    width_c: float
    half_life_d: float
    width_min: float | None = None


EXPERTS = (
    Expert(0.5, 14), Expert(0.5, 400), Expert(1, 14), Expert(1, 400), Expert(2, 14), Expert(3, 14),
    Expert(1, 400, 120), Expert(3, 3),
)  # fmt: skip
"""Chosen on invented drivers whose seeds the benchmark does not use."""
_PRIOR = Expert(6, 30)
PSEUDO_TRIPS = 2.0
"""So many trips every kernel is shrunk to the prior with."""
_AGE_FLOOR, _TIME_FLOOR = 0.02, 0.05
_SHORT = 0.2
"""What a trip counts that was over before the mark that is asked about."""
SIMILAR_C = 3.0
"""Within this a trip was in such weather."""
LEAST_SIMILAR = 3
WATCHED = 150
"""So many of the last trips say which experts to believe."""
_FORGETS = 0.99
"""What a trip counts for that, against the one after it."""
_TRUST, _FLOOR = 0.9, 0.01
"""How much of an expert's share counts, and what is given to everything."""
_TINY = float(np.finfo(float).tiny)


@dataclass(frozen=True, slots=True)
class Question:
    """When and in what weather; or several of them, as columns of shape (k, 1).

    Attributes:
        day: Days since 1970 on the driver's wall clock, with their fraction.
        outside_c: °C.
        mark: Which of `MARKS_S` the trip has come to; the start: 0.
    """

    day: float | Column
    outside_c: float | Column
    mark: int = 0


def has_reached(past: Past, mark: int) -> NDArray[np.bool_]:
    """Which trips lasted to a mark; all have a start."""
    least_s = MARKS_S[mark] if mark else 0.0
    reached: NDArray[np.bool_] = past.lasted_s >= least_s
    return reached


def weights(past: Past, question: Question, expert: Expert) -> Weights:
    """What each trip weighs: (n), or (k, n) for k questions."""
    apart_c = question.outside_c - past.outside_c
    age_d = question.day - past.day
    found: Weights = np.exp(apart_c**2 / (-2.0 * expert.width_c**2))
    found *= 0.5 ** (np.maximum(age_d, 0.0) / expert.half_life_d) + _AGE_FLOOR
    if expert.width_min is not None:
        apart_min: Weights = np.abs(age_d) % 1.0 * MINUTES_PER_DAY
        apart_min = np.minimum(apart_min, MINUTES_PER_DAY - apart_min)
        found *= np.exp(apart_min**2 / (-2.0 * expert.width_min**2)) + _TIME_FLOOR
    found *= np.where(has_reached(past, question.mark), 1.0, _SHORT)
    return found


def log_likelihoods(past: Past, first: int = 0) -> dict[str, Weights]:
    """How much each expert gave, from the trips before, to what was set at the start of a trip.

    Args:
        past: The trips.
        first: From this trip on.

    Returns:
        By the path of the leaf: (trips, experts); 0 where the setting is not known.
    """
    rows = np.arange(first, len(past))
    asked = Question(past.day[first:, None], past.outside_c[first:, None])
    is_before = np.arange(len(past)) < rows[:, None]
    known, alike, prior = {}, {}, {}
    first_weights = weights(past, asked, _PRIOR) * is_before
    for path, setting in past.settings.items():
        values = setting.at[:, 0]
        known[path] = (~np.isnan(values)).astype(float)
        alike[path] = values == values[first:, None]
        prior[path] = _share(first_weights, known[path], alike[path], 0.0, np.zeros(len(rows)))
    found = {path: np.zeros((len(rows), len(EXPERTS))) for path in past.settings}
    for number, expert in enumerate(EXPERTS):
        weighs = weights(past, asked, expert) * is_before
        for path, given in found.items():
            share = _share(weighs, known[path], alike[path], PSEUDO_TRIPS, prior[path])
            given[:, number] = np.log(_TRUST * share + _FLOOR) * known[path][first:]
    return found


def _share(
    weighs: Weights,
    known: Column,
    alike: NDArray[np.bool_],
    pseudo: float,
    prior: Column,
) -> Column:
    """What part of (k, n) weights is on trips that were alike, shrunk to a prior: (k)."""
    part = np.einsum("kn,kn->k", weighs, alike)
    found: Column = (part + pseudo * prior) / np.maximum(weighs @ known + pseudo, _TINY)
    return found


def believed(likelihoods: Weights) -> Weights:
    """How far each expert is believed after these outcomes, the latest last; they sum to 1."""
    ages = np.arange(len(likelihoods) - 1, -1, -1.0)
    scores = _FORGETS**ages @ likelihoods
    found: Weights = np.exp(scores - scores.max())
    found /= found.sum()
    return found


def shares(
    past: Past, values: Column, question: Question, belief: Weights
) -> tuple[Column, Weights]:
    """How likely each value is that a setting has had.

    Args:
        past: The trips.
        values: (n), how the setting stood; NaN where that is not known, somewhere it is.
        question: One.
        belief: How far each expert is believed.

    Returns:
        The values from the least to the greatest, and their shares, which sum to 1.
    """
    is_known = ~np.isnan(values)
    prior = np.where(is_known, weights(past, question, _PRIOR), 0.0)
    prior = prior + np.where(is_known, _TINY, 0.0)
    prior /= prior.sum()
    whole = np.zeros(len(past))
    for trust, expert in zip(belief, EXPERTS, strict=True):
        weighs = np.where(is_known, weights(past, question, expert), 0.0)
        whole += trust * (weighs + PSEUDO_TRIPS * prior) / (weighs.sum() + PSEUDO_TRIPS)
    found, which = np.unique(values[is_known], return_inverse=True)
    given = np.bincount(which, whole[is_known], len(found)).astype(float)
    return found, given


def middle(values: Column, given: Weights, own: Column) -> float:
    """The weighted median, on a value of one's own: what is least far from all on average."""
    up_to = np.cumsum(given)
    median = values[int(np.argmax(up_to >= 0.5 * up_to[-1]))]
    return float(own[int(np.argmin(np.abs(own - median)))])
