"""How probable the fixes near a gate are if the vehicle went through it, or beside it.

The unknown is where, to the right of the gate's middle, the way went. Seen from the gate's own way
(its carriageway, or straight along its bearing) each fix lies `right_m` to the side. That is the
offset at the gate, plus how the road bends away from its way, plus the receiver's error:

- *Bends* are shared: a road beside the gate's bends as it does. So a bend alone never speaks for
  one of the two; only the offset at the gate does. Its uncertainty is zero at the gate and grows
  with the distance: the direction is a Wiener process over the distance (cubic spline, Wahba
  1990), pinned down by the courses over ground. How strongly roads bend is one of `BENDS`: the
  context says straight, and only data that a straight road cannot explain say otherwise.
- *The receiver's error* is first-order autoregressive with a time constant of 30 s, plus white
  noise as large as the fixes themselves show. Fixes are so counted for what they are worth: over
  a time T a constant offset is seen 1 + T/2τ times, however many fixes there are.
- *Jumps*: where a fix lies off what the ones before let expect by more than `JUMP`, the receiver
  saw a reflection or lost one. From then on each stretch between jumps may be off as a whole by
  `REFLECTION_M`, so that no stretch alone can prove anything.
- What none of this explains makes everything less certain (`excess`), as a tail heavier than
  the normal one would.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

TIME_CONSTANT_S = 30.0
"""Of errors of the ionosphere and of multipath in motion; 10 to 100 s in the literature."""
BENDS = (
    (3e-5, math.log(1.0 - 3e-5)),
    (1.5e-3, math.log(1e-5)),
    (5e-3, math.log(1e-5)),
    (1.3e-2, math.log(1e-5)),
)
"""How a road's direction wanders, rad per root metre, and the logarithm of how likely that is.

The first is straight within 1 m over 1,500 m. The last turns 7 degrees in 100 m.
"""
STRAIGHT_M = 50.0
"""A gate stands where the road is straight so far to either side."""
SKEW_RAD = math.radians(10.0)
"""One standard deviation between the normal of a gate's line and the road."""
COURSE_RAD = math.radians(3.0)
"""One standard deviation of a course over ground, of one fix,"""
COURSE_BIAS_RAD = math.radians(0.3)
"""and of all in common."""
LEAST_WHITE_M = 0.5
WANDER_M = 0.7
"""How far a car goes to and fro in its lane."""
WANDER_OVER_M = 150.0
JUMP = 4.5
"""Standard deviations of a fix from what the ones before it let expect."""
REFLECTION_M = 8.0
"""One standard deviation of what a reflection shifts."""
ROUGH = 1.5
"""White noise so many times what autoregressive noise looks like is that of reflections,"""
ROUGH_SHARE = 2.0
"""and then all fixes may be off together by so many times the white noise."""
_PASSES = 3
_LARGE = 1e18


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


@dataclass(frozen=True, slots=True)
class Fit:
    """The fixes under one assumption of how roads bend; everything whitened.

    Attributes:
        weight: Logarithm of the prior and of the normalising factor.
        fixes: What was seen.
        offset: What one metre to the right at the gate would add to it.
        shapes: What each way that is not parallel to the gate's adds to it.
        order: Which rows are fixes, in the order of time.
    """

    weight: float
    fixes: Floats
    offset: Floats
    shapes: Floats
    order: slice

    @property
    def precision(self) -> float:
        """Of the offset at the gate, 1/m²."""
        return float(self.offset @ self.offset)

    @property
    def best_m(self) -> float:
        """The offset at the gate that suits best."""
        return float(self.offset @ self.fixes) / self.precision

    def chi2(self, offsets_m: Sequence[float], shape: int | None = None) -> list[float]:
        """Squared distances of the fixes from ways that pass the gate at these offsets."""
        rest = self.fixes if shape is None else self.fixes - self.shapes[:, shape]
        square, pull, precision = float(rest @ rest), float(self.offset @ rest), self.precision
        return [max(0.0, square + at * (at * precision - 2.0 * pull)) for at in offsets_m]

    @property
    def least_chi2(self) -> float:
        """At the offset that suits best."""
        return self.chi2((self.best_m,))[0]


@dataclass(frozen=True, slots=True)
class Fits:
    """The fixes under every assumption.

    Attributes:
        fits: One for each of `BENDS`.
        excess: How much further off the fixes are than any of them lets expect, at least 1.
        jumps: How often the receiver jumped.
    """

    fits: tuple[Fit, ...]
    excess: float
    jumps: int

    def log_likelihood(self, offsets_m: Sequence[float], shape: int | None = None) -> float:
        """Of a way that passes the gate at one of these offsets, each as likely.

        Args:
            offsets_m: To the right of the gate's middle.
            shape: Which of the given ways that are not parallel to the gate's.
        """
        terms = [
            fit.weight - 0.5 * chi2 / self.excess
            for fit in self.fits
            for chi2 in fit.chi2(offsets_m, shape)
        ]
        return _log_sum(terms) - math.log(len(offsets_m))

    @property
    def offset(self) -> tuple[float, float]:
        """Where at the gate the vehicle was, to the right of its middle, and the sigma."""
        fit = max(self.fits, key=lambda fit: fit.weight - 0.5 * fit.least_chi2 / self.excess)
        return fit.best_m, math.sqrt(self.excess / fit.precision)


def _log_sum(terms: Sequence[float]) -> float:
    most = max(terms)
    return most + math.log(sum(math.exp(term - most) for term in terms))


def fit(
    seen: Sequence[Seen],
    shapes: Floats | None = None,
    bends: Sequence[tuple[float, float]] = BENDS,
) -> Fits:
    """Fit what was seen, in the order of time; at least one fix.

    Args:
        seen: The fixes.
        shapes: Shape (n, 2, k): how far to the right of the gate's way each of k other ways is,
            and its direction to the right of that way's, where the wheels are as far.
        bends: How roads may bend, as `BENDS`.
    """
    given = shapes if shapes is not None else np.zeros((len(seen), 2, 0))
    rows = _Rows(seen, given)
    stretch = np.zeros(len(seen), dtype=np.int64)
    jumps = 0
    for _ in range(_PASSES):
        fits = [rows.fit(bend, prior, stretch if jumps else None) for bend, prior in bends]
        best = max(fits, key=lambda fit: fit.weight - 0.5 * fit.least_chi2)
        rest = (best.fixes - best.best_m * best.offset)[best.order]
        leaps = np.abs(rest) > JUMP
        leaps[0] = False
        found = stretch + np.cumsum(leaps)
        if not leaps.any():
            break
        stretch, jumps = found, int(found[-1])
    count = len(best.fixes)
    allowed = count + 3.0 * math.sqrt(2.0 * count)
    excess = max(1.0, best.least_chi2 / allowed)
    return Fits(tuple(fits), excess, jumps)


class _Rows:
    """Courses first, then fixes, each in the order of time."""

    def __init__(self, seen: Sequence[Seen], shapes: Floats) -> None:
        self._turning = [i for i, one in enumerate(seen) if one.course_rad is not None]
        turned = [one.course_rad for one in seen if one.course_rad is not None]
        run = np.array([one.run_m for one in seen])
        right = np.array([one.right_m for one in seen])
        self._at = np.array([one.at_s for one in seen])
        self._sigma = np.array([one.sigma_m for one in seen])
        self._all = np.concatenate((run[self._turning], run))
        self._split = len(turned)
        self._fixes = np.concatenate((np.array(turned), right))
        self._offset = np.concatenate((np.zeros(len(turned)), np.ones(len(seen))))
        self._shapes = np.vstack((shapes[self._turning, 1], shapes[:, 0]))
        self._bent = _bent(self._all, self._split)
        self._noise = self._noises(white_m(self._at, right))
        self._whole = _bordered(np.column_stack((self._fixes, self._offset, self._shapes)))

    def _noises(self, white: float) -> Floats:
        """What does not depend on how roads bend."""
        split, run = self._split, self._all
        course, fixes = slice(0, split), slice(split, None)
        slope = np.concatenate((np.ones(split), run[fixes])) * SKEW_RAD
        found = np.outer(slope, slope)
        found[course, course] += COURSE_BIAS_RAD**2 + np.eye(split) * COURSE_RAD**2
        apart = np.abs(self._at[:, None] - self._at[None, :])
        slow = np.outer(self._sigma, self._sigma) * np.exp(-apart / TIME_CONSTANT_S)
        gap = np.abs(run[fixes, None] - run[None, fixes])
        slow += WANDER_M**2 * np.exp(-gap / WANDER_OVER_M)
        smooth = float(np.median(self._sigma)) / math.sqrt(1.5 * TIME_CONSTANT_S)
        if white > ROUGH * max(smooth, LEAST_WHITE_M):
            slow += (ROUGH_SHARE * white) ** 2
        found[fixes, fixes] += slow + np.eye(len(self._at)) * white**2
        return found

    def fit(self, bend: float, prior: float, stretch: NDArray[np.int64] | None) -> Fit:
        """The fit if roads bend like this.

        Args:
            bend: Radians per root metre.
            prior: Logarithm of how likely that is.
            stretch: Between which jumps each fix lies; `None`: there are none.
        """
        covariance = self._noise + bend * bend * self._bent
        if stretch is not None:
            same = stretch[:, None] == stretch[None, :]
            covariance[self._split :, self._split :] += REFLECTION_M**2 * same
        count = len(covariance)
        self._whole[:count, :count] = covariance
        root: Floats = np.linalg.cholesky(self._whole).astype(np.float64, copy=False)
        white = root[count:, :count].T
        weight = prior - float(np.sum(np.log(np.diag(root)[:count])))
        order = slice(self._split, None)
        return Fit(weight, white[:, 0], white[:, 1], white[:, 2:], order)


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
    return max(LEAST_WHITE_M, float(np.median(second)) / 0.6745 / math.sqrt(6.0))


def _bent(run_m: Floats, split: int) -> Floats:
    """Covariance of directions (the first `split`) and offsets, both 0 at the gate, per rate².

    Both are integrals of one Wiener process in the distance from the straight stretch around the
    gate; the two sides of the gate bend independently.
    """
    size = np.maximum(0.0, np.abs(run_m) - STRAIGHT_M)
    sign = np.where(run_m < 0.0, -1.0, 1.0)
    same = sign[:, None] == sign[None, :]
    least = np.minimum(size[:, None], size[None, :])
    most = np.maximum(size[:, None], size[None, :])
    found = least**2 / 2.0 * (most - least / 3.0)
    course, fixes = slice(0, split), slice(split, None)
    found[course, course] = least[course, course]
    inner = least[fixes, course]
    mixed = (size[fixes, None] * inner - inner**2 / 2.0) * sign[fixes, None]
    found[fixes, course] = mixed
    found[course, fixes] = mixed.T
    return np.where(same, found, 0.0)
