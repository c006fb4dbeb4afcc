"""What the parts of the toll service hand each other."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Verdict = Literal["proven", "unresolved", "rejected"]


@dataclass(frozen=True, slots=True)
class Sample:
    """What a vehicle said of one instant; `None` where it said nothing.

    Attributes:
        at_ms: Source time, UTC milliseconds since 1970.
        lat_deg: Latitude of a GNSS fix, WGS 84; with `lon_deg`.
        lon_deg: Longitude of the fix.
        accuracy_m: One standard deviation of the fix on each horizontal axis, as the receiver says.
        heading_deg: Course over ground, 0 = north, clockwise.
        speed_mps: From the wheels, never negative.
        odometer_m: Distance travelled, whole or broken metres, never falling.
        is_reverse: Whether the reverse gear is in.
    """

    at_ms: int
    lat_deg: float | None = None
    lon_deg: float | None = None
    accuracy_m: float | None = None
    heading_deg: float | None = None
    speed_mps: float | None = None
    odometer_m: float | None = None
    is_reverse: bool | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a verdict rests on, enough to explain and to dispute it.

    Attributes:
        log_ratio: Natural logarithm of the likelihood of the tolled path over the best free one.
        alternative: Which free path that was: a road of the context, another gate's carriageway,
            or `parallel road` where none is known.
        separation_m: How far apart the two are near the gate.
        sigma_m: The receiver's standard deviation that was assumed.
        fixes: The fixes it rests on, each (UTC ms, latitude, longitude, sigma in m); the first to
            be forgotten when the dispute period is over.
        words: For a person, in a few lines.
    """

    log_ratio: float
    alternative: str
    separation_m: float
    sigma_m: float
    fixes: tuple[tuple[int, float, float, float], ...]
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """What the detector says of one crossing; a later one for the same crossing revises it.

    Attributes:
        gate: Its id in the context.
        crossed_at_ms: UTC milliseconds since 1970, between two samples by the odometer.
        uncertainty_ms: One standard deviation of that.
        travelled_m: Distance travelled up to the crossing since an arbitrary start, by the
            odometer; `None` where the vehicle has none.
        verdict: `proven` from a likelihood ratio of 1e6 on, `rejected` from 1e-4 down.
        evidence: Why.
    """

    gate: str
    crossed_at_ms: int
    uncertainty_ms: int
    travelled_m: float | None
    verdict: Verdict
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Passage:
    """A proven passage as the tariff sees it.

    Attributes:
        passage_id: Stable whatever is learned later.
        gate: Its id in the context.
        crossed_at: Aware, UTC.
        uncertainty_ms: One standard deviation of that.
    """

    passage_id: str
    gate: str
    crossed_at: datetime
    uncertainty_ms: int = 0
