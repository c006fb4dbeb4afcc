"""Which passage a finding speaks of: it is matched, never hashed (pure)."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import orjson

from internetcar.contract.presence import Origin
from services.tolls.facts import Finding

REARM_M = 300.0
"""Two crossings of one gate that lie as far apart by the odometer are two passages. Estimates of
one crossing differ by a few metres; no loop of a road leads back to its gate in less."""

REARM_MS = 600_000
"""The same without an odometer; longer than a jam holds a car at a gate, and shorter than most
ways back to it. In doubt it is one passage: nobody pays twice."""

_SURE = 2.0
"""So many standard deviations apart, the order of two crossings is certain enough."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a finding comes from, beside what it says.

    Attributes:
        vehicle_id: Whose.
        context: The id of the toll context, never its version.
        origin: A recording's passage is never a live one's.
        epoch: Counts the starts of `travelled_m`: distances of two epochs have nothing in common.
    """

    vehicle_id: str
    context: str
    origin: Origin
    epoch: int


@dataclass(frozen=True, slots=True)
class Known:
    """A passage with the best of what was found of it.

    Attributes:
        passage_id: Stable whatever is learned later.
        place: Where its best finding comes from.
        ordinal: Which at its gate, from 1, in the order in which they became known.
        finding: The evidence that counts.
        evidence_until_ms: Up to when that evidence saw the drive, UTC milliseconds since 1970.
    """

    passage_id: str
    place: Place
    ordinal: int
    finding: Finding
    evidence_until_ms: int


def derived_id(prefix: str, *parts: str | int) -> str:
    """An id of what happened: the same parts are the same id for ever."""
    return prefix + hashlib.sha256(orjson.dumps(parts)).hexdigest()[:32]


def evidence_until_ms(finding: Finding) -> int:
    """The last fix that a finding rests on, or its crossing where it rests on none."""
    return max((fix[0] for fix in finding.evidence.fixes), default=finding.crossed_at_ms)


def take(finding: Finding, place: Place, known: Sequence[Known], ordinals: int) -> Known:
    """The passage that a finding speaks of, as it stands with this finding.

    Args:
        finding: What the detector said.
        place: Where it comes from.
        known: Passages of the same vehicle near in time; others do no harm.
        ordinals: How many passages the vehicle has at this gate of this context, of all times.

    Returns:
        An element of `known` if the finding brings nothing new, a revision of one (same id), or a
        new passage.
    """
    same = match(finding, place, known)
    until_ms = evidence_until_ms(finding)
    if same is None:
        ordinal = ordinals + 1
        passage_id = derived_id("p", place.vehicle_id, place.context, finding.gate, ordinal)
        return Known(passage_id, place, ordinal, finding, until_ms)
    if _weight(finding, until_ms) <= _weight(same.finding, same.evidence_until_ms):
        return same
    return replace(same, place=place, finding=finding, evidence_until_ms=until_ms)


def match(finding: Finding, place: Place, known: Iterable[Known]) -> Known | None:
    """The nearest known passage that this finding is another estimate of."""
    known = list(known)
    candidates = [
        (distance, passage.ordinal, passage)
        for passage in known
        if (distance := _apart(finding, place, passage, known)) is not None
    ]
    return min(candidates, key=lambda found: found[:2])[2] if candidates else None


def _apart(finding: Finding, place: Place, passage: Known, known: Sequence[Known]) -> float | None:
    """How far apart, as a share of what re-arms the gate; `None`: it is another passage."""
    if (
        passage.finding.gate != finding.gate
        or (passage.place.vehicle_id, passage.place.context) != (place.vehicle_id, place.context)
        or passage.place.origin != place.origin
    ):
        return None
    travelled_m, before_m = finding.travelled_m, passage.finding.travelled_m
    if travelled_m is not None and before_m is not None and passage.place.epoch == place.epoch:
        share = abs(travelled_m - before_m) / REARM_M
        return share if share < 1 else None
    share = abs(finding.crossed_at_ms - passage.finding.crossed_at_ms) / REARM_MS
    if share >= 1 or _is_gate_between(finding, passage.finding, known):
        return None
    return share


def _is_gate_between(finding: Finding, other: Finding, known: Iterable[Known]) -> bool:
    """Whether the vehicle was proven at another gate after the one and before the other."""
    first, last = sorted((finding, other), key=lambda found: found.crossed_at_ms)
    return any(
        passage.finding.gate != finding.gate
        and passage.finding.verdict == "proven"
        and _is_before(first, passage.finding)
        and _is_before(passage.finding, last)
        for passage in known
    )


def _is_before(one: Finding, other: Finding) -> bool:
    doubt_ms = _SURE * (one.uncertainty_ms + other.uncertainty_ms)
    return one.crossed_at_ms + doubt_ms < other.crossed_at_ms


def _weight(finding: Finding, until_ms: int) -> tuple[bool, int, float, bool, int, bytes]:
    """A total order of what may be found of one crossing: the greatest counts.

    A decision before none; of two decisions the one that saw more of the drive, then the surer
    one, then the one that costs nothing. So the order of arrival says nothing.
    """
    return (
        finding.verdict != "unresolved",
        until_ms,
        abs(finding.evidence.log_ratio),
        finding.verdict != "proven",
        -finding.uncertainty_ms,
        orjson.dumps((finding.crossed_at_ms, finding.travelled_m, finding.evidence.alternative)),
    )
