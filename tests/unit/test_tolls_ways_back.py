"""What a U-turn behind a gate takes back, and what a tunnel at the gate hides."""

from services.tolls.detection.detector import Detector
from tests.unit.tolled import Leg, autoregressive, drive, findings, gate, verdicts

DETECTOR = Detector([gate()])


def test_a_way_back_well_within_the_line_takes_the_passage_back() -> None:
    detector = Detector([gate(half_m=20.0)])
    legs = [Leg(33, 20.0), Leg(9, 1.0, 20.0), Leg(60, 20.0)]
    assert findings(detector, drive(legs)) == []


def test_a_way_back_just_within_the_end_of_the_line_may_have_been_beside_it() -> None:
    legs = [Leg(33, 20.0), Leg(9, 1.8, 20.0), Leg(60, 20.0)]
    assert verdicts(findings(DETECTOR, drive(legs, right_m=-6.0))) == {"g": ["unresolved"]}


def test_a_way_back_far_beside_the_line_takes_nothing_back() -> None:
    legs = [Leg(33, 20.0), Leg(9, 8.0, 20.0), Leg(60, 20.0)]
    assert verdicts(findings(DETECTOR, drive(legs))) == {"g": ["proven"]}


def test_a_tunnel_that_begins_or_ends_at_the_gate_hides_nothing() -> None:
    for legs in (
        [Leg(31, 20.0), Leg(90, 20.0, has_fix=False), Leg(60, 20.0)],
        [Leg(60, 20.0), Leg(90, 20.0, has_fix=False), Leg(60, 20.0)],
    ):
        along_m = -600.0 if legs[0].seconds < 60 else -2985.0
        samples = drive(legs, along_m=along_m, noise=autoregressive(3.0), sigma_m=3.0)
        assert verdicts(findings(DETECTOR, samples)) == {"g": ["proven"]}
