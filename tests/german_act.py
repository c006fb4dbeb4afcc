"""The German act's rates once more, read from its text and added up in a simple way."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import cache

from services.tolls.tariff.vehicle import Emission, VehicleFacts


@dataclass(frozen=True)
class Rates:
    """The annex that holds from one day to another, and for whom.

    Attributes:
        annex: Its number.
        first: The first day, as the calendar has it.
        last: The last one, or the last that is asked for.
        from_kg: Lighter vehicles pay nothing.
        co2_classes: Those it knows.
    """

    annex: int
    first: str
    last: str
    from_kg: int = 7_500
    co2_classes: tuple[int, ...] = (1,)


PERIODS = (
    Rates(7, "2019-01-01", "2020-10-27"), Rates(8, "2020-10-28", "2021-09-30"),
    Rates(9, "2021-10-01", "2022-12-31"), Rates(10, "2023-01-01", "2023-11-30"),
    Rates(11, "2023-12-01", "2024-06-30", co2_classes=(1, 2, 3, 4, 5)),
    Rates(1, "2024-07-01", "2026-07-07", from_kg=3_501, co2_classes=(1, 2, 3, 4, 5)),
)  # fmt: skip

HUNDRED_M = {
    "B1-6-7": 107, "B1-8-9": 18, "B1-9-10": 36, "B1-11-12": 27, "B1-18-19": 103, "B1-20-21": 40,
    "B1-31-32": 12, "B1-33-34": 47, "B1-34-35": 14, "B1-35-36": 44,
}  # fmt: skip
"""How long each section is, in hundreds of metres."""

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


def annex(act: str, number: int) -> str:
    """The text of one of the act's annexes."""
    return re.split(rf"# Anlage {number} ", act.replace("\xa0", " "))[1].split("\n# Anlage ")[0]


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


def per_km(annex_text: str, vehicle: VehicleFacts, rates: Rates) -> Decimal:
    """Euros a kilometre, worked out from the act's text alone."""
    assert vehicle.weight_kg
    assert vehicle.axles
    assert vehicle.emission
    if vehicle.weight_kg < rates.from_kg:
        return Decimal(0)
    limits = [limit for limit in (3_501, 7_500, 12_000, 18_001) if limit >= rates.from_kg]
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


def vehicles(rates: Rates) -> Iterator[VehicleFacts]:
    """One of each combination of the act's classes."""
    for weight_kg in WEIGHTS:
        for axles in (3, 4, 5):
            for emission in EMISSIONS:
                for co2_class in rates.co2_classes:
                    yield VehicleFacts(
                        kind="heavy_goods", weight_kg=weight_kg, axles=axles, emission=emission,
                        co2_class=co2_class,
                    )  # fmt: skip


def toll_minor(per_km: Decimal, hundred_m: int) -> int:
    """Cents for a section, half up."""
    return int((per_km * hundred_m * 10).quantize(Decimal(1), ROUND_HALF_UP))
