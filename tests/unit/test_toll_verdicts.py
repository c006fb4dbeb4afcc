"""What the toll benchmark calls wrong: its judgement of charges, with a detector that is told."""

from functools import cache

import pytest

from services.tolls.facts import Evidence, Finding
from tests.bench import toll_verdicts
from tests.bench.toll_scenarios import FIRST_AT_MS, Kind, Mixture, Scenario
from tests.bench.toll_verdicts import Judge, Tally
from tests.bench.toll_worlds import Ground
from tests.tolls_drive import Motion, Plan

NONE: dict[str, frozenset[str]] = {"singapore": frozenset(), "norway": frozenset()}


@cache
def ground() -> Ground:
    return Ground()


class Fixed(Mixture):
    """Always the same drive."""

    def __init__(self, fixed: Scenario) -> None:
        super().__init__(ground(), NONE)
        self._fixed = fixed

    def scenario(self, number: int) -> Scenario:
        del number
        return self._fixed


def judged(
    monkeypatch: pytest.MonkeyPatch, kind: Kind, gate: str, plan: Plan, charged: str | None
) -> Tally:
    """What is said of a drive past a Singapore gate if a gate is charged for it."""
    evidence = Evidence(20.0, "parallel road", 43.0, plan.sigma_m, (), ())
    found = [Finding(charged, FIRST_AT_MS, 100, 1.0, "proven", evidence)] if charged else []
    monkeypatch.setattr(toll_verdicts, "detected", lambda *_: found)
    tally = Tally()
    scenario = Scenario(0, kind, "singapore", gate, 0.0, plan, ())
    provable = {"singapore": frozenset({gate}), "norway": frozenset[str]()}
    Judge(ground(), Fixed(scenario), provable).judge(0, tally)
    return tally


@pytest.mark.parametrize(
    ("kind", "gate", "charged", "sigma_m", "row"),
    [
        ("wrong way", "91", "91", 5.0, "wrong_direction"),
        ("wrong way", "91", "93", 5.0, "ghost"),
        ("wrong way", "91", "93", 1.0, "wrong_direction"),
        ("wrong way", "93", "91", 5.0, "ghost"),
        ("pair", "91", "93", 5.0, "wrong_direction"),
        ("pair", "93", "91", 5.0, "wrong_direction"),
        ("pair", "63", "64", 5.0, "wrong_direction"),
        ("pair", "33", "42", 5.0, "wrong_direction"),
        ("through", "93", "91", 5.0, "wrong_direction"),
    ],
)
def test_a_charge_at_the_other_gate_of_a_pair(
    monkeypatch: pytest.MonkeyPatch, kind: Kind, gate: str, charged: str, sigma_m: float, row: str
) -> None:
    motion: Motion = "wrong way" if kind == "wrong way" else "through"
    tally = judged(monkeypatch, kind, gate, Plan(motion=motion, sigma_m=sigma_m), charged)
    counts = {name: tally.counts[name] for name in ("wrong_direction", "ghost", "grazed")}
    assert counts == {"wrong_direction": 0, "ghost": 0, "grazed": 0} | {row: 1}


def test_a_u_turn_over_the_same_line_owes_nothing_and_beside_it_the_passage(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The gate's line is 28 m wide, and the way back 18 m to the right."""
    left, right = ground().sites["singapore"]["73"].lanes_m
    for right_m, due in ((left, 0), (right, 1)):
        plan = Plan(motion="turn after", turn_at_m=40.0, right_m=right_m)
        charged = judged(monkeypatch, "turn", "73", plan, "73")
        free = judged(monkeypatch, "turn", "73", plan, None)
        assert charged.counts["turned_owing"] == due
        assert charged.counts["turn_charged"] == 1 - due
        assert free.counts["turn_missed"] == due


@pytest.mark.parametrize(
    ("generator", "is_on_bends", "row"),
    [("a", False, ""), ("a", True, "_bent"), ("b", False, "_b"), ("b", True, "_b")],
)
def test_which_rows_a_passage_counts_in(generator: str, is_on_bends: bool, row: str) -> None:
    plan = Plan(generator="a" if generator == "a" else "b")
    scenario = Scenario(0, "through", "norway", "g", 0.0, plan, ())
    assert scenario.row(is_on_bends=is_on_bends) == row
