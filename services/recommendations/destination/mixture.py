"""How far each vote is believed: the fixed-share mixture, re-weighted by outcomes (pure).

Herbster and Warmuth 1998: after each outcome an expert's weight is multiplied by what it gave it,
and a fixed share of all weight is dealt out anew, so that none is ever lost for good.
"""

import numpy as np
from numpy.typing import NDArray

Weights = NDArray[np.float64]

SHARE = 0.02
TRUST = 0.9
"""How much of an expert's probability counts; the rest is spread over all places."""


def equal(experts: int) -> Weights:
    """Every expert believed alike."""
    return np.full(experts, 1.0 / experts)


def shifted(weights: Weights, likelihoods: Weights, share: float = SHARE) -> Weights:
    """The weights after an outcome.

    Args:
        weights: Before; they sum to 1.
        likelihoods: What each expert had given to what came; one at least is above 0.
        share: Of all weight, what is dealt out anew.
    """
    moved = weights * likelihoods
    moved /= moved.sum()
    found: Weights = (1.0 - share) * moved + share / len(moved)
    return found


def place_likelihoods(given: Weights, places: int) -> Weights:
    """Likelihoods of a known place that came, from its shares in the votes."""
    found: Weights = TRUST * given + (1.0 - TRUST) / places
    return found


def new_likelihoods(new: Weights, was_new: bool) -> Weights:
    """Likelihoods of having gone somewhere new, or not."""
    return new if was_new else 1.0 - new
