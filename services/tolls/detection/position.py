"""How far a vehicle has gone and where it was seen: GNSS and wheels in the order of source time.

The distance is the wheels': the speed fills in between two whole metres of the odometer, which
bounds it. So at a standstill nothing moves, whatever GNSS says, and through an outage the distance
goes on. Which road that distance lies on is the evidence's affair, not decided here.
"""

import math
from bisect import bisect_left
from collections import deque
from dataclasses import dataclass, field
from typing import NamedTuple

from services.tolls.detection.plane import Plane
from services.tolls.facts import Sample

LEAST_SIGMA_M = 3.0
"""A receiver that claims to be better is not believed: it cannot see its own reflections."""
USUAL_SIGMA_M = 5.0
"""Of a receiver that says nothing of its accuracy."""
MOST_SIGMA_M = 100.0
"""A fix that is worse is none."""
HOLD_MS = 5_000
"""How long a sample waits for others that come late."""
STEP_MS = 60_000
"""What lies further back than this is not late: the clock was set."""
KEPT = 400
"""Places remembered."""
_LONGEST_COAST_S = 15.0
_MOST_SPEED_MPS = 100.0
_MOST_ODOMETER_M = 1e8
_COURSE_SPEED_MPS = 2.0
"""Below this a course over ground is noise."""
_STRIDE_M = 2.0
_STRIDE_MS = 900
_BLIND_STRIDE_M = 4.0
_STANDING_MS = 10_000
_STANDING_SHARE = 0.25
"""The longer a vehicle stands the rarer it is looked at: a jam must not push out the approach."""
_WANDER_M = 8.0
"""Without wheels: GNSS that moves less has not moved."""


class Spot(NamedTuple):
    """Where the vehicle was at one instant; rounded far below any error, for many are kept.

    Attributes:
        at_ms: UTC milliseconds since 1970.
        net_m: Way of the wheels, backwards counted down.
        driven_m: Way of the wheels, always counted up.
        lat_deg: Of the fix; `None` in an outage.
        lon_deg: Of the fix.
        sigma_m: One standard deviation of the fix on each axis.
        course_rad: Over ground, going forward fast enough to have one.
    """

    at_ms: int
    net_m: float
    driven_m: float
    lat_deg: float | None
    lon_deg: float | None
    sigma_m: float
    course_rad: float | None


@dataclass(slots=True)
class Motion:
    """What is known of a vehicle's way so far; plain values, so that it can be kept.

    Attributes:
        waiting: Samples that others may still precede, by source time.
        newest_ms: The latest source time seen since the clock was last set.
        passed_ms: The source time up to which samples were used.
        at_ms: Of `net_m` and `driven_m`.
        speed_mps: As last said.
        odometer_m: As last said.
        base_m: What makes `driven_m` of an odometer reading.
        is_reverse: As last said; `None`: never said.
        moved_ms: When it last was in another place.
        anchor: Without wheels: where the distance was last counted, latitude and longitude.
        spots: The last places, the newest last.
    """

    waiting: list[Sample] = field(default_factory=list)
    newest_ms: int | None = None
    passed_ms: int | None = None
    at_ms: int | None = None
    net_m: float = 0.0
    driven_m: float = 0.0
    speed_mps: float | None = None
    odometer_m: float | None = None
    base_m: float = 0.0
    is_reverse: bool | None = None
    moved_ms: int = 0
    anchor: tuple[float, float] | None = None
    spots: deque[Spot] = field(default_factory=lambda: deque(maxlen=KEPT))

    @property
    def has_wheels(self) -> bool:
        """Whether the distance is the vehicle's own and not only GNSS's."""
        return self.odometer_m is not None or self.speed_mps is not None


def is_stepped(motion: Motion, sample: Sample) -> bool:
    """Whether a sample says that the clock was set back: nothing before it can be compared."""
    return motion.newest_ms is not None and sample.at_ms < motion.newest_ms - STEP_MS


Said = float | bool | None


def _lesser(one: Said, other: Said) -> Said:
    """One of two values by their text alone, so that not-a-number has its place too."""
    if one is None or other is None:
        return other if one is None else one
    return min(one, other, key=repr)


def _merged(one: Sample, other: Sample) -> Sample:
    """Two samples of one instant: in any order, and with any third, they give the same."""
    places = [
        (sample.lat_deg, sample.lon_deg, sample.accuracy_m, sample.heading_deg)
        for sample in (one, other)
        if sample.lat_deg is not None and sample.lon_deg is not None
    ]
    lat, lon, accuracy, heading = min(places, key=repr, default=(None, None, None, None))
    reverse = _lesser(one.is_reverse, other.is_reverse)
    return Sample(
        one.at_ms,
        lat,
        lon,
        accuracy,
        heading,
        _lesser(one.speed_mps, other.speed_mps),
        _lesser(one.odometer_m, other.odometer_m),
        None if reverse is None else bool(reverse),
    )


def wait(motion: Motion, sample: Sample) -> None:
    """Put a sample in its place among those that wait; a duplicate or too late a one is lost."""
    waiting, at_ms = motion.waiting, sample.at_ms
    if motion.passed_ms is not None and at_ms <= motion.passed_ms:
        return
    if not waiting or at_ms > waiting[-1].at_ms:
        waiting.append(sample)
    else:
        index = bisect_left(waiting, at_ms, key=_instant)
        if waiting[index].at_ms != at_ms:
            waiting.insert(index, sample)
        elif waiting[index] != sample:
            waiting[index] = _merged(waiting[index], sample)
    if motion.newest_ms is None or at_ms > motion.newest_ms:
        motion.newest_ms = at_ms


def _instant(sample: Sample) -> int:
    return sample.at_ms


def move(motion: Motion, sample: Sample) -> Spot | None:
    """Use the next sample in order; the new place if there is one worth remembering."""
    at_ms = sample.at_ms
    motion.passed_ms = at_ms
    _advance(motion, sample)
    lat, lon = sample.lat_deg, sample.lon_deg
    last = motion.spots[-1] if motion.spots else None
    if lat is None or lon is None or not (-90.0 <= lat <= 90.0 and -180.0 <= lon <= 180.0):
        if last is None or motion.driven_m - last.driven_m < _BLIND_STRIDE_M:
            return None
        net, driven = round(motion.net_m, 2), round(motion.driven_m, 2)
        blind = Spot(at_ms, net, driven, None, None, 0.0, None)
        motion.spots.append(blind)
        return None
    sigma = sample.accuracy_m
    if sigma is None or not sigma > 0.0:
        sigma = USUAL_SIGMA_M
    elif sigma > MOST_SIGMA_M:
        return None
    if not motion.has_wheels:
        _count_by_fixes(motion, lat, lon)
    if last is not None and not _is_worth(motion, last, at_ms):
        return None
    spot = Spot(
        at_ms,
        round(motion.net_m, 2),
        round(motion.driven_m, 2),
        round(lat, 8),
        round(lon, 8),
        max(LEAST_SIGMA_M, sigma),
        _course(motion, sample.heading_deg),
    )
    motion.spots.append(spot)
    return spot


def _is_worth(motion: Motion, last: Spot, at_ms: int) -> bool:
    """Whether a fix adds to the last place: another place, or the same after a while."""
    elapsed = at_ms - last.at_ms
    if elapsed < _STRIDE_MS and last.lat_deg is not None:
        return False
    if not motion.has_wheels or motion.driven_m - last.driven_m >= _STRIDE_M:
        motion.moved_ms = at_ms
        return True
    stood = last.at_ms - motion.moved_ms
    return last.lat_deg is None or elapsed >= max(_STANDING_MS, _STANDING_SHARE * stood)


def _course(motion: Motion, heading_deg: float | None) -> float | None:
    if heading_deg is None or not 0.0 <= heading_deg <= 360.0 or motion.is_reverse:
        return None
    if motion.speed_mps is not None and motion.speed_mps < _COURSE_SPEED_MPS:
        return None
    return round(math.radians(heading_deg), 4)


def _advance(motion: Motion, sample: Sample) -> None:
    """Count the way of the wheels up to this sample."""
    elapsed_s = 0.0 if motion.at_ms is None else (sample.at_ms - motion.at_ms) / 1000.0
    motion.at_ms = sample.at_ms
    speed = sample.speed_mps
    if speed is not None and not 0.0 <= speed <= _MOST_SPEED_MPS:
        speed = None
    driven = motion.driven_m
    if motion.speed_mps is not None:
        mean = motion.speed_mps if speed is None else (motion.speed_mps + speed) / 2
        driven += mean * min(elapsed_s, _LONGEST_COAST_S)
    if speed is not None:
        motion.speed_mps = speed
    odometer = sample.odometer_m
    if odometer is not None and 0.0 <= odometer <= _MOST_ODOMETER_M:
        driven = _by_odometer(motion, odometer, driven, elapsed_s)
    step = driven - motion.driven_m
    motion.driven_m = driven
    motion.net_m += -step if motion.is_reverse else step
    if sample.is_reverse is not None:
        motion.is_reverse = sample.is_reverse


def _by_odometer(motion: Motion, odometer: float, driven: float, elapsed_s: float) -> float:
    """The way driven, held within the metre that the odometer shows; a reset begins anew."""
    before = motion.odometer_m
    motion.odometer_m = odometer
    if before is None:
        is_first = driven == 0.0 and not motion.spots
        motion.base_m = 0.0 if is_first else driven - odometer
        return odometer if is_first else driven
    if not 0.0 <= odometer - before <= _MOST_SPEED_MPS * elapsed_s + 100.0:
        motion.base_m = driven - odometer
        return driven
    least = motion.base_m + odometer
    return max(motion.driven_m, min(max(driven, least), least + 1.0))


def _count_by_fixes(motion: Motion, lat_deg: float, lon_deg: float) -> None:
    """Without wheels the distance is that between fixes which are clearly apart."""
    if motion.anchor is None:
        motion.anchor = (lat_deg, lon_deg)
        return
    step = math.hypot(*Plane.at(*motion.anchor).metres(lat_deg, lon_deg))
    if step >= _WANDER_M:
        motion.anchor = (lat_deg, lon_deg)
        motion.driven_m += step
        motion.net_m += step
