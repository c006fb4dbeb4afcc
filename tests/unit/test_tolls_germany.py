"""Germany to the cent: every combination of the act's classes, computed here once more."""

import re
from datetime import date
from decimal import Decimal
from functools import cache

import pytest

from services.tolls.tariff.context import Context
from services.tolls.tariff.prices import VehicleError
from services.tolls.tariff.shipped import find_context
from services.tolls.tariff.vehicle import Claim, VehicleFacts
from tests.data import data_path
from tests.german_act import HUNDRED_M, PERIODS, Rates, annex, per_km, toll_minor, vehicles
from tests.unit.toll_tariffs import amounts, one_fee

SECTION = "B1-9-10-with"
"""3,612 m between two nodes of the B1."""


@cache
def germany() -> Context:
    return find_context("germany")


def act() -> str:
    return data_path("tolls/germany/BFStrMG.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("rates", PERIODS, ids=lambda rates: f"annex-{rates.annex}")
def test_every_combination_of_classes_is_exact(rates: Rates) -> None:
    text = annex(act(), rates.annex)
    for vehicle in vehicles(rates):
        cents = toll_minor(per_km(text, vehicle, rates), HUNDRED_M["B1-9-10"])
        passed = (SECTION, f"{rates.first} 00:00"), (SECTION, f"{rates.last} 23:59:59")
        assert amounts(germany(), *passed, vehicle=vehicle) == [cents, cents], vehicle


ARTIC = VehicleFacts(kind="heavy_goods", weight_kg=40_000, axles=5, emission="euro6", co2_class=1)
SMALL = VehicleFacts(kind="heavy_goods", weight_kg=3_501, axles=2, emission="euro6", co2_class=5)


def test_a_truck_worked_by_hand() -> None:
    """40 t, 5 axles, Euro VI, CO2 class 1: 15.5 + 2.3 + 1.2 + 15.8 = 34.8 cents a kilometre."""
    assert one_fee(germany(), SECTION, "2026-07-07 12:00", vehicle=ARTIC).amount_minor == 125
    assert one_fee(germany(), SECTION, "2023-07-07 12:00", vehicle=ARTIC).amount_minor == 68


@pytest.mark.parametrize(("section", "hundred_m"), HUNDRED_M.items())
def test_a_section_counts_whole_hundreds_of_metres_in_both_directions(
    section: str, hundred_m: int
) -> None:
    cents = toll_minor(Decimal("0.348"), hundred_m)
    passed = [(f"{section}-{way}", "2026-07-07 12:00") for way in ("with", "against")]
    assert amounts(germany(), *passed, vehicle=ARTIC) == [cents, cents]


def test_each_section_is_rounded_before_the_sum() -> None:
    """1.2 km and 1.4 km at 34.8 cents: 42 + 49, where 2.6 km would be 90."""
    passed = ("B1-31-32-with", "2026-07-07 12:00"), ("B1-34-35-with", "2026-07-07 12:10")
    assert amounts(germany(), *passed, vehicle=ARTIC) == [42, 49]


def test_half_a_cent_goes_up() -> None:
    """3.5 t, Euro VI, CO2 class 4: 5.2 + 1.1 + 1.4 + 3.7 = 11.4; class 5: 7.7 cents, 5 km: 38.5."""
    context = germany().model_copy(update={"tariff": germany().tariff.model_copy(update={
        "sections": (germany().tariff.sections[0].model_copy(update={"length_m": 4_950}),),
    })})  # fmt: skip
    gate = f"{context.tariff.sections[0].place}-with"
    assert one_fee(context, gate, "2026-07-07 12:00", vehicle=SMALL).amount_minor == 39


@pytest.mark.parametrize(
    ("claims", "weight_kg", "free_on", "charged_on"),
    [
        (("military",), 40_000, "2026-07-07", None),
        (("police",), 40_000, "2026-07-07", None),
        (("civil_protection",), 40_000, "2026-07-07", None),
        (("emergency",), 40_000, "2026-07-07", None),
        (("federal",), 40_000, "2026-07-07", None),
        (("bus",), 18_000, "2026-07-07", None),
        (("road_service",), 18_000, "2026-07-07", None),
        (("showman",), 18_000, "2026-07-07", None),
        (("humanitarian",), 18_000, "2026-07-07", None),
        (("agricultural",), 18_000, "2026-07-07", None),
        (("zero_emission",), 40_000, "2031-06-30", "2031-07-01"),
        (("zero_emission",), 4_250, "2031-07-01", None),
        (("natural_gas",), 40_000, "2023-12-31", "2024-01-01"),
        (("craftsman",), 7_499, "2026-07-07", None),
        (("craftsman",), 7_500, None, "2026-07-07"),
        (("diplomat",), 40_000, None, "2026-07-07"),
    ],
)
def test_the_exemptions_of_the_act(
    claims: tuple[Claim, ...], weight_kg: int, free_on: str | None, charged_on: str | None
) -> None:
    vehicle = ARTIC.model_copy(update={"claims": claims, "weight_kg": weight_kg})
    for day, is_free in ((free_on, True), (charged_on, False)):
        if day is not None:
            fee = one_fee(germany(), SECTION, f"{day} 12:00", vehicle=vehicle)
            assert (fee.amount_minor == 0) is is_free


def test_cars_buses_and_what_weighs_up_to_three_and_a_half_tonnes_are_not_tolled() -> None:
    van = VehicleFacts(kind="light_goods", weight_kg=3_500)
    for vehicle in (van, VehicleFacts(), VehicleFacts(kind="big_bus")):
        assert one_fee(germany(), SECTION, "2026-07-07 12:00", vehicle=vehicle).amount_minor == 0


def test_a_truck_of_which_too_little_is_known_is_refused() -> None:
    with pytest.raises(VehicleError, match="germany asks for axles"):
        one_fee(
            germany(),
            SECTION,
            "2026-07-07",
            vehicle=VehicleFacts(kind="heavy_goods", weight_kg=20_000),
        )


def test_the_nodes_of_the_sections_are_those_of_the_ordinance() -> None:
    text = data_path("tolls/germany/BStrMKnotV.md").read_text(encoding="utf-8")
    row = re.compile(r"\|\s*(\d+)\s*\|[^|]*\|\s*(.*?)\s*\|\s*([\d.]+)\s*\|\s*([\d.]+)\s*\|")
    names = {found[1]: found[2] for found in row.finditer(text)}
    places = {found[1]: (float(found[3]), float(found[4])) for found in row.finditer(text)}
    for section in germany().tariff.sections:
        _, first, last = section.place.split("-")
        assert (section.start, section.end) == (names[first], names[last])
        one, other = germany().by_id[f"{section.place}-with"].line
        middle = (one[0] + other[0]) / 2, (one[1] + other[1]) / 2
        between = [(a + b) / 2 for a, b in zip(places[first], places[last], strict=True)]
        assert middle == pytest.approx(between, abs=1e-6)
        assert (section.length, bool(section.note)) == ("synthetic", True)
    assert (len(names), len(germany().tariff.sections)) == (2882, 10)


def test_the_context_begins_with_the_year_2019() -> None:
    assert germany().valid_from == date(2019, 1, 1)
    assert one_fee(germany(), SECTION, "2018-12-31 23:59", vehicle=ARTIC).amount_minor == 0
