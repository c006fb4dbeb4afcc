"""The whole table: every user of a file, and all of them pooled."""

from collections.abc import Callable
from dataclasses import dataclass, field

from services.recommendations.evaluation import boosting, online
from services.recommendations.evaluation.online import BASELINES, BOOSTING, MIXTURE, Known, Result
from services.recommendations.evaluation.scores import Score
from services.recommendations.evaluation.visits_csv import VisitsFile


@dataclass
class Report:
    """What came of all users' test visits."""

    pooled: dict[str, Score]
    users: dict[str, Result] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def asked(self) -> int:
        """How many test visits there are."""
        return sum(result.asked for result in self.users.values())

    @property
    def new(self) -> int:
        """How many of them led to a place that was not known."""
        return sum(result.new for result in self.users.values())

    def include(self, user: str, result: Result) -> None:
        """One more user."""
        self.users[user] = result
        for name, score in result.scores.items():
            self.pooled.setdefault(name, Score()).include(score)

    def as_json(self) -> dict[str, object]:
        """Everything, by contender and by user."""
        return {
            "asked": self.asked,
            "new": self.new,
            "pooled": {name: score.figures() for name, score in self.pooled.items()},
            "users": {
                user: {
                    "asked": result.asked,
                    "new": result.new,
                    **{name: score.figures() for name, score in result.scores.items()},
                }
                for user, result in self.users.items()
            },
            "notes": self.notes,
        }


def report(
    file: VisitsFile,
    known: Known,
    *,
    with_trees: bool = False,
    done: Callable[[str], None] | None = None,
) -> Report:
    """Evaluate every user that has a test visit.

    Args:
        file: The visits.
        known: What is known when a visit is asked for.
        with_trees: Whether scikit-learn's gradient boosting is evaluated too.
        done: Is told each user that is done.
    """
    found = Report({name: Score() for name in (*BASELINES, MIXTURE)})
    for user in file.users:
        visits = file.visits(user)
        if all(visit.split != "test" for visit in visits):
            continue
        asked = list(online.questions(visits, known))
        result = online.evaluate(asked)
        if with_trees:
            result.scores[BOOSTING] = boosting.evaluate(asked)
        found.include(user, result)
        if done is not None:
            done(user)
    found.notes = list(file.notes)
    return found
