"""What came of predictions, counted (pure)."""

from dataclasses import dataclass

SURE = 0.7
"""From this probability on something is offered."""


@dataclass
class Score:
    """Counts of one contender; they may be added up over users."""

    asked: int = 0
    first: int = 0
    first_three: int = 0
    reciprocal: float = 0.0
    said: float = 0.0
    sure: int = 0
    sure_right: int = 0

    def add(self, rank: int | None, share: float) -> None:
        """One prediction: the rank of what came, from 1, and what was said of the first place."""
        self.asked += 1
        self.said += share
        self.first += rank == 1
        self.first_three += rank is not None and rank <= 3
        self.reciprocal += 1.0 / rank if rank else 0.0
        self.sure += share >= SURE
        self.sure_right += share >= SURE and rank == 1

    def include(self, other: "Score") -> None:
        """Count what another counted as well."""
        for name in self.__dataclass_fields__:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def figures(self) -> dict[str, float | None]:
        """Shares of what was asked; `None` where nothing was."""
        asked, sure = self.asked, self.sure
        return {
            "acc_1": self.first / asked if asked else None,
            "acc_3": self.first_three / asked if asked else None,
            "mrr": self.reciprocal / asked if asked else None,
            "calibration": (self.said - self.first) / asked if asked else None,
            "coverage_07": sure / asked if asked else None,
            "precision_07": self.sure_right / sure if sure else None,
        }
