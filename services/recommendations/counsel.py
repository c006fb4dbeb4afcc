"""Asks the kinds of advice, says what is news of it, and makes their offers."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace

import orjson
from sqlalchemy import Connection

from internetcar.contract.message import Message, instant
from internetcar.contract.presence import Origin
from internetcar.contract.recommendations import OfferKind, RecommendationOffer
from internetcar.contract.trips import UNKNOWN_DRIVER, TripEnded
from services.outgoing import enqueue
from services.recommendations import automatic, evidence, proposals, retained, store
from services.recommendations.advisers import ADVISERS
from services.recommendations.advising import Adviser, Asked, Offer, Standing
from services.recommendations.applying import Applying, Offered
from services.recommendations.destination.predictor import Forecast
from services.recommendations.journey import Journey
from services.recommendations.memory import Learned, Models
from services.recommendations.model import Model
from services.recommendations.speaking import LEAST_TRIPS, OFFERED_AT

log = logging.getLogger(__name__)

_DIGITS = 4


class Counsel:
    """Gives the service its kinds of advice.

    Args:
        models: Of the drivers.
        applying: Applies offers.
        origin: Of what is said.
        clock_ms: UTC milliseconds.
        advisers: The kinds.
    """

    def __init__(
        self,
        models: Models,
        applying: Applying,
        origin: Origin,
        clock_ms: Callable[[], int],
        advisers: Sequence[Adviser] = ADVISERS,
    ) -> None:
        self._models = models
        self._applying = applying
        self._origin = origin
        self._clock_ms = clock_ms
        self._advisers = advisers
        self.learned = Learned()

    def speak(
        self,
        connection: Connection,
        vehicle_id: str,
        journey: Journey,
        model: Model,
        forecast: Forecast | None,
    ) -> None:
        """Say what is news of a trip that is on, and make the offers that are due.

        Args:
            connection: Of the transaction.
            vehicle_id: Whose.
            journey: The trip; what was said is noted in it.
            model: Of its driver.
            forecast: Where it may lead.
        """
        settings = {path: Standing(*each) for path, each in journey.settings.items()}
        common = Asked(
            vehicle_id=vehicle_id,
            journey=journey,
            origin=self._origin,
            trips=len(model.predictor.visits),
            forecast=forecast,
            places=model.places,
            labels=model.labels,
            settings=settings,
            outside_c=journey.outside_c,
            level_pct=journey.level_pct,
            range_m=journey.range_m,
        )
        for adviser in self._advisers:
            kind = adviser.offers
            if kind is None:
                continue
            asked = self._asked(connection, adviser, kind, common)
            if asked.trips < LEAST_TRIPS and not asked.drivers:
                continue
            learned = self.learned.of(connection, adviser, vehicle_id, journey.driver)
            advice = adviser.advise(asked, learned)
            self._say(connection, vehicle_id, journey, adviser, advice.state)
            if advice.offer is not None and advice.offer.probability >= OFFERED_AT:
                self._offer(connection, vehicle_id, journey, kind, advice.offer)

    def after(self, connection: Connection, trip: TripEnded, day: float) -> None:
        """Say what there is to say of a trip that has ended, by what was known before it.

        Where that is nothing, what was said of the trip before is taken back.
        """
        vehicle_id, name = trip.vehicle_id, trip.driver
        trips = len(self._models.of(connection, vehicle_id, name).predictor.visits)
        for adviser in (each for each in self._advisers if each.speaks_after):
            said = None
            if trips >= LEAST_TRIPS:
                learned = self.learned.of(connection, adviser, vehicle_id, name)
                said = adviser.after(trip, learned, trips, day, self._origin)
            if said is not None:
                enqueue(connection, said)
                continue
            told = set(evidence.drivers(connection, vehicle_id, adviser.kind))
            if told - ({name} if trips < LEAST_TRIPS else set()):
                retained.clear(connection, vehicle_id, [adviser.kind])

    def keep(self, connection: Connection, trip: TripEnded, day: float, place_id: str) -> None:
        """Keep what the kinds of advice want of a trip that has ended."""
        now_ms = self._clock_ms()
        kept = [
            evidence.keep(connection, adviser, trip, day, place_id, now_ms)
            for adviser in self._advisers
        ]
        if any(kept):
            self._models.renew(connection, trip.vehicle_id, trip.driver, f"kept {trip.trip_id}")

    def _asked(
        self, connection: Connection, adviser: Adviser, kind: OfferKind, common: Asked
    ) -> Asked:
        vehicle_id, name = common.vehicle_id, common.journey.driver
        guesses = adviser.kind == "seat" and name == UNKNOWN_DRIVER
        return replace(
            common,
            answered=proposals.answered(connection, vehicle_id, name, kind),
            drivers=self.learned.of_each(connection, adviser, vehicle_id) if guesses else {},
        )

    def _say(
        self,
        connection: Connection,
        vehicle_id: str,
        journey: Journey,
        adviser: Adviser,
        state: Message | None,
    ) -> None:
        """Say a state where it is another than the one before, or take that back."""
        before = journey.advised.get(adviser.kind)
        if state is None:
            if before is not None:
                del journey.advised[adviser.kind]
                retained.clear(connection, vehicle_id, [adviser.kind])
            return
        encoded = state.encode().decode()
        if before is None or _without_time(before) != _without_time(encoded):
            journey.advised[adviser.kind] = encoded
            enqueue(connection, state)

    def _offer(
        self,
        connection: Connection,
        vehicle_id: str,
        journey: Journey,
        kind: OfferKind,
        offer: Offer,
    ) -> None:
        """Make an offer, once a kind and trip."""
        if kind in journey.offered:
            return
        journey.offered.append(kind)
        message = RecommendationOffer(
            vehicle_id=vehicle_id,
            offer_id=store.digest_of("offer", vehicle_id, journey.trip_id, kind)[:32],
            kind=kind,
            trip_id=journey.trip_id,
            driver=journey.driver,
            probability=round(min(offer.probability, 1.0), _DIGITS),
            because=offer.because,
            settings=list(offer.settings),
            guess=offer.guess,
            item=offer.item,
            stop=offer.stop,
            origin=self._origin,
            at=instant(journey.at_ms),
        )
        now_ms = self._clock_ms()
        if automatic.may_apply(connection, message, journey, now_ms):
            message = message.model_copy(update={"is_automatic": True})
        if proposals.keep(connection, journey, offer.key, message, now_ms):
            enqueue(connection, message)
            log.info("%s: offer %s of %s", vehicle_id, message.offer_id, kind)
            if message.is_automatic:
                offered = Offered(vehicle_id, message.offer_id, message.driver, kind)
                self._applying.order(connection, offered, message.settings)


def _without_time(encoded: str) -> dict[str, object]:
    body: dict[str, object] = orjson.loads(encoded)
    body.pop("at", None)
    return body
