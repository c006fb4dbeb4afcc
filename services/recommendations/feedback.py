"""What people say to offers: taken once, and what it changes."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, Row, and_, select, update

from internetcar.contract.recommendations import RecommendationFeedback
from services.recommendations import guesses, proposals, store
from services.recommendations.applying import Offered
from services.recommendations.automatic import FRESH_MS
from services.recommendations.hearing import Hearing
from services.recommendations.journey import Journey
from services.recommendations.replies import DONE, Answer, refused
from services.recommendations.settable import SETTABLE
from services.recommendations.store import Standing
from services.recommendations.tables import offer

LATE_MS = 600_000
"""An answer this long after the car was last heard of sets nothing: it waited at the broker."""
_STATES = {"accept": "accepted", "reject": "rejected"}


class Feedback:
    """Takes answers to offers, in the transaction that brought them.

    Args:
        hearing: Knows the trips; its models and voice are used.
        clock_ms: UTC milliseconds.
    """

    def __init__(self, hearing: Hearing, clock_ms: Callable[[], int]) -> None:
        self._hearing = hearing
        self._clock_ms = clock_ms

    def take(
        self, message: RecommendationFeedback, connection: Connection, standing: Standing
    ) -> Answer | None:
        """Take an answer; what is answered to it, `None`: that waits for the car."""
        vehicle_id, offer_id = message.vehicle_id, message.offer_id
        this = and_(offer.c.vehicle_id == vehicle_id, offer.c.offer_id == offer_id)
        led = connection.execute(select(offer).where(this)).first()
        row = led or proposals.find(connection, vehicle_id, offer_id)
        if row is None:
            return refused("unknown_offer", "no such offer was made, or it is forgotten")
        state = _STATES[message.answer]
        if row.state == state:
            return DONE if led else self._applied(message, connection)
        if row.state == "expired":
            return refused("expired", "the trip it was for is over, or somebody else drives")
        if row.state != "open":
            return refused("conflict", f"it is {row.state} already")
        guess = None
        if led is None and row.kind in SETTABLE and state == "accepted":
            guess = guesses.guess_of(row)
            if not self._may_set(row.kind, standing.journey):
                if guess is None:
                    return refused("expired", "the car drives, or it is long ago: nothing is set")
                row = guesses.without_settings(connection, row)
        if led is not None:
            connection.execute(update(offer).where(this).values(state=state))
            if state == "rejected":
                self._reject_place(connection, vehicle_id, led)
        elif not self._apply(connection, row, state, standing):
            return refused("unknown_offer", "what it would set is forgotten")
        if guess is not None:
            self._hearing.take_driver(connection, standing, guess)
        self._hearing.voice.speak(connection, standing)
        store.save(connection, standing)
        return DONE if led else self._applied(message, connection)

    def _apply(self, connection: Connection, row: Row[Any], state: str, standing: Standing) -> bool:
        """Set what an accepted offer says, or put back what was applied; false: it cannot be."""
        applying, vehicle_id, offer_id = self._hearing.applying, row.vehicle_id, row.offer_id
        offered = Offered(vehicle_id, offer_id, row.driver, row.kind)
        if state == "accepted" and row.kind in SETTABLE:
            made = proposals.read(row)
            if made is None:
                return False
            applying.order(connection, offered, made.settings)
        elif state == "rejected":
            journey = standing.journey
            now = {} if journey is None else journey.settings
            stands = row.kind != "seat" or self._may_set(row.kind, journey)
            values = {path: each[0] for path, each in now.items()}
            applying.put_back(connection, offered, values, stands=stands)
        proposals.set_state(connection, vehicle_id, offer_id, state)
        return True

    def _may_set(self, kind: str, journey: Journey | None) -> bool:
        """Whether the trip is as the driver saw it: heard of lately, and for a seat, standing."""
        if journey is None or (kind == "seat" and journey.has_driven):
            return False
        apart_ms = abs(self._clock_ms() - journey.heard_ms)
        return apart_ms <= (FRESH_MS if kind == "seat" else LATE_MS)

    def _applied(self, message: RecommendationFeedback, connection: Connection) -> Answer | None:
        return self._hearing.applying.answer(
            connection, message.vehicle_id, message.offer_id, message.requester
        )

    def _reject_place(self, connection: Connection, vehicle_id: str, row: Row[Any]) -> None:
        model = self._hearing.models.of(connection, vehicle_id, row.driver)
        model.version = ""
        model.rejections = store.rejections(connection, vehicle_id, row.driver)
        store.touch(connection, vehicle_id, row.driver, row.offer_id, model)
