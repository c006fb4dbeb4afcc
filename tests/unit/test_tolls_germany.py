"""Germany to the cent: every combination of the act's classes, computed here once more."""

import re
from collections.abc import Iterable, Iterator
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from functools import cache

import pytest

from services.tolls.tariff.context import Context
from services.tolls.tariff.prices import VehicleError
from services.tolls.tariff.shipped import find_context
from services.tolls.tariff.vehicle import Claim, Emission, VehicleFacts
from tests.data import data_path
from tests.unit.toll_tariffs import amounts, one_fee

SECTION, LENGTH_KM = "B1-9-10-with", Decimal("3.6")
"""3,612 m between two nodes of the B1."""

WEIGHTS = (3_501, 7_499, 7_500, 11_999, 12_000, 18_000, 18_001, 40_000)
EMISSIONS: tuple[Emission, ...] = (
    "euro0", "euro1", "euro2", "euro3", "euro4", "euro5", "eev", "euro6", "cleaner",
)  # fmt: skip
CATEGORY: dict[Emission, str] = {
    "euro6": "A", "euro5": "B", "eev": "B", "euro4": "C", "euro3": "D", "euro2": "E",
    "euro1": "F", "euro0": "F", "cleaner": "G",
}  # fmt: skip
CO2_LINE: dict[Emission, int] = {
    "euro0": 0, "euro1": 0, "euro2": 1, "euro3": 1, "euro4": 2, "euro5": 2, "eev": 2, "euro6": 3,
    "cleaner": 3,
}  # fmt: skip
"""Which of the four lines of CO2 class 1."""


@cache
def germany() -> Context:
    return find_context("germany")


def annex(number: int) -> str:
    text = data_path("tolls/germany/BFStrMG.md").read_text(encoding="utf-8").replace("\xa0", " ")
    return re.split(rf"# Anlage {number} ", text)[1].split("\n# Anlage ")[0]


@cache
def plain_tables(text: str) -> list[list[list[Decimal]]]:
    """Rates for air and noise that are the same for all weights, as tables of four columns."""
    air = re.findall(r"(0,\d+) Euro in der Kategorie", text)
    noise = re.findall(r"Absatz 1 Nummer 3: (0,\d+) Euro", text)
    return [[[number(rate)] * 4 for rate in rates] for rates in (air, noise)]


@cache
def roads(text: str) -> list[Decimal]:
    """The rates for the infrastructure, the first thing in an annex."""
    head = text.split("2. Mautteilsatz")[0]
    return [number(found) for found in re.findall(r"(0,\d+) Euro", head)]


def number(text: str) -> Decimal:
    return Decimal(text.replace(",", "."))


@cache
def tables(text: str) -> list[list[list[Decimal]]]:
    """The numbers of each table of an annex, row by row."""
    found = []
    for table in re.findall(r"<tbody.*?</tbody>", text, re.S):
        rows = [
            re.findall(r">(0(?:,\d+)?)</td>", row)
            for row in re.findall(r"<tr.*?</tr>", table, re.S)
        ]
        found.append([[number(cell) for cell in row] for row in rows])
    return found


def per_km(annex_text: str, vehicle: VehicleFacts, *, from_kg: int) -> Decimal:
    """The act's rate, worked out from its text alone."""
    assert vehicle.weight_kg
    assert vehicle.axles
    assert vehicle.emission
    if vehicle.weight_kg < from_kg:
        return Decimal(0)
    limits = [limit for limit in (3_501, 7_500, 12_000, 18_001) if limit >= from_kg]
    column = sum(vehicle.weight_kg >= limit for limit in limits) - 1
    if vehicle.weight_kg > 18_000 and vehicle.axles > 3:
        column += 1
    air, noise, *carbon = tables(annex_text) or plain_tables(annex_text)
    category = "ABCDEFG".index(CATEGORY[vehicle.emission])
    row = category if category < len(air) else 0
    total = roads(annex_text)[column] + air[row][column] + noise[0][column]
    if carbon:
        assert vehicle.co2_class
        line = CO2_LINE[vehicle.emission] if vehicle.co2_class == 1 else vehicle.co2_class + 2
        is_last = vehicle.weight_kg > 18_000 and vehicle.axles > 4
        total += carbon[0][line][column + is_last]
    return total


def vehicles(co2_classes: Iterable[int]) -> Iterator[VehicleFacts]:
    for weight_kg in WEIGHTS:
        for axles in (3, 4, 5):
            for emission in EMISSIONS:
                for co2_class in co2_classes:
                    yield VehicleFacts(
                        kind="heavy_goods", weight_kg=weight_kg, axles=axles, emission=emission,
                        co2_class=co2_class,
                    )  # fmt: skip


@pytest.mark.parametrize(
    ("annex_number", "days", "from_kg"),
    [
        (7, ("2019-01-01", "2020-10-27"), 7_500), (8, ("2020-10-28", "2021-09-30"), 7_500),
        (9, ("2021-10-01", "2022-12-31"), 7_500), (10, ("2023-01-01", "2023-11-30"), 7_500),
        (11, ("2023-12-01", "2024-06-30"), 7_500),
        (1, ("2024-07-01", "2026-07-07"), 3_501),
    ],
)  # fmt: skip
def test_every_combination_of_classes_is_exact(
    annex_number: int, days: tuple[str, str], from_kg: int
) -> None:
    text = annex(annex_number)
    for vehicle in vehicles((1, 2, 3, 4, 5) if annex_number in (1, 11) else (1,)):
        toll = per_km(text, vehicle, from_kg=from_kg) * LENGTH_KM
        cents = int((toll * 100).quantize(Decimal(1), ROUND_HALF_UP))
        passed = (SECTION, f"{days[0]} 00:00"), (SECTION, f"{days[1]} 23:59:59")
        assert amounts(germany(), *passed, vehicle=vehicle) == [cents, cents], vehicle


ARTIC = VehicleFacts(kind="heavy_goods", weight_kg=40_000, axles=5, emission="euro6", co2_class=1)
SMALL = VehicleFacts(kind="heavy_goods", weight_kg=3_501, axles=2, emission="euro6", co2_class=5)


def test_a_truck_worked_by_hand() -> None:
    """40 t, 5 axles, Euro VI, CO2 class 1: 15.5 + 2.3 + 1.2 + 15.8 = 34.8 cents a kilometre."""
    assert one_fee(germany(), SECTION, "2026-07-07 12:00", vehicle=ARTIC).amount_minor == 125
    assert one_fee(germany(), SECTION, "2023-07-07 12:00", vehicle=ARTIC).amount_minor == 68


@pytest.mark.parametrize(
    ("section", "hundred_m"),
    [
        ("B1-6-7", 107), ("B1-8-9", 18), ("B1-9-10", 36), ("B1-11-12", 27), ("B1-18-19", 103),
        ("B1-20-21", 40), ("B1-31-32", 12), ("B1-33-34", 47), ("B1-34-35", 14), ("B1-35-36", 44),
    ],
)  # fmt: skip
def test_a_section_counts_whole_hundreds_of_metres_in_both_directions(
    section: str, hundred_m: int
) -> None:
    cents = int((Decimal("3.48") * hundred_m).quantize(Decimal(1), ROUND_HALF_UP))
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
