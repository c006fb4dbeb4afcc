"""A stop that the driver mostly makes on this way."""

import math
from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np
import pytest

from internetcar.contract.advice import StopRecommendation
from services.recommendations.advising import Advice, Answered, Evidence
from services.recommendations.destination.moment import Moment
from services.recommendations.destination.places import Places
from services.recommendations.stops.alike import is_near, weights
from services.recommendations.stops.past import MOST
from tests.stop_trips import (
    ADVISER,
    DAY_MS,
    MONDAY,
    Life,
    advise,
    answers,
    asked,
    at_km,
    forecast,
)

KEY = "habit bakery"
NOW = MONDAY + 14 + 8 / 24


def test_a_stop_that_is_mostly_made_is_offered_with_how_often() -> None:
    advice = advise(Life().bakery_before_work(11, straight=1))
    assert isinstance(advice.state, StopRecommendation)
    (stop,) = advice.state.stops
    assert (stop.kind, stop.place_id, stop.label, stop.probability) == (
        "habit",
        "bakery",
        "Bakery",
        0.7,
    )
    assert (advice.state.range_m, advice.state.needed_m) == (None, None)
    assert (
        advice.state.because
        == stop.because
        == (
            "Because 9 of your 10 trips from here on such days at about this time made a short "
            "stop at Bakery, mostly on the way to Work."
        )
    )
    assert advice.offer is not None
    assert advice.offer.key == KEY
    assert 0.7 < advice.offer.probability < 9 / 10
    assert advice.offer.stop is not None
    assert advice.offer.stop.probability == advice.offer.probability


@pytest.mark.parametrize(
    ("days", "straight", "is_said", "is_offered"),
    [(3, 0, False, False), (4, 0, True, False), (9, 2, True, False), (9, 4, False, False)],
)
def test_it_takes_some_stops_and_most_of_the_trips(
    days: int, straight: int, is_said: bool, is_offered: bool
) -> None:
    advice = advise(Life().bakery_before_work(days, straight))
    assert (advice.state is not None, advice.offer is not None) == (is_said, is_offered)


def test_it_is_of_its_hours_and_days() -> None:
    life = Life().bakery_before_work(8)
    assert advise(life).offer is not None
    assert advise(life, day=MONDAY + 14 + 17 / 24) == Advice(), "in the evening"
    assert advise(life, day=MONDAY + 13 + 12 / 24) == Advice(), "on Sunday at noon"
    assert advise(life, day=MONDAY + 200 + 8 / 24) == Advice(), "half a year later"


def test_where_few_trips_are_alike_all_from_here_are_counted() -> None:
    life = Life()
    for number in range(10):
        day = MONDAY - 30 + number // 2 * 7 + number % 2 + 8 / 24
        life.go("bakery", day, 6).go("work", day + 0.01).go("home", day + 0.1)
    advice = advise(life, day=MONDAY + 8 / 24)
    assert isinstance(advice.state, StopRecommendation)
    assert advice.state.because == (
        "Because 9 of your 9 trips from here made a short stop at Bakery, "
        "mostly on the way to Work."
    )


@pytest.mark.parametrize(
    ("stay_min", "to", "is_said"), [(29, "work", True), (31, "work", False), (10, "home", False)]
)
def test_a_long_stay_or_a_way_back_is_no_stop_on_the_way(
    stay_min: float, to: str, is_said: bool
) -> None:
    life = Life()
    for number in range(5):
        day = MONDAY + number + 8 / 24
        life.go("bakery", day, 6).go(to, day + (6 + stay_min) / 1440)
        if to != "home":
            life.go("home", day + 0.4)
    assert (advise(life, day=MONDAY + 7 + 8 / 24).state is not None) == is_said


def test_a_chain_with_a_missing_link_is_none() -> None:
    life = Life()
    for number in range(6):
        day = MONDAY + number + 8 / 24
        life.go("bakery", day, 6)
        life.at = "mall"
        life.go("work", day + 0.01).go("home", day + 0.4)
    assert advise(life) == Advice()
    overlapping = Life()
    for number in range(6):
        day = MONDAY + number + 8 / 24
        overlapping.go("bakery", day, 60).go("work", day + 0.01).go("home", day + 0.4)
    assert advise(overlapping) == Advice()
    unknown = Life()
    for number in range(6):
        day = MONDAY + number + 8 / 24
        unknown.go("bakery", day, 6).go("work", day + 0.01, direct_m=None).go("home", day + 0.4)
    assert advise(unknown).state is not None, "without a fix nothing speaks against it"


def test_trips_that_began_elsewhere_are_not_counted() -> None:
    life = Life().bakery_before_work(9)
    plain = advise(life).offer
    assert plain is not None
    for number in range(11, 14):
        life.at = "mall"
        life.go("far", MONDAY + number + 8 / 24)
        life.at = "beyond"
        life.go("home", MONDAY + number + 9 / 24)
    assert advise(life).offer == plain


def test_a_forgotten_place_is_no_stop_any_more() -> None:
    learned = ADVISER.learn(Life().bakery_before_work(8).evidence)
    left = Places([each for each in asked().places if each.id != "bakery"])
    assert ADVISER.advise(asked(places=left), learned) == Advice()


def test_from_the_first_kilometre_on_the_way_has_to_allow_it() -> None:
    life = Life().bakery_before_work(8)
    elsewhere = {"forecast": forecast(work=0.9, bakery=0.05), "journey": at_km(2)}
    assert advise(life, **elsewhere) == Advice()
    assert advise(life, **{**elsewhere, "journey": at_km(0.5)}).state is not None
    assert advise(life, forecast=forecast(work=0.5, bakery=0.4), journey=at_km(2)).state is not None
    assert advise(life, forecast=forecast(work=0.9), journey=at_km(2)).state is None
    assert advise(life, journey=at_km(2)).state is not None, "nothing is known of the way"


def test_from_where_no_trip_has_begun_there_is_no_habit() -> None:
    life = Life().bakery_before_work(8)
    for origin in ("", "far", "beyond"):
        assert advise(life, journey={"origin_id": origin}) == Advice()


def test_running_short_comes_before_a_habit() -> None:
    life = Life().bakery_before_work(8)
    advice = advise(life, forecast=forecast(far=0.9, bakery=0.1), range_m=50_000)
    assert isinstance(advice.state, StopRecommendation)
    assert [stop.kind for stop in advice.state.stops] == ["charge", "habit"]
    assert advice.state.needed_m == 110_000
    assert advice.offer is not None
    assert advice.offer.key == "charge"
    twice = answers("charge", (NOW - 3, False), (NOW - 2, False))
    advice = advise(life, forecast=forecast(far=0.9, bakery=0.1), range_m=50_000, answered=twice)
    assert isinstance(advice.state, StopRecommendation)
    assert [stop.kind for stop in advice.state.stops] == ["habit"]
    assert (advice.state.needed_m, advice.state.because) == (None, advice.state.stops[0].because)
    silent = answers("charge", (NOW - 0.1, False))
    advice = advise(life, forecast=forecast(far=0.9, bakery=0.1), range_m=50_000, answered=silent)
    assert advice.offer is not None
    assert advice.offer.key == KEY


def test_a_rejection_is_a_trip_against_it_and_a_day_of_silence() -> None:
    life = Life().bakery_before_work(10)
    plain = advise(life).offer
    assert plain is not None
    assert advise(life, answered=answers(KEY, (NOW - 0.9, False))).offer is None
    assert advise(life, answered=answers(KEY, (NOW + 0.9, False))).offer is None, "a clock set back"
    against = advise(life, answered=answers(KEY, (NOW - 3, False))).offer
    assert against is not None
    assert against.probability < plain.probability
    for harmless in (
        answers("habit mall", (NOW - 0.5, False), (NOW - 0.4, False)),
        answers(KEY, (NOW - 0.5, True)),
        answers(KEY, (NOW - 3, True)),
    ):
        assert advise(life, answered=harmless).offer == plain
    assert advise(life, answered=answers(KEY, (NOW + 5, False))).offer is not None


def test_two_rejections_in_a_row_withdraw_it_until_it_is_done_three_times() -> None:
    life = Life().bakery_before_work(10)
    twice = answers(KEY, (MONDAY + 10, False), (MONDAY + 11, False))
    assert advise(life, answered=twice) == Advice()
    between = answers(KEY, (MONDAY + 9, False), (MONDAY + 10, True), (MONDAY + 11, False))
    assert advise(life, answered=between).state is not None
    early = answers(KEY, (MONDAY + 6, False), (MONDAY + 8.9, False))
    assert advise(life, answered=early).state is not None, "Wednesday to Friday it was done"
    assert advise(life, answered=answers(KEY, (MONDAY, False), (MONDAY + 9.9, False))) == Advice()


def test_a_trip_counts_by_its_time_weekday_and_age() -> None:
    moment = Moment(MONDAY + 5 / 1440)
    days = np.array([0.0, -1.0, 0.1, 1.0, -7.0, -30.0]) + MONDAY + 5 / 1440
    week, month = 0.5 ** (7 / 30), 0.5
    assert weights(days, moment) == pytest.approx(
        [1.03, 1.03 * 0.4 * 0.5 ** (1 / 30), (math.exp(-(144**2) / 16_200) + 0.03), 1.03 * 0.7,
         1.03 * week, 1.03 * 0.4 * month]
    )  # fmt: skip
    before_midnight = np.array([MONDAY + 1 - 10 / 1440])
    assert weights(before_midnight, moment) == pytest.approx([math.exp(-(15**2) / 16_200) + 0.03])
    assert is_near(before_midnight, moment).all()


HOSTILE: tuple[Any, ...] = (math.nan, math.inf, -1.0, 1e300, True, "60", None, [1], {}, 10**30)


def hostile_bodies() -> Iterator[Any]:
    names = ("lasted_s", "first_pct", "last_pct", "driven_m", "direct_m", "battery", "fuel")
    for name, value in product(names, HOSTILE):
        yield {name: value}
        yield dict.fromkeys(names, value)


def test_nothing_that_comes_out_of_a_store_breaks_it() -> None:
    good = Life().work_and_mall().evidence
    for number, body in enumerate(hostile_bodies()):
        mixed = [*good[: number % 20], Evidence("x", "anna", 5, 1.0, "far", body), *good[10:]]
        ADVISER.advise(
            asked(forecast=forecast(far=0.9), range_m=9_000.0, level_pct=5.0), ADVISER.learn(mixed)
        )
        ADVISER.advise(asked(forecast=forecast(far=0.9), level_pct=5.0), ADVISER.learn(mixed))
    odd = [
        Evidence("x", "anna", started_ms, day, place, {})
        for started_ms in (-1, 0, 1 << 60, 1 << 42)
        for day in (math.nan, -1e9, 1e300, 0.0)
        for place in ("", "nowhere", "x" * 200)
    ]
    assert len(ADVISER.learn(odd)) == 6, "two instants on one day at three places"
    learned = ADVISER.learn([*odd, *good, *odd])
    assert ADVISER.advise(asked(forecast=forecast(far=0.9), range_m=9_000.0), learned).state


@pytest.mark.parametrize("value", [math.nan, math.inf, -5.0, 1e300, True])
def test_a_level_or_range_that_cannot_be_is_not_gone_by(value: float) -> None:
    life = Life()
    told = {"forecast": forecast(far=0.9), "range_m": value, "level_pct": value}
    assert advise(life, **told) == Advice()


def test_odd_answers_labels_and_ways_break_nothing() -> None:
    life = Life().bakery_before_work(8)
    times = (0, -(1 << 60), 1 << 60, round(NOW * DAY_MS))
    odd = [Answered(key, at_ms, is_ok) for key in ("", KEY, "charge") for at_ms in times
           for is_ok in (False, True)]  # fmt: skip
    labels = {"far": "F" * 64, "bakery": "B" * 64, "work": "W" * 64}
    for path in ([], [(0.0, 0.0)], [(90.0, 180.0)] * 400, [(-90.0, -180.0), (90.0, 180.0)]):
        advice = advise(life, answered=odd, journey={"path": path}, forecast=forecast(far=0.9),
                        range_m=1.0)  # fmt: skip
        assert advice.state is None or isinstance(advice.state, StopRecommendation)
    found = advise(life, labels=labels, forecast=forecast(far=0.9), range_m=1.0)
    assert isinstance(found.state, StopRecommendation)
    assert all(len(stop.because) <= 400 for stop in found.state.stops)


def test_only_so_many_trips_are_looked_at() -> None:
    life = Life().bakery_before_work(8)
    learned = ADVISER.learn(life.evidence * 100)
    assert len(learned) == MOST
    assert all(len(getattr(learned, name)) == MOST for name in ("place", "day", "direct_m"))
    for few in range(4):
        some = ADVISER.learn(life.evidence[:few])
        assert len(some.stood_ms) == few
        assert np.isnan(some.stood_ms[-1:]).all()
        assert ADVISER.advise(asked(), some) == Advice()
