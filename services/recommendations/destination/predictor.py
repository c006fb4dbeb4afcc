"""Where to: the places of one driver, ranked, with an honest "somewhere new" (pure)."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.recommendations.destination import correction, mixture
from services.recommendations.destination.calibration import Calibration
from services.recommendations.destination.correction import Correction
from services.recommendations.destination.habits import Habits
from services.recommendations.destination.moment import Moment
from services.recommendations.destination.visits import NOWHERE, Mask, Rows, Visits
from services.recommendations.destination.votes import NAMES, Ballot, count

Floats = NDArray[np.float64]

MOST_VISITS = 20_000
"""Of one driver; the older half is forgotten beyond it. 400 days with fifty trips each."""
REPLAYED = 1_000
"""So many of the newest visits teach the weights anew after something is forgotten."""
_PRIOR_NEW, _PRIOR_VISITS = 1.0, 3.0
"""Somewhere new before anything is known: one in three, worth three visits."""
_NEW_HALF_LIFE = 60.0
"""In visits, of how often the driver goes somewhere new at all."""
_NEW_MIXED = 0.05
_LEAST_NEW = 0.002


@dataclass(frozen=True, slots=True)
class Forecast:
    """Where the trip may lead.

    Attributes:
        places: Known places, the most probable first; what is never visited is not among them.
        shares: The probability of each, the same order; with `somewhere_new` they sum to 1.
        somewhere_new: The probability of a place that is not known yet.
    """

    places: tuple[str, ...]
    shares: tuple[float, ...]
    somewhere_new: float

    @property
    def first(self) -> tuple[str, float]:
        """The most probable known place and its probability; empty and 0 where none is known."""
        return (self.places[0], self.shares[0]) if self.places else ("", 0.0)

    def rank(self, place: str) -> int | None:
        """From 1; `None` where the place is not known."""
        return self.places.index(place) + 1 if place in self.places else None


NOTHING = Forecast((), (), 1.0)
Factors = Callable[[tuple[str, ...]], tuple[Floats, float]]
"""How well known places agree with the way so far, and how well a new one; see `way`."""


@dataclass(frozen=True, slots=True)
class _Reckoned:
    """Everything between the votes and the forecast."""

    ballot: Ballot
    features: Floats
    shares: Floats
    new_shares: Floats
    new: float


class Predictor:
    """One driver: every visit is predicted, then learned."""

    def __init__(self) -> None:
        self.visits = Visits()
        self.weights = mixture.equal(len(NAMES))
        """How far each vote is believed about the known places."""
        self.new_weights = mixture.equal(len(NAMES) + 1)
        """And about whether it is a known place; the last is the plain share of new ones."""
        self._correction = Correction()
        self._calibration = Calibration()
        self._habits = Habits()
        self._new_seen = self._seen = 0.0
        self._last: tuple[Moment, int, _Reckoned] | None = None

    def predict(self, moment: Moment, factors: Factors | None = None) -> Forecast:
        """Where this trip may lead.

        Args:
            moment: What is known now.
            factors: How well places agree with the way so far; none at the start of a trip.
        """
        if not len(self.visits):
            return NOTHING
        reckoned = self._reckon(moment)
        shares, new = reckoned.shares * (1.0 - reckoned.new), reckoned.new
        shares, new = _calibrated(shares, new, self._calibration)
        if factors is not None:
            fits, fit_of_new = factors(tuple(self.visits.places))
            shares, new = shares * fits, new * fit_of_new
            total = shares.sum() + new
            shares, new = shares / total, new / total
        order = np.argsort(-shares, kind="stable")
        places = self.visits.places
        return Forecast(
            tuple(places[number] for number in order), tuple(shares[order].tolist()), float(new)
        )

    def believed(self, moment: Moment) -> Floats:
        """(votes,): what one unit of weight in each vote adds to a place's share of the mixture."""
        found: Floats = self.weights / self._reckon(moment).ballot.totals
        return found

    def votes(self, moment: Moment) -> Floats:
        """(votes, places): what each vote alone gives each place; there is one visit at least."""
        return self._reckon(moment).ballot.shares

    def learn(self, moment: Moment, place: str) -> None:
        """The trip that this moment was the question of led to a place."""
        if len(self.visits):
            self._teach(moment, self.visits.number(place))
        is_new = self.visits.number(place) == NOWHERE
        fade = 0.5 ** (1.0 / _NEW_HALF_LIFE)
        self._new_seen = self._new_seen * fade + is_new
        self._seen = self._seen * fade + 1.0
        self.visits.append(moment, place)
        self._habits.add(self.visits.number(place), moment.day)
        self._last = None
        if len(self.visits) > MOST_VISITS:
            middle = float(np.median(self.visits.rows.day))
            self._keep(lambda rows: rows.day > middle)

    def forget(self, place: str) -> int:
        """Remove a place, all visits of it, and what the weights learned from them.

        A trip that only began there keeps its end, and its origin is not known any more.

        Returns:
            How many visits are removed.
        """
        number = self.visits.number(place)
        removed = self._keep(lambda rows: rows.place != number)
        self._relearn()
        return removed

    def forget_before(self, day: float) -> int:
        """Remove all visits before a day, and what the weights learned from them."""
        removed = self._keep(lambda rows: rows.day >= day)
        if removed:
            self._relearn()
        return removed

    def load(self, questions: list[tuple[Moment, str]]) -> None:
        """Take visits from a store, oldest first; the newest teach the weights.

        Args:
            questions: Moments and where they led.
        """
        for moment, place in questions[-MOST_VISITS:]:
            self.visits.append(moment, place)
        self._relearn()

    def learned(self) -> dict[str, list[float]]:
        """What outcomes have taught, as a store keeps it beside the visits."""
        correction, calibration = self._correction, self._calibration
        return {
            "weights": self.weights.tolist(),
            "new_weights": self.new_weights.tolist(),
            "correction": correction.weights.tolist(),
            "squares": correction.squares.tolist(),
            "trust": correction.trust.tolist(),
            "calibration": [calibration.shift, calibration.stretch],
            "calibration_squares": [calibration.shift_squares, calibration.stretch_squares],
            "seen": [self._new_seen, self._seen],
        }

    def restore(
        self, visits: Iterable[tuple[Moment, str]], learned: Mapping[str, Sequence[float]]
    ) -> None:
        """Be as a predictor was that had learned these visits, oldest first, in this order.

        Where what was learned is of other votes or features, the visits teach it anew.
        """
        for moment, place in visits:
            self.visits.append(moment, place)
        own = self.learned()
        kept = {name: np.asarray(learned.get(name, ()), np.float64) for name in own}
        if any(
            len(kept[name]) != len(own[name]) or not np.isfinite(kept[name]).all() for name in own
        ):
            self._relearn()
            return
        self._habits = Habits.of(self.visits.rows)
        self.weights, self.new_weights = kept["weights"], kept["new_weights"]
        self._correction.weights, self._correction.squares = kept["correction"], kept["squares"]
        self._correction.trust = kept["trust"]
        calibration = self._calibration
        calibration.shift, calibration.stretch = kept["calibration"].tolist()
        squares = kept["calibration_squares"].tolist()
        calibration.shift_squares, calibration.stretch_squares = squares
        self._new_seen, self._seen = kept["seen"].tolist()

    def _keep(self, wanted: Callable[[Rows], Mask]) -> int:
        removed = self.visits.keep(wanted)
        self._habits = Habits.of(self.visits.rows)
        self._last = None
        return removed

    def _relearn(self) -> None:
        """Begin with the weights of a stranger and teach them what is left."""
        questions = [self.visits.question(number) for number in range(len(self.visits))]
        fresh = Predictor()
        known = max(0, len(questions) - REPLAYED)
        for moment, place in questions[:known]:
            fresh.visits.append(moment, place)
        fresh._habits = Habits.of(fresh.visits.rows)
        for moment, place in questions[known:]:
            fresh.learn(moment, place)
        self.__dict__.update(fresh.__dict__)

    def _reckon(self, moment: Moment) -> _Reckoned:
        if self._last is not None and self._last[:2] == (moment, len(self.visits)):
            return self._last[2]
        visits = self.visits
        origin, before = visits.number(moment.origin), visits.number(moment.before)
        places = len(visits.places)
        ballot = count(visits.rows, moment, origin, before, places)
        mixed = self.weights @ ballot.shares
        habit = self._habits.features(moment.day, origin, places)
        features = correction.features(mixed, ballot, habit)
        plain = (self._new_seen + _PRIOR_NEW) / (self._seen + _PRIOR_VISITS)
        votes = (1.0 - _NEW_MIXED) * ballot.new + _NEW_MIXED * plain
        news = np.clip(np.append(votes, plain), _LEAST_NEW, 1.0 - _LEAST_NEW)
        reckoned = _Reckoned(
            ballot,
            features,
            self._correction.shares(features),
            news,
            float(self.new_weights @ news),
        )
        self._last = moment, len(visits), reckoned
        return reckoned

    def _teach(self, moment: Moment, number: int) -> None:
        """Move all weights by what came."""
        reckoned = self._reckon(moment)
        first = int(reckoned.shares.argmax())
        share = float(reckoned.shares[first]) * (1.0 - reckoned.new)
        self._calibration.learn(share, first == number)
        is_new = number == NOWHERE
        self.new_weights = mixture.shifted(
            self.new_weights, mixture.new_likelihoods(reckoned.new_shares, is_new)
        )
        if is_new:
            return
        given = reckoned.ballot.shares[:, number]
        likelihoods = mixture.place_likelihoods(given, len(self.visits.places))
        self.weights = mixture.shifted(self.weights, likelihoods)
        self._correction.learn(reckoned.features, number)


def _calibrated(shares: Floats, new: float, calibration: Calibration) -> tuple[Floats, float]:
    """The same ranking, with what is to be said of the first; the others share what is left."""
    first = int(shares.argmax())
    top = float(shares[first])
    rest = 1.0 - top  # at least what somewhere new has
    second = float(np.partition(shares, -2)[-2]) if len(shares) > 1 else 0.0
    said = max(calibration.said(top), second / (rest + second))
    scale = (1.0 - said) / rest
    scaled = shares * scale
    scaled[first] = said
    return scaled, new * scale
