"""Recommendations: where drivers who do not exist go next, against simpler ways to predict.

Run `python -m tests.bench.recommendations`; the same seeds are the same drivers in every run, and
none of them is one that anything was tuned on. `--json` prints one flat object, `--json FILE`
writes it there and prints the table.
"""

import argparse
import json
import os
import statistics
import sys
import time
from pathlib import Path

from services.recommendations.destination.moment import Moment
from services.recommendations.destination.predictor import Predictor
from services.recommendations.evaluation import boosting
from services.recommendations.evaluation.online import BOOSTING, MIXTURE
from services.recommendations.evaluation.scores import Score
from tests.bench import recommendation_climate
from tests.bench.recommendation_eco import figures as eco_figures
from tests.bench.recommendation_eco import invented
from tests.bench.recommendation_forgetting import left_over
from tests.bench.recommendation_lives import (
    Lived,
    behind_best_vote,
    evaluated,
    pooled,
    recovery_days,
)
from tests.bench.report import Figure, progress
from tests.drivers.dice import Dice
from tests.drivers.more_personas import PERSONAS

TITLE = "Recommendations: where drivers who do not exist go next"
FIRST_SEED = 101
"""Nothing was tuned on the drivers from here on."""
STORED_TRIPS = 15_000
_COLUMNS = ("Acc@1", "Acc@3", "MRR", "mean(p)-acc", "p≥0.7", "right")


def main() -> None:
    _keep_to_one_core()
    parser = argparse.ArgumentParser(description=TITLE)
    parser.add_argument("--json", nargs="?", const="-", metavar="FILE", help="one flat object")
    parser.add_argument("--seeds", type=int, default=3, help="so many drivers of each persona")
    parser.add_argument("--known", choices=("departure", "arrival"), default="departure")
    parser.add_argument("--no-trees", action="store_true", help="without scikit-learn")
    parser.add_argument("--workers", type=int, default=min(2, os.cpu_count() or 1))
    arguments = parser.parse_args()
    trees = boosting.is_installed() and not arguments.no_trees
    seeds = range(FIRST_SEED, FIRST_SEED + arguments.seeds)
    lives = list(evaluated(seeds, arguments.known, arguments.workers, trees))
    climate = recommendation_climate.all_measured(seeds, arguments.workers)
    found = [*figures(lives), *recommendation_climate.figures(climate)]
    flat = json.dumps({figure.name: figure.value for figure in found})
    if arguments.json == "-":
        print(flat)
        return
    if arguments.json:
        Path(arguments.json).write_text(flat + "\n", encoding="utf-8")
    print(TITLE)
    _print_tables(lives)
    recommendation_climate.print_table(climate)
    if not trees:
        print(f"  {BOOSTING}: not measured; scikit-learn is the extra `bench`")
    width = max(len(figure.name) for figure in found)
    for figure in found:
        verdict = {True: "holds", False: "MISSED", None: ""}[figure.holds]
        bar = f"bar {figure.bar}: {verdict}" if figure.bar else ""
        print(f"  {figure.name:<{width}}  {figure.value:>9.4g}  {figure.meaning}  {bar}".rstrip())


def _keep_to_one_core() -> None:
    """Begin anew without threads of numpy and scikit-learn, which wait for each other."""
    if "OMP_NUM_THREADS" not in os.environ:
        os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"
        os.execv(sys.executable, [sys.executable, "-m", "tests.bench.recommendations",
                                  *sys.argv[1:]])  # fmt: skip


def figures(lives: list[Lived]) -> list[Figure]:
    """What the issue asks for, pooled over all drivers."""
    whole = pooled(lives)
    mixture = whole[MIXTURE].figures()
    accuracy = _accuracy(whole[MIXTURE])
    gain = 100 * (accuracy - _accuracy(whole["Markov + recency"]))
    calibration = abs(mixture["calibration"] or 0.0)
    precision = mixture["precision_07"] or 0.0
    behind = max(behind_best_vote(_of(lives, persona)) for persona in PERSONAS)
    days = recovery_days(_of(lives, "house move"))
    progress("how fast …")
    milliseconds, megabytes = _speed()
    kept, left = left_over()
    return [
        Figure("acc_1", 100 * accuracy, "of the mixture, in percent"),
        Figure("gain_over_markov_recency", gain, "points of Acc@1", "≥ 3", gain >= 3),
        Figure("behind_best_vote", behind, "points, the worst persona", "≤ 1", behind <= 1),
        Figure("calibration_abs", calibration, "|mean(p) - Acc@1|", "≤ 0.06", calibration <= 0.06),
        Figure("precision_at_07", precision, "right at p ≥ 0.7", "≥ 0.75", precision >= 0.75),
        Figure("coverage_at_07", mixture["coverage_07"] or 0.0, "asked with p ≥ 0.7"),
        Figure("recovery_days", days, "to 90 % of before the house move", "≤ 21", days <= 21),
        Figure("predict_ms", milliseconds, f"{STORED_TRIPS} trips in the store", "< 10",
               milliseconds < 10),
        Figure("visits_mb", megabytes, f"columns of {STORED_TRIPS} trips", "≤ 20", megabytes <= 20),
        Figure("forgotten_bytes", left, f"of {kept:.0f} traces in the store, after forgetting",
               "0", left == 0),
        *eco_figures(invented()),
    ]  # fmt: skip


def _speed() -> tuple[float, float]:
    """Median milliseconds of CPU of one prediction, and megabytes of the columns."""
    dice, predictor = Dice("speed"), Predictor()
    names = [f"place {number}" for number in range(300)]
    sizes = [1.0 / (2 + number) for number in range(300)]
    before = here = names[0]
    asked: list[tuple[Moment, str]] = []
    for trip in range(STORED_TRIPS):
        to = dice.weighted(names, sizes)
        asked.append((Moment(19_000 + trip / 40, here, before, 30.0), to))
        before, here = here, to
    predictor.load(asked)
    taken = []
    for trip in range(100):
        moment = Moment(19_375 + trip / 40, here, before, 20.0)
        start = time.process_time()
        predictor.predict(moment)
        taken.append(time.process_time() - start)
    return 1000 * statistics.median(taken), predictor.visits.stored_bytes / 1e6


def _of(lives: list[Lived], persona: str) -> list[Lived]:
    return [lived for lived in lives if lived.persona == persona]


def _accuracy(score: Score) -> float:
    return score.figures()["acc_1"] or 0.0


def _print_tables(lives: list[Lived]) -> None:
    for title in (*PERSONAS, "pooled"):
        chosen = lives if title == "pooled" else _of(lives, title)
        scores = pooled(chosen)
        asked = scores[MIXTURE].asked
        print(f"  {title} ({asked} asked)".ljust(34) + "".join(f"{name:>13}" for name in _COLUMNS))
        for name, score in scores.items():
            cells = (_cell(value) for value in score.figures().values())
            print(f"    {name:<30}" + "".join(f"{cell:>13}" for cell in cells))


def _cell(value: float | None) -> str:
    return "—" if value is None else f"{value:.3f}"


if __name__ == "__main__":
    main()
