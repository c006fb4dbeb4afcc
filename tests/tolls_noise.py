"""What a GNSS receiver adds to the truth: two generators that have nothing in common.

A: each axis is a first-order autoregressive process (sigma 3 or 5 m, time constant 30 s): slow
errors of the atmosphere and the orbit. B: white noise, jumps as reflections come and go, and once
in the drive a bias of 15 m for 20 s that the receiver knows nothing of.
"""

import math
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Generator = Literal["a", "b"]

TIME_CONSTANT_S = 30.0
WHITE_M = 1.5
JUMP_M = 5.0
"""One standard deviation, on each axis, of the error while a reflection is seen."""
SECONDS_BETWEEN_JUMPS = 30.0
JUMP_S = 8.0
BIAS_M = 15.0
BIAS_S = 20.0


def autoregressive(random: np.random.Generator, times_s: Floats, sigma_m: float) -> Floats:
    """Errors in m, shape (n, 2), with the same sigma at every instant, however far apart."""
    steps = np.diff(times_s)
    keep = np.exp(-steps / TIME_CONSTANT_S).tolist()
    draws = random.normal(0.0, sigma_m, (len(times_s), 2)).tolist()
    found = draws[:1]
    for factor, (east, north) in zip(keep, draws[1:], strict=True):
        rest = math.sqrt(1.0 - factor * factor)
        before = found[-1]
        found.append([factor * before[0] + rest * east, factor * before[1] + rest * north])
    return np.array(found).reshape(-1, 2)


def reflected(random: np.random.Generator, times_s: Floats, bias_at_s: float) -> Floats:
    """Errors in m, shape (n, 2): white noise, jumps, and the bias from `bias_at_s` on for 20 s."""
    found = random.normal(0.0, WHITE_M, (len(times_s), 2))
    if not len(times_s):
        return found
    at_s = float(times_s[0])
    while at_s < times_s[-1]:
        at_s += float(random.exponential(SECONDS_BETWEEN_JUMPS))
        lasts_s = float(random.exponential(JUMP_S))
        found[(times_s >= at_s) & (times_s < at_s + lasts_s)] += random.normal(0.0, JUMP_M, 2)
        at_s += lasts_s
    angle = float(random.uniform(0.0, 2.0 * math.pi))
    is_biased = (times_s >= bias_at_s) & (times_s < bias_at_s + BIAS_S)
    found[is_biased] += BIAS_M * np.array([math.sin(angle), math.cos(angle)])
    return found
