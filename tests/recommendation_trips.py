"""Trips for the recommendation service: a commuter whose days are alike, and the service itself."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select

from internetcar.contract.commands import Command, CommandStatus
from internetcar.contract.message import EPOCH, Message
from internetcar.contract.recommendations import (
    RecommendationAnswer,
    RecommendationControl,
    RecommendationFeedback,
    RecommendationOffer,
)
from internetcar.contract.trips import Place, TripEnded, TripProgress, TripStarted
from services.database import Database
from services.recommendations.advisers import ADVISERS
from services.recommendations.desk import Desk
from services.recommendations.forgetting import Forgetting
from services.recommendations.hearing import Hearing, Terms
from services.recommendations.retained import RETAINED
from services.tables import outgoing

DAY_MS = 86_400_000
MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
HOME, WORK = (
    Place(latitude=52.51234, longitude=13.40567),
    Place(latitude=52.46789, longitude=13.32101),
)
SPORTS = Place(latitude=52.55555, longitude=13.44444)
KEEP_MS = 400 * DAY_MS
ALLOW: Any = {
    "phone": ("feedback", "pause", "automatic", "name", "forget", "export"),
    "knob": ("feedback",),
}


def started(at: datetime, start: Place | None, trip_id: str = "", **other: Any) -> TripStarted:
    """The beginning of a trip."""
    values: dict[str, Any] = {
        "vehicle_id": "kona", "trip_id": trip_id or f"trip-{at:%m%dT%H%M}", "driver": "anna",
        "started_at": at, "start": start, "origin": "live", "clock": "synchronized",
    }  # fmt: skip
    return TripStarted.model_validate({**values, **other})


def progress(of: TripStarted, minutes: float, position: Place, **other: Any) -> TripProgress:
    """Where a trip is after so many minutes."""
    values: dict[str, Any] = {
        "vehicle_id": of.vehicle_id, "trip_id": of.trip_id, "driver": of.driver,
        "started_at": of.started_at, "at": of.started_at + timedelta(minutes=minutes),
        "elapsed_s": minutes * 60, "distance_m": 0, "start": of.start, "position": position,
        "origin": of.origin,
    }  # fmt: skip
    return TripProgress.model_validate({**values, **other})


def ended(of: TripStarted, end: Place | None, minutes: float = 30, **other: Any) -> TripEnded:
    """The end of a trip, straight from its start."""
    line = []
    if of.start is not None and end is not None:
        line = [(*between(of.start, end, share), share * 60 * minutes) for share in SHARES]
    values: dict[str, Any] = {
        "vehicle_id": of.vehicle_id, "trip_id": of.trip_id, "driver": of.driver, "revision": 1,
        "started_at": of.started_at, "ended_at": of.started_at + timedelta(minutes=minutes),
        "start": of.start, "end": end, "distance_m": 9_000, "why": "power_off", "route": line,
        "origin": of.origin, "clock": "synchronized",
    }  # fmt: skip
    return TripEnded.model_validate({**values, **other})


SHARES = [number / 20 for number in range(21)]


def between(start: Place, end: Place, share: float) -> tuple[float, float]:
    """A point of the straight way."""
    return (
        start.latitude + (end.latitude - start.latitude) * share,
        start.longitude + (end.longitude - start.longitude) * share,
    )


MESSAGES: dict[str, type[Message]] = {
    **{cls.TOPIC.rpartition("/")[2]: cls for cls in RETAINED.values()},
    "offer": RecommendationOffer,
    "kona": RecommendationAnswer,
}
"""By the last level of their topics."""


class Service:
    """The recommendation service without a broker, on a clock of its own."""

    def __init__(self, database: Database, now: datetime = MONDAY, **changed: Any) -> None:
        self.database = database
        self.now = now
        terms: dict[str, Any] = {
            "vehicles": None, "origin": "live", "zone": ZoneInfo("UTC"), "keep_ms": KEEP_MS,
        }  # fmt: skip
        shows = changed.pop("shows_positions", False)
        advisers = changed.pop("advisers", ADVISERS)
        self.hearing = Hearing(database, Terms(**{**terms, **changed}), self.now_ms, advisers)
        self.desk = Desk(self.hearing, database, ALLOW, self.now_ms, shows_positions=shows)
        self.forgetting = Forgetting(database, KEEP_MS, self.now_ms)

    def now_ms(self) -> int:
        return (self.now - EPOCH) // timedelta(milliseconds=1)

    def hear(self, *messages: Any) -> "Service":
        """What the broker delivers, in this order."""
        for message in messages:
            match message:
                case TripStarted():
                    self.now = max(self.now, message.started_at)
                    self.hearing.on_started(message)
                case TripProgress():
                    self.now = max(self.now, message.at)
                    self.hearing.on_progress(message)
                case TripEnded():
                    self.now = max(self.now, message.ended_at)
                    self.hearing.on_ended(message)
                case RecommendationFeedback():
                    self.desk.on_feedback(message)
                case RecommendationControl():
                    self.desk.on_control(message)
                case CommandStatus():
                    self.hearing.applying.on_status(message)
        return self

    def commute(self, days: int = 10, first: datetime = MONDAY, **other: Any) -> "Service":
        """To work at eight and home at five, on workdays."""
        for number in range(days):
            day = first + timedelta(days=number)
            if day.weekday() < 5:
                name = other.get("driver", "trip")
                there = started(day + timedelta(hours=8), HOME, f"{name}-{day:%m%d}-there", **other)
                back = started(day + timedelta(hours=17), WORK, f"{name}-{day:%m%d}-back", **other)
                self.hear(ended(there, WORK), ended(back, HOME))
        return self

    def take(self) -> list[Any]:
        """What waits to be said; then it is sent."""
        with self.database.begin() as connection:
            rows = connection.execute(select(outgoing).order_by(outgoing.c.number)).all()
            connection.execute(outgoing.delete())
        return [
            MESSAGES.get(row.topic.rpartition("/")[2], Command).decode(row.topic, row.payload)
            if row.payload
            else None
            for row in rows
        ]

    def answer(self, message: Any) -> RecommendationAnswer:
        """What one message is answered."""
        self.take()
        self.hear(message)
        found = [each for each in self.take() if isinstance(each, RecommendationAnswer)]
        assert len(found) == 1
        return found[0]


def feedback(offer_id: str, answer: str = "reject", **other: Any) -> RecommendationFeedback:
    """An answer to an offer."""
    values = {"vehicle_id": "kona", "requester": "phone", "offer_id": offer_id, "answer": answer}
    return RecommendationFeedback.model_validate({**values, **other})


def control(action: str, request_id: str = "", **other: Any) -> RecommendationControl:
    """Something that is asked of the service."""
    values = {
        "vehicle_id": "kona", "requester": "phone", "request_id": request_id or f"to-{action}",
        "action": action,
    }  # fmt: skip
    return RecommendationControl.model_validate({**values, **other})
