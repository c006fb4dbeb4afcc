"""The adviser of stops: to charge or fuel in time, and where the driver mostly stops (pure)."""

from collections.abc import Sequence
from dataclasses import dataclass

from internetcar.contract.advice import MOST_SUGGESTED_STOPS, StopRecommendation, SuggestedStop
from internetcar.contract.message import instant
from internetcar.contract.presence import Origin
from internetcar.contract.recommendations import OfferKind
from internetcar.contract.trips import TripEnded
from services.recommendations.advising import Advice, Asked, Body, Evidence, Kind, Offer
from services.recommendations.answers import is_silent, is_withdrawn
from services.recommendations.speaking import OFFERED_AT
from services.recommendations.stops import words
from services.recommendations.stops.alike import against
from services.recommendations.stops.energy import Short, rises, short
from services.recommendations.stops.habit import Habit, done_ms, habits, key_of, passes
from services.recommendations.stops.past import Past, body_of, past_of

_HABIT_SAID_AT = 0.5
_WILLING = 5.0
"""Pseudo-trips on which the driver followed such advice; each rejection is one against."""
_DIGITS = 4


@dataclass(frozen=True, slots=True)
class _Found:
    """What is advised: an offer with its exact probability, and how it stands in the state.

    Attributes:
        offer: What would be offered.
        stops: What is said.
    """

    offer: Offer
    stops: tuple[SuggestedStop, ...]


class StopAdviser:
    """Stops on the way, by the driver's own trips."""

    kind: Kind = "stop"
    offers: OfferKind | None = "stop"
    of_car = False
    speaks_after = False

    def kept(self, trip: TripEnded, day: float, place_id: str) -> Body | None:
        """Levels, distances and how long it took."""
        return None if trip.is_dropped else body_of(trip)

    def learn(self, evidence: Sequence[Evidence]) -> Past:
        """The driver's trips as columns."""
        return past_of(evidence)

    def advise(self, asked: Asked, learned: Past) -> Advice:
        """Where to stop on this trip."""
        follows = learned.follows(asked.places)
        risen, passing = rises(learned, follows), passes(learned, follows)
        shortage = short(asked, learned, risen)
        found: list[_Found] = []
        if shortage is not None and not is_withdrawn(
            asked.answered, shortage.kind, learned.started_ms[risen].tolist()
        ):
            found += _of_short(asked, shortage)
        for habit in habits(asked, learned, follows, passing):
            done = done_ms(learned, passing, habit.place_id)
            is_said = habit.probability >= _HABIT_SAID_AT
            if is_said and not is_withdrawn(asked.answered, key_of(habit.place_id), done.tolist()):
                found.append(_of_habit(asked, habit))
        return Advice(_state(asked, found, shortage), _offer(asked, found))

    def after(self, trip: TripEnded, learned: Past, trips: int, day: float, origin: Origin) -> None:
        """Nothing is said of stops once a trip has ended."""


def _of_short(asked: Asked, shortage: Short) -> list[_Found]:
    """What is said of a trip that may run short; nothing where that is not likely enough."""
    unwilling = against(asked.answered, shortage.kind, asked.journey)
    probability = shortage.probability * _WILLING / (_WILLING + unwilling)
    said = words.at_least(probability)
    if not said:
        return []
    because = words.of_short(shortage, _namer(asked))
    stops = tuple(
        _stop(asked, shortage.kind, said, words.of_filling(each, shortage, _namer(asked)),
              each.place_id)
        for each in shortage.stops
    ) or (_stop(asked, shortage.kind, said, because),)  # fmt: skip
    first = stops[0].model_copy(update={"probability": round(probability, _DIGITS)})
    offer = Offer(shortage.kind, first.probability, first.because, stop=first)
    return [_Found(offer, stops)]


def _of_habit(asked: Asked, habit: Habit) -> _Found:
    because = words.of_habit(habit, _namer(asked))
    said = _stop(asked, "habit", words.at_least(habit.probability), because, habit.place_id)
    exact = said.model_copy(update={"probability": round(habit.probability, _DIGITS)})
    offer = Offer(key_of(habit.place_id), exact.probability, because, stop=exact)
    return _Found(offer, (said,))


def _stop(
    asked: Asked, kind: str, probability: float, because: str, place_id: str | None = None
) -> SuggestedStop:
    lat = lon = None
    if place_id is not None:
        lat, lon = asked.places.centres([place_id])[:, 0].round(6).tolist()
    return SuggestedStop.model_validate({
        "kind": kind, "place_id": place_id, "label": asked.labels.get(place_id or ""),
        "latitude": lat, "longitude": lon, "probability": probability, "because": because,
    })  # fmt: skip


def _state(
    asked: Asked, found: Sequence[_Found], shortage: Short | None
) -> StopRecommendation | None:
    """What is retained: numbers in steps, so that it changes where that is worth saying."""
    stops = [stop for each in found for stop in each.stops][:MOST_SUGGESTED_STOPS]
    if not stops:
        return None
    is_short = shortage is not None and stops[0].kind != "habit"
    told_m = needed_m = None
    because = stops[0].because
    if shortage is not None and is_short:
        because = words.of_short(shortage, _namer(asked))
        needed_m = words.at_least_m(shortage.needed_m)
        told_m = words.at_most_m(shortage.range_m) if shortage.is_told else None
    return StopRecommendation(
        vehicle_id=asked.vehicle_id, trip_id=asked.journey.trip_id, driver=asked.journey.driver,
        origin=asked.origin, at=instant(asked.journey.at_ms), stops=stops, range_m=told_m,
        needed_m=needed_m, because=because,
    )  # fmt: skip


def _offer(asked: Asked, found: Sequence[_Found]) -> Offer | None:
    """The first that is likely enough and was not rejected today."""
    for each in found:
        is_likely = each.offer.probability >= OFFERED_AT
        if is_likely and not is_silent(asked.answered, each.offer.key, asked.journey.at_ms):
            return each.offer
    return None


def _namer(asked: Asked) -> words.Name:
    return lambda place_id: asked.labels.get(place_id, place_id)
