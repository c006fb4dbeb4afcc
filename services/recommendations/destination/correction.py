"""What the mixture leaves out is learned on line: a conditional logit over the places (pure).

The score of a place is a weighted sum of features: the logarithm of what the mixture gives it, how
much more some votes give it than the mixture, and habits. It starts as the mixture made a little
sharper, and each outcome moves the weights by AdaGrad (Duchi et al. 2011).
"""

import numpy as np
from numpy.typing import NDArray

from services.recommendations.destination import habits
from services.recommendations.destination.votes import NAMES, Ballot

Floats = NDArray[np.float64]

_LOOKED_AT = np.array(
    [
        NAMES.index(name)
        for name in (
            "two places before", "time", "origin, ever", "frequency", "stay", "exact time", "way",
        )
    ]
)  # fmt: skip
FEATURES = 1 + len(_LOOKED_AT) + habits.FEATURES
_SHARPENED = 1.2
"""The first weight of the mixture: a vote is flatter than what people do."""
_RATE = 0.1
_FLOOR = 0.02
"""Spread over all places in the mixture before its logarithm is taken, so that it is finite."""
_VOTE_FLOOR = 0.05


class Correction:
    """One driver's weights of the features."""

    def __init__(self) -> None:
        self.weights: Floats = np.zeros(FEATURES)
        self.weights[0] = _SHARPENED
        self.squares: Floats = np.ones(FEATURES)
        """What AdaGrad remembers of the gradients."""

    def shares(self, features: Floats) -> Floats:
        """The probability of each place; sums to 1."""
        score = self.weights @ features
        found: Floats = np.exp(score - score.max())
        found /= found.sum()
        return found

    def learn(self, features: Floats, shares: Floats, number: int) -> None:
        """The place of a number came."""
        slope = features[:, number] - features @ shares
        self.squares += slope * slope
        self.weights += _RATE * slope / np.sqrt(self.squares)


def features(mixed: Floats, ballot: Ballot, habit: Floats) -> Floats:
    """(features, places) of a question.

    Args:
        mixed: (places,), what the mixture gives each.
        ballot: What the votes say.
        habit: (4, places), as `Habits.features` has it.
    """
    places = len(mixed)
    whole = np.log((1.0 - _FLOOR) * mixed + _FLOOR / places)
    votes = (1.0 - _VOTE_FLOOR) * ballot.shares[_LOOKED_AT] + _VOTE_FLOOR / places
    return np.vstack([whole, np.log(votes) - whole, habit])
