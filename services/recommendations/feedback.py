"""What people say to offers: taken once, and what it changes."""

from typing import Any

from sqlalchemy import Connection, Row, and_, select, update

from internetcar.contract.recommendations import RecommendationFeedback
from services.recommendations import guesses, proposals, store
from services.recommendations.applying import Offered
from services.recommendations.hearing import Hearing
from services.recommendations.replies import DONE, Answer, refused
from services.recommendations.settable import SETTABLE
from services.recommendations.store import Standing
from services.recommendations.tables import offer

_STATES = {"accept": "accepted", "reject": "rejected"}


class Feedback:
    """Takes answers to offers, in the transaction that brought them.

    Args:
        hearing: Knows the trips; its models and voice are used.
    """

    def __init__(self, hearing: Hearing) -> None:
        self._hearing = hearing

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
        if led is None and row.kind == "seat" and state == "accepted":
            guess = guesses.guess_of(row)
            if standing.journey is not None and standing.journey.has_driven:
                if guess is None:
                    return refused("expired", "the car drives: its seat is not moved")
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
            applying.put_back(connection, offered, {path: each[0] for path, each in now.items()})
        proposals.set_state(connection, vehicle_id, offer_id, state)
        return True

    def _applied(self, message: RecommendationFeedback, connection: Connection) -> Answer | None:
        return self._hearing.applying.answer(
            connection, message.vehicle_id, message.offer_id, message.requester
        )

    def _reject_place(self, connection: Connection, vehicle_id: str, row: Row[Any]) -> None:
        model = self._hearing.models.of(connection, vehicle_id, row.driver)
        model.version = ""
        model.rejections = store.rejections(connection, vehicle_id, row.driver)
        store.touch(connection, vehicle_id, row.driver, row.offer_id, model)
