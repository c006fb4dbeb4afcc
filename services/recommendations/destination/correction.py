"""What the mixture leaves out is learned on line: a conditional logit over the places (pure).

The score of a place is a weighted sum of features: the logarithm of what the mixture gives it, how
much more some votes give it than the mixture, and habits. It starts as the mixture made a little
sharper, and each outcome moves the weights by AdaGrad (Duchi et al. 2011).
"""

import numpy as np
from numpy.typing import NDArray

from services.recommendations.destination import habits, mixture
from services.recommendations.destination.votes import NAMES, Ballot

Floats = NDArray[np.float64]

FEATURES = 1 + len(NAMES) + habits.FEATURES
_SHARPENED = 1.2
"""The first weight of the mixture: a vote is flatter than what people do."""
_RATE = 0.25
_OPINIONS = tuple(NAMES.index(name) for name in ("everything", "exact time"))
"""Votes that are believed beside both: after a house move each may be ahead of them for months."""
_HIT = 1.0
"""How much a hit moves the trust."""
_HIT_SHARE = 0.002
_DECIDED = 2
"""The power of the trust that is used: half-trusted opinions blur what the best one says."""
_FLOOR = 0.02
"""Spread over all places in the mixture before its logarithm is taken, so that it is finite."""
_VOTE_FLOOR = 0.05


class Correction:
    """One driver's weights of the features, and how far they are believed.

    What is said is between the mixture, its correction and two votes: nearest to the one that was
    right first more often of late.
    """

    def __init__(self) -> None:
        self.weights: Floats = np.zeros(FEATURES)
        self.weights[0] = _SHARPENED
        self.squares: Floats = np.ones(FEATURES)
        """What AdaGrad remembers of the gradients."""
        self.trust: Floats = mixture.equal(2 + len(_OPINIONS))
        """Of the correction, of the mixture and of the votes."""

    def shares(self, features: Floats) -> Floats:
        """The probability of each place; sums to 1."""
        believed = self.trust**_DECIDED
        found: Floats = believed / believed.sum() @ self._opinions(features)
        return found

    def learn(self, features: Floats, number: int) -> None:
        """The place of a number came."""
        opinions = self._opinions(features)
        slope = features[:, number] - features @ opinions[0]
        self.squares += slope * slope
        self.weights += _RATE * slope / np.sqrt(self.squares)
        hits = (opinions.argmax(axis=1) == number).astype(np.float64)
        self.trust = mixture.shifted(self.trust, np.exp(_HIT * hits), _HIT_SHARE)

    def _opinions(self, features: Floats) -> Floats:
        """(opinions, places): what each gives each place."""
        mixed = features[0]
        votes = [np.exp(mixed + features[1 + vote]) for vote in _OPINIONS]
        corrected = _normed(self.weights @ features)
        return np.vstack([corrected, _normed(_SHARPENED * mixed), *votes])


def _normed(score: Floats) -> Floats:
    found: Floats = np.exp(score - score.max())
    found /= found.sum()
    return found


def features(mixed: Floats, ballot: Ballot, habit: Floats) -> Floats:
    """(features, places) of a question.

    Args:
        mixed: (places,), what the mixture gives each.
        ballot: What the votes say.
        habit: (4, places), as `Habits.features` has it.
    """
    places = len(mixed)
    whole = np.log((1.0 - _FLOOR) * mixed + _FLOOR / places)
    votes = (1.0 - _VOTE_FLOOR) * ballot.shares + _VOTE_FLOOR / places
    return np.vstack([whole, np.log(votes) - whole, habit])
