"""Climate: what follows from offers that were accepted or rejected."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from internetcar.contract.advice import ClimateRecommendation
from services.recommendations.advising import Advice, Answered
from services.recommendations.climate.answers import Change, key, read
from services.recommendations.climate.words import WITHDRAWN
from tests.climate_trips import DAY_MS, PATHS, Driver

KEY = "t21.5<19@3"


def is_withdrawn(advice: Advice) -> bool:
    assert isinstance(advice.state, ClimateRecommendation)
    return advice.state.is_withdrawn


def test_a_key_says_what_was_offered_how_it_stood_and_the_weather() -> None:
    told = {PATHS["t"]: Change(21.5, 19), PATHS["f"]: Change(2, -0.25)}
    assert key(told, -3.6) == "t21.5<19,f2<-0.25@-4"
    assert read([Answered(key(told, -3.6), 7, True)])[0].changes == told


@settings(max_examples=50)
@given(st.one_of(st.text(), st.from_regex(r"[a-z](-?[0-9]{1,5})<[0-9.]{1,4}@-?[0-9]{1,4}")))
def test_a_key_that_cannot_be_read_is_no_answer(text: str) -> None:
    assert all(each.changes for each in read([Answered(text, 0, False)]))


@pytest.mark.parametrize(
    "text", ["warm", "t21.5@3", "t21<19@", "x1<2@3", "t9999<1@3", "t21<19", "t21<19@٣", ""]
)
def test_these_keys_say_nothing(text: str) -> None:
    assert read([Answered(text, 0, False)]) == []


def test_a_rejection_counts_as_a_trip_on_which_it_stood_so() -> None:
    def offered(answers: int) -> float:
        driver = Driver().drove(12, 3, t=21.5)
        for each in range(answers):
            driver.answer(KEY, is_accepted=each % 2 == 1)
        state = driver.ask(3, t=19).state
        assert isinstance(state, ClimateRecommendation)
        return state.settings[0].probability

    assert offered(0) > offered(1) == offered(2) > offered(3) > 0.5


def test_a_rejected_setting_leaves_the_others_as_they_were() -> None:
    driver = Driver().drove(12, 3, t=21.5, f=2).answer(KEY)
    state = driver.ask(3, t=19, f=2).state
    assert isinstance(state, ClimateRecommendation)
    assert state.settings[0].probability < state.settings[1].probability == 1


def test_a_rejection_is_followed_by_a_day_of_silence() -> None:
    for days_ago, is_silent in ((0.9, True), (-0.9, True), (1.1, False)):
        driver = Driver().drove(12, 3, t=21.5).answer(KEY, days_ago=days_ago)
        advice = driver.ask(3, t=19)
        assert (advice.offer is None) == is_silent
        assert not is_withdrawn(advice)
    accepted = Driver().drove(12, 3, t=21.5).answer(KEY, is_accepted=True, days_ago=0.5)
    assert accepted.ask(3, t=19).offer is not None


def test_two_rejections_in_a_row_withdraw_it_in_such_weather_only() -> None:
    driver = Driver().drove(12, 22, t=20).drove(20, 3, t=21.5).answer(KEY).answer(KEY)
    advice = driver.ask(4, t=19)
    assert is_withdrawn(advice)
    assert advice.offer is None
    assert isinstance(advice.state, ClimateRecommendation)
    assert advice.state.because == WITHDRAWN
    assert advice.state.settings
    driver.begin()
    assert driver.ask(22, t=17).offer is not None


def test_an_acceptance_between_keeps_it() -> None:
    driver = Driver().drove(30, 3, t=21.5).answer(KEY).answer(KEY, is_accepted=True).answer(KEY)
    advice = driver.ask(3, t=19)
    assert not is_withdrawn(advice)
    assert advice.offer is not None


def test_three_trips_by_hand_bring_it_back_and_two_more_rejections_withdraw_it_again() -> None:
    driver = Driver().drove(30, 3, t=21.5).answer(KEY).answer(KEY)
    driver.drove(2, 3, t={0: 19, 40: 21.5}).drove(3, 3, t=21.5).drove(3, 3, t={0: 21.5, 40: 19})
    assert is_withdrawn(driver.ask(3, t=19)), "two by hand, three that were so already, other ones"
    driver.drove(1, 3, t={0: 19, 40: 22}).begin()
    back = driver.ask(3, t=19)
    assert not is_withdrawn(back)
    assert back.offer is not None
    driver.answer(KEY, days_ago=0).drove(2, 3, t=21.5).begin()
    assert not is_withdrawn(driver.ask(3, t=19)), "the first rejection after it came back"
    driver.answer(KEY, days_ago=0).drove(2, 3, t=21.5).begin()
    assert is_withdrawn(driver.ask(3, t=19))


def test_by_hand_in_other_weather_does_not_count() -> None:
    driver = Driver().drove(30, 3, t=21.5).answer(KEY).answer(KEY)
    driver.drove(3, 20, t={0: 19, 40: 21.5})
    assert is_withdrawn(driver.ask(3, t=19))


def test_what_the_driver_no_longer_has_stays_withdrawn() -> None:
    driver = Driver().drove(12, 3, t=21.5).answer("f2<4@3").answer("f2<4@3")
    assert is_withdrawn(driver.ask(3, t=19))


def test_only_the_newest_answers_count() -> None:
    old = [Answered(KEY, day * DAY_MS, False) for day in range(300)]
    assert len(read(old)) == 200
