"""Which gates GNSS can prove at all, said offline by the same formulas that decide on the road.

A model passage is held against each alternative: straight, at 15 m/s, 60 s before the gate and
behind it, in each of the gate's lanes. What the fixes say of the offset at the gate has a known
precision p (1/m²); against a way at a distance d from the lane the log ratio is then normal with
mean p·d²/2 and variance p·d². A gate is provable where, over its lanes, it is wrongly rejected in
fewer than 1 of 10,000 passages and left unresolved in fewer than 1 of 1,000.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from services.tolls.detection.alternatives import Alternative, alternatives, assumed, lanes_m
from services.tolls.detection.bends import BENDS
from services.tolls.detection.evidence import BESIDE_SIGMAS, MOST_LOG_RATIO, PROVEN, REJECTED
from services.tolls.detection.likelihood import Fits, fit
from services.tolls.detection.network import GateFrame, frame_of
from services.tolls.detection.position import LEAST_SIGMA_M
from services.tolls.detection.rows import Seen
from services.tolls.detection.shapes import shapes_of
from services.tolls.detection.window import MOST_FIXES
from services.tolls.objects import Gate, Road

MODEL_SPEED_MPS = 15.0
MODEL_SIDE_S = 60.0
MOST_MISSED = 1e-4
MOST_UNRESOLVED = 1e-3


@dataclass(frozen=True, slots=True)
class Provability:
    """Whether the passage of a gate can be proven, and against what.

    Attributes:
        gate: Its id.
        is_provable: Whether it is.
        alternative: What is hardest to tell from it; a gate without direction has none.
        separation_m: How far that is from the gate's middle.
        log_ratio: Expected natural logarithm of the likelihood ratio, in the worst lane.
        unresolved: Share of the passages that would be left unresolved.
        reason: Why it is not provable; empty if it is.
    """

    gate: str
    is_provable: bool
    alternative: str
    separation_m: float
    log_ratio: float
    unresolved: float
    reason: str


def provable(
    gates: Sequence[Gate],
    roads: Sequence[Road],
    sigma_m: float,
    interval_s: float,
    bend: float = BENDS[0][0],
) -> list[Provability]:
    """Judge every gate of a context.

    Args:
        gates: All of them: each is an alternative to its neighbours.
        roads: Free ways the context knows.
        sigma_m: Standard deviation of a fix on each axis. A gate must be provable with the best
            receiver as well: a free road may be nearer for it.
        interval_s: Seconds between two fixes.
        bend: How roads bend where the context does not say so, radians per root metre; as is:
            not at all. A bend between two fixes that are far apart hides where the gate was passed.
    """
    frames = {gate.id: frame for gate in gates if (frame := frame_of(gate)) is not None}
    known = alternatives(list(frames.values()), gates, roads)
    by_gate = dict(zip(frames, known, strict=True))
    found = []
    for gate in gates:
        if gate.id not in frames:
            reason = "its direction is unknown"
            if gate.bearing_deg is not None:
                reason = "its direction runs along its line"
            found.append(Provability(gate.id, False, "", 0.0, 0.0, 1.0, reason))
            continue
        near = by_gate[gate.id]
        judged = [
            _judged(frames[gate.id], [*near, *assumed(sigma)], (sigma, interval_s, bend))
            for sigma in sorted({sigma_m, min(sigma_m, LEAST_SIGMA_M)}, reverse=True)
        ]
        found.append(max(judged, key=lambda each: (not each.is_provable, each.unresolved)))
    return found


def _judged(
    frame: GateFrame, others: Sequence[Alternative], drive: tuple[float, float, float]
) -> Provability:
    sigma_m = drive[0]
    fits = _model(frame, others, *drive)
    lanes = lanes_m(frame.half_width_m)
    missed = unresolved = 0.0
    worst = (math.inf, "", 0.0)
    for lane in lanes:
        hardest = min(
            (
                (*_against(fits, lanes, lane, other, shape), other)
                for other, shape in _with_shapes(others)
            ),
            key=lambda each: each[0] - 3.0 * each[1],
        )
        beside = _tail(BESIDE_SIGMAS + (lanes[-1] - abs(lane)) / fits.offset[1])
        unresolved += beside / len(lanes)
        mean, sigma, other = hardest
        missed += _tail((mean - REJECTED) / sigma) / len(lanes)
        unresolved += _tail((mean - PROVEN) / sigma) / len(lanes)
        worst = min(worst, (mean, other.name, other.separation_m))
    ratio, name, separation = worst
    is_provable = missed < MOST_MISSED and unresolved < MOST_UNRESOLVED
    reason = ""
    if not is_provable:
        reason = f"{name} is {separation:.1f} m from its middle: at sigma {sigma_m:g} m unresolved"
    return Provability(
        frame.gate.id, is_provable, name, round(separation, 1),
        round(min(ratio, MOST_LOG_RATIO), 1), min(1.0, unresolved), reason,
    )  # fmt: skip


def _with_shapes(others: Sequence[Alternative]) -> list[tuple[Alternative, int | None]]:
    """Each alternative that goes in the gate's direction, and its column among the shapes."""
    found: list[tuple[Alternative, int | None]] = []
    shape = 0
    for other in others:
        if other.is_opposite:
            continue
        found.append((other, None if other.way is None else shape))
        shape += other.way is not None
    return found


def _model(
    frame: GateFrame,
    others: Sequence[Alternative],
    sigma_m: float,
    interval_s: float,
    bend: float,
) -> Fits:
    """What a passage in the middle of the gate would be fitted as, were there no error at all."""
    step_s = max(interval_s, MODEL_SIDE_S / MOST_FIXES)
    count = max(1, round(MODEL_SIDE_S / step_s))
    seen = [
        Seen(index * step_s, index * step_s * MODEL_SPEED_MPS, 0.0, sigma_m, 0.0)
        for index in range(-count, count + 1)
    ]
    return fit(seen, shapes_of(frame, others, seen), ((bend, 0.0),))


def _against(
    fits: Fits, lanes: Sequence[float], lane: float, other: Alternative, shape: int | None
) -> tuple[float, float]:
    """Mean and standard deviation of the log ratio of a passage in a lane."""
    straight = fits.fits[0]
    if shape is not None:
        rest = straight.shapes[:, shape] - lane * straight.offset
        distance2 = float(rest @ rest)
    else:
        distance2 = straight.precision * min((lane - each) ** 2 for each in other.offsets_m)
    mean = distance2 / 2.0 - math.log(len(lanes))
    return mean, max(1e-9, math.sqrt(distance2))


def _tail(sigmas: float) -> float:
    """How likely a normal deviate is beyond so many standard deviations."""
    return 0.5 * math.erfc(sigmas / math.sqrt(2.0))
