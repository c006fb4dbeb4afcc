"""What trips bring: one transaction each; what is said of them, and when."""

import logging
from collections.abc import Callable, Container
from functools import partial
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, and_, select, update

from internetcar.contract.message import milliseconds
from internetcar.contract.presence import Origin
from internetcar.contract.subscriptions import Complaints
from internetcar.contract.trips import Place, TripEnded, TripProgress, TripStarted
from services.database import Database, insert_new
from services.outgoing import enqueue
from services.recommendations import speaking, store
from services.recommendations.journey import Journey, begun, is_sane, moment_of
from services.recommendations.memory import Models
from services.recommendations.rejections import is_silent
from services.recommendations.store import Standing
from services.recommendations.tables import offer as offers
from services.recommendations.tables import visit
from services.recommendations.visits import remember

log = logging.getLogger(__name__)

_DAY_MS = 86_400_000


class Terms(NamedTuple):
    """Whose trips teach, and how.

    Attributes:
        vehicles: Whose; `None`: everybody's.
        origin: Of which origin.
        zone: The drivers' wall clock.
        keep_ms: How long a visit is kept.
    """

    vehicles: Container[str] | None
    origin: Origin
    zone: ZoneInfo
    keep_ms: int


class Hearing:
    """Hears trips, learns from them, and says where they may lead.

    Args:
        database: With the service's tables.
        terms: Whose trips, and how.
        clock_ms: UTC milliseconds.
    """

    def __init__(self, database: Database, terms: Terms, clock_ms: Callable[[], int]) -> None:
        self._database = database
        self._terms = terms
        self._clock_ms = clock_ms
        self.models = Models()
        self._complaints = Complaints(lambda: clock_ms() / 1_000)
        self.ignored = 0
        """Messages of other origins or vehicles, or of a clock that cannot be right."""

    def on_started(self, message: TripStarted) -> None:
        """A trip has begun."""
        at_ms = milliseconds(message.started_at)
        if self._counts(message.vehicle_id, message.origin, at_ms, at_ms):
            self._database.run(partial(self._go_on, message, at_ms, at_ms, None))

    def on_progress(self, message: TripProgress) -> None:
        """A trip goes on; what was missed of its start is made good."""
        started_ms, at_ms = milliseconds(message.started_at), milliseconds(message.at)
        if self._counts(message.vehicle_id, message.origin, started_ms, at_ms):
            self._database.run(partial(self._go_on, message, started_ms, at_ms, message.position))

    def on_ended(self, message: TripEnded) -> None:
        """A trip has ended, or more is known of one that has."""
        started_ms, ended_ms = milliseconds(message.started_at), milliseconds(message.ended_at)
        if self._counts(message.vehicle_id, message.origin, started_ms, ended_ms):
            self._database.run(partial(self._end, message))

    def is_ours(self, vehicle_id: str) -> bool:
        """Whether it is one of the vehicles of the settings."""
        return self._terms.vehicles is None or vehicle_id in self._terms.vehicles

    def speak(self, connection: Connection, standing: Standing) -> None:
        """Say where the trip that is on may lead, where that is news."""
        journey = standing.journey
        if journey is None or self.is_paused(standing):
            return
        vehicle_id = standing.vehicle_id
        model = self.models.of(connection, vehicle_id, journey.driver)
        forecast = model.forecast(journey)
        if forecast is None:
            return
        first, probability = forecast.first
        may_offer = (
            not journey.has_offered
            and probability >= speaking.OFFERED_AT
            and not is_silent(model.rejections, first, journey.at_ms)
        )
        is_news = speaking.is_news(journey, forecast)
        if not (is_news or may_offer):
            return
        places = speaking.suggested(forecast, journey, model.predictor, model.places, model.labels)
        origin = self._terms.origin
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

    def is_paused(self, standing: Standing) -> bool:
        """Whether nothing is to be said now."""
        return standing.paused_until_ms is not None and self._clock_ms() < standing.paused_until_ms

    def hush(self, connection: Connection, standing: Standing) -> None:
        """Take back what was said of the trip that is on."""
        if standing.journey is not None and standing.journey.first:
            standing.journey.take_back()
            store.clear_state(connection, standing.vehicle_id)

    def _counts(self, vehicle_id: str, origin: Origin, started_ms: int, at_ms: int) -> bool:
        """Whether a message is of a trip that teaches, by a clock that may be right."""
        why = self._why_not(vehicle_id, origin, started_ms, at_ms)
        self.ignored += why is not None
        if why and self._complaints.is_due(f"{vehicle_id} {why}"):
            log.warning("trips of %s are ignored: %s", vehicle_id, why)
        return why is None

    def _why_not(self, vehicle_id: str, origin: Origin, started_ms: int, at_ms: int) -> str | None:
        """Why a message does not count; empty where nobody has to be told, `None`: it does."""
        terms = self._terms
        if not self.is_ours(vehicle_id):
            return ""
        if origin != terms.origin:
            return f"they are of origin {origin}, and the settings want {terms.origin}"
        now_ms = self._clock_ms()
        is_near = now_ms - terms.keep_ms <= at_ms <= now_ms + _DAY_MS
        if not (is_sane(started_ms) and is_sane(at_ms)) or (origin == "live" and not is_near):
            return "their clock cannot be right, or ours is not"
        return None

    def _go_on(
        self,
        message: TripStarted | TripProgress,
        started_ms: int,
        at_ms: int,
        position: Place | None,
        connection: Connection,
    ) -> None:
        standing = store.standing(connection, message.vehicle_id)
        if standing is None:
            return
        journey = standing.journey
        is_known = journey is not None and journey.trip_id == message.trip_id
        if journey is None or not is_known or journey.driver != message.driver:
            if not self._may_begin(connection, standing, message, started_ms):
                return
            journey = self._begin(connection, standing, message, started_ms)
        elif isinstance(message, TripStarted):
            return
        has_grown = journey.go_on(at_ms, position)
        if has_grown or not is_known or isinstance(message, TripStarted):
            self.speak(connection, standing)
            store.save(connection, standing)

    def _may_begin(
        self,
        connection: Connection,
        standing: Standing,
        message: TripStarted | TripProgress,
        started_ms: int,
    ) -> bool:
        """Whether this is a trip that is on, and not one that came late or twice."""
        journey = standing.journey
        if standing.has_ended(message.trip_id):
            return False
        if journey is not None and (started_ms, message.trip_id) < (
            journey.started_ms, journey.trip_id,
        ):  # fmt: skip
            return False
        this = and_(visit.c.vehicle_id == message.vehicle_id, visit.c.trip_id == message.trip_id)
        if connection.execute(select(visit.c.trip_id).where(this)).first() is not None:
            return False
        return not store.is_forgotten(
            connection, message.vehicle_id, message.trip_id, message.driver, started_ms
        )

    def _begin(
        self,
        connection: Connection,
        standing: Standing,
        message: TripStarted | TripProgress,
        started_ms: int,
    ) -> Journey:
        vehicle_id, driver = message.vehicle_id, message.driver
        before = standing.journey
        self._close(connection, standing)
        model = self.models.of(connection, vehicle_id, driver)
        earlier = store.previous(connection, vehicle_id, driver, started_ms)
        start = message.start
        moment = moment_of(started_ms, start, earlier, model.places, self._terms.zone)
        journey = begun(message.trip_id, driver, started_ms, moment, start)
        if before is not None and before.trip_id == message.trip_id:
            journey.path, journey.has_offered = before.path, before.has_offered
        standing.journey = journey
        return journey

    def _close(self, connection: Connection, standing: Standing) -> None:
        """The trip that was on is over, or somebody else drives: its offer is void."""
        self.hush(connection, standing)
        if standing.journey is not None:
            open_ones = and_(offers.c.vehicle_id == standing.vehicle_id, offers.c.state == "open")
            connection.execute(update(offers).where(open_ones).values(state="expired"))
        standing.journey = None

    def _end(self, message: TripEnded, connection: Connection) -> None:
        vehicle_id, trip_id = message.vehicle_id, message.trip_id
        standing = store.standing(connection, vehicle_id)
        if standing is None:
            return
        if standing.journey is not None and standing.journey.trip_id == trip_id:
            self._close(connection, standing)
        is_news = standing.end(trip_id, message.revision)
        store.save(connection, standing)
        started_ms = milliseconds(message.started_at)
        if is_news and not store.is_forgotten(
            connection, vehicle_id, trip_id, message.driver, started_ms
        ):
            remember(connection, self.models, message, self._terms.zone, self._clock_ms())

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
