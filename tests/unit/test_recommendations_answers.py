"""What answers teach in every kind: silence for a day, withdrawal, and how it ends."""

import pytest

from services.recommendations.advising import Answered
from services.recommendations.answers import (
    DAY_MS,
    by_hand_ms,
    is_silent,
    is_withdrawn,
    rejected_ms,
)

YES, NO = True, False
KEY = "21.5"


def answers(*each: bool, key: str = KEY) -> list[Answered]:
    """One answer a day."""
    return [Answered(key, number * DAY_MS, is_yes) for number, is_yes in enumerate(each)]


def test_a_rejection_is_silence_for_a_day_also_where_the_clock_was_set_back() -> None:
    answered = answers(YES, NO)
    assert is_silent(answered, KEY, DAY_MS)
    assert is_silent(answered, KEY, 2 * DAY_MS - 1)
    assert is_silent(answered, KEY, 1)
    assert not is_silent(answered, KEY, 2 * DAY_MS)
    assert not is_silent(answered, KEY, 0), "what was accepted is no silence"
    assert not is_silent(answered, "22.0", DAY_MS)


def test_each_rejection_of_it_counts_and_no_other() -> None:
    assert rejected_ms([*answers(NO, YES, NO), *answers(NO, key="other")], KEY) == [0, 2 * DAY_MS]


@pytest.mark.parametrize(
    ("answered", "is_over"),
    [((), NO), ((NO,), NO), ((NO, NO), YES), ((NO, YES, NO), NO), ((NO, NO, YES), NO),
     ((YES, NO, NO), YES), ((NO, NO, NO), YES)],
)  # fmt: skip
def test_two_rejections_in_a_row_withdraw_it(answered: tuple[bool, ...], is_over: bool) -> None:
    assert is_withdrawn(answers(*answered), KEY, []) == is_over
    assert not is_withdrawn(answers(*answered, key="other"), KEY, [])


def test_three_trips_by_hand_after_it_bring_it_back() -> None:
    twice, last_ms = answers(NO, NO), DAY_MS
    after = [last_ms + number for number in (1, 2, 3)]
    assert is_withdrawn(twice, KEY, after[:2])
    assert not is_withdrawn(twice, KEY, after)
    assert is_withdrawn(twice, KEY, [-3, -2, -1, 0, 1]), "what was before it says nothing"


def test_a_rejection_begins_the_three_trips_anew_and_one_after_them_is_the_first() -> None:
    thrice = answers(NO, NO, NO)
    assert is_withdrawn(thrice, KEY, [DAY_MS + 1, DAY_MS + 2, 2 * DAY_MS + 1])
    assert not is_withdrawn(thrice, KEY, [DAY_MS + 1, DAY_MS + 2, DAY_MS + 3])


def test_a_trip_on_which_the_offer_was_accepted_was_not_by_hand() -> None:
    accepted = [Answered(KEY, 1_500, YES), Answered("other", 2_500, YES), Answered(KEY, 3_500, NO)]
    assert by_hand_ms(accepted, KEY, [3_000, 1_000, 2_000]) == [2_000, 3_000]
    late = [Answered(KEY, 3 * DAY_MS, YES)]
    assert by_hand_ms(late, KEY, [1_000]) == [1_000], "the trip it was made on is not known"
