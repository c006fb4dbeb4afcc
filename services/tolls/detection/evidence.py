"""From fixes around a gate to a verdict: proven, rejected or unresolved, and why."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from services.tolls.detection.alternatives import Alternative, assumed, lanes_m
from services.tolls.detection.crossing import Instant, crossed
from services.tolls.detection.likelihood import Fits, fit
from services.tolls.detection.network import GateFrame
from services.tolls.detection.position import Spot
from services.tolls.detection.shapes import shapes_of
from services.tolls.detection.window import window
from services.tolls.facts import Evidence, Verdict

PROVEN = math.log(1e6)
"""A tolled path is so much likelier than the best free one."""
REJECTED = math.log(1e-4)
BESIDE_SIGMAS = 3.3
"""Further beside the gate's lanes than this the vehicle was on no way that is known."""
ELSEWHERE_SIGMAS = 6.5
"""Only further beside the lanes than this it was on another: a reflection moves fixes by 15 m."""
MOST_LOG_RATIO = 300.0


@dataclass(frozen=True, slots=True)
class Assessment:
    """What the fixes say of one crossing.

    Attributes:
        verdict: As far as they go.
        evidence: Why.
        instant: When.
    """

    verdict: Verdict
    evidence: Evidence
    instant: Instant


@dataclass(frozen=True, slots=True)
class _Held:
    """The alternative that suits best, and by how much the tolled path suits better."""

    log_ratio: float
    alternative: Alternative


def assess(
    frame: GateFrame, known: Sequence[Alternative], spots: Sequence[Spot], net_m: float
) -> Assessment | None:
    """Weigh the fixes around a crossing; `None` where there are not enough of them.

    Args:
        frame: The gate.
        known: Ways that the context knows near it.
        spots: The last places, in order.
        net_m: Where about it was crossed, by the wheels.
    """
    seen = window(frame, spots, net_m)
    if len(seen.fixes) < 2:
        return None
    instant = crossed(seen, spots)
    fixes = seen.about(instant.net_m)
    sigma = sorted(one.sigma_m for one in fixes)[len(fixes) // 2]
    others = [*known, *assumed(sigma)]
    shapes = shapes_of(frame, others, [fixes[index] for index in seen.chosen])
    fits = fit(fixes, shapes, chosen=seen.chosen)
    held = _hold(frame, others, fits, instant)
    place, spread = fits.offset
    lanes = lanes_m(frame.half_width_m)
    beside = max(0.0, abs(place) - lanes[-1]) / spread
    ratio = min(held.log_ratio, instant.log_ratio)
    verdict: Verdict = "unresolved"
    if ratio >= PROVEN and beside <= BESIDE_SIGMAS:
        verdict = "proven"
    elif held.log_ratio <= REJECTED and beside >= ELSEWHERE_SIGMAS:
        verdict = "rejected"
    words = _words(held, instant, place, spread, beside, fits, len(seen.chosen))
    evidence = Evidence(
        round(ratio, 3), held.alternative.name, round(held.alternative.separation_m, 1),
        sigma, seen.told(), words,
    )  # fmt: skip
    return Assessment(verdict, evidence, instant)


def _hold(frame: GateFrame, others: Sequence[Alternative], fits: Fits, instant: Instant) -> _Held:
    """Hold the tolled path against every alternative; the best of them counts."""
    own = fits.log_likelihood(lanes_m(frame.half_width_m))
    worst = _Held(math.inf, others[0])
    shape = 0
    for other in others:
        if other.is_opposite:
            ratio = instant.opposite_log_ratio
        elif other.way is not None:
            ratio = own - fits.log_likelihood((0.0,), shape)
            shape += 1
        else:
            ratio = own - fits.log_likelihood(other.offsets_m)
        if ratio < worst.log_ratio:
            worst = _Held(ratio, other)
    bounded = max(-MOST_LOG_RATIO, min(MOST_LOG_RATIO, worst.log_ratio))
    return _Held(bounded, worst.alternative)


def _words(
    held: _Held,
    instant: Instant,
    place: float,
    spread: float,
    beside: float,
    fits: Fits,
    count: int,
) -> tuple[str, ...]:
    side = "right" if place >= 0 else "left"
    than = f"{held.alternative.name}, {held.alternative.separation_m:.0f} m from the gate's middle"
    lines = [
        f"{count} fixes over approach and run-out: {abs(place):.1f} m {side} of the gate's middle, "
        f"give or take {spread:.1f} m",
        f"the tolled path is e^{held.log_ratio:.1f} times as likely as {than}",
        f"that the line was passed at all is e^{instant.log_ratio:.1f} times as likely as not",
    ]
    if beside > BESIDE_SIGMAS:
        lines.append(f"that is {beside:.1f} standard deviations beside its lanes")
    if fits.jumps:
        lines.append(f"the receiver jumped {fits.jumps} times: each stretch may be off as a whole")
    if fits.excess > 1.0:
        lines.append(f"the fixes scatter {fits.excess:.1f} times as much as they should")
    return tuple(lines)
