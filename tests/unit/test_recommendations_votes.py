"""What past visits vote for, against the formula written out and plain counts."""

import math
from collections import Counter, defaultdict

import numpy as np
import pytest

from services.recommendations.destination import mixture
from services.recommendations.destination.moment import Moment
from services.recommendations.destination.visits import Visits
from services.recommendations.destination.votes import NAMES, VOTES, Vote, count, weights_of
from tests.drivers.dice import Dice

NOW = Moment(131.3, "b", "a", 45.0, 3.0)


def visited(number: int, seed: str = "votes") -> Visits:
    dice, visits = Dice(seed), Visits()
    here = before = ""
    for trip in range(number):
        place = dice.weighted("abcd", [4.0, 3.0, 2.0, 1.0])
        moment = Moment(100.0 + trip / 4 + dice.between(0, 0.2), here, before,
                        dice.between(1, 300), dice.between(0, 30))  # fmt: skip
        visits.append(moment, place)
        before, here = here, place
    return visits


def written_out(vote: Vote, asked: Moment, past: Moment) -> float:
    """The weight of one visit, as the issue and the docstrings have it."""
    kernel = vote.kernel
    weight: float = 0.5 ** ((asked.day - past.day) / kernel.half_life_d) + 0.02
    if kernel.width_min:
        apart = abs(asked.minute - past.minute)
        apart = min(apart, 1440.0 - apart)
        weight *= math.exp(-(apart**2) / (2 * kernel.width_min**2)) + kernel.time_floor
        is_class = (asked.weekday > 4) == (past.weekday > 4)
        other = kernel.same_class if is_class else kernel.other_class
        weight *= 1.0 if asked.weekday == past.weekday else other
    weight *= 1.0 if asked.origin == past.origin else vote.other_origin
    is_before = (asked.origin, asked.before) == (past.origin, past.before)
    weight *= 1.0 if is_before else kernel.other_before
    for width, one, other in (
        (kernel.stay, asked.stayed_min, past.stayed_min),
        (kernel.travel, asked.travelled_min, past.travelled_min),
    ):
        if width:
            apart = math.log1p(one) - math.log1p(other)
            weight *= math.exp(-(apart**2) / (2 * width**2)) + 0.05
    return weight


@pytest.mark.parametrize("number", range(len(VOTES)), ids=NAMES)
def test_each_vote_is_the_formula_written_out(number: int) -> None:
    visits = visited(120)
    of_place: dict[str, float] = defaultdict(float)
    of_new = 0.0
    for row in range(len(visits)):
        past, place = visits.question(row)
        weight = written_out(VOTES[number], NOW, past)
        of_place[place] += weight
        of_new += weight * bool(visits.rows.is_new[row])
    total = sum(of_place.values())
    ballot = count(visits.rows, NOW, visits.number("b"), visits.number("a"), 4)
    expected = [of_place[place] / total for place in visits.places]
    assert ballot.shares[number] == pytest.approx(expected, rel=1e-4)
    assert ballot.new[number] == pytest.approx(of_new / total, rel=1e-4)
    weights = weights_of(visits.rows, NOW, visits.number("b"), visits.number("a"))[number]
    assert weights.sum() == pytest.approx(ballot.totals[number], rel=1e-4)


def test_the_first_eleven_are_the_table_of_the_issue() -> None:
    table = [(vote.other_origin, vote.kernel.half_life_d, vote.kernel.width_min) for vote in VOTES]
    assert sorted(table[:6]) == sorted((o, h, 90) for o in (0.01, 0.05, 0.3) for h in (7, 30))
    assert table[6:11] == [
        (0.002, 30, 0),
        (0.002, 7, 0),
        (1.0, 14, 0),
        (1.0, 20, 60),
        (0.2, 20, 90),
    ]


def test_frequency_and_markov_are_plain_counts() -> None:
    visits = visited(200)
    questions = [visits.question(row) for row in range(len(visits))]
    ballot = count(visits.rows, NOW, visits.number("b"), visits.number("a"), 4)
    places = Counter(place for _, place in questions)
    frequency = ballot.shares[NAMES.index("frequency")]
    assert frequency == pytest.approx([places[place] / 200 for place in visits.places], rel=1e-3)
    after = Counter(place for moment, place in questions if moment.origin == "b")
    markov = ballot.shares[NAMES.index("origin, ever")]
    assert visits.places[int(markov.argmax())] == after.most_common(1)[0][0]


def test_a_visit_later_than_the_question_does_not_grow_without_end() -> None:
    visits = Visits()
    visits.append(Moment(1000.0), "a")
    assert np.isfinite(count(visits.rows, Moment(0.0), -1, -1, 1).shares).all()


def test_the_mixture_follows_the_vote_that_is_right_and_forgets_none() -> None:
    weights = mixture.equal(3)
    for _ in range(200):
        given = mixture.place_likelihoods(np.array([0.8, 0.1, 0.0]), 4)
        weights = mixture.shifted(weights, given)
    assert weights.sum() == pytest.approx(1.0)
    assert weights[0] > 0.95
    assert weights.min() >= mixture.SHARE / 3
    for _ in range(12):
        weights = mixture.shifted(weights, mixture.place_likelihoods(np.array([0.0, 0.1, 0.8]), 4))
    assert weights[2] > 0.9


def test_new_places_are_a_coin_of_their_own() -> None:
    new = np.array([0.2, 0.6])
    assert mixture.new_likelihoods(new, True).tolist() == [0.2, 0.6]
    assert mixture.new_likelihoods(new, False).tolist() == [0.8, 0.4]
