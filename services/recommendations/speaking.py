"""When something is said of where a trip leads, and what (pure)."""

from collections.abc import Mapping

from internetcar.contract.message import instant
from internetcar.contract.presence import Origin
from internetcar.contract.recommendations import (
    MOST_SUGGESTED,
    DestinationRecommendation,
    RecommendationOffer,
    SuggestedPlace,
)
from services.recommendations.destination.places import Places
from services.recommendations.destination.predictor import Forecast, Predictor
from services.recommendations.destination.reasons import reason, sentence
from services.recommendations.journey import Journey

LEAST_TRIPS = 10
"""Of a driver with fewer nothing is said."""
OFFERED_AT = 0.7
THRESHOLDS = (0.5, OFFERED_AT)
_DIGITS = 4
_MOST_WORDS = 400


def band(probability: float) -> int:
    """How many of the thresholds a probability reaches."""
    return sum(probability >= each for each in THRESHOLDS)


def is_news(journey: Journey, forecast: Forecast) -> bool:
    """Whether another place is the first, or its probability has crossed a threshold."""
    first, probability = forecast.first
    return (journey.first, journey.band) != (first, band(probability))


def suggested(
    forecast: Forecast,
    expected: Forecast,
    journey: Journey,
    predictor: Predictor,
    places: Places,
    labels: Mapping[str, str],
) -> list[SuggestedPlace]:
    """The likeliest places of a forecast, each with its reason.

    Args:
        forecast: Where to.
        expected: The same without the way so far.
        journey: The trip.
        predictor: Of its driver.
        places: The driver's.
        labels: What the driver calls them.
    """
    before = dict(zip(expected.places, expected.shares, strict=True))
    ids = forecast.places[:MOST_SUGGESTED]
    lats, lons = places.centres(ids).tolist()
    found = []
    for place_id, share, lat, lon in zip(ids, forecast.shares, lats, lons, strict=False):
        was = before.get(place_id, share)
        why = reason(predictor, journey.moment, place_id, was)
        words = (
            "" if why is None else sentence(why, lambda each: labels.get(each, each), share - was)
        )
        found.append(
            SuggestedPlace(
                place_id=place_id,
                latitude=round(lat, 6),
                longitude=round(lon, 6),
                label=labels.get(place_id),
                probability=round(min(share, 1.0), _DIGITS),
                because=words[:_MOST_WORDS],
            )
        )
    return found


def state(
    vehicle_id: str,
    journey: Journey,
    places: list[SuggestedPlace],
    forecast: Forecast,
    origin: Origin,
) -> DestinationRecommendation:
    """What is always on the topic while a trip is on."""
    return DestinationRecommendation(
        vehicle_id=vehicle_id,
        trip_id=journey.trip_id,
        driver=journey.driver,
        places=places,
        somewhere_new=round(min(max(forecast.somewhere_new, 0.0), 1.0), _DIGITS),
        origin=origin,
        at=instant(journey.at_ms),
    )


def offer(
    vehicle_id: str, journey: Journey, place: SuggestedPlace, offer_id: str, origin: Origin
) -> RecommendationOffer:
    """An offer of the likeliest place."""
    return RecommendationOffer(
        vehicle_id=vehicle_id,
        offer_id=offer_id,
        trip_id=journey.trip_id,
        driver=journey.driver,
        probability=place.probability,
        because=place.because,
        place=place,
        origin=origin,
        at=instant(journey.at_ms),
    )
