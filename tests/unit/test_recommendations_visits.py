"""Visits as columns: appended, grown, forgotten, asked again."""

import math

import numpy as np
import pytest

from services.recommendations.destination.habits import Habits
from services.recommendations.destination.moment import Moment, MomentError, day_of
from services.recommendations.destination.visits import NOWHERE, Visits, minutes_apart
from tests.drivers.life import FIRST_DAY


def filled(places: str) -> Visits:
    visits = Visits()
    here = before = ""
    for number, place in enumerate(places):
        visits.append(Moment(100.0 + number / 4, here, before, 30.0, 2.0), place)
        before, here = here, place
    return visits


def test_a_moment_knows_its_minute_and_weekday() -> None:
    moment = Moment(day_of(FIRST_DAY.replace(hour=7, minute=30)))
    assert moment.weekday == 0
    assert moment.minute == pytest.approx(450.0)
    assert Moment(0.0).weekday == 3
    assert Moment(-0.5).weekday == 2


@pytest.mark.parametrize("wrong", [math.nan, math.inf, 4e6])
def test_a_moment_that_cannot_be_is_refused(wrong: float) -> None:
    with pytest.raises(MomentError, match="day"):
        Moment(wrong)
    with pytest.raises(MomentError, match="stayed_min"):
        Moment(1.0, stayed_min=math.nan)


def test_columns_grow_by_doubling_and_lose_nothing() -> None:
    visits = filled("ab" * 200)
    assert len(visits) == 400
    assert visits.rows.day[-1] == 100.0 + 399 / 4
    assert visits.rows.is_new.sum() == 2
    assert visits.stored_bytes == 512 * 34
    assert visits.places == ["a", "b"]


def test_a_visit_can_be_asked_about_again() -> None:
    moment, place = filled("abc").question(2)
    assert place == "c"
    assert (moment.day, moment.origin, moment.before) == (100.5, "b", "a")
    assert moment.stayed_min == pytest.approx(30.0, rel=1e-4)
    assert moment.travelled_min == pytest.approx(2.0, rel=1e-4)


def test_a_forgotten_place_leaves_no_number_behind() -> None:
    visits = filled("abcabca")
    number = visits.number("b")
    assert visits.keep(lambda rows: rows.place != number) == 2
    assert visits.places == ["a", "c"]
    assert visits.number("b") == NOWHERE
    assert [visits.places[each] for each in visits.rows.place] == ["a", "c", "a", "c", "a"]
    assert visits.question(1)[0].origin == ""
    assert visits.question(2)[0].origin == "c"
    assert visits.question(2)[0].before == ""
    visits.append(Moment(200.0, "a"), "b")
    assert visits.places == ["a", "c", "b"]


def test_times_of_the_day_are_near_around_midnight() -> None:
    apart = minutes_apart(np.array([1430.0, 10.0, 720.0], np.float32), 5.0)
    assert apart.tolist() == [15.0, 5.0, 715.0]


def test_habits_are_the_same_learned_one_by_one_or_at_once() -> None:
    visits = filled("abacabad" * 20)
    habits = Habits()
    for day, number in zip(visits.rows.day, visits.rows.place, strict=True):
        habits.add(int(number), float(day))
    features = habits.features(141.0, 0, 4)
    assert np.array_equal(features, Habits.of(visits.rows).features(141.0, 0, 4))
    assert features[0].tolist() == [1.0, 0.0, 0.0, 0.0]
    assert features[1].tolist() == [0.0, 0.0, 0.0, 0.0]
    assert features[2][3] < features[2][0]
    assert Habits.of(Visits().rows).features(1.0, NOWHERE, 0).shape == (4, 0)


def test_a_place_visited_today_is_said_to_be() -> None:
    features = Habits.of(filled("abc").rows).features(100.7, 2, 3)
    assert features[1].tolist() == [0.0, 1.0, 0.0]
