"""What the driver has answered to an offer, and what follows from it (pure)."""

from collections.abc import Sequence

import numpy as np

from services.recommendations.advising import Answered
from services.recommendations.stops.past import Floats

DAY_MS = 86_400_000
_TWICE = 2
_BY_HABIT = 3
"""So many trips on which the driver does it by own habit bring back what was withdrawn."""


def is_silent(answered: Sequence[Answered], key: str, at_ms: int) -> bool:
    """Whether it was rejected within the day before (or after, if a clock was set back)."""
    return any(
        each.key == key and not each.is_accepted and abs(at_ms - each.at_ms) < DAY_MS
        for each in answered
    )


def is_withdrawn(answered: Sequence[Answered], key: str, done_ms: Floats) -> bool:
    """Whether it was rejected twice in a row, and not done by own habit three times since.

    Args:
        answered: Offers that were answered, the oldest first.
        key: What would be offered.
        done_ms: When the driver did it, UTC ms.
    """
    ours = [each for each in answered if each.key == key][-_TWICE:]
    if len(ours) < _TWICE or any(each.is_accepted for each in ours):
        return False
    return int((done_ms > ours[-1].at_ms).sum()) < _BY_HABIT


def rejected_days(answered: Sequence[Answered], key: str, day: float, at_ms: int) -> Floats:
    """When it was rejected, in days as of `Moment`.

    Args:
        answered: Offers that were answered.
        key: What would be offered.
        day: Of the question.
        at_ms: The same instant, UTC ms.
    """
    ours = [each.at_ms for each in answered if each.key == key and not each.is_accepted]
    return day + (np.array(ours, float) - at_ms) / DAY_MS
