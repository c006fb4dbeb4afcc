"""When and where by the wheels a gate's line was crossed, and whether it was at all."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from services.tolls.detection.position import Spot
from services.tolls.detection.rows import TIME_CONSTANT_S
from services.tolls.detection.window import Window

SCALE = 0.01
"""One standard deviation of what wheels measure wrong."""
NEAREST_FIXES = 12
"""On each side: those that tell where the gate is."""
CURVED = 0.01
"""What bends take from the way along a straight line, beyond 100 m."""
_WHEELS_M = 1.0
MOST_ALONG = 60.0
CLOCK_MS = 150.0
"""One standard deviation between the instants of a fix and of what the wheels said with it."""


@dataclass(frozen=True, slots=True)
class Instant:
    """A crossing by the wheels.

    Attributes:
        net_m: Way of the wheels at it.
        sigma_m: One standard deviation of that.
        at_ms: UTC milliseconds since 1970.
        uncertainty_ms: One standard deviation of that.
        driven_m: Way of the wheels at it, always counted up.
        log_ratio: Logarithm of how much likelier it is that the line was passed than not.
        opposite_log_ratio: The same of its direction.
    """

    net_m: float
    sigma_m: float
    at_ms: int
    uncertainty_ms: int
    driven_m: float
    log_ratio: float
    opposite_log_ratio: float


def crossed(window: Window, spots: Sequence[Spot]) -> Instant:
    """Where the fixes put the gate on the way of the wheels.

    Generalised least squares of way minus place: receiver's error as in `likelihood`, wheels that
    measure wrong in common (so that fixes before and behind the gate balance), and bends.
    """
    before = [fix for fix in window.fixes if fix.along_m < 0.0][-NEAREST_FIXES:]
    fixes = before + [fix for fix in window.fixes if fix.along_m >= 0.0][:NEAREST_FIXES]
    along = np.array([fix.along_m for fix in fixes])
    guess = np.array([fix.spot.net_m for fix in fixes]) - along
    at = np.array([fix.spot.at_ms / 1000.0 for fix in fixes])
    sigma = np.array([fix.spot.sigma_m for fix in fixes])
    covariance = np.outer(sigma, sigma) * np.exp(-np.abs(at[:, None] - at) / TIME_CONSTANT_S)
    covariance += SCALE**2 * np.outer(along, along)
    curved = CURVED * np.maximum(0.0, np.abs(along) - 100.0)
    covariance += np.diag(_WHEELS_M**2 + curved**2)
    weights = np.linalg.solve(covariance, np.ones(len(fixes)))
    precision = float(weights.sum())
    net = float(weights @ guess) / precision
    rest = guess - net
    chi2 = float(rest @ np.linalg.solve(covariance, rest))
    excess = max(1.0, chi2 / (len(fixes) + 3.0 * math.sqrt(2.0 * len(fixes))))
    spread = math.sqrt(excess / precision)
    at_ms, driven = _at(spots, net)
    early, late = _at(spots, net - spread)[0], _at(spots, net + spread)[0]
    least = min(net - window.first_net_m, window.last_net_m - net)
    ratio = math.copysign(min(MOST_ALONG, (least / spread) ** 2 / 2.0), least)
    forward = max(0.0, window.fixes[-1].along_m - window.fixes[0].along_m)
    opposite = min(MOST_ALONG, (forward / float(sigma.max())) ** 2)
    return Instant(
        net,
        spread,
        round(at_ms),
        round(math.hypot((late - early) / 2.0, CLOCK_MS)),
        driven,
        ratio,
        opposite,
    )


def _at(spots: Sequence[Spot], net_m: float) -> tuple[float, float]:
    """UTC milliseconds and way driven where the wheels were so far, for the last time."""
    index = len(spots) - 1
    while index > 0 and spots[index - 1].net_m > net_m:
        index -= 1
    if index == 0:
        return float(spots[0].at_ms), spots[0].driven_m
    a, b = spots[index - 1], spots[index]
    span = b.net_m - a.net_m
    part = max(0.0, min(1.0, (net_m - a.net_m) / span)) if span > 0.0 else 1.0
    return a.at_ms + part * (b.at_ms - a.at_ms), a.driven_m + part * (b.driven_m - a.driven_m)
