"""Why a place is suggested: what can be counted, in one sentence."""

import pytest

from services.recommendations.destination.moment import Moment
from services.recommendations.destination.predictor import Predictor
from services.recommendations.destination.reasons import Reason, reason, sentence
from tests.unit.test_recommendations_destination import MORNING, SATURDAY, regular


def test_the_sentence_says_what_was_the_same() -> None:
    driver = regular(84)
    why = reason(driver, MORNING, "work")
    assert why is not None
    assert (why.times, why.of) == (11, 11)
    assert sentence(why, str.title) == (
        "Because 11 of your 11 trips from Home on Mondays at about this time went to Work."
    )


def test_the_heaviest_visits_are_named_first() -> None:
    driver = regular(84)
    why = reason(driver, MORNING, "work")
    assert why is not None
    shares = [visit.share for visit in why.visits]
    assert shares == sorted(shares, reverse=True)
    assert len(shares) == 5
    assert 0 < sum(shares) < 1
    assert why.visits[0].same_weekday
    assert why.visits[0].same_origin
    assert why.visits[0].minutes_apart < 1
    assert MORNING.day - why.visits[0].day == pytest.approx(7.0, abs=1.5)


def test_nothing_speaks_for_a_place_that_was_never_visited() -> None:
    assert reason(regular(20), MORNING, "moon") is None


def test_a_weaker_reason_says_that_it_is_weaker() -> None:
    driver = regular(84)
    why = reason(driver, Moment(MORNING.day), "home")
    assert why is not None
    assert not why.same_origin
    assert 2 * why.times <= why.of
    assert "from" not in sentence(why, str)
    assert reason(driver, SATURDAY, "work") is not None


def test_where_no_half_of_the_alike_trips_led_the_largest_share_is_told() -> None:
    driver = Predictor()
    for day, place in enumerate("abcabcabcabdabe"):
        driver.learn(Moment(day + (0.5 if place == "d" else 0.3)), place)
    why = reason(driver, Moment(15.3), "d")
    assert why is not None
    assert (why.times, why.of) == (1, 11)
    why = reason(driver, Moment(15.3), "c")
    assert why is not None
    assert 3 <= why.of < 15
    assert 0 < 2 * why.times < why.of


def test_one_trip_is_one_trip() -> None:
    driver = Predictor()
    driver.learn(Moment(1.0), "home")
    why = reason(driver, Moment(2.0), "home")
    assert why is not None
    assert sentence(why, str) == "Because your one trip went to home."


@pytest.mark.parametrize(
    ("weekday", "days", "words"),
    [(0, "class", "on workdays"), (6, "class", "on weekends"), (6, "weekday", "on Sundays")],
)
def test_days_have_their_words(weekday: int, days: str, words: str) -> None:
    why = Reason("a", (), 3, 4, same_origin=False, near_time=False, days=days, origin="",
                 weekday=weekday)  # fmt: skip
    assert sentence(why, str) == f"Because 3 of your 4 trips {words} went to a."
