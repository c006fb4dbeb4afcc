"""Singapore to the cent: every band at both edges, every dated change, every class."""

import json
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from fractions import Fraction
from functools import cache
from typing import Any

import pytest

from services.tolls.facts import Passage
from services.tolls.tariff.context import Context
from services.tolls.tariff.prices import prices_for
from services.tolls.tariff.shipped import find_context
from services.tolls.tariff.vehicle import VehicleFacts, VehicleKind
from tests.data import data_path
from tests.unit.toll_tariffs import amounts, one_fee, passage

MULTIPLIERS: dict[VehicleKind, Fraction] = {
    "motorcycle": Fraction(1, 2), "car": Fraction(1), "taxi": Fraction(1),
    "light_goods": Fraction(1), "heavy_goods": Fraction(3, 2), "light_bus": Fraction(3, 2),
    "very_heavy_goods": Fraction(2), "big_bus": Fraction(2),
}  # fmt: skip
CHANGED_TO = date(2026, 6, 28)
BEFORE, JUNE, AFTER = date(2026, 5, 12), date(2026, 6, 16), date(2026, 7, 7)
"""A Tuesday before the changes, one in the school holidays, one after."""


@cache
def singapore() -> Context:
    return find_context("singapore")


def erp() -> Any:
    return json.loads(data_path("tolls/singapore/erp-data.json").read_text(encoding="utf-8"))


def price(gate: str, day: date, clock: str, kind: VehicleKind = "car") -> Fraction:
    """By the tariff alone: also of gates that are never charged as their direction is unknown."""
    at = datetime.fromisoformat(f"{day} {clock}").replace(tzinfo=singapore().zone)
    prices = prices_for(singapore(), VehicleFacts(kind=kind))
    return prices.quote(Passage("p", gate, at)).total


def expected(source: Any, group: str, day: date, clock: str) -> Fraction:
    """By the data: the base rate, or the change that holds that day, in cents for a car."""
    found = Fraction(0)
    for rate in source["baseRates"]:
        if rate["groupId"] == group and rate["start"] <= clock < rate["end"]:
            found = Fraction(str(rate["amount"]))
    for change in source["adjustments"]:
        until = date.fromisoformat(change["toDate"] or "9999-12-31")
        is_then = date.fromisoformat(change["fromDate"]) <= day <= until
        if is_then and change["groupId"] == group and change["start"] <= clock < change["end"]:
            found = Fraction(str(change["amount"]))
    return found * 100


def edges(source: Any) -> Iterator[tuple[str, str, str]]:
    """Each group, a gate of it, and each instant just before and at an edge of its bands."""
    gates = {group["id"]: group["gantryNos"][0] for group in source["groups"]}
    for one in (*source["baseRates"], *source["adjustments"]):
        for edge in (one["start"], one["end"]):
            at = datetime.fromisoformat(f"2026-01-01 {edge}")
            for clock in (at - timedelta(milliseconds=1), at):
                yield one["groupId"], gates[one["groupId"]], clock.time().isoformat("milliseconds")


@pytest.mark.parametrize("day", [BEFORE, JUNE, CHANGED_TO - timedelta(days=2), AFTER])
def test_every_band_and_change_is_exact_at_both_edges(day: date) -> None:
    source = erp()
    checked = 0
    for group, gate, clock in edges(source):
        assert price(gate, day, clock) == expected(source, group, day, clock), (group, clock)
        checked += 1
    assert checked == (192 + 21) * 4


@pytest.mark.parametrize(
    ("day", "cents"),
    [("2026-06-01", 0), ("2026-06-02", 200), ("2026-06-26", 200), ("2026-06-29", 400)],
)
def test_a_dated_change_holds_from_its_first_day_to_its_last(day: str, cents: int) -> None:
    """46/67 at 18:45: 4.00, in the June holidays 3.00; 52/53/74 at 09:10: 3.00, then 2.00."""
    june = {0: 0, 200: 300, 400: 400}[cents]
    assert price("46", date.fromisoformat(day), "18:45") == june
    later = {0: 0, 200: 200, 400: 300}[cents]
    assert price("52", date.fromisoformat(day), "09:10") == later


def test_every_class_is_exact_in_every_band() -> None:
    source = erp()
    for group, gate, clock in edges(source):
        cents = expected(source, group, AFTER, clock)
        for kind, multiplier in MULTIPLIERS.items():
            assert price(gate, AFTER, clock, kind) == cents * multiplier


@pytest.mark.parametrize(
    ("kind", "cents"),
    [
        ("motorcycle", 25), ("car", 50), ("taxi", 50), ("light_goods", 50), ("heavy_goods", 75),
        ("light_bus", 75), ("very_heavy_goods", 100), ("big_bus", 100),
    ],
)  # fmt: skip
def test_half_a_dollar_in_each_class(kind: VehicleKind, cents: int) -> None:
    """Gantry 36 on a Tuesday at 08:02: 0.50 SGD for a car."""
    vehicle = VehicleFacts(kind=kind)
    assert one_fee(singapore(), "36", "2026-07-07 08:02", vehicle=vehicle).amount_minor == cents


def test_the_fee_of_a_car_in_words() -> None:
    assert one_fee(singapore(), "36", "2026-07-07 08:12").words == (
        "Tue 7 Jul 2026 08:12, car: 1.00 SGD (08:05–08:25)",  # noqa: RUF001
    )


@pytest.mark.parametrize(
    ("local", "cents"),
    [
        ("2026-07-10 17:50", 300), ("2026-07-11 17:50", 0), ("2026-07-12 17:50", 0),
        ("2026-12-24 12:59:59", 0), ("2026-12-24 17:50", 0), ("2026-12-25 17:50", 0),
        ("2026-12-31 17:50", 0), ("2026-08-10 17:50", 0), ("2026-12-23 17:50", 300),
        ("2026-11-09 17:50", 0), ("2026-06-01 17:50", 0), ("2026-05-27 17:50", 0),
    ],
)  # fmt: skip
def test_weekends_holidays_and_eves_after_one_are_free(local: str, cents: int) -> None:
    assert one_fee(singapore(), "41", local).amount_minor == cents


def test_the_morning_of_an_eve_is_charged() -> None:
    assert one_fee(singapore(), "36", "2026-12-24 08:10").amount_minor == 100


def test_a_set_is_charged_once_and_the_dearest_wins() -> None:
    assert amounts(
        singapore(), ("32", "2026-07-07 08:29"), ("45", "2026-07-07 08:31"),
        ("37", "2026-07-07 08:35"), ("45", "2026-07-07 09:29:00.001"),
    ) == [0, 400, 100, 150]  # fmt: skip


def test_a_gantry_that_is_no_set_is_paid_at_each_passage() -> None:
    """The source charges once where several gantries are a set; one alone is none."""
    assert amounts(
        singapore(), ("36", "2026-07-07 08:12"), ("36", "2026-07-07 08:52"),
        ("41", "2026-07-07 17:40"), ("41", "2026-07-07 17:50"),
    ) == [100, 200, 300, 300]  # fmt: skip


def test_a_boundary_within_the_uncertainty_is_the_cheaper_side() -> None:
    fee = one_fee(singapore(), "36", "2026-07-07 08:05:01", sigma_ms=1000)
    assert fee.amount_minor == 50
    assert fee.words[1:] == (
        "a tariff boundary lies within 2 s of it: the cheaper side counts",
        "makes 0.50 SGD",
    )


def test_all_groups_rates_and_changes_of_the_source_are_in_the_context() -> None:
    source, tariff = erp(), singapore().tariff
    sets = {group.places: group.label for group in tariff.groups}
    several = [one for one in source["groups"] if len(one["gantryNos"]) > 1]
    assert sets == {tuple(one["gantryNos"]): one["label"] for one in several}
    assert (len(sets), len(source["groups"])) == (9, 28)
    dated = [rate for rate in tariff.rates if rate.valid_from is not None]
    assert len(dated) == len(source["adjustments"]) == 21
    undated = [rate for rate in tariff.rates if rate.places and rate.valid_from is None]
    assert sum(len(rate.bands) for rate in undated) == len(source["baseRates"]) == 192


def test_the_gates_are_those_of_the_source_with_their_directions() -> None:
    gates = singapore().by_id
    pointed = 0
    for one in erp()["gantries"]:
        gate = gates[one["gantryNo"]]
        assert gate.label == one["label"]
        if one["line"]:
            assert [list(end) for end in gate.line] == [
                [pytest.approx(value, abs=1e-7) for value in end] for end in one["line"]
            ]
        wanted = one["directionDegrees"]
        if wanted is None:
            assert gate.bearing_deg is None or "bound" in gate.label
            continue
        assert gate.bearing_deg is not None
        assert abs((gate.bearing_deg - wanted + 180) % 360 - 180) < 90
        pointed += 1
    assert (pointed, len(gates)) == (32, 78)
    assert sum(gate.bearing_deg is None for gate in gates.values()) == 44


def test_a_gantry_without_a_price_is_a_gate_that_costs_nothing() -> None:
    assert one_fee(singapore(), "63", "2026-07-07 08:10").amount_minor == 0


def test_the_context_holds_in_its_time_only() -> None:
    assert amounts(
        singapore(), ("41", "2026-03-20 17:50"), ("41", "2026-03-23 17:50"),
        ("41", "2026-12-30 17:50"), ("41", "2027-01-05 17:50"),
    ) == [0, 300, 300, 0]  # fmt: skip


def test_the_same_crossing_at_another_offset_is_the_same_instant() -> None:
    local = passage(singapore(), "36", "2026-07-07 08:12")
    other = one_fee(singapore(), "36", "2026-07-07 00:12+00:00")
    assert (
        other.amount_minor == one_fee(singapore(), "36", local.crossed_at.isoformat()).amount_minor
    )
