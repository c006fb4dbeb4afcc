import math
import random

import pytest

from services.tolls.detection.detector import Detector, dump, load
from services.tolls.facts import Sample
from services.tolls.objects import Road
from tests.unit.tolled import (
    START_MS,
    Leg,
    Noise,
    at,
    autoregressive,
    drive,
    findings,
    gate,
    reflected,
    straight,
    verdicts,
)

DETECTOR = Detector([gate()])


def test_a_gate_that_is_passed_is_proven_once_and_when() -> None:
    (finding,) = findings(DETECTOR, drive(straight()))
    assert finding.verdict == "proven"
    assert finding.gate == "g"
    assert abs(finding.crossed_at_ms - START_MS - 30_000) < 100
    assert 100 < finding.uncertainty_ms < 1000
    assert finding.travelled_m == pytest.approx(12_345 + 600, abs=2)
    assert finding.evidence.log_ratio >= 13.8
    assert finding.evidence.alternative == "parallel road"
    assert finding.evidence.separation_m == 43.0
    assert len(finding.evidence.fixes) > 10
    assert finding.evidence.words


@pytest.mark.parametrize("every_s", [1, 10])
@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("sigma_m", [3.0, 5.0])
def test_noise_that_remembers_hides_no_passage(sigma_m: float, seed: int, every_s: int) -> None:
    samples = drive(
        straight(seconds=95), noise=autoregressive(sigma_m), sigma_m=sigma_m, seed=seed,
        every_s=every_s,
    )  # fmt: skip
    assert verdicts(findings(DETECTOR, samples)) == {"g": ["proven"]}


@pytest.mark.parametrize("right_m", [-43.0, 43.0])
@pytest.mark.parametrize("seed", range(8))
def test_a_free_road_43_m_away_is_never_charged(seed: int, right_m: float) -> None:
    samples = drive(straight(), right_m=right_m, noise=autoregressive(5.0), seed=seed)
    assert "proven" not in verdicts(findings(DETECTOR, samples)).get("g", [])


@pytest.mark.parametrize("noise", [reflected(-15.0, 20, 40), reflected(-15.0, 0, 30)])
@pytest.mark.parametrize("every_s", [1, 5])
def test_a_reflection_on_a_free_road_costs_nothing(noise: Noise, every_s: int) -> None:
    samples = drive(straight(), right_m=30.0, noise=noise, sigma_m=3.0, every_s=every_s)
    assert "proven" not in verdicts(findings(DETECTOR, samples)).get("g", [])


def test_a_free_road_of_the_context_too_near_to_tell_is_unresolved() -> None:
    road = Road(id="service-road", line=(at(-900, 9), at(900, 9)))
    detector = Detector([gate()], [road])
    samples = drive(straight(), noise=autoregressive(5.0))
    (finding,) = findings(detector, samples)
    assert finding.verdict == "unresolved"
    assert finding.evidence.alternative == "service-road"


def test_a_free_road_that_leaves_is_told_by_the_run_out() -> None:
    road = Road(id="slip", line=(at(-900, 2), at(50, 2), at(500, 160), at(1500, 520)))
    detector = Detector([gate()], [road])
    assert verdicts(findings(detector, drive(straight()))) == {"g": ["proven"]}
    slip = [Leg(32, 20.0), Leg(1, 20.0, 19.0), Leg(45, 20.0)]
    assert "proven" not in verdicts(findings(detector, drive(slip, right_m=2.0)))["g"]


def test_opposite_directions_are_told_by_the_direction_alone() -> None:
    detector = Detector([gate("out"), gate("in", right_m=0.2, turned_deg=180.0)])
    assert verdicts(findings(detector, drive(straight()))) == {"out": ["proven"]}
    back = drive(straight(), along_m=600.0, turned_deg=180.0)
    assert verdicts(findings(detector, back)) == {"in": ["proven"]}


def test_two_groups_side_by_side_are_never_guessed() -> None:
    detector = Detector([gate("a", right_m=-4.4, half_m=4), gate("b", right_m=4.4, half_m=4)])
    for seed in range(6):
        samples = drive(straight(), right_m=-4.4, noise=autoregressive(5.0), seed=seed)
        assert "proven" not in {finding.verdict for finding in findings(detector, samples)}


def test_gates_one_behind_the_other_are_both_passed() -> None:
    detector = Detector([gate("first"), gate("second", along_m=80.0)])
    assert verdicts(findings(detector, drive(straight()))) == {
        "first": ["proven"], "second": ["proven"],
    }  # fmt: skip


def test_a_gate_without_direction_is_never_found() -> None:
    assert findings(Detector([gate(bearing_deg=None)]), drive(straight())) == []


def test_a_jam_on_the_gate_for_an_hour_is_one_passage() -> None:
    legs = [Leg(30, 20.0), Leg(3600, 0.0), Leg(40, 20.0)]
    for seed in range(3):
        found = findings(DETECTOR, drive(legs, noise=autoregressive(5.0), seed=seed))
        assert [finding.verdict for finding in found if finding.verdict == "proven"] == ["proven"]


def test_a_jam_before_the_gate_moves_the_instant() -> None:
    legs = [Leg(28, 20.0), Leg(600, 0.0), Leg(40, 20.0)]
    (*_, finding) = findings(DETECTOR, drive(legs))
    assert finding.verdict == "proven"
    assert abs(finding.crossed_at_ms - START_MS - 630_000) < 3 * finding.uncertainty_ms


def test_an_outage_around_the_gate_is_bridged_by_the_wheels() -> None:
    legs = [Leg(20, 20.0), Leg(6, 20.0, has_fix=False), Leg(20, 5.0, has_fix=False), Leg(40, 20.0)]
    (finding,) = findings(DETECTOR, drive(legs))
    assert finding.verdict == "proven"
    assert abs(finding.crossed_at_ms - START_MS - 42_000) < 3 * finding.uncertainty_ms + 300


@pytest.mark.parametrize("right_m", [0.0, 43.0])
def test_a_tunnel_of_two_minutes_is_bridged(right_m: float) -> None:
    legs = [Leg(60, 20.0), Leg(120, 20.0, has_fix=False), Leg(60, 20.0)]
    samples = drive(legs, along_m=-2400.0, right_m=right_m, noise=autoregressive(5.0))
    said = verdicts(findings(DETECTOR, samples)).get("g", [])
    assert ("proven" in said) == (right_m == 0.0)


def test_backing_over_the_gate_takes_the_passage_back() -> None:
    legs = [Leg(30, 20.0), Leg(8, 3.0), Leg(40, -2.0), Leg(300, 0.0)]
    assert "proven" not in verdicts(findings(DETECTOR, drive(legs))).get("g", [])


def test_turning_before_the_gate_is_no_passage() -> None:
    legs = [Leg(28, 20.0), Leg(18, 4.0, 10.0), Leg(40, 20.0)]
    assert "proven" not in verdicts(findings(DETECTOR, drive(legs))).get("g", [])


def test_turning_behind_the_gate_onto_another_way_is_one() -> None:
    legs = [Leg(33, 20.0), Leg(36, 8.0, 5.0), Leg(40, 20.0)]
    assert verdicts(findings(DETECTOR, drive(legs)))["g"][-1] == "proven"


def test_turning_back_over_the_same_line_takes_it_back() -> None:
    legs = [Leg(33, 20.0), Leg(9, 1.0, 20.0), Leg(40, 20.0)]
    assert "proven" not in verdicts(findings(DETECTOR, drive(legs))).get("g", [])


def test_a_second_lap_is_a_second_passage() -> None:
    lap = [Leg(40, 20.0), Leg(18, 12.0, 10.0), Leg(20, 20.0), Leg(18, 12.0, 10.0), Leg(60, 20.0)]
    found = findings(DETECTOR, drive(lap))
    assert [finding.verdict for finding in found] == ["proven", "proven"]


@pytest.mark.parametrize(
    "sensors",
    [
        {"has_odometer": False},
        {"has_odometer": False, "has_speed": False},
        {"has_heading": False},
    ],
)
def test_a_sensor_less_is_still_a_passage(sensors: dict[str, bool]) -> None:
    samples = drive(straight(), noise=autoregressive(3.0), sigma_m=3.0, **sensors)
    found = findings(DETECTOR, samples)
    assert verdicts(found) == {"g": ["proven"]}
    assert (found[0].travelled_m is None) == (not sensors.get("has_odometer", True))


def test_a_carriageway_that_bends_is_followed() -> None:
    radius_m, turns = 626.2, [math.radians(degrees) for degrees in range(-45, 46, 5)]
    way = tuple(at(radius_m * math.sin(turn), radius_m * (1 - math.cos(turn))) for turn in turns)
    beside_way = tuple(
        at((radius_m - 50) * math.sin(turn), 50 + (radius_m - 50) * (1 - math.cos(turn)))
        for turn in turns
    )
    detector = Detector([gate(carriageway=way)], [Road(id="inner", line=beside_way)])
    start = (
        -radius_m * math.sin(math.radians(37.5)),
        radius_m * (1 - math.cos(math.radians(37.5))),
    )
    samples = drive([Leg(41, 20.0, 1.83)], *start, turned_deg=-37.5)
    assert verdicts(findings(detector, samples)) == {"g": ["proven"]}
    beside = drive([Leg(41, 20.0, 1.83)], start[0], start[1] + 50.0, turned_deg=-37.5)
    assert "proven" not in verdicts(findings(detector, beside)).get("g", [])


def test_a_road_that_bends_without_a_carriageway_is_followed_by_its_courses() -> None:
    legs = [Leg(20, 20.0, 0.8), Leg(14, 20.0), Leg(40, 20.0, -0.8)]
    samples = drive(legs, along_m=-515.0, right_m=55.5, turned_deg=-16.0, noise=autoregressive(3.0))
    assert verdicts(findings(DETECTOR, samples))["g"][-1] == "proven"


def test_a_circle_through_the_gate_within_the_run_out_is_one_passage_at_most() -> None:
    legs = [Leg(60, 10.0), Leg(38, 10.0, 19.0), Leg(60, 10.0)]
    assert len(findings(DETECTOR, drive(legs))) == 1


def test_against_the_direction_and_back_again_is_no_passage() -> None:
    legs = [Leg(33, 20.0), Leg(9, 1.0, 20.0), Leg(60, 20.0)]
    assert findings(DETECTOR, drive(legs, along_m=600.0, turned_deg=180.0)) == []
    longer = [Leg(60, 20.0), Leg(9, 1.0, 20.0), Leg(90, 20.0)]
    found = findings(DETECTOR, drive(longer, along_m=600.0, turned_deg=180.0))
    assert verdicts(found) == {"g": ["proven"]}


def test_where_it_went_back_near_the_end_of_the_line_nothing_is_proven() -> None:
    legs = [Leg(33, 20.0), Leg(9, 3.5, 20.0), Leg(60, 20.0)]
    assert verdicts(findings(DETECTOR, drive(legs, right_m=-6.0))) == {"g": ["unresolved"]}


def test_what_was_said_to_be_unresolved_is_taken_back() -> None:
    detector = Detector([gate()], [Road(id="near", line=(at(-900, 9), at(900, 9)))])
    legs = [Leg(33, 20.0), Leg(300, 0.0), Leg(60, -3.0), Leg(60, 0.0)]
    unresolved, back = findings(detector, drive(legs))
    assert (unresolved.verdict, back.verdict) == ("unresolved", "rejected")
    assert back.crossed_at_ms == unresolved.crossed_at_ms
    assert back.evidence.words == ("the vehicle went back over the line",)


def test_unresolved_is_said_once_and_revised_by_the_run_out() -> None:
    slip = Road(id="slip", line=(at(-900, 2), at(600, 2), at(1200, 500)))
    detector = Detector([gate()], [slip])
    legs = [Leg(35, 20.0), Leg(300, 0.0), Leg(80, 20.0)]
    said = verdicts(findings(detector, drive(legs)))
    assert said == {"g": ["unresolved", "proven"]}


def test_a_line_passed_far_aside_is_not_looked_at() -> None:
    assert findings(DETECTOR, drive(straight(), right_m=200.0)) == []


LAP = (Leg(40, 20.0), Leg(18, 12.0, 10.0), Leg(30, 20.0), Leg(18, 12.0, 10.0))


def test_without_wheels_a_gate_is_passed_again_after_another() -> None:
    gates = [gate(), gate("other", along_m=-100.0, right_m=140.0, turned_deg=180.0)]
    samples = drive([*LAP, *LAP], has_odometer=False, has_speed=False)
    assert verdicts(findings(Detector(gates), samples))["g"] == ["proven", "proven"]
    assert verdicts(findings(DETECTOR, samples))["g"] == ["proven"]


def test_without_wheels_a_gate_is_passed_again_after_a_while() -> None:
    legs = [*LAP, Leg(600, 0.0), *LAP, Leg(600, 0.0), *LAP, Leg(40, 20.0)]
    samples = drive(legs, has_odometer=False, has_speed=False)
    assert verdicts(findings(DETECTOR, samples))["g"] == ["proven", "proven", "proven"]


@pytest.mark.parametrize("stopped_s", [29, 30, 31, 32])
@pytest.mark.parametrize("constant_s", [30.0, 600.0])
def test_without_wheels_a_jam_at_the_gate_is_one_passage(stopped_s: int, constant_s: float) -> None:
    legs = [Leg(stopped_s, 20.0), Leg(3600, 0.0), Leg(60, 20.0)]
    for seed in range(3):
        samples = drive(
            legs, noise=autoregressive(8.0, constant_s), seed=seed,
            has_odometer=False, has_speed=False,
        )  # fmt: skip
        found = [finding.verdict for finding in findings(DETECTOR, samples)]
        assert found.count("proven") <= 1


def test_a_state_goes_on_with_a_new_version_of_the_context() -> None:
    samples = drive(straight())
    state = Detector([gate("old", along_m=-250), gate(), gate("gone", along_m=-20.0)]).begin()
    first = Detector([gate("old", along_m=-250), gate(), gate("gone", along_m=-20.0)])
    found = [one for sample in samples[:42] for one in first.advance(state, sample)]
    renewed = Detector([gate()])
    found += [one for sample in samples[42:] for one in renewed.advance(state, sample)]
    found += renewed.finish(state)
    assert verdicts(found) == {"old": ["proven"], "g": ["proven"]}
    other = first.begin()
    for sample in samples[:42]:
        first.advance(other, sample)
    assert Detector([]).finish(other) == []


def _told(samples: list[Sample], restart: bool) -> list[bytes]:
    state = DETECTOR.begin()
    found = []
    for sample in samples:
        found += [repr(finding).encode() for finding in DETECTOR.advance(state, sample)]
        if restart:
            state = load(dump(state))
    return found + [repr(finding).encode() for finding in DETECTOR.finish(state)]


@pytest.mark.parametrize("seed", range(3))
def test_a_restart_at_every_sample_changes_nothing(seed: int) -> None:
    legs = [Leg(20, 20.0), Leg(15, 12.5, has_fix=False), Leg(200, 0.0), Leg(60, 20.0)]
    samples = drive(legs, noise=autoregressive(5.0), seed=seed)
    assert _told(samples, restart=True) == _told(samples, restart=False) != []


@pytest.mark.parametrize("seed", range(5))
def test_late_and_doubled_samples_change_nothing(seed: int) -> None:
    samples = drive(straight(), noise=autoregressive(5.0), seed=seed)
    chance = random.Random(seed)
    shuffled = sorted(samples * 3, key=lambda one: one.at_ms + chance.uniform(0, 4900))
    assert _told(shuffled, restart=False) == _told(samples, restart=False) != []


def test_a_state_of_another_format_is_refused() -> None:
    with pytest.raises(ValueError, match="begin anew"):
        load(b'{"format": 0}')
