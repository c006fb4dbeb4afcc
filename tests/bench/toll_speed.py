"""How many fixes a second one core takes, detection and fees together.

All drives go past a gate, where a fix costs most; elsewhere it costs a few comparisons.
"""

import time
from datetime import UTC, datetime
from statistics import median

from services.tolls.facts import Passage, Sample
from services.tolls.fees import fees
from services.tolls.vehicle import VehicleFacts
from tests.bench.report import Figure
from tests.bench.toll_scenarios import Mixture
from tests.bench.toll_verdicts import detected, passages
from tests.bench.toll_worlds import Ground

ROUNDS = 5
DRIVES = 120
CONTEXT = "singapore"
PASSAGES_A_DAY = 10


def measure(ground: Ground, mixture: Mixture) -> list[Figure]:
    """The median of several rounds, in processor time."""
    drives = _drives(mixture)
    count = sum(sample.lat_deg is not None for samples in drives for sample in samples)
    detector, context = ground.shipped(CONTEXT), ground.contexts[CONTEXT]
    vehicle = VehicleFacts(kind="car")
    seconds = []
    for _ in range(ROUNDS):
        began_s = time.process_time()
        day: list[Passage] = []
        for samples in drives:
            for known in passages(detected(detector, samples, ()), CONTEXT):
                finding = known.finding
                at = datetime.fromtimestamp(finding.crossed_at_ms / 1000, UTC)
                day.append(Passage(str(len(day)), finding.gate, at, finding.uncertainty_ms))
                fees(day[-PASSAGES_A_DAY:], context, vehicle)
        seconds.append(time.process_time() - began_s)
    per_fix_us = median(seconds) / count * 1e6
    per_s = 1e6 / per_fix_us
    meaning = f"on one core, detection and fees ({count} fixes, {ROUNDS} rounds)"
    return [
        Figure("fixes_per_s", per_s, meaning, "≥ 20,000", per_s >= 20_000),
        Figure("us_per_fix", per_fix_us, "the same, by the fix", "< 50", per_fix_us < 50),
    ]


def _drives(mixture: Mixture) -> list[list[Sample]]:
    found: list[list[Sample]] = []
    number = 0
    while len(found) < DRIVES:
        scenario = mixture.scenario(number)
        number += 1
        is_at_gate = scenario.kind == "through" and scenario.context == CONTEXT
        if is_at_gate and scenario.is_clear and scenario.plan.copies == 1:
            found.append(mixture.drive(scenario)[1].samples)
    return found
