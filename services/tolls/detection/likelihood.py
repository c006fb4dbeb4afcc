"""How probable the fixes near a gate are if the vehicle went through it, or beside it.

The unknown is where, to the right of the gate's middle, the way went. Seen from the gate's own way
(its carriageway, or straight along its bearing) each fix lies `right_m` to the side. That is the
offset at the gate, plus how the road bends away from its way, plus the receiver's error:

- *Bends* are shared: a road beside the gate's bends as it does. So a bend alone never speaks for
  one of the two; only the offset at the gate does. Its uncertainty is zero at the gate and grows
  with the distance: the direction is a Wiener process over the distance (cubic spline, Wahba
  1990), pinned down by the integral of the courses over ground. How strongly roads bend is one of
  `BENDS`: the context says straight, and only data that a straight road cannot explain say
  otherwise.
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

import numpy as np
from numpy.typing import NDArray

from services.tolls.detection.bends import BENDS, Floats
from services.tolls.detection.rows import Rows, Seen

JUMP = 4.5
"""Standard deviations of a fix from what the ones before it let expect."""
_PASSES = 3


@dataclass(frozen=True, slots=True)
class Fit:
    """The fixes under one assumption of how roads bend; everything whitened.

    Attributes:
        weight: Logarithm of the prior and of the normalising factor.
        fixes: What was seen.
        offset: What one metre to the right at the gate would add to it.
        shapes: What each way that is not parallel to the gate's adds to it.
    """

    weight: float
    fixes: Floats
    offset: Floats
    shapes: Floats

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
    chosen: Sequence[int] | None = None,
) -> Fits:
    """Fit what was seen, in the order of time; at least one fix.

    Args:
        seen: The fixes.
        shapes: Shape (n, k): how far to the right of the gate's way each of k other ways is, where
            the wheels are as far as at each chosen fix.
        bends: How roads may bend, as `BENDS`.
        chosen: Which fixes count; of the others the courses do. `None`: all.
    """
    picked = range(len(seen)) if chosen is None else chosen
    rows = Rows(seen, picked, np.zeros((len(picked), 0)) if shapes is None else shapes)
    stretch = np.zeros(len(picked), dtype=np.int64)
    jumps = 0
    for _ in range(_PASSES):
        fits = [_fit(rows, bend, prior, stretch if jumps else None) for bend, prior in bends]
        best = max(fits, key=lambda fit: fit.weight - 0.5 * fit.least_chi2)
        leaps = np.abs((best.fixes - best.best_m * best.offset)[rows.split :]) > JUMP
        leaps[0] = False
        if not leaps.any():
            break
        stretch = stretch + np.cumsum(leaps)
        jumps = int(stretch[-1])
    count = len(best.fixes)
    allowed = count + 3.0 * math.sqrt(2.0 * count)
    excess = max(1.0, best.least_chi2 / allowed)
    return Fits(tuple(fits), excess, jumps)


def _fit(rows: Rows, bend: float, prior: float, stretch: NDArray[np.int64] | None) -> Fit:
    white, log_root = rows.whitened(bend, stretch)
    return Fit(prior - log_root, white[:, 0], white[:, 1], white[:, 2:])
