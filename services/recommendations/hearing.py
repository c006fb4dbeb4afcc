"""What trips bring: one transaction each; what is said of them, and when."""

import logging
from collections.abc import Callable, Container, Sequence
from functools import partial
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, and_, select

from internetcar.contract.message import instant, milliseconds
from internetcar.contract.presence import Origin
from internetcar.contract.subscriptions import Complaints
from internetcar.contract.trips import Place, TripEnded, TripProgress, TripStarted
from services.database import Database
from services.recommendations import evidence, guesses, store
from services.recommendations.advisers import ADVISERS
from services.recommendations.advising import Adviser
from services.recommendations.applying import Applying
from services.recommendations.counsel import Counsel
from services.recommendations.destination.moment import day_of
from services.recommendations.journey import Journey, begun, is_sane, moment_of
from services.recommendations.memory import Models
from services.recommendations.store import Standing
from services.recommendations.tables import visit
from services.recommendations.visits import is_last, knows, place_of, remember
from services.recommendations.voice import Voice

log = logging.getLogger(__name__)

_DAY_MS = 86_400_000
_KEPT_EACH_MS = 60_000
"""So often it is kept of a car without news that it was heard of."""


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
        advisers: The kinds of advice beside destinations.
    """

    def __init__(
        self,
        database: Database,
        terms: Terms,
        clock_ms: Callable[[], int],
        advisers: Sequence[Adviser] = ADVISERS,
    ) -> None:
        self._database = database
        self._terms = terms
        self._clock_ms = clock_ms
        self.models = Models()
        self.applying = Applying(database, self.is_ours, clock_ms)
        self.counsel = Counsel(self.models, self.applying, terms.origin, clock_ms, advisers)
        self.voice = Voice(self.models, self.counsel, terms.origin, clock_ms)
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

    def take_driver(self, connection: Connection, standing: Standing, name: str) -> None:
        """Somebody has said who drives on the trip that is on: from now on it is this driver's."""
        journey = standing.journey
        if journey is None:
            return
        start = None
        if journey.path:
            lat_deg, lon_deg = journey.path[0]
            start = Place(latitude=lat_deg, longitude=lon_deg)
        ids = standing.vehicle_id, journey.trip_id, name
        standing.journey = self._begun(connection, standing, ids, journey.started_ms, start)
        standing.journey.go_on(journey.at_ms, None)

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
        is_near = now_ms - terms.keep_ms <= at_ms and max(started_ms, at_ms) <= now_ms + _DAY_MS
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
        message = guesses.named(connection, message)
        journey = standing.journey
        has_begun = False
        is_known = journey is not None and journey.trip_id == message.trip_id
        # A start that comes late or again does not know better who drives.
        is_late = is_known and isinstance(message, TripStarted)
        if journey is None or not is_known or (journey.driver != message.driver and not is_late):
            if not self._may_begin(connection, standing, message, started_ms):
                return
            journey, has_begun = self._begin(connection, standing, message, started_ms), True
        kept_ms, journey.heard_ms = journey.heard_ms, self._clock_ms()
        is_news = journey.note(message)
        has_grown = journey.go_on(at_ms, position)
        if has_begun or has_grown or is_news:
            self.voice.speak(connection, standing)
            store.save(connection, standing)
        elif abs(journey.heard_ms - kept_ms) >= _KEPT_EACH_MS:
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
        ids = message.vehicle_id, message.trip_id, message.driver
        standing.journey = self._begun(connection, standing, ids, started_ms, message.start)
        return standing.journey

    def _begun(
        self,
        connection: Connection,
        standing: Standing,
        ids: tuple[str, str, str],
        started_ms: int,
        start: Place | None,
    ) -> Journey:
        """A trip as it begins, by the ids of vehicle, trip and driver.

        What is known of it under another driver stays known.
        """
        vehicle_id, trip_id, driver = ids
        before = standing.journey
        self.voice.close(connection, standing)
        model = self.models.of(connection, vehicle_id, driver)
        earlier = store.previous(connection, vehicle_id, driver, started_ms)
        moment = moment_of(started_ms, start, earlier, model.places, self._terms.zone)
        journey = begun(trip_id, driver, started_ms, moment, start)
        if before is not None and before.trip_id == trip_id:
            journey.path, journey.has_offered = before.path, before.has_offered
            journey.settings, journey.offered = before.settings, before.offered
            journey.has_driven, journey.heard_ms = before.has_driven, before.heard_ms
            journey.outside_c = before.outside_c
            journey.level_pct, journey.range_m = before.level_pct, before.range_m
        return journey

    def _end(self, message: TripEnded, connection: Connection) -> None:
        vehicle_id, trip_id = message.vehicle_id, message.trip_id
        standing = store.standing(connection, vehicle_id)
        if standing is None:
            return
        message = guesses.named(connection, message)
        if standing.journey is not None and standing.journey.trip_id == trip_id:
            self.voice.close(connection, standing)
        is_news = standing.end(trip_id, message.revision)
        store.save(connection, standing)
        started_ms = milliseconds(message.started_at)
        if is_news and not store.is_forgotten(
            connection, vehicle_id, trip_id, message.driver, started_ms
        ):
            self._learn(connection, standing, message, started_ms)

    def _learn(
        self, connection: Connection, standing: Standing, message: TripEnded, started_ms: int
    ) -> None:
        """Say what a trip that has ended brings to say, and learn from it."""
        vehicle_id, trip_id, name = message.vehicle_id, message.trip_id, message.driver
        if knows(connection, message):
            return
        day = day_of(instant(started_ms).astimezone(self._terms.zone))
        known_of = evidence.drop_trip(connection, vehicle_id, trip_id)
        for each in known_of:
            self.models.renew(connection, vehicle_id, each, f"anew {trip_id}")
        is_first = not known_of and not message.is_dropped
        is_newest = is_last(connection, vehicle_id, name, started_ms, trip_id)
        if is_first and is_newest and not self.voice.is_paused(standing):
            self.counsel.after(connection, message, day)
        remember(connection, self.models, message, self._terms.zone, self._clock_ms())
        if not message.is_dropped and store.make_driver(connection, vehicle_id, name):
            place_id = place_of(connection, vehicle_id, trip_id)
            self.counsel.keep(connection, message, day, place_id)
