"""How a road may bend away from a gate's way: a prior on its direction over the distance (pure)."""

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

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


def bent(run_m: Floats) -> Floats:
    """Covariance of the offsets, 0 at the gate, per rate².

    The direction is a Wiener process over the distance from the straight stretch around the gate,
    the offset its integral; the two sides of the gate bend independently.
    """
    size = np.maximum(0.0, np.abs(run_m) - STRAIGHT_M)
    is_before = run_m < 0.0
    same = is_before[:, None] == is_before
    least = np.minimum(size[:, None], size)
    most = np.maximum(size[:, None], size)
    found: Floats = least * least / 2.0 * (most - least / 3.0) * same
    return found
