"""Norway to the øre: each station's prices, rush hours, the hour rule and the tag."""

import json
from datetime import datetime, timedelta
from fractions import Fraction
from functools import cache
from math import asin, atan2, cos, cosh, degrees, sin, sinh
from typing import Any

import pytest

from services.tolls.facts import Passage
from services.tolls.objects import Gate
from services.tolls.tariff.context import Context
from services.tolls.tariff.fees import fees
from services.tolls.tariff.prices import prices_for
from services.tolls.tariff.shipped import find_context
from services.tolls.tariff.vehicle import VehicleFacts
from tests.data import data_path
from tests.unit.toll_tariffs import CAR, amounts, one_fee, passage

TRUCK = VehicleFacts(kind="heavy_goods")
TAGGED = VehicleFacts(has_tag=True)
KRISTIANSAND, HAFRSFJORD, FORUS = "272300229", "79813788", "79813742"


@cache
def norway() -> Context:
    return find_context("norway")


def stations() -> Any:
    path = data_path("tolls/norway/stations_2015.json")
    return json.loads(path.read_text(encoding="utf-8"))


def gates_of(station: str) -> list[Gate]:
    return [gate for gate in norway().gates if gate.station == station]


def wgs84(east: float, north: float) -> tuple[float, float]:
    """UTM zone 33 to latitude and longitude in degrees, Krüger 1912, GRS 80; below a millimetre."""
    n = 1 / (2 * 298.257222101 - 1)
    radius = 6378137.0 / (1 + n) * (1 + n**2 / 4 + n**4 / 64)
    xi, eta = north / (0.9996 * radius), (east - 500_000) / (0.9996 * radius)
    back = (n / 2 - 2 * n**2 / 3 + 37 * n**3 / 96, n**2 / 48 + n**3 / 15, 17 * n**3 / 480)
    x = xi - sum(b * sin(2 * j * xi) * cosh(2 * j * eta) for j, b in enumerate(back, 1))
    y = eta - sum(b * cos(2 * j * xi) * sinh(2 * j * eta) for j, b in enumerate(back, 1))
    conformal = asin(sin(x) / cosh(y))
    series = (2 * n - 2 * n**2 / 3 - 2 * n**3, 7 * n**2 / 3 - 8 * n**3 / 5, 56 * n**3 / 15)
    latitude = conformal + sum(d * sin(2 * j * conformal) for j, d in enumerate(series, 1))
    return degrees(latitude), 15 + degrees(atan2(sinh(y), cos(x)))


def test_the_projection_knows_its_own_origin_and_a_known_point() -> None:
    """60° N 10° E is 221,288.770 E 6,661,953.041 N in UTM 33, as PROJ has it."""
    assert wgs84(500_000, 0) == (0, 15)
    assert wgs84(221_288.770, 6_661_953.041) == pytest.approx((60, 10), abs=1e-6)


def test_each_gate_stands_where_its_station_is() -> None:
    for station in stations():
        at = wgs84(float(station["utm33_e"]), float(station["utm33_n"]))
        for gate in gates_of(station["id"]):
            start, end = gate.line
            middle = (start[0] + end[0]) / 2, (start[1] + end[1]) / 2
            assert middle == pytest.approx(at, abs=2e-7)


def test_each_station_has_the_gates_of_its_direction() -> None:
    for station in stations():
        bearings = [gate.bearing_deg for gate in gates_of(station["id"])]
        if station["dir"] is None:
            assert bearings == [None]
            continue
        assert len(bearings) == (2 if station["dir"] == "Begge retninger" else 1)
        assert None not in bearings
        first, last = bearings[0] or 0.0, bearings[-1] or 0.0
        assert len(bearings) == 1 or (last - first) % 360 == pytest.approx(180)
    assert len(norway().gates) == 299
    assert all(gate.geometry == "synthetic" and gate.note for gate in norway().gates)


def test_gates_that_count_along_and_against_the_chainage_point_opposite_ways() -> None:
    """The two of Ryaforbindelsen stand side by side, one for each direction."""
    [along], [against] = gates_of("305811795"), gates_of("305811794")
    assert along.bearing_deg is not None
    assert against.bearing_deg == pytest.approx((along.bearing_deg + 180) % 360)


def quoted(gate: str, local: str, vehicle: VehicleFacts) -> Fraction:
    at = datetime.fromisoformat(local).replace(tzinfo=norway().zone)
    return prices_for(norway(), vehicle).quote(Passage("p", gate, at)).total


def test_the_tariff_of_every_station_is_exact() -> None:
    for station in stations():
        gate = gates_of(station["id"])[0].id
        for vehicle, key in ((CAR, "small"), (TRUCK, "large")):
            wanted = Fraction(station[key] or 0) * 100
            assert quoted(gate, "2015-07-07 12:00", vehicle) == wanted
            assert quoted(gate, "2015-07-05 08:00", vehicle) == wanted  # a Sunday
            assert quoted(gate, "2015-05-14 08:00", vehicle) == wanted  # Ascension


def test_the_rush_tariff_is_exact_at_both_edges_of_its_hours() -> None:
    rush = [one for one in stations() if one["rush_small"] and one["rush_am"][0]]
    assert len(rush) == 24  # three more have a rush tariff without hours
    for station in rush:
        gate = gates_of(station["id"])[0].id
        for vehicle, key in ((CAR, "small"), (TRUCK, "large")):
            plain, dear = (Fraction(station[k]) * 100 for k in (key, f"rush_{key}"))
            for start, end in (station["rush_am"], station["rush_pm"]):
                for edge, before, at in ((start, plain, dear), (end, dear, plain)):
                    instant = datetime.fromisoformat(f"2015-07-07 {edge}")
                    earlier = instant - timedelta(milliseconds=1)
                    assert quoted(gate, str(earlier), vehicle) == before
                    assert quoted(gate, str(instant), vehicle) == at


@pytest.mark.parametrize(
    ("vehicle", "minor"),
    [
        (CAR, [1400, 2100]), (TAGGED, [1120, 1680]), (TRUCK, [2800, 4200]),
        (VehicleFacts(kind="heavy_goods", has_tag=True), [2800, 4200]),
        (VehicleFacts(kind="motorcycle"), [0, 0]), (VehicleFacts(claims=("emergency",)), [0, 0]),
    ],
)  # fmt: skip
def test_the_tag_takes_a_fifth_off_small_vehicles(vehicle: VehicleFacts, minor: list[int]) -> None:
    passed = (KRISTIANSAND, "2015-07-07 12:00"), (KRISTIANSAND, "2015-07-08 07:00")
    assert amounts(norway(), *passed, vehicle=vehicle) == minor


def test_the_tag_is_said_in_words() -> None:
    assert one_fee(norway(), KRISTIANSAND, "2015-07-07 08:12", vehicle=TAGGED).words == (
        "Tue 7 Jul 2015 08:12, car: 21.00 NOK (rush hour, 06:30–09:00)",  # noqa: RUF001
        "tag discount: 20 % off",
        "makes 16.80 NOK",
    )


def test_the_hour_rule_charges_the_dearest_of_a_project_once() -> None:
    other = next(gate.id for gate in norway().gates if gate.label == "Grim")
    assert amounts(
        norway(), (KRISTIANSAND, "2015-07-07 06:00"), (other, "2015-07-07 06:45"),
        (KRISTIANSAND, "2015-07-07 07:00"), (other, "2015-07-07 07:00:00.001"),
        (HAFRSFJORD, "2015-07-07 06:30"), (FORUS, "2015-07-07 07:30"),
    ) == [0, 2100, 0, 2100, 2000, 0]  # fmt: skip


def test_the_hour_rule_holds_over_midnight() -> None:
    passed = (HAFRSFJORD, "2015-07-07 23:50"), (FORUS, "2015-07-08 00:10")
    assert amounts(norway(), *passed) == [2000, 0]


def test_a_station_without_the_rule_charges_each_passage() -> None:
    gate = next(gate.id for gate in norway().gates if gate.label == "E18 Mosseveien")
    passed = (gate, "2015-07-07 08:00"), (gate, "2015-07-07 08:01")
    assert amounts(norway(), *passed) == [3100, 3100]


def test_the_stations_with_the_rule_are_grouped_by_project() -> None:
    groups = {frozenset(group.places) for group in norway().tariff.groups}
    by_project: dict[str, set[str]] = {}
    for station in stations():
        if station["hour_rule"] == "Ja":
            by_project.setdefault(station["project"] or station["id"], set()).add(station["id"])
    assert groups == {frozenset(together) for together in by_project.values()}
    assert sum(map(len, groups)) == 93


def test_a_month_of_many_passages_is_reckoned_together() -> None:
    passed = [
        passage(norway(), HAFRSFJORD, f"2015-07-{day:02d} {hour:02d}:00")
        for day in range(2, 31)
        for hour in (7, 8, 16)
    ]
    assert sum(fee.amount_minor for fee in fees(passed, norway(), CAR)) == 29 * 2 * 2000
