"""Whether it reaches where the trip may lead, and where the driver charges or fuels."""

from typing import Any

import pytest

from internetcar.contract.advice import StopRecommendation
from services.recommendations.advising import Advice
from tests.stop_trips import (
    ADVISER,
    MONDAY,
    Life,
    advise,
    answers,
    asked,
    at_km,
    forecast,
    trip_ended,
)

TO_FAR: dict[str, Any] = {"forecast": forecast(far=0.8, work=0.15)}
"""60 km straight: 60 x 1.35 x 1.15 + 10 = 103.2 km."""


def state(advice: Advice) -> StopRecommendation:
    assert isinstance(advice.state, StopRecommendation)
    return advice.state


def test_what_is_kept_of_a_trip_names_no_place() -> None:
    body = ADVISER.kept(trip_ended(), MONDAY, "place-1")
    assert body == {
        "lasted_s": 900, "first_pct": 60.0, "last_pct": 57.5, "driven_m": 13_000.0,
        "direct_m": 10_000.0, "battery": True, "fuel": False,
    }  # fmt: skip
    body = ADVISER.kept(trip_ended(start=None, energy_wh=None, fuel_ml=800), MONDAY, "")
    assert body is not None
    assert (body["direct_m"], body["battery"], body["fuel"]) == (None, False, True)
    assert ADVISER.kept(trip_ended(is_dropped=True), MONDAY, "") is None
    assert ADVISER.after(trip_ended(), ADVISER.learn([]), 20, MONDAY, "live") is None  # type: ignore[func-returns-value]  # of stops never anything


def test_a_range_that_does_not_reach_is_said_with_where_the_driver_charges() -> None:
    advice = advise(Life().work_and_mall(), **TO_FAR, range_m=55_000)
    said = state(advice)
    assert (said.range_m, said.needed_m) == (50_000, 110_000)
    assert said.because == (
        "The car says that about 50 km are left, and the way to Far needs 110 km with a margin."
    )
    (stop,) = said.stops
    assert (stop.kind, stop.place_id, stop.label, stop.probability) == (
        "charge",
        "mall",
        "Mall",
        0.7,
    )
    assert stop.latitude == pytest.approx(50.1799, abs=1e-4)
    assert stop.because == (
        "Because about 50 km are left, the way to Far needs 110 km with a margin, "
        "and you have charged at Mall 2 times."
    )
    assert advice.offer is not None
    assert (advice.offer.key, advice.offer.probability) == ("charge", 0.8)
    assert advice.offer.stop == stop.model_copy(update={"probability": 0.8})
    assert advice.offer.because == stop.because


@pytest.mark.parametrize(
    ("range_m", "is_short"), [(103_000, True), (103_300, False), (0, True), (4_000_000, False)]
)
def test_a_way_counts_with_its_detours_a_margin_and_a_reserve(
    range_m: float, is_short: bool
) -> None:
    advice = advise(Life().work_and_mall(), **TO_FAR, range_m=range_m)
    assert (advice.state is not None) == is_short
    if range_m == 0:
        assert "less than 5 km" in state(advice).because


def test_the_detour_is_that_of_the_drivers_own_ways_there() -> None:
    life = Life().work_and_mall()
    for number in range(3):
        life.go("far", MONDAY + 14 + number).go("home", MONDAY + 14.5 + number)
    day = MONDAY + 20
    needed_m = 60_000 * 1.3 * 1.15 + 10_000
    assert advise(life, day=day, **TO_FAR, range_m=needed_m + 100).state is None
    assert advise(life, day=day, **TO_FAR, range_m=needed_m - 100).state is not None


def test_on_the_way_what_is_behind_is_needed_no_more() -> None:
    life = Life().work_and_mall()
    assert advise(life, **TO_FAR, range_m=60_000).state is not None
    assert advise(life, **TO_FAR, range_m=60_000, journey=at_km(30)).state is None


def test_only_likely_places_count_and_somewhere_new_never() -> None:
    life = Life().work_and_mall()
    likely = forecast(work=0.82, far=0.15)
    assert advise(life, forecast=likely, range_m=40_000).state is None
    rest = forecast(work=0.55, far=0.28, beyond=0.17)
    assert advise(life, forecast=rest, range_m=40_000).state is None, "0.28 of what is likely"
    some = forecast(work=0.4, far=0.35, beyond=0.2)
    said = state(advise(life, forecast=some, range_m=90_000))
    assert said.stops[0].probability == 0.5
    assert "Far" in said.because
    new = forecast(far=0.2)
    assert advise(life, forecast=new, range_m=40_000).state is None, "0.8 of it is somewhere new"


def test_offers_wait_until_it_is_likely_enough() -> None:
    advice = advise(Life().work_and_mall(), forecast=forecast(far=0.6, work=0.3), range_m=40_000)
    assert advice.offer is None
    assert state(advice).stops[0].probability == 0.5


def test_where_the_driver_charges_needs_no_reserve_and_is_no_stop_on_its_way() -> None:
    life = Life().work_and_mall()
    to_mall = {"forecast": forecast(mall=0.9)}
    assert advise(life, **to_mall, range_m=31_100).state is None, "20 x 1.35 x 1.15"
    assert advise(Life().work_and_mall(1), **to_mall, range_m=31_100).state, "seen once only"
    (stop,) = state(advise(life, **to_mall, range_m=31_000)).stops
    assert (stop.kind, stop.place_id, stop.latitude, stop.label) == ("charge", None, None, None)
    assert stop.because.startswith("The car says that about 30 km are left")


def test_what_was_seen_once_is_called_so() -> None:
    (stop,) = state(advise(Life().work_and_mall(1), **TO_FAR, range_m=50_000)).stops
    assert stop.because.endswith("and you have charged at Mall once.")


def test_a_place_that_cannot_be_reached_any_more_is_not_where_to_charge() -> None:
    (stop,) = state(advise(Life().work_and_mall(), **TO_FAR, range_m=26_000)).stops
    assert stop.place_id is None, "20 km x 1.35"


def test_what_is_least_out_of_the_way_comes_first_and_two_are_enough() -> None:
    life = Life()
    for number, place in enumerate(("aside",) * 4 + ("far", "mall", "work", "work")):
        life.go(place, MONDAY + number, levels=(60, 50)).go("home", MONDAY + number + 0.5,
                                                            levels=(90, 80))  # fmt: skip
    stops = state(advise(life, forecast=forecast(work=0.0, beyond=0.9), range_m=70_000)).stops
    assert [stop.place_id for stop in stops] == ["work", "mall"], "both on the way"
    on_way = advise(life, forecast=forecast(beyond=0.9), range_m=50_000, journey=at_km(18))
    assert [stop.place_id for stop in state(on_way).stops] == ["mall", "work"], "work is behind"


@pytest.mark.parametrize("used", ["bakery", "work", "mall"])
def test_of_places_on_the_way_the_most_used_comes_first(used: str) -> None:
    life = Life()
    for number, place in enumerate(("mall", "work", "bakery", used)):
        life.go(place, MONDAY + number, levels=(60, 50)).go("home", MONDAY + number + 0.5,
                                                            levels=(90, 80))  # fmt: skip
    beside = {"path": [(50.0, 10.005)]}
    to_beyond = {"forecast": forecast(beyond=0.9), "range_m": 70_000}
    stops = state(advise(life, **to_beyond, journey=beside)).stops
    assert stops[0].place_id == used


def test_a_level_that_rose_where_somebody_else_had_driven_to_is_not_taken_for_the_place() -> None:
    life = Life()
    for number in range(3):
        life.go("work", MONDAY + number, levels=(60, 50))
        life.at = "mall"
        life.go("home", MONDAY + number + 0.5, levels=(90, 80))
    (stop,) = state(advise(life, **TO_FAR, range_m=50_000)).stops
    assert stop.place_id is None


@pytest.mark.parametrize(
    ("battery", "fuel", "stood_min", "kind"),
    [
        (True, False, 5, "charge"),
        (False, True, 300, "fuel"),
        (True, True, 300, "charge"),
        (False, False, 300, "charge"),
        (False, False, 8, "fuel"),
        (True, True, 0, "fuel"),
    ],
)
def test_what_the_car_tells_of_says_whether_it_is_charged_or_fuelled(
    battery: bool, fuel: bool, stood_min: float, kind: str
) -> None:
    life = Life(battery=battery, fuel=fuel)
    for number in range(3):
        day = MONDAY + number
        life.go("mall", day, levels=(60, 50) if stood_min else (None, None))
        life.go("home", day + (15 + stood_min) / 1440, levels=(90, 80))
    assert state(advise(life, **TO_FAR, range_m=50_000)).stops[0].kind == kind


def test_a_car_that_tells_no_range_is_known_by_what_a_percent_was_worth() -> None:
    life = Life().work_and_mall()
    # 10 x 26 km for 4 %, 2 x 52 km for 8 %: 6.5 km a percent
    said = state(advise(life, **TO_FAR, level_pct=15.0))
    assert (said.range_m, said.needed_m) == (None, 110_000)
    assert said.because.startswith("By your last 24 trips what is left lasts for about 90 km")
    assert advise(life, **TO_FAR, level_pct=16.0).state is None


@pytest.mark.parametrize(
    "life",
    [
        Life(),
        Life().go("work", MONDAY, levels=(60, 40)).go("home", MONDAY + 0.5, levels=(40, 20)),
        Life(fuel=True).work_and_mall(),
        Life().work_and_mall(weeks=0),
    ],
    ids=["nothing", "two trips", "a hybrid", "no level"],
)
def test_a_reach_that_is_not_known_is_not_guessed(life: Life) -> None:
    assert advise(life, **TO_FAR, level_pct=1.0) == Advice()


def test_a_percent_that_is_worth_what_none_is_worth_is_not_believed() -> None:
    life = Life()
    for number in range(10):
        life.go("work", MONDAY + number, levels=(60, 58), driven_m=100.0)
        life.go("home", MONDAY + number + 0.5, levels=(60, 58), driven_m=100.0)
    assert advise(life, **TO_FAR, level_pct=50.0).state is None


def test_some_percents_are_needed_and_a_trip_on_which_it_was_filled_says_nothing() -> None:
    few = Life()
    for number in range(4):
        few.go("work", MONDAY + number, levels=(60, 59)).go("home", MONDAY + number + 0.5,
                                                            levels=(59, 58))  # fmt: skip
    assert advise(few, **TO_FAR, level_pct=5.0).state is None
    life = Life().work_and_mall()
    for number in range(3):
        life.go("work", MONDAY + 14 + number, levels=(20, 90)).go("home", MONDAY + 14.5 + number)
    said = state(advise(life, **TO_FAR, level_pct=15.0, day=MONDAY + 20))
    assert said.because.startswith("By your last 24 trips what is left lasts for about 90 km")


def test_numbers_go_in_steps_so_that_it_is_said_anew_only_where_that_is_worth_it() -> None:
    life = Life().work_and_mall()
    said = [
        state(advise(life, forecast=forecast(far=share), range_m=range_m))
        for range_m, share in ((58_900, 0.81), (52_100, 0.88))
    ]
    assert said[0] == said[1]
    other = state(advise(life, forecast=forecast(far=0.91), range_m=58_900))
    assert other != said[0]
    assert other.stops[0].probability == 0.9


def test_without_a_position_or_a_forecast_nothing_is_said() -> None:
    life = Life().work_and_mall()
    assert advise(life, range_m=5_000) == Advice()
    nowhere: dict[str, Any] = {"journey": {"origin_id": ""}}
    assert advise(life, **TO_FAR, **nowhere, range_m=5_000) == Advice()


def test_a_rejection_counts_against_it_silences_a_day_and_two_withdraw_it() -> None:
    life = Life().work_and_mall()
    short: dict[str, Any] = {"forecast": forecast(far=0.95), "range_m": 50_000}
    now = MONDAY + 14 + 8 / 24
    once = advise(life, **short, answered=answers("charge", (now - 0.5, False)))
    assert once.offer is None
    assert once.state is not None
    later = advise(life, **short, answered=answers("charge", (now - 2, False)))
    assert later.offer is not None
    assert 0.7 < later.offer.probability < 0.95
    mixed = answers("charge", (now - 3, False), (now - 2, True))
    assert advise(life, **short, answered=mixed).offer is not None
    twice = answers("charge", (now - 9, False), (now - 8, False))
    assert advise(life, **short, answered=twice) == Advice()
    ever = answers("charge", (MONDAY - 9, False), (MONDAY - 8, False))
    assert advise(life, **short, answered=ever) == Advice(), "charged twice since"
    life.go("mall", MONDAY + 13.1, 30, (56, 52)).go("home", MONDAY + 13.2, 30, (92, 88))
    assert advise(life, **short, answered=ever).offer is not None, "and now three times"


def test_rejected_often_it_is_not_said_at_all() -> None:
    now = MONDAY + 14 + 8 / 24
    often = answers("charge", *[(now - 7 * number, number % 2 == 0) for number in range(30)])
    advice = advise(
        Life().work_and_mall(), forecast=forecast(far=0.4), range_m=50_000, answered=often
    )
    assert advice == Advice()


def test_what_is_asked_and_learned_is_not_changed() -> None:
    learned = ADVISER.learn(Life().work_and_mall().evidence)
    question = asked(**TO_FAR, range_m=50_000)
    assert ADVISER.advise(question, learned) == ADVISER.advise(question, learned)
