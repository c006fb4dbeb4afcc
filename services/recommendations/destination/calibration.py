"""Is the first place as probable as is said? Learned from hits and misses (pure).

Platt 1999, on line: the log-odds that are said are shifted and stretched by what came of them.
"""

import math

_RATE = 0.1
_LEAST = 1e-4
_STRETCH = (0.5, 2.0)
_MOST_SHIFT = 2.0


class Calibration:
    """One driver's shift and stretch of the log-odds of the first place."""

    def __init__(self) -> None:
        self.shift = 0.0
        self.stretch = 1.0
        self.shift_squares = 1.0
        self.stretch_squares = 4.0
        """What AdaGrad remembers of the gradients; as if some had been already."""

    def said(self, share: float) -> float:
        """What to say of a first place that is reckoned to have this probability."""
        odds = self.shift + self.stretch * _log_odds(share)
        return 1.0 / (1.0 + math.exp(-odds))

    def learn(self, share: float, was_right: bool) -> None:
        """What came of a first place that was reckoned to have this probability."""
        error = float(was_right) - self.said(share)
        slope = error * _log_odds(share)
        self.shift_squares += error * error
        self.stretch_squares += slope * slope
        shift = self.shift + _RATE * error / math.sqrt(self.shift_squares)
        stretch = self.stretch + _RATE * slope / math.sqrt(self.stretch_squares)
        self.shift = min(max(shift, -_MOST_SHIFT), _MOST_SHIFT)
        self.stretch = min(max(stretch, _STRETCH[0]), _STRETCH[1])


def _log_odds(share: float) -> float:
    kept = min(max(share, _LEAST), 1.0 - _LEAST)
    return math.log(kept / (1.0 - kept))
