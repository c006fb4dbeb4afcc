"""scikit-learn's gradient boosting as a ranker: a yardstick, only for benchmarks.

It sees of each candidate what every vote gives it, and its habits, and learns from a driver's
visits before the first of the test which candidate it was. The votes go on learning, it does not.
"""

import importlib.util
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.recommendations.destination.habits import Habits
from services.recommendations.destination.visits import NOWHERE, Visits
from services.recommendations.destination.votes import count
from services.recommendations.evaluation.online import Question
from services.recommendations.evaluation.scores import Score

_CANDIDATES = 20
_FIRST = 20
"""Before so many visits there is nothing to learn from."""
_MOST_TAUGHT = 3_000
_ROUNDS = 80

Features = NDArray[np.floating[Any]]


def is_installed() -> bool:
    """Whether scikit-learn is there (the extra `bench`)."""
    return importlib.util.find_spec("sklearn") is not None


def evaluate(asked: Sequence[Question]) -> Score:
    """What it says of the test's visits; nothing is right where there is too little to learn."""
    first = next((row for row, one in enumerate(asked) if one.split == "test"), len(asked))
    taught: list[tuple[Features, NDArray[np.bool_]]] = []
    tests: list[tuple[Features, NDArray[np.bool_]]] = []
    for row, (question, features, numbers, right) in enumerate(_candidates(asked)):
        known = features.astype(np.float32), numbers == right
        if question.split == "test":
            tests.append(known)
        elif max(_FIRST, first - _MOST_TAUGHT) <= row < first and right in numbers:
            taught.append(known)
    score = Score()
    said = _said(taught, tests)
    for (_, is_right), shares in zip(tests, said, strict=True):
        ranks = np.flatnonzero(is_right[np.argsort(-shares, kind="stable")])
        score.add(int(ranks[0]) + 1 if len(ranks) else None, float(shares.max(initial=0.0)))
    return score


def _said(
    taught: Sequence[tuple[Features, NDArray[np.bool_]]],
    tests: Sequence[tuple[Features, NDArray[np.bool_]]],
) -> list[Features]:
    """The probability of each candidate of each test; 0 where nothing could be learned."""
    sizes = [len(features) for features, _ in tests]
    if not taught or not sum(sizes):
        return [np.zeros(size, np.float32) for size in sizes]
    model = _fitted(taught)
    shares = model.predict_proba(np.vstack([one for one, _ in tests if len(one)]))[:, 1]
    return np.split(shares, np.cumsum(sizes)[:-1])


def _candidates(
    asked: Sequence[Question],
) -> Iterator[tuple[Question, Features, NDArray[np.intp], int]]:
    """Of each question the likeliest places, their features, and the number of the right one."""
    visits, habits = Visits(), Habits()
    for question in asked:
        moment = question.moment
        right = visits.number(question.place)
        places = len(visits.places)
        features, numbers = np.zeros((0, 0)), np.zeros(0, np.intp)
        if places:
            origin, before = visits.number(moment.origin), visits.number(moment.before)
            shares = count(visits.rows, moment, origin, before, places).shares
            numbers = np.argsort(-shares.mean(axis=0), kind="stable")[:_CANDIDATES]
            habit = habits.features(moment.day, origin, places)
            features = np.vstack([shares, habit])[:, numbers].T
        yield question, features, numbers, right if right != NOWHERE else places
        visits.append(moment, question.place)
        habits.add(visits.number(question.place), moment.day)


def _fitted(taught: Sequence[tuple[Features, NDArray[np.bool_]]]) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier

    model = HistGradientBoostingClassifier(
        max_iter=_ROUNDS,
        learning_rate=0.08,
        max_leaf_nodes=12,
        min_samples_leaf=20,
        l2_regularization=1.0,
        early_stopping=False,
        random_state=0,
    )
    features = np.vstack([features for features, _ in taught])
    return model.fit(features, np.concatenate([is_right for _, is_right in taught]))
