"""What people say to offers, and ask of the service: looked at, done, answered."""

import logging
from collections.abc import Callable, Mapping
from functools import partial

import orjson
from pydantic import TypeAdapter
from sqlalchemy import Connection

from internetcar.contract.message import ContractError, Name, is_one
from internetcar.contract.money import EventId
from internetcar.contract.recommendations import (
    Action,
    RecommendationAnswer,
    RecommendationControl,
    RecommendationFeedback,
)
from internetcar.contract.subscriptions import Received
from services.database import Database
from services.outgoing import enqueue
from services.recommendations import exporting, store
from services.recommendations.controls import Controls
from services.recommendations.feedback import Feedback
from services.recommendations.hearing import Hearing
from services.recommendations.replies import Answer, not_allowed, refused
from services.recommendations.settings import Right
from services.recommendations.store import Standing
from services.scrubbing import Scrubber

log = logging.getLogger(__name__)

RIGHTS: Mapping[Action, Right] = {
    "pause": "pause",
    "resume": "pause",
    "automatic": "automatic",
    "name_place": "name",
    "forget_place": "forget",
    "forget_driver": "forget",
    "export": "export",
}
_NAME: TypeAdapter[str] = TypeAdapter(Name)
_ID: TypeAdapter[str] = TypeAdapter(EventId)


class Desk:
    """Answers feedback and controls, each in one transaction.

    Args:
        hearing: Knows the trips; its clock and models are used.
        database: With the service's tables.
        allow: Which requester may do what.
        shows_positions: There is consent that positions leave the vehicle's own topics.
        clock_ms: UTC milliseconds.
    """

    def __init__(
        self,
        hearing: Hearing,
        database: Database,
        allow: Mapping[str, tuple[Right, ...]],
        clock_ms: Callable[[], int],
        *,
        shows_positions: bool,
    ) -> None:
        self._hearing = hearing
        self._database = database
        self._allow = allow
        self._shows_positions = shows_positions
        self._controls = Controls(hearing, clock_ms)
        self._feedbacks = Feedback(hearing, clock_ms)
        self._scrubber = Scrubber(database, clock_ms)

    def on_feedback(self, message: RecommendationFeedback) -> None:
        """Take an answer to an offer."""
        self._database.run(partial(self._take_feedback, message))

    def on_control(self, message: RecommendationControl) -> None:
        """Do what is asked."""
        self._database.run(partial(self._take_control, message))
        if message.action.startswith("forget"):
            self._scrubber.ask()
            self.turn()

    def on_unreadable(self, received: Received, error: ContractError) -> None:
        """Tell a requester that its message cannot be read."""
        levels = received.topic.split("/")
        vehicle_id, requester = levels[2], levels[-1]
        if not (is_one(_NAME, vehicle_id) and is_one(_NAME, requester)) or not self._knows(
            vehicle_id
        ):
            return
        words = str(error).removeprefix(f"{received.topic}: ")
        answer = refused("malformed", words)
        asked = _id_in(received.payload)
        self._database.run(
            lambda connection: self._say(connection, vehicle_id, requester, asked, answer)
        )

    def turn(self) -> None:
        """Let no erased byte stay in the files, where others kept it from being so."""
        self._scrubber.turn()

    def _take_feedback(self, message: RecommendationFeedback, connection: Connection) -> None:
        answer = self._feedback(message, connection)
        if answer is not None:
            self._say(connection, message.vehicle_id, message.requester, message.offer_id, answer)

    def _feedback(self, message: RecommendationFeedback, connection: Connection) -> Answer | None:
        """What is answered now; `None`: it is once the car has said what became of it."""
        if not self._may(message.requester, "feedback"):
            return not_allowed(message.requester, "feedback")
        standing = self._standing(connection, message.vehicle_id)
        if standing is None:
            return refused("unknown_offer", "no such offer was made, or it is forgotten")
        return self._feedbacks.take(message, connection, standing)

    def _take_control(self, message: RecommendationControl, connection: Connection) -> None:
        answer = self._control_once(message, connection)
        exported = {}
        if message.action == "export" and answer["status"] == "done" and message.driver:
            exported = exporting.answered(
                connection, message.vehicle_id, message.driver,
                shows_positions=self._shows_positions,
            )  # fmt: skip
        self._say(
            connection, message.vehicle_id, message.requester, message.request_id,
            {**answer, **exported},
        )  # fmt: skip

    def _control_once(self, message: RecommendationControl, connection: Connection) -> Answer:
        """What is answered; to what was asked before, the same again, and nothing is done."""
        right = RIGHTS[message.action]
        if not self._may(message.requester, right):
            return not_allowed(message.requester, right)
        standing = self._standing(connection, message.vehicle_id)
        if standing is None:
            return refused("unknown_driver", "nothing is known of this vehicle")
        return self._controls.once(message, connection, standing)

    def _standing(self, connection: Connection, vehicle_id: str) -> Standing | None:
        return store.standing(connection, vehicle_id) if self._knows(vehicle_id) else None

    def _knows(self, vehicle_id: str) -> bool:
        return self._hearing.is_ours(vehicle_id)

    def _may(self, requester: str, right: Right) -> bool:
        return right in self._allow.get(requester, ())

    def _say(
        self,
        connection: Connection,
        vehicle_id: str,
        requester: str,
        asked: str | None,
        answer: Answer,
    ) -> None:
        # An offer that is not known is asked for also to learn that all before it was heard.
        level = logging.DEBUG if answer.get("reason") == "unknown_offer" else logging.INFO
        log.log(level, "%s: %s of %s: %s", vehicle_id, asked, requester, answer["status"])
        said = {"vehicle_id": vehicle_id, "requester": requester, "id": asked, **answer}
        enqueue(connection, RecommendationAnswer.model_validate(said))


def _id_in(payload: bytes) -> str | None:
    """The id of what cannot be read otherwise, if there is one."""
    try:
        body = orjson.loads(payload[: RecommendationControl.MAX_PAYLOAD_BYTES])
    except orjson.JSONDecodeError:
        return None
    if not isinstance(body, dict):
        return None
    found = body.get("offer_id", body.get("request_id"))
    return found if isinstance(found, str) and is_one(_ID, found) else None
