"""What holds for any passages under any tariff: never negative, order-free, capped, apart."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from services.tolls.facts import Passage
from services.tolls.tariff.context import Context
from services.tolls.tariff.fees import accounting_day, fees, window
from services.tolls.tariff.vehicle import VehicleFacts
from tests.unit.toll_tariffs import all_day, context_of, gate

GATES = [gate("A"), gate("B"), gate("C"), gate("E", kind="entry"), gate("X", kind="exit")]
FIRST = datetime(2026, 3, 27, 20, tzinfo=UTC)
"""Before the summer time and the end of a month."""

passages = st.lists(
    st.builds(
        lambda n, place, later, sigma_ms: Passage(f"p{n}", place, FIRST + later, sigma_ms),
        st.integers(0, 30),
        st.sampled_from("ABCEX"),
        st.integers(0, 6 * 24 * 60).map(lambda minutes: timedelta(minutes=minutes)),
        st.sampled_from([0, 0, 1_000, 60_000]),
    ),
    max_size=14,
    unique_by=lambda passage: passage.passage_id,
)  # fmt: skip

money = st.integers(0, 999).map(lambda cents: f"{cents / 100:.2f}")
reaches = st.lists(st.sampled_from([None, 5, 60, 1440]), max_size=2)
places = st.lists(st.sampled_from("ABC"), min_size=1, max_size=3, unique=True)


@st.composite
def tariffs(draw: st.DrawFn) -> dict[str, Any]:
    rates = [all_day(draw(money))]
    for _ in range(draw(st.integers(0, 3))):
        hour = draw(st.integers(0, 22))
        bands = [[f"{hour:02d}:00", f"{hour + 1:02d}:30", draw(money)]]
        rates.append({"places": draw(places), "bands": bands})
    accounting = draw(st.sampled_from(["day", "month", "all"]))
    return {
        "accounting": accounting,
        "day_starts": draw(st.sampled_from(["00:00", "04:00"])),
        "rates": [*rates, all_day("0.07", per="km", part="road")],
        "sections": [{"place": "A", "start": "x", "end": "y", "length_m": 1234}],
        "free_km_per_day": draw(st.sampled_from(["0", "1.5"])),
        "groups": [
            {"id": f"g{n}", "label": "g", "places": draw(places), "minutes": minutes}
            for n, minutes in enumerate(draw(reaches))
        ],
        "transfers": [
            {"label": "t", "after": draw(places), "then": draw(places), "minutes": 90,
             "pays_percent": "33.3"}
        ],
        "caps": [
            {"label": "c", "per": per, "amount": draw(money), "places": draw(places)}
            for per in draw(st.sampled_from([["day"], ["day", "month"], []]))
        ],
        "matrix": {"journeys": [{"entry": "E", "exit": "X", "price": draw(money)}], "hours": 48},
        "rounding": {"mode": draw(st.sampled_from(["half_up", "half_even", "up", "down"]))},
    }  # fmt: skip


contexts = tariffs().map(lambda tariff: context_of(gates=GATES, **tariff))
CAR = VehicleFacts()


@settings(deadline=None, max_examples=60)
@given(contexts, passages, st.randoms(use_true_random=False))
def test_order_and_duplicates_change_nothing(
    context: Context, passed: list[Passage], chance: Any
) -> None:
    shuffled = [*passed, *passed[:3]]
    chance.shuffle(shuffled)
    assert fees(shuffled, context, CAR) == fees(passed, context, CAR)


@settings(deadline=None, max_examples=60)
@given(contexts, passages)
def test_each_passage_has_one_fee_that_is_never_negative_and_has_words(
    context: Context, passed: list[Passage]
) -> None:
    found = fees(passed, context, CAR)
    assert Counter(fee.passage_id for fee in found) == Counter(one.passage_id for one in passed)
    assert all(fee.amount_minor >= 0 and fee.words for fee in found)


@settings(deadline=None, max_examples=60)
@given(contexts, passages)
def test_passages_of_other_windows_change_nothing(context: Context, passed: list[Passage]) -> None:
    windows: dict[str, list[Passage]] = {}
    for one in passed:
        windows.setdefault(window(one.crossed_at, context), []).append(one)
    apart = [fee for together in windows.values() for fee in fees(together, context, CAR)]
    assert sorted(apart, key=lambda fee: fee.passage_id) == sorted(
        fees(passed, context, CAR), key=lambda fee: fee.passage_id
    )


@settings(deadline=None, max_examples=60)
@given(contexts, passages)
def test_caps_hold(context: Context, passed: list[Passage]) -> None:
    by_id = {one.passage_id: one for one in passed}
    found = fees(passed, context, CAR)
    for cap in context.tariff.caps:
        if cap.per == "month" and context.tariff.accounting == "day":
            continue
        spent: Counter[tuple[int, ...]] = Counter()
        for fee in found:
            one = by_id[fee.passage_id]
            day = accounting_day(one.crossed_at, context)
            if one.gate in cap.places:
                spent[(day.year, day.month, day.day if cap.per == "day" else 0)] += fee.amount_minor
        assert all(total <= cap.amount * 100 for total in spent.values())


@settings(deadline=None, max_examples=60)
@given(passages)
def test_one_charge_an_hour_at_most_in_a_group(passed: Sequence[Passage]) -> None:
    group = {"id": "g", "label": "g", "places": ["A", "B", "C"], "minutes": 60}
    context = context_of(gates=GATES, rates=[all_day("1.00")], groups=[group], accounting="all")
    by_id = {one.passage_id: one for one in passed}
    charged = [
        by_id[fee.passage_id].crossed_at
        for fee in fees(passed, context, CAR)
        if fee.amount_minor and by_id[fee.passage_id].gate in "ABC"
    ]
    gaps = [later - earlier for earlier, later in pairwise(charged)]
    assert all(gap > timedelta(minutes=60) for gap in gaps)
