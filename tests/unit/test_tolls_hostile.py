"""What no car should say: never an exception, never money, never without bounds."""

import math
import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.tolls.detection.detector import Detector, dump, load
from services.tolls.facts import Sample
from tests.unit.tolled import START_MS, Leg, at, drive, findings, gate, straight, verdicts

DETECTOR = Detector([gate(), gate("other", along_m=300.0)])
numbers = st.one_of(
    st.none(),
    st.floats(),
    st.sampled_from([0.0, -1.0, 1.3, 103.85, 1e308, math.nan, math.inf, -math.inf]),
)
samples = st.builds(
    Sample,
    at_ms=st.one_of(st.integers(-(1 << 50), 1 << 50), st.integers(START_MS, START_MS + 100_000)),
    lat_deg=numbers, lon_deg=numbers, accuracy_m=numbers, heading_deg=numbers, speed_mps=numbers,
    odometer_m=numbers, is_reverse=st.one_of(st.none(), st.booleans()),
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(st.lists(samples, max_size=30))
def test_anything_at_all_is_survived_and_costs_nothing(told: list[Sample]) -> None:
    state = DETECTOR.begin()
    found = []
    for sample in told:
        found += DETECTOR.advance(state, sample)
        state = load(dump(state))
    found += DETECTOR.finish(state)
    assert all(finding.verdict != "proven" for finding in found)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 70), samples)
def test_one_bad_sample_in_a_drive_is_survived(index: int, bad: Sample) -> None:
    told = drive(straight())
    told.insert(index, bad)
    found = findings(DETECTOR, told)
    assert len([one for one in found if one.verdict == "proven"]) <= 2


def test_a_fix_100_km_away_proves_nothing() -> None:
    told = drive(straight(seconds=20))
    far = [replace(one, lat_deg=2.3) for one in told[10:]]
    assert findings(DETECTOR, told[:10] + far) == []


def test_a_car_that_is_carried_over_a_gate_drove_through_none() -> None:
    before = drive([Leg(20, 0.0)], along_m=-400.0)
    after = drive([Leg(60, 0.0)], along_m=500.0)
    told = before + [replace(one, at_ms=one.at_ms + 3_600_000) for one in after]
    assert findings(DETECTOR, told) == []


def test_a_ferry_without_wheels_is_no_drive() -> None:
    told = drive([Leg(5, 0.0)], along_m=-9000.0, has_odometer=False, has_speed=False)
    told += [
        replace(one, at_ms=one.at_ms + 10_000)
        for one in drive([Leg(30, 0.0)], along_m=9000.0, has_odometer=False, has_speed=False)
    ]
    assert "proven" not in str(findings(DETECTOR, told))


@pytest.mark.parametrize("step_ms", [-3_600_000, -70_000])
def test_a_clock_set_back_in_a_drive_charges_no_gate_twice(step_ms: int) -> None:
    told = drive(straight())
    told = told[:40] + [replace(one, at_ms=one.at_ms + step_ms) for one in told[40:]]
    said = verdicts(findings(DETECTOR, told))
    assert said.get("g", []).count("proven") <= 1


def test_an_odometer_that_begins_anew_does_not_hide_a_passage() -> None:
    told = drive(straight(seconds=95))
    told = [
        replace(one, odometer_m=(one.odometer_m or 0.0) - 12_000.0) if index > 20 else one
        for index, one in enumerate(told)
    ]
    assert verdicts(findings(DETECTOR, told)) == {"g": ["proven"], "other": ["proven"]}


def test_what_is_kept_is_bounded() -> None:
    state = DETECTOR.begin()
    chance = random.Random(1)
    for second in range(20_000):
        lat, lon = at(chance.uniform(-300, 300), chance.uniform(-50, 50))
        DETECTOR.advance(state, Sample(START_MS + second * 1000, lat, lon, speed_mps=20.0))
    assert len(dump(state)) < 100_000
