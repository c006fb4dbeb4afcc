"""How far to the side a vehicle went between two fixes, by its courses over ground (pure).

The courses of all fixes are used, however few of the fixes themselves are: an integral over the
way of the wheels from one chosen fix to the next, so that a bend in between is followed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LEAST_M = 1.0
"""A way that is shorter has no direction worth a row."""


@dataclass(frozen=True, slots=True)
class Aside:
    """Ways to the side between chosen fixes that follow one another.

    Attributes:
        ends: Shape (k, 2): which of the chosen fixes each goes from and to.
        aside_m: To the right.
        weights: Shape (k, n): of each course, in m; the noise of courses is common to neighbours.
        rough: What a bend of rate 1 between two courses makes uncertain, in m³.
    """

    ends: NDArray[np.int64]
    aside_m: Floats
    weights: Floats
    rough: Floats


def aside(run_m: Floats, courses_rad: Sequence[float | None], chosen: Sequence[int]) -> Aside:
    """Integrate the courses between chosen fixes; nothing where no course was said.

    Args:
        run_m: Of all fixes, by the wheels.
        courses_rad: Of all fixes, to the right of the gate's way.
        chosen: Which are chosen, in order.
    """
    told = [index for index, course in enumerate(courses_rad) if course is not None]
    if not told or len(chosen) < 2:
        nothing = np.zeros(0)
        return Aside(np.zeros((0, 2), dtype=np.int64), nothing, np.zeros((0, 0)), nothing)
    onward = np.maximum.accumulate(run_m)
    knots, at = onward[told], onward[list(chosen)]
    gaps = np.diff(knots)
    sums, rough = _integrals(gaps), np.concatenate(([0.0], np.cumsum(gaps**3) / 12.0))
    before, after = np.minimum(0.0, at - knots[0]), np.maximum(0.0, at - knots[-1])
    if len(told) == 1:
        by_course, loose = np.zeros((len(at), 1)), np.zeros(len(at))
    else:
        left = np.clip(np.searchsorted(knots, at, side="right") - 1, 0, len(told) - 2)
        part = np.clip((at - knots[left]) / np.maximum(gaps[left], 1e-9), 0.0, 1.0)
        by_course = sums[left] + part[:, None] * (sums[left + 1] - sums[left])
        loose = rough[left] + part * (rough[left + 1] - rough[left])
    by_course[:, 0] += before
    by_course[:, -1] += after
    loose += (before**3 + after**3) / 3.0
    first = np.flatnonzero(np.diff(at) >= LEAST_M)
    weights = by_course[first + 1] - by_course[first]
    said = np.array([course for course in courses_rad if course is not None])
    ends = np.column_stack((first, first + 1))
    return Aside(ends, weights @ said, weights, loose[first + 1] - loose[first])


def _integrals(gaps_m: Floats) -> Floats:
    """Shape (n, n): what each course adds to the way aside from the first one on to each."""
    count = len(gaps_m) + 1
    steps = np.zeros((count, count))
    index = np.arange(count - 1)
    steps[index + 1, index] = gaps_m / 2.0
    steps[index + 1, index + 1] = gaps_m / 2.0
    found: Floats = np.cumsum(steps, axis=0)
    return found
