"""Findings, passages and a simple tariff for the tests of the toll service."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from services.tolls.facts import Evidence, Finding, Passage, Verdict
from services.tolls.passages.matching import Place

PLACE = Place("car", "singapore", "live", 1)
START_MS = 1_790_000_000_000


def finding(
    gate: str = "g1",
    at_s: float = 0.0,
    *,
    travelled_m: float | None = None,
    verdict: Verdict = "proven",
    until_s: float | None = None,
    log_ratio: float | None = None,
    uncertainty_ms: int = 100,
) -> Finding:
    ratio = {"proven": 20.0, "unresolved": 1.0, "rejected": -12.0}[verdict]
    until_ms = START_MS + round(1000 * (at_s if until_s is None else until_s))
    return Finding(
        gate=gate,
        crossed_at_ms=START_MS + round(1000 * at_s),
        uncertainty_ms=uncertainty_ms,
        travelled_m=travelled_m,
        verdict=verdict,
        evidence=Evidence(
            log_ratio=ratio if log_ratio is None else log_ratio,
            alternative="free road 1",
            separation_m=43.0,
            sigma_m=5.0,
            fixes=((until_ms, 1.3, 103.8, 5.0),),
            words=("three fixes on the tolled road",),
        ),
    )


@dataclass(frozen=True)
class GroupFee:
    passage_id: str
    amount_minor: int
    words: tuple[str, ...]


PRICES = {"g1": 100, "g2": 250, "g3": 300}


def group_fees(passages: Sequence[Passage]) -> list[GroupFee]:
    """Each gate has a price; within an hour after the first of them only the dearest is paid."""
    groups: dict[int, list[Passage]] = defaultdict(list)
    number, begin = 0, None
    for passage in passages:
        if begin is None or passage.crossed_at - begin >= timedelta(hours=1):
            number, begin = number + 1, passage.crossed_at
        groups[number].append(passage)
    fees = []
    for group in groups.values():
        dearest = max(PRICES[passage.gate] for passage in group)
        is_paid = False
        for passage in group:
            is_dearest = PRICES[passage.gate] == dearest and not is_paid
            is_paid = is_paid or is_dearest
            words = ("the dearest of its hour",) if is_dearest else ("a dearer one is paid",)
            fees.append(GroupFee(passage.passage_id, dearest if is_dearest else 0, words))
    return fees
