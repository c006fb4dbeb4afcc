"""A crossing is matched with what is known, so that no estimate counts twice."""

from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.tolls.facts import Finding
from services.tolls.passages.matching import (
    REARM_M,
    REARM_MS,
    Known,
    Place,
    derived_id,
    evidence_until_ms,
    match,
    take,
)
from tests.unit.toll_findings import PLACE, START_MS, finding


def taken(findings: list[Finding], place: Place = PLACE) -> list[Known]:
    known: dict[str, Known] = {}
    for each in findings:
        ordinals = sum(1 for passage in known.values() if passage.finding.gate == each.gate)
        passage = take(each, place, list(known.values()), ordinals)
        known[passage.passage_id] = passage
    return list(known.values())


@pytest.mark.parametrize("edge_m", [0.0, 1.0, 150.0, REARM_M])
@pytest.mark.parametrize("moved_m", [-1.0, -0.001, 0.0, 0.001, 1.0])
def test_estimates_around_every_edge_are_one_passage_up_to_the_rearm_distance(
    edge_m: float, moved_m: float
) -> None:
    passages = taken(
        [
            finding(travelled_m=10_000.0),
            finding(at_s=3_000, travelled_m=10_000.0 + edge_m + moved_m),
        ]
    )
    assert len(passages) == (1 if abs(edge_m + moved_m) < REARM_M else 2)


def test_a_jam_at_the_gate_is_one_passage_by_the_odometer_however_long_it_lasts() -> None:
    jam = [finding(at_s=60.0 * n, travelled_m=500.0 + n / 10) for n in range(200)]
    assert len(taken(jam)) == 1


@pytest.mark.parametrize(
    ("apart_ms", "count"), [(REARM_MS - 1, 1), (REARM_MS, 2), (REARM_MS + 1, 2)]
)
def test_without_an_odometer_the_rearm_time_decides(apart_ms: int, count: int) -> None:
    assert len(taken([finding(), finding(at_s=apart_ms / 1000)])) == count
    assert len(taken([finding(at_s=apart_ms / 1000), finding()])) == count


def test_without_an_odometer_another_gate_between_makes_two_passages() -> None:
    drive = [finding("g1", 0), finding("g2", 60), finding("g1", 120)]
    assert len(taken(drive)) == 3


def test_a_gate_that_was_not_proven_or_lies_within_the_uncertainty_is_not_between() -> None:
    rejected = finding("g2", 60, verdict="rejected")
    assert len(taken([finding("g1", 0), rejected, finding("g1", 120)])) == 2
    near = finding("g2", 0.3)
    assert len(taken([finding("g1", 0), near, finding("g1", 120)])) == 2


def test_distances_of_two_epochs_have_nothing_in_common() -> None:
    first = take(finding(travelled_m=500.0), PLACE, [], 0)
    later = finding(at_s=3_600, travelled_m=500.0)
    assert match(later, PLACE, [first]) is first
    assert match(later, replace(PLACE, epoch=2), [first]) is None
    soon = finding(at_s=60, travelled_m=0.0)
    assert match(soon, replace(PLACE, epoch=2), [first]) is first


@pytest.mark.parametrize(
    "other",
    [
        replace(PLACE, vehicle_id="other"),
        replace(PLACE, context="other"),
        replace(PLACE, origin="recording"),
    ],
)
def test_another_vehicle_context_or_origin_is_another_passage(other: Place) -> None:
    first = take(finding(), PLACE, [], 0)
    assert match(finding(), other, [first]) is None
    assert match(finding("g2"), PLACE, [first]) is None


def test_the_nearest_of_two_passages_is_meant() -> None:
    drive = taken([finding(travelled_m=0.0), finding(travelled_m=400.0)])
    assert match(finding(travelled_m=210.0), PLACE, drive) is drive[1]
    assert match(finding(travelled_m=190.0), PLACE, drive) is drive[0]


@pytest.mark.parametrize("verdict", ["proven", "rejected"])
def test_a_later_decision_revises_what_was_unresolved_and_never_the_other_way(
    verdict: str,
) -> None:
    open_ = finding(travelled_m=0.0, verdict="unresolved", until_s=90)
    decided = finding(travelled_m=1.0, verdict=verdict, until_s=5)  # type: ignore[arg-type]  # a literal
    for order in permutations([open_, decided]):
        (passage,) = taken(list(order))
        assert passage.finding == decided


def test_of_two_decisions_the_one_that_saw_more_of_the_drive_counts() -> None:
    proven = finding(travelled_m=0.0, until_s=5)
    rejected = finding(travelled_m=1.0, verdict="rejected", until_s=6)
    for order in permutations([proven, rejected]):
        (passage,) = taken(list(order))
        assert passage.finding == rejected


def test_in_doubt_it_costs_nothing() -> None:
    proven = finding(travelled_m=0.0, log_ratio=20)
    rejected = finding(travelled_m=1.0, verdict="rejected", log_ratio=-20)
    for order in permutations([proven, rejected]):
        assert taken(list(order))[0].finding == rejected


def test_a_finding_without_fixes_knows_its_crossing_only() -> None:
    bare = replace(finding().evidence, fixes=())
    assert evidence_until_ms(replace(finding(at_s=7), evidence=bare)) == START_MS + 7_000


def test_an_id_is_of_vehicle_context_gate_and_ordinal_and_says_no_version() -> None:
    drive = taken([finding(travelled_m=0.0), finding(travelled_m=5_000.0)])
    assert [passage.ordinal for passage in drive] == [1, 2]
    assert drive[1].passage_id == derived_id("p", "car", "singapore", "g1", 2)
    assert len({passage.passage_id for passage in drive}) == 2


CROSSINGS = st.lists(
    st.tuples(st.sampled_from(["g1", "g2"]), st.integers(0, 5)),
    unique=True,
    max_size=6,
)
ESTIMATES = st.lists(
    st.tuples(
        st.floats(-1, 1),
        st.sampled_from(["proven", "unresolved", "rejected"]),
        st.integers(0, 40),
    ),
    min_size=1,
    max_size=4,
)


@given(st.data(), CROSSINGS)
def test_any_order_of_estimates_comes_to_the_same_passages(
    data: st.DataObject, crossings: list[tuple[str, int]]
) -> None:
    estimates = [
        finding(gate, 600 * place, travelled_m=5_000.0 * place + moved, verdict=verdict,  # type: ignore[arg-type]  # a literal
                until_s=600 * place + until)
        for gate, place in crossings
        for moved, verdict, until in data.draw(ESTIMATES)
    ]  # fmt: skip
    dealt = data.draw(st.permutations(estimates + estimates[:3]))
    straight, shuffled = taken(estimates), taken(dealt)
    assert len(straight) == len(crossings)

    def said(passages: list[Known]) -> set[Finding]:
        return {passage.finding for passage in passages}

    assert said(straight) == said(shuffled)
    assert {passage.passage_id for passage in straight} == {
        passage.passage_id for passage in shuffled
    }
