"""Why a place is suggested: what can be counted, in one sentence."""

import pytest

from services.recommendations.destination.moment import Moment
from services.recommendations.destination.predictor import Predictor
from services.recommendations.destination.reasons import Reason, reason, sentence
from tests.unit.test_recommendations_destination import MORNING, SATURDAY, regular


def test_the_sentence_says_what_was_the_same() -> None:
    driver = regular(84)
    why = reason(driver, MORNING, "work", 0.95)
    assert why is not None
    assert (why.times, why.of) == (11, 11)
    assert sentence(why, str.title) == (
        "Because 11 of your 11 trips from Home on Mondays at about this time went to Work."
    )


def test_the_heaviest_visits_are_named_first() -> None:
    driver = regular(84)
    why = reason(driver, MORNING, "work", 0.95)
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
    assert reason(regular(20), MORNING, "moon", 0.5) is None


def test_a_weaker_reason_says_that_it_is_weaker() -> None:
    driver = regular(84)
    why = reason(driver, Moment(MORNING.day), "home", 0.4)
    assert why is not None
    assert not why.same_origin
    assert 2 * why.times <= why.of
    assert "from" not in sentence(why, str)
    assert reason(driver, SATURDAY, "work", 0.1) is not None


def test_the_share_that_is_told_is_the_one_that_says_the_probability_best() -> None:
    driver = Predictor()
    for day in range(35):  # on workdays to a, but each fifth day at noon
        driver.learn(Moment(day + 0.3), "a" if (day + 3) % 7 < 5 else "b")
        if day % 5 == 0:
            driver.learn(Moment(day + 0.5), "c")
    for probability, told in ((0.95, (5, 5)), (0.55, (25, 42)), (0.7, (25, 35))):
        why = reason(driver, Moment(35.3), "a", probability)
        assert why is not None
        assert (why.times, why.of) == told
    why = reason(driver, Moment(35.3), "c", 0.06)
    assert why is not None
    assert why.times > 0
    why = reason(driver, Moment(35.3), "c", 0.01)
    assert why is not None
    assert sentence(why, str) == (
        "Because none of your 5 trips on Thursdays at about this time went to c."
    )


def test_a_new_habit_is_told_of_the_last_weeks() -> None:
    driver = Predictor()
    for day in range(120):
        driver.learn(Moment(day + 0.3), "a" if day < 100 else "b")
    why = reason(driver, Moment(120.3), "b", 0.8)
    assert why is not None
    assert why.lately
    assert sentence(why, str).endswith("in the last four weeks went to b.")


def test_what_the_way_adds_or_takes_is_said() -> None:
    why = Reason("a", (), 3, 4, same_origin=False, near_time=False, days="any", lately=False,
                 origin="", weekday=0)  # fmt: skip
    begins = "Because 3 of your 4 trips went to a"
    assert sentence(why, str, 0.05) == f"{begins}."
    assert sentence(why, str, 0.3) == f"{begins}, and the way so far leads there."
    assert sentence(why, str, -0.3) == f"{begins}, but the way so far does not."


def test_one_trip_is_one_trip() -> None:
    driver = Predictor()
    driver.learn(Moment(1.0), "home")
    why = reason(driver, Moment(2.0), "home", 0.9)
    assert why is not None
    assert sentence(why, str) == "Because your one trip went to home."


@pytest.mark.parametrize(
    ("weekday", "days", "words"),
    [(0, "class", "on workdays"), (6, "class", "on weekends"), (6, "weekday", "on Sundays")],
)
def test_days_have_their_words(weekday: int, days: str, words: str) -> None:
    why = Reason("a", (), 3, 4, same_origin=False, near_time=False, days=days, lately=False,
                 origin="", weekday=weekday)  # fmt: skip
    assert sentence(why, str) == f"Because 3 of your 4 trips {words} went to a."
