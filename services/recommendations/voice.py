"""What is said of the trip that is on: where it may lead, what else it may need, and offers."""

import logging
from collections.abc import Callable

from sqlalchemy import Connection, and_, update

from internetcar.contract.presence import Origin
from services.database import insert_new
from services.outgoing import enqueue
from services.recommendations import proposals, retained, speaking, store
from services.recommendations.counsel import Counsel
from services.recommendations.destination.predictor import Forecast
from services.recommendations.journey import Journey
from services.recommendations.memory import Models
from services.recommendations.model import Model
from services.recommendations.rejections import is_silent
from services.recommendations.store import Standing
from services.recommendations.tables import offer as offers

log = logging.getLogger(__name__)


class Voice:
    """Says what is news of trips that are on, each in the transaction that brought it.

    Args:
        models: Of the drivers.
        counsel: The kinds of advice beside destinations.
        origin: Of what is said.
        clock_ms: UTC milliseconds.
    """

    def __init__(
        self, models: Models, counsel: Counsel, origin: Origin, clock_ms: Callable[[], int]
    ) -> None:
        self._models = models
        self._counsel = counsel
        self._origin = origin
        self._clock_ms = clock_ms

    def speak(self, connection: Connection, standing: Standing) -> None:
        """Say what is news of the trip that is on."""
        journey = standing.journey
        if journey is None or self.is_paused(standing):
            return
        vehicle_id = standing.vehicle_id
        model = self._models.of(connection, vehicle_id, journey.driver)
        forecast = model.forecast(journey)
        if forecast is not None:
            self._say_destination(connection, vehicle_id, journey, model, forecast)
        self._counsel.speak(connection, vehicle_id, journey, model, forecast)

    def is_paused(self, standing: Standing) -> bool:
        """Whether nothing is to be said now."""
        return standing.paused_until_ms is not None and self._clock_ms() < standing.paused_until_ms

    def hush(self, connection: Connection, standing: Standing) -> None:
        """Take back what was said of the trip that is on."""
        journey = standing.journey
        if journey is None:
            return
        said = [*(["destination"] if journey.first else []), *journey.advised]
        retained.clear(connection, standing.vehicle_id, said)
        journey.take_back()

    def close(self, connection: Connection, standing: Standing) -> None:
        """The trip that was on is over, or somebody else drives: its offers are void."""
        self.hush(connection, standing)
        # Also those of a trip that cannot be read any more.
        open_ones = and_(offers.c.vehicle_id == standing.vehicle_id, offers.c.state == "open")
        connection.execute(update(offers).where(open_ones).values(state="expired"))
        proposals.expire(connection, standing.vehicle_id)
        standing.journey = None

    def _say_destination(
        self,
        connection: Connection,
        vehicle_id: str,
        journey: Journey,
        model: Model,
        forecast: Forecast,
    ) -> None:
        first, probability = forecast.first
        may_offer = (
            not journey.has_offered
            and probability >= speaking.OFFERED_AT
            and not is_silent(model.rejections, first, journey.at_ms)
        )
        is_news = speaking.is_news(journey, forecast)
        if not (is_news or may_offer):
            return
        places = speaking.suggested(
            forecast, model.expected(journey), journey, model.predictor, model.places, model.labels
        )
        origin = self._origin
        if is_news:
            journey.first, journey.band = first, speaking.band(probability)
            said = speaking.state(vehicle_id, journey, places, forecast, origin)
            journey.said = said.encode().decode()
            enqueue(connection, said)
        if may_offer:
            journey.has_offered = True
            offer_id = store.digest_of("offer", vehicle_id, journey.trip_id)[:32]
            if self._keep_offer(connection, vehicle_id, journey, first, probability, offer_id):
                offer = speaking.offer(vehicle_id, journey, places[0], offer_id, origin)
                enqueue(connection, offer)
                log.info("%s: offer %s", vehicle_id, offer_id)

    def _keep_offer(
        self,
        connection: Connection,
        vehicle_id: str,
        journey: Journey,
        place_id: str,
        probability: float,
        offer_id: str,
    ) -> bool:
        """Keep an offer; false where it was made before."""
        return insert_new(
            connection,
            offers,
            vehicle_id=vehicle_id,
            offer_id=offer_id,
            driver=journey.driver,
            place_id=place_id,
            at_ms=journey.at_ms,
            day=journey.day,
            origin_id=journey.origin_id,
            probability=probability,
            state="open",
            kept_ms=self._clock_ms(),
        )
