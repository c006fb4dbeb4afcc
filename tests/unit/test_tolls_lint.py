"""What is found suspicious in a toll context, each with the level it deserves."""

from datetime import date
from typing import Any

import pytest

from services.tolls.tariff.context import Context
from services.tolls.tariff.lint import Doubt, lint
from services.tolls.tariff.shipped import find_context, names
from tests.unit.toll_tariffs import all_day, described, gate

TODAY = date(2026, 7, 7)
SOUND: dict[str, Any] = {
    "signature": {"key_id": "k", "value": "A" * 86 + "=="},
    "sources": [{"title": "t", "licence": "l", "what": "w"}],
}


def doubts(tariff: dict[str, Any] | None = None, **more: Any) -> list[Doubt]:
    sound = {**SOUND, **more}
    described_as = described(tariff=tariff or {"rates": [all_day("1.00")]}, **sound)
    return lint(Context.model_validate(described_as), TODAY)


def said(found: list[Doubt]) -> list[str]:
    return [f"{doubt.level} {doubt.place}: {doubt.text}" for doubt in found]


def test_a_sound_context_raises_no_doubt() -> None:
    assert doubts() == []


@pytest.mark.parametrize("name", names())
def test_no_shipped_context_is_wrong(name: str) -> None:
    found = lint(find_context(name), find_context(name).valid_from)
    assert [doubt for doubt in found if doubt.level == "error"] == []
    warned = {doubt.text for doubt in found if doubt.level == "warning"}
    assert warned <= {
        "no rate is for it: it costs nothing",
        "it names no price for class 'large': free",
    }


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ({"signature": None}, "warning signature: nobody has signed it"),
        ({"sources": []}, "warning sources: no source is named"),
        ({"valid_until": "2026-07-06"}, "warning valid_until: it ended on 2026-07-06"),
        ({"valid_from": "2026-07-08"}, "note valid_from: it begins on 2026-07-08"),
        ({"gates": [gate("A", bearing_deg=None)]}, "note A: its direction is unknown"),
        ({"gates": [gate("A", line=[[1, 103], [1, 103.00001]])]}, "warning A: its line is 1.1 m"),
        ({"gates": [gate("A", line=[[1, 103], [1, 103.003]])]}, "warning A: its line is 333."),
        ({"gates": [gate("A", geometry="synthetic")]}, "warning A: it is synthetic without a note"),
    ],
)
def test_a_doubt_about_the_context_and_its_gates(more: dict[str, Any], text: str) -> None:
    [found] = said(doubts(**more))
    assert found.startswith(text)


@pytest.mark.parametrize(
    ("bearing_deg", "askew"),
    [(0, None), (180, None), (60, None), (300, None), (61, 61), (119, 61), (90, 90), (270, 90)],
)
def test_a_bearing_along_its_line_is_wrong(bearing_deg: float, askew: int | None) -> None:
    """The line of the gate runs from west to east."""
    found = said(doubts(gates=[gate("A", bearing_deg=bearing_deg)]))
    expected = f"error A: its bearing is {askew}° off the right angle to its line: turn one of them"
    assert found == ([] if askew is None else [expected])


def rate(**more: Any) -> dict[str, Any]:
    return {"rates": [all_day("1.00"), all_day("2.00", **more)]}


SEASON = {"seasons": [{"id": "july", "first": "07-01", "last": "07-31"}]}
ONE_CLASS = [{"id": "car", "label": "car", "vehicle": {}}]


@pytest.mark.parametrize(
    ("tariff", "texts"),
    [
        (rate(places=["Z"]), ["error rate 2: 'Z' is no gate, station or group of this context"]),
        ({**rate(), "groups": [{"id": "g", "label": "g", "places": ["Z"]}]},
         ["error group g: 'Z' is no gate, station or group of this context"]),
        ({**rate(), "free": [{"label": "f", "places": ["Z"]}]}, ["error f: 'Z' is no gate"]),
        ({**rate(), "caps": [{"label": "c", "per": "day", "amount": "1", "places": ["Z"]}]},
         ["error c: 'Z' is no gate"]),
        ({**rate(), "discounts": [{"label": "d", "percent": "1", "places": ["Z"]}]},
         ["error d: 'Z' is no gate"]),
        ({**rate(), "transfers": [{"label": "t", "after": ["Z"], "then": ["Y"], "minutes": 1,
                                   "pays_percent": "1"}]},
         ["error t: 'Z' is no gate", "error t: 'Y' is no gate"]),
        ({**rate(), "accounting": "all", "matrix": {"journeys": [
            {"entry": "Z", "exit": "A", "price": "1"}]}}, ["error matrix: 'Z' is no gate"]),
        ({**rate(), "matrix": {"journeys": []}}, ["warning accounting: a journey that is under"]),
        (rate(days=["july"]), ["error rate 2: 'july' is no type of day"]),
        ({**rate(days=["july"]), "calendar": SEASON}, []),
        ({**rate(), "free": [{"label": "f", "except_days": ["noday"]}]},
         ["error f: 'noday' is no type of day"]),
        ({**rate(days=["holiday"]), "calendar": {"holidays": ["2021-01-01", "2025-01-01"]}},
         ["warning calendar: no holiday is named for 2020, 2022, 2023, 2024, 2026: add them"]),
        ({**rate(), "free": [{"label": "f", "days": ["eve"]}]},
         ["warning calendar: no eve is named for 2020, 2021, 2022, 2023, 2024, 2025, 2026"]),
        ({"rates": [{"bands": [["00:00", "12:00", "1"], ["11:00", "24:00", "1"]]}]},
         ["error rate 1: bands overlap from 11:00 to 12:00: the first written counts"]),
        ({"rates": [{"bands": [["00:00", "24:00", "1"], ["07:00", "07:00", "1"]]}]},
         ["error rate 1: the band 07:00 to 07:00 holds nothing",
          "error rate 1: bands overlap from 07:00 to 24:00"]),
        (rate(valid_from="2026-07-08", valid_until="2026-07-07"),
         ["error rate 2: it ends before it begins"]),
        (rate(valid_until="2019-12-31"), ["warning rate 2: it never holds while the context does"]),
        ({"rates": [all_day({"car": "1", "bus": "2"})], "classes": ONE_CLASS},
         ["error rate 1: 'bus' is no vehicle class of this tariff"]),
        ({"rates": [all_day({})], "classes": ONE_CLASS},
         ["warning rate 1: it names no price for class 'car': free"]),
        ({"rates": [{"bands": [["06:00", "07:00", "1"], ["08:00", "24:00", "1"]], "places": ["A"]},
                    all_day("1", places=["B", "C"])]},
         ["warning A: no price from 00:00 to 06:00: free",
          "warning A: no price from 07:00 to 08:00: free"]),
        ({"rates": [{"bands": [["00:00", "07:00", "1"]], "places": ["A"]},
                    all_day("1", places=["B", "C"])]},
         ["warning A: no price from 07:00 to 24:00: free"]),
        ({"rates": [all_day("1", places=["A", "B"])]},
         ["warning C: no rate is for it: it costs nothing"]),
        ({**rate(), "caps": [{"label": "c", "per": "month", "amount": "1"}]},
         ["error accounting: a month's cap needs accounting by month"]),
        ({**rate(), "accounting": "all", "groups": [{"id": "g", "label": "g", "places": ["A"]}]},
         ["warning accounting: a group without minutes charges once for ever"]),
        ({"rates": [all_day("1", per="km")], "sections": [
            {"place": "A", "start": "x", "end": "y", "length_m": 1, "length": "synthetic"},
            {"place": "B", "start": "x", "end": "y", "length_m": 1}]},
         ["warning section A: its length is synthetic without a note",
          "error C: prices are by kilometre, and its length is not given"]),
    ],
)  # fmt: skip
def test_a_doubt_about_the_tariff(tariff: dict[str, Any], texts: list[str]) -> None:
    found = said(doubts(tariff))
    assert len(found) == len(texts), found
    assert all(one.startswith(text) for one, text in zip(found, texts, strict=True)), found


def test_a_rate_after_the_end_of_the_context_never_holds() -> None:
    found = said(doubts(rate(valid_from="2027-01-01"), valid_until="2026-12-31"))
    assert found == ["warning rate 2: it never holds while the context does"]


def test_an_entry_or_exit_needs_no_rate() -> None:
    gates = [gate("A", kind="entry"), gate("B", kind="exit"), gate("C")]
    found = said(doubts({"rates": [all_day("1.00", places=["C"])]}, gates=gates))
    assert found == []
