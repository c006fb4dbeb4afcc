"""Lives of drivers who do not exist, evaluated on as many processes as there are cores."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from services.recommendations.destination.moment import day_of
from services.recommendations.evaluation import boosting
from services.recommendations.evaluation.online import (
    BASELINES,
    BOOSTING,
    MIXTURE,
    Known,
    Result,
    evaluate,
    questions,
)
from services.recommendations.evaluation.scores import Score
from services.recommendations.evaluation.visits_csv import Visit
from tests.bench.report import progress
from tests.drivers.generate import Row, rows
from tests.drivers.life import FIRST_DAY
from tests.drivers.more_personas import PERSONAS
from tests.drivers.personas import MOVE_DAY

_BEFORE_D = 28
_WINDOW_D = 7


@dataclass(frozen=True)
class Lived:
    """What came of one life."""

    persona: str
    result: Result


def visits_of(lived: Iterable[Row]) -> list[Visit]:
    return [
        Visit(row.place, _seconds(row.start), _seconds(row.end), 0.0, 0.0, row.split)
        for row in lived
    ]


def _seconds(wall_clock: datetime) -> float:
    return wall_clock.replace(tzinfo=UTC).timestamp()


def _evaluated(case: tuple[str, int, Known, bool]) -> Lived:
    persona, seed, known, with_trees = case
    asked = list(questions(visits_of(rows(persona, seed)), known))
    result = evaluate(asked)
    if with_trees:
        result.scores[BOOSTING] = boosting.evaluate(asked)
    return Lived(persona, result)


def evaluated(seeds: Iterable[int], known: Known, workers: int, trees: bool) -> Iterator[Lived]:
    """Every persona with each seed, and some more house moves, for they are few."""
    seeds = list(seeds)
    cases = [(persona, seed, known, trees) for persona in PERSONAS for seed in seeds]
    with ProcessPoolExecutor(workers) as pool:
        for done, lived in enumerate(pool.map(_evaluated, cases), start=1):
            progress(f"{done} of {len(cases)} lives …")
            yield lived


def pooled(lives: Iterable[Lived]) -> dict[str, Score]:
    found = {name: Score() for name in (*BASELINES, MIXTURE)}
    for lived in lives:
        for name, score in lived.result.scores.items():
            found.setdefault(name, Score()).include(score)
    return found


def behind_best_vote(lives: Iterable[Lived]) -> float:
    """How many points of Acc@1 the best vote alone is before the mixture; below 0: behind it."""
    lives = list(lives)
    best = int(np.sum([lived.result.votes for lived in lives], axis=0).max())
    mixture = pooled(lives)[MIXTURE]
    return 100.0 * (best - mixture.first) / mixture.asked


def recovery_days(lives: Iterable[Lived]) -> float:
    """After the house move, the end of the first week that is as good as 90 % of the month before.

    The weeks of all movers are counted together.
    """
    hits = [hit for lived in lives for hit in lived.result.hits]
    day = np.array([at for at, _ in hits]) - (day_of(FIRST_DAY) + MOVE_DAY)
    right = np.array([is_right for _, is_right in hits], float)
    former = right[(day >= -_BEFORE_D) & (day < 0)].mean()
    for end in range(_WINDOW_D, 120):
        if right[(day >= end - _WINDOW_D) & (day < end)].mean() >= 0.9 * former:
            return float(end)
    return 120.0
