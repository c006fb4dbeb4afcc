"""What is kept, learned and said of what a driver hears (pure)."""

from collections.abc import Mapping, Sequence

from internetcar.contract.advice import MOST_SUGGESTED_ITEMS, MediaRecommendation, SuggestedItem
from internetcar.contract.message import Message, instant
from internetcar.contract.presence import Origin
from internetcar.contract.recommendations import OfferKind
from internetcar.contract.trips import TripEnded
from services.recommendations.advising import Advice, Answered, Asked, Body, Evidence, Kind, Offer
from services.recommendations.answers import by_hand_ms, is_silent, is_withdrawn, rejected_ms
from services.recommendations.destination.predictor import Forecast
from services.recommendations.media import items, kept
from services.recommendations.media.choosing import Choice, Situation, first, following
from services.recommendations.media.library import Library
from services.recommendations.media.reasons import why_first, why_next
from services.recommendations.speaking import LEAST_TRIPS, OFFERED_AT

_PLACE_STEPS = 4
"""How likely a place is counts in quarters: what is said changes no more often than that."""
_DIGITS = 2


class MediaAdviser:
    """What to hear first, and next."""

    kind: Kind = "media"
    offers: OfferKind | None = "media"
    of_car: bool = False
    speaks_after: bool = False

    def kept(self, trip: TripEnded, day: float, place_id: str) -> Body | None:
        """What was heard on a trip, and how many rode along."""
        return kept.written(items.heard_on(trip), items.passengers_on(trip))

    def learn(self, evidence: Sequence[Evidence]) -> Library:
        """All that the driver heard."""
        return Library(evidence)

    def advise(self, asked: Asked, learned: Library) -> Advice:
        """The three likeliest, after what is on; the first of a trip is offered at 0.7."""
        if asked.trips < LEAST_TRIPS or not learned.trips:
            return Advice()
        standing = {path: each.value for path, each in asked.settings.items()}
        on = items.name_of(standing)
        situation = Situation(
            asked.journey.day, asked.journey.at_ms, quarters(asked.forecast),
            items.passengers(standing),
        )  # fmt: skip
        rejected = _rejected(learned, asked.answered)
        choices = first(learned, situation, rejected)
        if on and not _is_left_over(asked):
            after = following(learned, situation, on)
            return Advice(_state(asked, learned, situation, on, after)) if after else Advice()
        if not choices:
            return Advice()
        state = _state(asked, learned, situation, None, choices)
        chosen = choices[0]
        may_offer = (
            chosen.probability >= OFFERED_AT
            and chosen.item != on
            and is_offered(learned, asked.answered, chosen.item, asked.journey.at_ms)
        )
        if not may_offer:
            return Advice(state)
        key, likeliest = items.key_of(chosen.item), state.items[0]
        return Advice(state, Offer(key, chosen.probability, likeliest.because, item=likeliest))

    def after(
        self, trip: TripEnded, learned: Library, trips: int, day: float, origin: Origin
    ) -> Message | None:
        """Nothing is said of a trip that has ended."""
        return None


def is_offered(library: Library, answered: Sequence[Answered], item: str, at_ms: int) -> bool:
    """Whether answers let an item be offered."""
    key = items.key_of(item)
    hands_ms = by_hand_ms(answered, key, library.heard_ms(item))
    return not is_silent(answered, key, at_ms) and not is_withdrawn(answered, key, hands_ms)


def quarters(forecast: Forecast | None) -> Mapping[str, float]:
    """How likely each place is the end of the trip, so coarsely that it seldom changes."""
    if forecast is None:
        return {}
    shares = zip(forecast.places, forecast.shares, strict=True)
    return {place: round(share * _PLACE_STEPS) / _PLACE_STEPS for place, share in shares}


def _rejected(library: Library, answered: Sequence[Answered]) -> Mapping[str, Sequence[int]]:
    """When items were rejected, by their names."""
    if all(each.is_accepted for each in answered):
        return {}
    found = {item: rejected_ms(answered, items.key_of(item)) for item in library.items}
    return {item: times for item, times in found.items() if times}


def _is_left_over(asked: Asked) -> bool:
    """Whether what is on was on before, and has been heard for less than what counts as heard."""
    is_new = any(each.changed_ms for path, each in asked.settings.items() if path in items.LEAVES)
    heard_s = (asked.journey.at_ms - asked.journey.started_ms) / 1_000
    return not is_new and heard_s < items.SKIPPED_S


def _state(
    asked: Asked,
    library: Library,
    situation: Situation,
    on: str | None,
    choices: Sequence[Choice],
) -> MediaRecommendation:
    said = [
        SuggestedItem(
            item=each.item,
            probability=round(min(each.probability, 1.0), _DIGITS),
            because=why_first(library, situation, each.item)
            if on is None
            else why_next(library, on, each.item),
        )
        for each in choices[:MOST_SUGGESTED_ITEMS]
    ]
    return MediaRecommendation(
        vehicle_id=asked.vehicle_id,
        trip_id=asked.journey.trip_id,
        driver=asked.journey.driver,
        items=said,
        after=on,
        origin=asked.origin,
        at=instant(asked.journey.at_ms),
    )
