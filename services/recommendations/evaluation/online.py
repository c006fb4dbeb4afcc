"""One user's visits, each predicted and then learned, beside simpler ways to predict (pure)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from services.recommendations.destination.moment import Moment
from services.recommendations.destination.predictor import Predictor
from services.recommendations.destination.visits import NOWHERE
from services.recommendations.destination.votes import NAMES, SINGLE
from services.recommendations.evaluation.scores import Score
from services.recommendations.evaluation.visits_csv import Visit

Known = Literal["departure", "arrival"]
_DAY_S = 86_400.0

BASELINES = {
    "most frequent": NAMES.index("frequency"),
    "recency": NAMES.index("recency"),
    "Markov(origin)": NAMES.index("origin, ever"),
    "Markov + recency": NAMES.index("origin, a month"),
    "single kernel": SINGLE,
}
"""Each is one of the votes on its own: counts of places, of places by the origin, with or without
age; where the origin is new, Markov's fall back on all visits."""
MIXTURE = "mixture"
BOOSTING = "gradient boosting"


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked before a visit, and where it led."""

    moment: Moment
    place: str
    split: str


@dataclass
class Result:
    """What came of one user's test visits.

    Attributes:
        scores: By contender.
        votes: How often each vote alone named the right place first.
        new: How many test visits led to a place that was not known.
        asked: How many there were.
        hits: Of every visit, also those that are not the test's: when, and if the mixture was
            right.
    """

    scores: dict[str, Score]
    votes: NDArray[np.int64]
    new: int = 0
    asked: int = 0
    hits: list[tuple[float, bool]] = field(default_factory=list)


def questions(visits: Sequence[Visit], known: Known) -> Iterator[Question]:
    """What is asked before each visit.

    Args:
        visits: One user's, in the order of time.
        known: `departure`: asked as the last visit ends; `arrival`: as the next one starts.
    """
    last: Visit | None = None
    before = ""
    for visit in visits:
        if last is None:
            yield Question(Moment(_wall(visit.start_s, visit.start_shift_s)), visit.place,
                           visit.split)  # fmt: skip
        else:
            left_s = min(last.end_s, visit.start_s)
            shift_s = last.end_shift_s
            asked_s = left_s
            if known == "arrival":
                asked_s, shift_s = visit.start_s, visit.start_shift_s
            moment = Moment(
                _wall(asked_s, shift_s),
                last.place,
                before,
                (left_s - last.start_s) / 60.0,
                (asked_s - left_s) / 60.0,
            )
            yield Question(moment, visit.place, visit.split)
            before = last.place
        last = visit


def evaluate(asked: Sequence[Question]) -> Result:
    """Predict each visit, then learn it; what is counted is the test's."""
    result = Result({name: Score() for name in (*BASELINES, MIXTURE)}, np.zeros(len(NAMES), int))
    predictor = Predictor()
    for question in asked:
        forecast = predictor.predict(question.moment)
        rank = forecast.rank(question.place)
        result.hits.append((question.moment.day, rank == 1))
        if question.split == "test":
            result.asked += 1
            result.new += rank is None
            result.scores[MIXTURE].add(rank, forecast.first[1])
            _add_votes(result, predictor, question)
        predictor.learn(question.moment, question.place)
    return result


def _add_votes(result: Result, predictor: Predictor, question: Question) -> None:
    """What each vote alone says; of two places alike the one known longer comes first."""
    if not len(predictor.visits):
        for name in BASELINES:
            result.scores[name].add(None, 0.0)
        return
    shares = predictor.votes(question.moment)
    number = predictor.visits.number(question.place)
    tops = shares.max(axis=1)
    if number == NOWHERE:
        for name, vote in BASELINES.items():
            result.scores[name].add(None, float(tops[vote]))
        return
    own = shares[:, number]
    ranks = 1 + (shares > own[:, None]).sum(axis=1)
    ranks += (shares[:, :number] == own[:, None]).sum(axis=1)
    result.votes += ranks == 1
    for name, vote in BASELINES.items():
        result.scores[name].add(int(ranks[vote]), float(tops[vote]))


def _wall(at_s: float, shift_s: float) -> float:
    return (at_s + shift_s) / _DAY_S
