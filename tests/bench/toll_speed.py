"""How many fixes a second one core takes, detection and fees together.

A third of the fixes are of drives past a gate, a fix a second for two minutes or more around it,
where one costs most; two thirds are of the same drives where no gate is near. That is a drive of
half an hour past four or five gates, more than there are on one in Singapore.
"""

import time
from dataclasses import replace
from datetime import UTC, datetime
from statistics import median

from services.tolls.facts import Passage, Sample
from services.tolls.tariff.fees import fees
from services.tolls.tariff.vehicle import VehicleFacts
from tests.bench.report import Figure
from tests.bench.toll_scenarios import Mixture
from tests.bench.toll_verdicts import detected, passages
from tests.bench.toll_worlds import Ground

ROUNDS = 5
DRIVES = 120
ELSEWHERE_DEG = (-0.5, -1.0)
"""Latitudes south of Singapore without a gate: the same drive there."""
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
    while len(found) < DRIVES * (1 + len(ELSEWHERE_DEG)):
        scenario = mixture.scenario(number)
        number += 1
        is_at_gate = scenario.kind == "through" and scenario.context == CONTEXT
        if is_at_gate and scenario.is_clear and scenario.plan.copies == 1:
            samples = mixture.drive(scenario)[1].samples
            found.append(samples)
            found += [_elsewhere(samples, shift_deg) for shift_deg in ELSEWHERE_DEG]
    return found


def _elsewhere(samples: list[Sample], shift_deg: float) -> list[Sample]:
    return [
        one if one.lat_deg is None else replace(one, lat_deg=one.lat_deg + shift_deg)
        for one in samples
    ]
