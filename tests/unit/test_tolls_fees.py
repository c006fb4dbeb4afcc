"""What passages do to each other: charge-once, transfers, caps, free distance, journeys."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from services.tolls.facts import Passage
from services.tolls.tariff.context import Context
from services.tolls.tariff.fees import accounting_day, fees, window
from services.tolls.tariff.prices import VehicleError
from services.tolls.tariff.vehicle import VehicleFacts
from tests.unit.toll_tariffs import CAR, all_day, amounts, context_of, described, gate, passage

DAY = "2026-07-07"
GROUP = {"id": "ring", "label": "the ring", "places": ["A", "B"], "minutes": 60}
PRICES = [
    all_day("1.00", places=["A"]),
    all_day("3.00", places=["B"]),
    all_day("2.00", places=["C"]),
]


def test_of_a_group_the_dearest_within_the_time_from_the_first_is_charged() -> None:
    context = context_of(rates=PRICES, groups=[GROUP])
    assert amounts(
        context, ("A", f"{DAY} 08:00"), ("B", f"{DAY} 09:00"), ("A", f"{DAY} 09:00:00.001"),
        ("C", f"{DAY} 08:30"), ("A", f"{DAY} 09:30"),
    ) == [0, 300, 100, 200, 0]  # fmt: skip


def test_of_equal_fees_the_first_is_charged_and_the_words_say_why_the_others_are_not() -> None:
    context = context_of(rates=PRICES, groups=[GROUP])
    first, second = fees(
        [passage(context, "A", f"{DAY} 08:20"), passage(context, "A", f"{DAY} 08:00")], context, CAR
    )
    assert (first.amount_minor, second.amount_minor) == (100, 0)
    assert second.words[-1] == (
        "charged once within 60 min, the dearest at 08:00 (the ring): 0.00 EUR"
    )


def test_a_passage_that_costs_nothing_begins_no_time() -> None:
    rates = [{"bands": [["08:00", "24:00", "1.00"]]}]
    context = context_of(rates=rates, groups=[GROUP])
    assert amounts(
        context, ("A", f"{DAY} 07:30"), ("A", f"{DAY} 08:20"), ("A", f"{DAY} 09:10")
    ) == [0, 100, 0]


def test_a_group_without_a_time_charges_once_an_accounting_period() -> None:
    group = {**GROUP, "minutes": None}
    passed = [("A", f"{DAY} 00:00"), ("B", f"{DAY} 23:59"), ("A", "2026-07-08 00:00")]
    assert amounts(context_of(rates=PRICES, groups=[group]), *passed) == [0, 300, 100]
    by_month = context_of(rates=PRICES, groups=[group], accounting="month")
    assert amounts(by_month, *passed) == [0, 300, 0]


def test_a_station_is_charged_once_whichever_of_its_gates_is_passed() -> None:
    gates = [gate("A1", station="A"), gate("A2", station="A"), gate("B")]
    context = context_of(gates=gates, rates=[all_day("1.00", places=["ring"])], groups=[GROUP])
    assert amounts(
        context, ("A1", f"{DAY} 08:00"), ("A2", f"{DAY} 08:10"), ("B", f"{DAY} 08:20")
    ) == [100, 0, 0]


def test_groups_are_applied_one_after_the_other() -> None:
    other = {"id": "bridge", "label": "the bridge", "places": ["B", "C"], "minutes": 60}
    context = context_of(rates=PRICES, groups=[GROUP, other])
    assert amounts(
        context, ("A", f"{DAY} 08:00"), ("B", f"{DAY} 08:10"), ("C", f"{DAY} 08:20")
    ) == [0, 300, 0]


def test_a_transfer_lowers_what_follows_soon_after_what_was_paid() -> None:
    link = {
        "label": "change",
        "after": ["A"],
        "then": ["B", "C"],
        "minutes": 30,
        "pays_percent": "50",
    }
    context = context_of(rates=PRICES, transfers=[link])
    assert amounts(
        context, ("B", f"{DAY} 07:59"), ("A", f"{DAY} 08:00"), ("B", f"{DAY} 08:10"),
        ("C", f"{DAY} 08:30"), ("C", f"{DAY} 08:31"),
    ) == [300, 100, 150, 100, 200]  # fmt: skip


def test_a_transfer_may_lead_to_the_same_place_and_is_rounded_as_the_tariff_says() -> None:
    link = {"label": "t", "after": ["A"], "then": ["A"], "minutes": 30, "pays_percent": "50"}
    context = context_of(
        rates=[all_day("1.00")], transfers=[link], rounding={"step_minor": 20, "mode": "up"}
    )
    assert amounts(
        context, ("A", f"{DAY} 08:00"), ("A", f"{DAY} 08:30"), ("A", f"{DAY} 09:00"),
        ("A", f"{DAY} 09:30:01"),
    ) == [100, 60, 60, 100]  # fmt: skip


def test_what_cost_nothing_begins_no_transfer() -> None:
    link = {"label": "t", "after": ["A"], "then": ["B"], "minutes": 30, "pays_percent": "50"}
    rates = [all_day("0", places=["A"]), all_day("3.00", places=["B"])]
    context = context_of(rates=rates, transfers=[link])
    assert amounts(context, ("A", f"{DAY} 08:00"), ("B", f"{DAY} 08:10")) == [0, 300]


def test_caps_hold_for_a_day_and_for_a_month_what_comes_first_is_paid_first() -> None:
    context = context_of(
        rates=PRICES,
        accounting="month",
        caps=[
            {"label": "day cap", "per": "day", "amount": "4.00"},
            {"label": "month cap", "per": "month", "amount": "6.50"},
        ],
    )
    assert amounts(
        context, ("B", "2026-07-06 08:00"), ("B", "2026-07-06 09:00"), ("A", "2026-07-06 10:00"),
        ("C", "2026-07-07 08:00"), ("C", "2026-07-31 23:59"), ("C", "2026-08-01 00:00"),
    ) == [300, 100, 0, 200, 50, 200]  # fmt: skip


def test_a_cap_may_be_for_some_places_and_says_what_it_did() -> None:
    cap = {"label": "ring cap", "per": "day", "amount": "3.50", "places": ["A", "B"]}
    context = context_of(rates=PRICES, caps=[cap])
    passed = [passage(context, g, f"{DAY} 08:0{n}") for n, g in enumerate("BCA")]
    found = fees(passed, context, CAR)
    assert [fee.amount_minor for fee in found] == [300, 200, 50]
    assert found[2].words[-1] == "ring cap, at most 3.50 EUR a day: 0.50 EUR"


def test_free_kilometres_are_taken_off_the_first_sections_of_each_day() -> None:
    section: dict[str, Any] = {"start": "X", "end": "Y"}
    context = context_of(
        rates=[all_day("0.10", per="km")],
        sections=[
            {**section, "place": "A", "length_m": 3000},
            {**section, "place": "B", "length_m": 4000},
        ],
        free_km_per_day="5",
    )
    assert amounts(
        context, ("A", f"{DAY} 08:00"), ("B", f"{DAY} 09:00"), ("A", f"{DAY} 10:00"),
        ("A", "2026-07-08 00:00"),
    ) == [0, 20, 30, 0]  # fmt: skip


CLOSED: dict[str, Any] = {
    "accounting": "all",
    "matrix": {
        "hours": 24,
        "journeys": [
            {"entry": "E1", "exit": "X1", "price": "1.00"},
            {"entry": "E2", "exit": "X1", "price": {"car": "4.00"}},
            {"entry": "E1", "exit": "X2", "price": "9.00"},
        ],
    },
    "classes": [
        {"id": "car", "label": "car", "vehicle": {"kinds": ["car"]}},
        {"id": "van", "label": "van", "vehicle": {"kinds": ["light_goods"]}, "multiplier": "2"},
    ],
    "exemptions": [{"label": "emergency", "claims": ["emergency"]}],
}
CLOSED_GATES = [
    *(gate(name, kind="entry") for name in ("E1", "E2")),
    *(gate(name, kind="exit") for name in ("X1", "X2")),
    gate("G"),
]


def closed(**more: Any) -> Context:
    return context_of(gates=CLOSED_GATES, **{**CLOSED, **more})


def test_an_exit_costs_by_the_entry_and_an_entry_nothing() -> None:
    context = closed()
    passed = [
        ("E1", f"{DAY} 08:00"), ("X1", f"{DAY} 09:00"), ("E2", f"{DAY} 23:30"),
        ("G", f"{DAY} 23:40"), ("X1", "2026-07-08 23:30"), ("E2", "2026-07-09 08:00"),
        ("X2", "2026-07-09 09:00"), ("E1", "2026-07-10 08:00"), ("X1", "2026-07-10 09:00"),
        ("X2", "2026-07-10 09:30"),
    ]  # fmt: skip
    assert amounts(context, *passed) == [0, 100, 0, 0, 400, 0, 0, 0, 100, 0]
    van = VehicleFacts(kind="light_goods")
    assert amounts(context, *passed, vehicle=van) == [0, 200, 0, 0, 0, 0, 0, 0, 200, 0]
    assert not any(amounts(context, *passed, vehicle=VehicleFacts(claims=("emergency",))))


def test_each_passage_is_priced_by_what_the_vehicle_was_then_and_all_are_grouped() -> None:
    """A van pays twice as much; the group sees both, and the dearer one counts."""
    rates = [all_day("1.00"), all_day("2.00", vehicle={"kinds": ["light_goods"]})]
    context = context_of(rates=rates, groups=[GROUP])
    passed = [passage(context, g, f"{DAY} 08:{n}0", name=g) for n, g in enumerate("AB")]
    vehicles = {"A": VehicleFacts(kind="light_goods"), "B": CAR}
    assert [fee.amount_minor for fee in fees(passed, context, vehicles)] == [200, 0]
    vehicles = {"A": CAR, "B": VehicleFacts(kind="light_goods")}
    assert [fee.amount_minor for fee in fees(passed, context, vehicles)] == [0, 200]


def test_what_a_version_asks_that_holds_at_another_time_spoils_nothing() -> None:
    asks = [all_day("9.00", vehicle={"weight_from_kg": 7500})]
    old = context_of(rates=[all_day("1.00")])
    new = Context.model_validate(
        described(tariff={"rates": asks}, version="2", valid_from="2027-01-01")
    )
    before, after = passage(old, "A", f"{DAY} 08:00"), passage(old, "A", "2027-02-01 08:00")
    lorry = VehicleFacts(kind="heavy_goods")
    [fee] = fees([before], [old, new], lorry)
    assert fee.amount_minor == 100
    with pytest.raises(VehicleError, match="weight_kg"):
        fees([before, after], [old, new], lorry)


def test_a_journey_has_its_discount_and_its_words() -> None:
    tag = {"label": "tag", "percent": "10", "vehicle": {"has_tag": True}}
    context = closed(discounts=[tag])
    passed = [passage(context, g, f"{DAY} 0{n}:00") for n, g in enumerate(("E2", "X1"))]
    entry, leaving = fees(passed, context, VehicleFacts(has_tag=True))
    assert entry.words[1:] == ("entry: paid at the exit", "makes 0.00 EUR")
    assert leaving.words[1:] == (
        "from Gate E2 to Gate X1",
        "tag: 10 % off",
        "makes 3.60 EUR",
    )


@pytest.mark.parametrize(("without", "minor"), [("free", 0), ("cheapest", 100)])
def test_an_exit_whose_entry_is_not_proven_costs_the_least_or_nothing(
    without: str, minor: int
) -> None:
    context = closed(matrix={**CLOSED["matrix"], "without_entry": without})
    passed = [
        ("X1", f"{DAY} 08:00"), ("E2", f"{DAY} 09:00"), ("X1", "2026-07-08 09:00:01"),
        ("X1", "2026-07-08 10:00"),
    ]  # fmt: skip
    assert amounts(context, *passed) == [minor, 0, minor, minor]


def test_an_exit_that_no_journey_leads_to_costs_nothing() -> None:
    context = closed(matrix={"journeys": [], "without_entry": "cheapest"})
    assert amounts(context, ("X1", f"{DAY} 08:00")) == [0]


def test_the_same_passage_twice_is_one_and_the_order_is_that_of_crossing() -> None:
    context = context_of(rates=PRICES)
    late, early = passage(context, "A", f"{DAY} 09:00"), passage(context, "B", f"{DAY} 08:00")
    found = fees([late, early, late], context, CAR)
    assert [fee.passage_id for fee in found] == [early.passage_id, late.passage_id]


def test_of_two_passages_with_one_id_the_last_crossed_counts() -> None:
    context = context_of(rates=PRICES)
    both = [passage(context, g, f"{DAY} 08:00", name="same") for g in "AB"]
    assert [fee.amount_minor for fee in fees(both, context, CAR)] == [300]
    assert fees(both, context, CAR) == fees(both[::-1], context, CAR)


def test_each_passage_is_reckoned_by_the_version_that_holds_then() -> None:
    old = Context.model_validate(
        described(tariff={"rates": [all_day("1.00")]}, valid_until="2026-07-07")
    )
    new = Context.model_validate(
        described(tariff={"rates": [all_day("2.00")]}, version="2", valid_from="2026-07-08")
    )
    passed = [passage(new, "A", f"2026-07-0{day} 00:00") for day in (7, 8)]
    passed.append(Passage("before", "A", datetime(2019, 1, 1, tzinfo=UTC)))
    found = {fee.passage_id: fee for fee in fees(passed, [new, old], CAR)}
    assert [found[one.passage_id].amount_minor for one in passed] == [100, 200, 0]
    assert found["before"].words == ("no version holds then: free",)
    assert window(passed[2].crossed_at, [old, new]) == "none"


def test_a_window_is_the_local_day_or_month_from_where_days_begin() -> None:
    def at(local: str) -> datetime:
        return passage(by_day, "A", local).crossed_at

    by_day = context_of(day_starts="04:00")
    assert window(at("2026-07-07 03:59:59"), by_day) == "testland/2026-07-06"
    assert window(at("2026-07-07 04:00"), by_day) == "testland/2026-07-07"
    assert accounting_day(at("2026-03-01 03:00"), by_day) == date(2026, 2, 28)
    by_month = context_of(accounting="month")
    assert window(at("2026-07-31 23:59:59"), by_month) == "testland/2026-07"
    assert window(at("2026-08-01 00:00"), [by_month]) == "testland/2026-08"
    assert window(at("2026-08-01 00:00"), context_of(accounting="all")) == "testland/all"


def test_no_words_are_longer_than_a_message_carries() -> None:
    rates = [all_day("1.00", part=f"part-{n}", label="x" * 100) for n in range(9)]
    [fee] = fees([passage(c := context_of(rates=rates), "A", f"{DAY} 08:00")], c, CAR)
    assert (fee.amount_minor, max(map(len, fee.words))) == (900, 400)
