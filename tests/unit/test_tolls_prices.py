"""What one passage costs by itself: bands, days, dates, classes, rounding, daylight saving."""

from typing import Any

import pytest

from services.tolls.tariff.prices import VehicleError
from services.tolls.tariff.vehicle import Condition, VehicleFacts
from tests.unit.toll_tariffs import all_day, amounts, context_of, gate, one_fee

TUESDAY = "2026-07-07"
BANDS = {"bands": [["07:00", "08:00", "1.00"], ["08:00", "09:30", "2.50"]]}


@pytest.mark.parametrize(
    ("clock", "minor"),
    [
        ("06:59:59.999", 0), ("07:00", 100), ("07:59:59.999", 100), ("08:00", 250),
        ("09:29:59.999", 250), ("09:30", 0), ("00:00", 0), ("23:59:59", 0),
    ],
)  # fmt: skip
def test_a_band_holds_from_its_start_until_just_before_its_end(clock: str, minor: int) -> None:
    context = context_of(rates=[BANDS])
    assert one_fee(context, "A", f"{TUESDAY} {clock}").amount_minor == minor


def test_the_words_name_the_day_the_vehicle_the_price_and_the_band() -> None:
    context = context_of(rates=[BANDS])
    said = ("Tue 7 Jul 2026 08:12, car: 2.50 EUR (08:00–09:30)",)  # noqa: RUF001
    assert one_fee(context, "A", f"{TUESDAY} 08:12").words == said
    assert one_fee(context, "A", f"{TUESDAY} 22:00").words == (
        "Tue 7 Jul 2026 22:00, car: no toll at this time",
    )


def test_the_last_rate_that_fits_counts() -> None:
    changed = {"places": ["A"], "valid_from": "2026-07-07", "valid_until": "2026-07-08"}
    context = context_of(rates=[all_day("1.00"), all_day("3.00", **changed, label="works")])
    assert amounts(
        context,
        ("A", "2026-07-06 23:59:59"), ("A", "2026-07-07 00:00"), ("A", "2026-07-08 23:59:59"),
        ("A", "2026-07-09 00:00"), ("B", "2026-07-07 12:00"),
    ) == [100, 300, 300, 100, 100]  # fmt: skip


def test_days_are_local_and_holidays_eves_and_seasons_are_types_of_days() -> None:
    context = context_of(
        calendar={
            "holidays": ["2026-12-25"],
            "eves": ["2026-12-24"],
            "seasons": [{"id": "winter", "first": "12-30", "last": "01-02"}],
        },
        rates=[
            all_day("1.00"),
            all_day("2.00", days=["sat", "sun"]),
            all_day("3.00", days=["holiday"], except_days=["sun"]),
            all_day("5.00", days=["winter"]),
        ],
        free=[{"label": "eves from 13:00", "days": ["eve"], "start": "13:00", "end": "24:00"}],
    )
    assert amounts(
        context,
        ("A", "2026-12-24 12:59:59"), ("A", "2026-12-24 13:00"), ("A", "2026-12-25 10:00"),
        ("A", "2026-12-26 10:00"), ("A", "2026-12-29 10:00"), ("A", "2026-12-30 10:00"),
        ("A", "2027-01-02 10:00"), ("A", "2027-01-03 10:00"), ("A", "2028-02-29 10:00"),
    ) == [100, 0, 300, 200, 100, 500, 500, 200, 100]  # fmt: skip


def test_a_free_time_may_be_for_some_places_and_dates_only() -> None:
    context = context_of(
        rates=[all_day("1.00")],
        free=[
            {"label": "repairs", "places": ["A"], "valid_from": "2026-07-07",
             "valid_until": "2026-07-07"},
        ],
    )  # fmt: skip
    assert amounts(
        context, ("A", f"{TUESDAY} 10:00"), ("B", f"{TUESDAY} 10:00"), ("A", "2026-07-08 10:00")
    ) == [0, 100, 100]


def test_a_free_time_ends_just_before_its_end() -> None:
    free = {"label": "lunch", "start": "12:00", "end": "14:00"}
    context = context_of(rates=[all_day("1.00")], free=[free])
    clocks = "11:59:59.999", "12:00", "13:59:59.999", "14:00"
    assert amounts(context, *(("A", f"{TUESDAY} {clock}") for clock in clocks)) == [100, 0, 0, 100]


def test_daylight_saving_changes_the_price_with_the_clock_on_the_wall() -> None:
    """In Berlin 02:00 became 03:00 on 29 March 2026, and 03:00 became 02:00 on 25 October."""
    context = context_of(
        rates=[{"bands": [["00:00", "02:30", "1.00"], ["02:30", "24:00", "2.00"]]}]
    )
    assert amounts(
        context,
        ("A", "2026-03-29 00:59:59+00:00"), ("A", "2026-03-29 01:00+00:00"),
        ("A", "2026-10-25 00:29:59+00:00"), ("A", "2026-10-25 00:30+00:00"),
        ("A", "2026-10-25 01:00+00:00"), ("A", "2026-10-25 01:30+00:00"),
    ) == [100, 200, 100, 200, 100, 200]  # fmt: skip


@pytest.mark.parametrize(
    ("clock", "sigma_ms", "minor"),
    [
        ("08:00:10", 0, 250), ("08:00:10", 4_999, 250), ("08:00:10", 5_001, 100),
        ("07:59:50", 5_000, 100), ("09:29:50", 5_000, 0), ("08:45", 3_600_000, 0),
        ("06:59:50", 9_000, 0), ("08:45", 10**9, 0),
    ],
)  # fmt: skip
def test_across_a_tariff_boundary_within_two_sigma_the_cheaper_side_counts(
    clock: str, sigma_ms: int, minor: int
) -> None:
    context = context_of(rates=[BANDS])
    assert one_fee(context, "A", f"{TUESDAY} {clock}", sigma_ms=sigma_ms).amount_minor == minor


def test_a_cheap_minute_between_two_dear_bands_is_found_and_said() -> None:
    bands = [["00:00", "08:00", "3.00"], ["08:00", "08:01", "1.00"], ["08:01", "24:00", "2.00"]]
    fee = one_fee(context_of(rates=[{"bands": bands}]), "A", f"{TUESDAY} 08:05", sigma_ms=300_000)
    assert fee.amount_minor == 100
    assert fee.words[1] == "a tariff boundary lies within 600 s of it: the cheaper side counts"


def test_midnight_before_a_free_day_is_a_boundary_too() -> None:
    context = context_of(rates=[all_day("1.00")], free=[{"label": "Sundays", "days": ["sun"]}])
    saturday = one_fee(context, "A", "2026-07-11 23:59:59", sigma_ms=500)
    assert (saturday.amount_minor, one_fee(context, "A", "2026-07-11 23:59:59").amount_minor) == (
        0, 100,
    )  # fmt: skip


def test_classes_multiply_and_their_own_prices_count() -> None:
    context = context_of(
        classes=[
            {"id": "small", "label": "small", "vehicle": {"kinds": ["motorcycle"]},
             "multiplier": "0.5"},
            {"id": "large", "label": "large", "vehicle": {"kinds": ["heavy_goods"]},
             "multiplier": "1.5"},
        ],
        rates=[all_day("0.33"), all_day({"large": "2.00"}, places=["B"])],
    )  # fmt: skip
    small, large = VehicleFacts(kind="motorcycle"), VehicleFacts(kind="heavy_goods")
    passed = ("A", f"{TUESDAY} 10:00"), ("B", f"{TUESDAY} 10:00")
    assert amounts(context, *passed, vehicle=small) == [17, 17]
    assert amounts(context, *passed, vehicle=large) == [50, 300]
    assert amounts(context, *passed) == [0, 0]
    assert "no class of this tariff" in one_fee(context, *passed[0]).words[0]
    said = one_fee(context, *passed[1], vehicle=large).words
    assert said[1:] == ("large: × 1.5", "makes 3.00 EUR")  # noqa: RUF001


def test_a_table_of_prices_without_classes_fits_nobody() -> None:
    assert amounts(context_of(rates=[all_day({"x": "1"})]), ("A", f"{TUESDAY} 10:00")) == [0]


@pytest.mark.parametrize(
    ("mode", "step", "minor"),
    [
        ("half_up", 1, [1, 2, 3]), ("half_even", 1, [0, 2, 2]), ("down", 1, [0, 1, 2]),
        ("up", 1, [1, 2, 3]), ("half_up", 5, [0, 0, 5]), ("up", 5, [5, 5, 5]),
    ],
)  # fmt: skip
def test_a_fee_is_rounded_as_the_tariff_says(mode: str, step: int, minor: list[int]) -> None:
    rates = [
        all_day(price, places=[g])
        for g, price in zip("ABC", ("0.005", "0.015", "0.025"), strict=True)
    ]
    context = context_of(rates=rates, rounding={"mode": mode, "step_minor": step})
    passed = [(g, f"{TUESDAY} 10:00") for g in "ABC"]
    assert amounts(context, *passed) == minor


def test_currencies_without_and_with_three_decimals_are_exact() -> None:
    yen, dinar = (context_of(currency=c, rates=[all_day("12.5")]) for c in ("JPY", "KWD"))
    assert one_fee(yen, "A", f"{TUESDAY} 10:00").amount_minor == 13
    assert one_fee(dinar, "A", f"{TUESDAY} 10:00").amount_minor == 12_500
    assert "12.5 JPY" in one_fee(yen, "A", f"{TUESDAY} 10:00").words[0]


def test_kilometres_are_of_the_rounded_section_and_parts_add_up() -> None:
    sections = [
        {"place": g, "start": "X", "end": "Y", "length_m": m} for g, m in (("A", 1549), ("B", 1550))
    ]
    rates = [
        all_day("0.10", part="road", per="km"),
        all_day("0.05", part="air", per="km"),
        all_day("0.02", part="bridge", places=["B"]),
    ]
    context = context_of(sections=sections, rates=rates, rounding={"section_m": 100})
    passed = [(g, f"{TUESDAY} 10:00") for g in "ABC"]
    assert amounts(context, *passed) == [23, 26, 0]  # 0.225, 0.24 + 0.02
    assert "is not known" in one_fee(context, *passed[2]).words[1]
    exact = context_of(sections=sections, rates=rates)
    assert amounts(exact, *passed) == [23, 25, 0]  # 0.23235, 0.2325 + 0.02


def test_discounts_add_up_and_are_bounded() -> None:
    tag: dict[str, Any] = {"label": "tag", "percent": "20", "vehicle": {"has_tag": True}}
    spring = {"label": "spring", "percent": "30", "valid_until": "2026-07-07", "places": ["A"]}
    most = {"label": "all", "percent": "70", "places": ["B"]}
    context = context_of(
        rates=[all_day("1.00")], discounts=[tag, spring, most, {**most, "label": "more"}]
    )
    tagged = VehicleFacts(has_tag=True)
    passed = [("A", f"{TUESDAY} 10:00"), ("A", "2026-07-08 10:00"), ("B", f"{TUESDAY} 10:00")]
    assert amounts(context, *passed, vehicle=tagged) == [50, 80, 0]
    assert amounts(context, *passed) == [70, 100, 0]


def test_the_exempt_pay_nothing_while_they_are() -> None:
    context = context_of(
        rates=[all_day("1.00")],
        exemptions=[
            {"label": "buses", "claims": ["bus"]},
            {"label": "motorcycles", "vehicle": {"kinds": ["motorcycle"]}},
            {"label": "gas", "claims": ["natural_gas"], "valid_until": "2026-07-07"},
            {"label": "craft", "claims": ["craftsman"], "vehicle": {"weight_below_kg": 7500}},
            {"label": "nobody"},
        ],
    )
    passed = [("A", f"{TUESDAY} 10:00"), ("A", "2026-07-08 10:00")]
    for vehicle, minor in (
        (VehicleFacts(claims=("bus", "foreign")), [0, 0]),
        (VehicleFacts(kind="motorcycle"), [0, 0]),
        (VehicleFacts(claims=("natural_gas",)), [0, 100]),
        (VehicleFacts(claims=("craftsman",), weight_kg=7499), [0, 0]),
        (VehicleFacts(claims=("craftsman",), weight_kg=7500), [100, 100]),
        (VehicleFacts(claims=("diplomat",)), [100, 100]),
    ):
        assert amounts(context, *passed, vehicle=vehicle) == minor, vehicle
    bus = one_fee(context, *passed[0], vehicle=VehicleFacts(claims=("bus",)))
    assert bus.words == ("Tue 7 Jul 2026 10:00, car: free: buses",)


def test_a_gate_of_unknown_direction_and_one_that_is_not_there_cost_nothing() -> None:
    context = context_of(gates=[gate("A", bearing_deg=None)], rates=[all_day("1.00")])
    assert amounts(context, ("A", f"{TUESDAY} 10:00"), ("Z", f"{TUESDAY} 10:00")) == [0, 0]
    assert "never charged" in one_fee(context, "A", f"{TUESDAY} 10:00").words[1]
    assert "not in this context" in one_fee(context, "Z", f"{TUESDAY} 10:00").words[0]


ASKING: dict[str, Any] = {
    "classes": [
        {"id": "light", "label": "light", "vehicle": {"weight_below_kg": 3500}},
        {"id": "heavy", "label": "heavy", "vehicle": {"weight_from_kg": 3500}},
    ],
    "rates": [
        all_day("1.00", vehicle={"emissions": ["euro6"], "axles_from": 2, "axles_to": 4}),
        all_day("2.00", vehicle={"co2_classes": [2]}, part="co2"),
    ],
    "exemptions": [{"label": "gas", "claims": ["natural_gas"], "valid_until": "2026-07-07"}],
}


@pytest.mark.parametrize(
    ("vehicle", "facts"),
    [
        (VehicleFacts(), "weight_kg"),
        (VehicleFacts(claims=("natural_gas",)), "weight_kg"),
        (VehicleFacts(weight_kg=4000), "axles, co2_class, emission"),
        (VehicleFacts(weight_kg=4000, axles=5, co2_class=1), None),
        (VehicleFacts(weight_kg=4000, axles=3, co2_class=1), "emission"),
    ],
)
def test_a_tariff_that_asks_for_a_fact_nobody_said_is_refused(
    vehicle: VehicleFacts, facts: str | None
) -> None:
    context = context_of(**ASKING)
    if facts is None:
        assert one_fee(context, "A", f"{TUESDAY} 10:00", vehicle=vehicle).amount_minor == 0
        return
    with pytest.raises(VehicleError, match=f"testland asks for {facts}: say it"):
        one_fee(context, "A", f"{TUESDAY} 10:00", vehicle=vehicle)


def test_who_is_exempt_for_ever_is_asked_nothing() -> None:
    context = context_of(**{**ASKING, "exemptions": [{"label": "buses", "claims": ["bus"]}]})
    bus = VehicleFacts(claims=("bus",))
    assert one_fee(context, "A", f"{TUESDAY} 10:00", vehicle=bus).amount_minor == 0


def test_a_condition_that_a_known_fact_rules_out_misses_nothing() -> None:
    condition = Condition(kinds=("car",), axles_to=2, has_tag=False)
    assert condition.missing(VehicleFacts()) == ("axles",)
    assert condition.missing(VehicleFacts(kind="taxi")) == ()
    assert condition.missing(VehicleFacts(has_tag=True)) == ()
    assert condition.fits(VehicleFacts(axles=2))
    assert not condition.fits(VehicleFacts(axles=3))
    assert not condition.fits(VehicleFacts())
