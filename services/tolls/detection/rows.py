"""What was seen near a gate, as rows of a linear model with the covariance of its errors (pure)."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.tolls.detection.bends import Floats, bent
from services.tolls.detection.courses import aside

TIME_CONSTANT_S = 30.0
"""Of errors of the ionosphere and of multipath in motion; 10 to 100 s in the literature."""
SKEW_RAD = float(np.radians(10.0))
"""One standard deviation between the normal of a gate's line and the road."""
COURSE_RAD = float(np.radians(3.0))
"""One standard deviation of a course over ground, of one fix,"""
COURSE_BIAS_RAD = float(np.radians(0.3))
"""and of all in common."""
LEAST_WHITE_M = 0.5
WANDER_M = 0.7
"""How far a car goes to and fro in its lane."""
WANDER_OVER_M = 150.0
REFLECTION_M = 8.0
"""One standard deviation of what a reflection shifts."""
ROUGH = 1.5
"""White noise so many times what autoregressive noise looks like is that of reflections,"""
ROUGH_SHARE = 2.0
"""and then all fixes may be off together by so many times the white noise."""
_LEAST_ASIDE_M = 0.1
"""Courses are rounded."""
_LARGE = 1e18
_SECOND = 6.0**0.5
"""Of the second differences of white noise of 1."""


class Seen(NamedTuple):
    """One fix as it lies to a gate's way.

    Attributes:
        at_s: Seconds, from anywhere.
        run_m: Way of the wheels from the gate on, below 0 before it.
        right_m: To the right of the gate's way.
        sigma_m: One standard deviation.
        course_rad: Direction to the right of the way's; `None`: not said.
    """

    at_s: float
    run_m: float
    right_m: float
    sigma_m: float
    course_rad: float | None


class Rows:
    """Ways aside by the courses first, then fixes, each in the order of time.

    Attributes:
        split: Where the fixes begin.

    Args:
        seen: All fixes, in the order of time.
        chosen: Which of them become rows.
        shapes: Shape (n, k): how far to the right each of k ways is at the chosen ones.
    """

    def __init__(self, seen: Sequence[Seen], chosen: Sequence[int], shapes: Floats) -> None:
        run, right, at, sigma = (
            np.array([(one.run_m, one.right_m, one.at_s, one.sigma_m) for one in seen]).T
        )  # fmt: skip
        white = white_m(at, right)
        ways = aside(run, [one.course_rad for one in seen], chosen)
        picked = list(chosen)
        self._at, self._sigma, self._run = at[picked], sigma[picked], run[picked]
        self.split, count = len(ways.ends), len(picked)
        step = np.zeros((self.split, count))
        index = np.arange(self.split)
        step[index, ways.ends[:, 0]] = -1.0
        step[index, ways.ends[:, 1]] = 1.0
        self._each = np.vstack((step, np.eye(count)))
        offset = np.concatenate((np.zeros(self.split), np.ones(count)))
        said = np.concatenate((ways.aside_m, right[picked]))
        columns = np.column_stack((said, offset, self._each @ shapes))
        self._bent = self._each @ bent(self._run) @ self._each.T
        self._bent[index, index] += ways.rough
        self._noise = self._noises(ways.weights, white)
        self._whole = _bordered(columns)

    def _noises(self, weights: Floats, white: float) -> Floats:
        """What does not depend on how roads bend."""
        run, sigma, split = self._run, self._sigma, self.split
        moved = SKEW_RAD**2 * np.outer(run, run)
        moved += WANDER_M**2 * np.exp(-np.abs(run[:, None] - run) / WANDER_OVER_M)
        found: Floats = self._each @ moved @ self._each.T
        if split:
            ways = weights.sum(axis=1)
            found[:split, :split] += COURSE_RAD**2 * (weights @ weights.T)
            found[:split, :split] += COURSE_BIAS_RAD**2 * np.outer(ways, ways)
            found[:split, :split] += _LEAST_ASIDE_M**2 * np.eye(split)
        apart = np.abs(self._at[:, None] - self._at)
        slow = np.outer(sigma, sigma) * np.exp(-apart / TIME_CONSTANT_S)
        smooth = float(np.median(sigma)) / (1.5 * TIME_CONSTANT_S) ** 0.5
        if white > ROUGH * max(smooth, LEAST_WHITE_M):
            slow += (ROUGH_SHARE * white) ** 2
        found[split:, split:] += slow + np.eye(len(run)) * white**2
        return found

    def whitened(self, bend: float, stretch: NDArray[np.int64] | None) -> tuple[Floats, float]:
        """Columns (what was seen, the offset, the shapes) with errors of 1 that are independent.

        Args:
            bend: How roads bend, radians per root metre.
            stretch: Between which jumps each fix lies; `None`: there are none.

        Returns:
            The columns, and the logarithm of the determinant's root.
        """
        covariance = self._noise + bend * bend * self._bent
        if stretch is not None:
            same = stretch[:, None] == stretch
            covariance[self.split :, self.split :] += REFLECTION_M**2 * same
        count = len(covariance)
        self._whole[:count, :count] = covariance
        root: Floats = np.linalg.cholesky(self._whole).astype(np.float64, copy=False)
        return root[count:, :count].T, float(np.log(np.diagonal(root)[:count]).sum())


def _bordered(columns: Floats) -> Floats:
    """A matrix whose Cholesky factor has the whitened columns in its last rows.

    The factor of [[C, b], [b', D]] is [[L, 0], [(L^-1 b)', ...]], whatever D is, if large enough.
    """
    count, more = columns.shape
    found = np.eye(count + more) * _LARGE
    found[count:, :count] = columns.T
    found[:count, count:] = columns
    return found


def white_m(at_s: Floats, right_m: Floats) -> float:
    """White noise by the fixes themselves: the median of their second differences.

    Fixes further apart than 2 s say nothing of it; a few that jump do not move the median.
    """
    close = (at_s[2:] - at_s[:-2]) <= 4.0
    second = np.abs(right_m[2:] - 2.0 * right_m[1:-1] + right_m[:-2])[close]
    if len(second) < 5:
        return LEAST_WHITE_M
    return max(LEAST_WHITE_M, float(np.median(second)) / 0.6745 / _SECOND)
