"""Gothenburg 2013 to the öre: the post-it's sixteen dates, worked by hand, and every rule."""

from datetime import date, timedelta
from functools import cache
from itertools import pairwise

import pytest

from services.tolls.tariff.context import Context
from services.tolls.tariff.shipped import find_context
from services.tolls.tariff.vehicle import Claim, VehicleFacts, VehicleKind
from tests.data import data_path
from tests.unit.toll_tariffs import CAR, amounts, one_fee

GATE = "garda-in"

BY_HAND = {
    "2013-01-14 21:00:00": 0,  # after 18:30
    "2013-01-15 21:00:00": 0,
    "2013-02-07 06:23:27": 8,
    "2013-02-07 15:27:00": 13,
    "2013-02-08 06:27:00": 0,  # within 60 minutes of 06:20:27, as dear, later
    "2013-02-08 06:20:27": 8,
    "2013-02-08 14:35:00": 0,  # 8 within 60 minutes of the 13 at 15:29
    "2013-02-08 15:29:00": 13,
    "2013-02-08 15:47:00": 18,  # 72 minutes after 14:35
    "2013-02-08 16:01:00": 0,  # within 60 minutes of 15:47, as dear, later
    "2013-02-08 16:48:00": 18,  # 61 minutes after 15:47
    "2013-02-08 17:49:00": 3,  # 61 minutes after 16:48: 13, of which the cap of 60 leaves 3
    "2013-02-08 18:29:00": 0,  # within 60 minutes of 17:49
    "2013-02-08 18:35:00": 0,  # after 18:30
    "2013-03-26 14:25:00": 8,
    "2013-03-28 14:07:27": 0,  # the day before Good Friday
}

TABLE = [
    ("00:00", 0), ("06:00", 8), ("06:30", 13), ("07:00", 18), ("08:00", 13), ("08:30", 8),
    ("15:00", 13), ("15:30", 18), ("17:00", 13), ("18:00", 8), ("18:30", 0),
]  # fmt: skip


@cache
def gothenburg() -> Context:
    return find_context("gothenburg")


def test_the_sixteen_dates_cost_what_is_worked_out_by_hand() -> None:
    found = amounts(gothenburg(), *((GATE, local) for local in BY_HAND))
    assert dict(zip(BY_HAND, found, strict=True)) == {
        local: kronor * 100 for local, kronor in BY_HAND.items()
    }
    assert sum(found) == 8900


def test_the_dates_are_those_of_the_source() -> None:
    text = data_path("tolls/sweden/goteborg-2013.md").read_text(encoding="utf-8")
    assert [line.strip('" ') for line in text.splitlines() if line.startswith('"2013')] == list(
        BY_HAND
    )


def minute_before(clock: str) -> str:
    at = int(clock[:2]) * 60 + int(clock[3:]) - 1
    return f"{at // 60:02d}:{at % 60:02d}:59.999"


def test_every_band_is_exact_at_both_edges() -> None:
    for (_, before), (clock, kronor) in pairwise(TABLE):
        assert one_fee(gothenburg(), GATE, f"2013-02-07 {clock}").amount_minor == kronor * 100
        earlier = f"2013-02-07 {minute_before(clock)}"
        assert one_fee(gothenburg(), GATE, earlier).amount_minor == before * 100
    assert one_fee(gothenburg(), GATE, "2013-02-07 23:59:59").amount_minor == 0


def test_the_table_is_that_of_the_source() -> None:
    text = data_path("tolls/sweden/goteborg-2013.md").read_text(encoding="utf-8")
    rows = [line.split("|") for line in text.splitlines() if "SEK" in line and "–" in line]  # noqa: RUF001
    said = {row[1].strip()[:5]: int(row[2].split()[1]) for row in rows}
    assert said == dict(TABLE[1:])


FREE = {
    *(date(2013, 7, day) for day in range(1, 32)),
    *(date.fromisoformat(f"2013-{day}") for day in (
        "01-01", "03-28", "03-29", "04-01", "04-30", "05-01", "05-08", "05-09", "06-05", "06-06",
        "06-21", "11-01", "12-24", "12-25", "12-26", "12-31",
    )),
}  # fmt: skip
"""The weekdays of 2013 that are free: July, public holidays and the days before them."""


def test_every_day_of_the_year_is_charged_or_free_as_it_should_be() -> None:
    for ordinal in range(365):
        day = date(2013, 1, 1) + timedelta(days=ordinal)
        is_free = day.weekday() >= 5 or day in FREE
        fee = one_fee(gothenburg(), GATE, f"{day} 07:30")
        assert fee.amount_minor == (0 if is_free else 1800), day


def test_sixty_minutes_are_within_and_more_are_not() -> None:
    passed = (GATE, "2013-02-07 10:00"), ("oscarsleden-out", "2013-02-07 11:00")
    assert amounts(gothenburg(), *passed) == [800, 0]
    late = ("oscarsleden-out", "2013-02-07 11:00:00.001")
    assert amounts(gothenburg(), passed[0], late) == [800, 800]


def test_the_day_costs_at_most_sixty_kronor_and_the_next_begins_anew() -> None:
    busy = [(GATE, f"2013-02-07 {clock}") for clock in
            ("06:15", "07:20", "08:21", "09:30", "15:31", "16:35", "17:40")]  # fmt: skip
    assert amounts(gothenburg(), *busy, (GATE, "2013-02-08 07:30")) == [
        800, 1800, 1300, 800, 1300, 0, 0, 1800,
    ]  # fmt: skip


@pytest.mark.parametrize("claim", ["emergency", "bus", "diplomat", "military", "foreign"])
def test_the_exempt_are_not_charged(claim: Claim) -> None:
    vehicle = VehicleFacts(claims=(claim,))
    assert one_fee(gothenburg(), GATE, "2013-02-07 07:30", vehicle=vehicle).amount_minor == 0


@pytest.mark.parametrize(
    ("kind", "minor"),
    [("motorcycle", 0), ("big_bus", 0), ("light_bus", 0), ("taxi", 1800), ("heavy_goods", 1800)],
)
def test_motorcycles_and_buses_are_not_charged_others_are(kind: VehicleKind, minor: int) -> None:
    vehicle = VehicleFacts(kind=kind)
    assert one_fee(gothenburg(), GATE, "2013-02-07 07:30", vehicle=vehicle).amount_minor == minor


def test_every_gate_has_the_same_tariff() -> None:
    for gate in gothenburg().gates:
        assert one_fee(gothenburg(), gate.id, "2013-02-07 07:30", vehicle=CAR).amount_minor == 1800
