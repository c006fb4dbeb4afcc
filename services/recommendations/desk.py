"""What people say to offers, and ask of the service: looked at, done, answered."""

import hashlib
import logging
from collections.abc import Callable, Mapping
from functools import partial

import orjson
from pydantic import TypeAdapter
from sqlalchemy import Connection, and_, delete, select, update

from internetcar.contract.message import ContractError, Name, is_one, milliseconds
from internetcar.contract.money import EventId
from internetcar.contract.recommendations import (
    Action,
    RecommendationAnswer,
    RecommendationControl,
    RecommendationFeedback,
)
from internetcar.contract.subscriptions import Received
from services.database import Database, insert_new
from services.outgoing import enqueue
from services.recommendations import erasing, exporting, store
from services.recommendations.hearing import Hearing
from services.recommendations.journey import LAST_MS
from services.recommendations.settings import Right
from services.recommendations.store import Standing, of_driver
from services.recommendations.tables import offer, place, request

log = logging.getLogger(__name__)

RIGHTS: Mapping[Action, Right] = {
    "pause": "pause",
    "resume": "pause",
    "name_place": "name",
    "forget_place": "forget",
    "forget_driver": "forget",
    "export": "export",
}
_MOST_REQUESTS = 1_000
"""Of a vehicle that are remembered, so that the same one gets the same answer."""
_DETAIL = 200
_NAME: TypeAdapter[str] = TypeAdapter(Name)
_ID: TypeAdapter[str] = TypeAdapter(EventId)
_STATES = {"accept": "accepted", "reject": "rejected"}

Answer = dict[str, object]
"""Status, reason, detail and what was erased; it names neither a driver nor a place."""

DONE: Answer = {"status": "done"}


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
        self._clock_ms = clock_ms
        self._shows_positions = shows_positions
        self._must_scrub = True  # a process before this one may have had no time for it

    def on_feedback(self, message: RecommendationFeedback) -> None:
        """Take an answer to an offer."""
        self._database.run(partial(self._take_feedback, message))

    def on_control(self, message: RecommendationControl) -> None:
        """Do what is asked."""
        self._database.run(partial(self._take_control, message))
        self._must_scrub = self._must_scrub or message.action.startswith("forget")
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
        answer = _refused("malformed", words)
        asked = _id_in(received.payload)
        self._database.run(
            lambda connection: self._say(connection, vehicle_id, requester, asked, answer)
        )

    def turn(self) -> None:
        """Let no erased byte stay in the files, where others kept it from being so."""
        if self._must_scrub:
            self._must_scrub = not self._database.scrub()

    def _take_feedback(self, message: RecommendationFeedback, connection: Connection) -> None:
        answer = self._feedback(message, connection)
        self._say(connection, message.vehicle_id, message.requester, message.offer_id, answer)

    def _feedback(self, message: RecommendationFeedback, connection: Connection) -> Answer:
        if not self._may(message.requester, "feedback"):
            return _not_allowed(message.requester, "feedback")
        standing = self._standing(connection, message.vehicle_id)
        this = and_(offer.c.vehicle_id == message.vehicle_id, offer.c.offer_id == message.offer_id)
        row = connection.execute(select(offer).where(this)).first()
        if row is None or standing is None:
            return _refused("unknown_offer", "no such offer was made, or it is forgotten")
        state = _STATES[message.answer]
        if row.state == state:
            return DONE
        if row.state == "expired":
            return _refused("expired", "the trip it was for is over, or somebody else drives")
        if row.state != "open":
            return _refused("conflict", f"it is {row.state} already")
        connection.execute(update(offer).where(this).values(state=state))
        if state == "rejected":
            vehicle_id, driver = message.vehicle_id, row.driver
            model = self._hearing.models.of(connection, vehicle_id, driver)
            model.version = ""
            model.rejections = store.rejections(connection, vehicle_id, driver)
            store.touch(connection, vehicle_id, driver, message.offer_id, model)
            self._hearing.speak(connection, standing)
            store.save(connection, standing)
        return DONE

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
            return _not_allowed(message.requester, right)
        standing = self._standing(connection, message.vehicle_id)
        if standing is None:
            return _refused("unknown_driver", "nothing is known of this vehicle")
        digest = hashlib.sha256(message.encode()).hexdigest()
        key = {
            "vehicle_id": message.vehicle_id,
            "requester": message.requester,
            "request_id": message.request_id,
        }
        this = and_(*(request.c[name] == value for name, value in key.items()))
        known = connection.execute(select(request).where(this)).first()
        if known is not None:
            if known.digest != digest:
                return _refused("conflict", "this id was used for another request")
            kept: Answer = orjson.loads(known.answer)
            return kept
        answer = self._do(message, connection, standing)
        store.save(connection, standing)
        insert_new(
            connection, request, **key, digest=digest, answer=orjson.dumps(answer).decode(),
            kept_ms=self._clock_ms(),
        )  # fmt: skip
        self._bound(connection, message.vehicle_id)
        return answer

    def _do(
        self, message: RecommendationControl, connection: Connection, standing: Standing
    ) -> Answer:
        driver, place_id = message.driver or "", message.place_id or ""
        match message.action:
            case "pause":
                until = LAST_MS if message.until is None else milliseconds(message.until)
                standing.paused_until_ms = until
                if self._hearing.is_paused(standing):
                    self._hearing.hush(connection, standing)
                return DONE
            case "resume":
                standing.paused_until_ms = None
            case "name_place":
                if not self._name(connection, standing.vehicle_id, driver, place_id, message.label):
                    return _refused("unknown_place", "this driver has no such place")
                self._hearing.hush(connection, standing)
            case "forget_place" | "forget_driver":
                return self._forget(message, connection, standing)
            case "export":
                if store.version_of(connection, standing.vehicle_id, driver) is None:
                    return _refused("unknown_driver", "nothing is known of this driver")
                return DONE
        self._hearing.speak(connection, standing)
        return DONE

    def _forget(
        self, message: RecommendationControl, connection: Connection, standing: Standing
    ) -> Answer:
        driver, place_id, now_ms = message.driver or "", message.place_id or "", self._clock_ms()
        self._hearing.models.drop(standing.vehicle_id, driver)
        if message.action == "forget_place":
            erased = erasing.forget_place(connection, standing, driver, place_id, now_ms)
            if erased is None:
                return _refused("unknown_place", "this driver has no such place")
            self._hearing.speak(connection, standing)
        else:
            erased = erasing.forget_driver(connection, standing, driver, now_ms)
            if erased is None:
                return _refused("unknown_driver", "nothing is known of this driver")
        return {**DONE, "erased": erased}

    def _name(
        self,
        connection: Connection,
        vehicle_id: str,
        driver: str,
        place_id: str,
        label: str | None,
    ) -> bool:
        this = and_(of_driver(place, vehicle_id, driver), place.c.place_id == place_id)
        if not connection.execute(update(place).where(this).values(label=label)).rowcount:
            return False
        model = self._hearing.models.of(connection, vehicle_id, driver)
        model.version = ""
        model.labels.pop(place_id, None)
        if label:
            model.labels[place_id] = label
        store.touch(connection, vehicle_id, driver, f"{place_id} {label}", model)
        return True

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
        log.info("%s: %s of %s: %s", vehicle_id, asked, requester, answer["status"])
        said = {"vehicle_id": vehicle_id, "requester": requester, "id": asked, **answer}
        enqueue(connection, RecommendationAnswer.model_validate(said))

    def _bound(self, connection: Connection, vehicle_id: str) -> None:
        ours = select(request.c.kept_ms).where(request.c.vehicle_id == vehicle_id)
        newest = ours.order_by(request.c.kept_ms.desc())
        oldest_ms = connection.execute(newest.offset(_MOST_REQUESTS).limit(1)).scalar_one_or_none()
        if oldest_ms is not None:
            old = and_(request.c.vehicle_id == vehicle_id, request.c.kept_ms <= oldest_ms)
            connection.execute(delete(request).where(old))


def _refused(reason: str, detail: str) -> Answer:
    return {"status": "refused", "reason": reason, "detail": detail[:_DETAIL]}


def _not_allowed(requester: str, right: Right) -> Answer:
    words = f"the settings of the recommendation service do not give {requester} {right}"
    return _refused("not_allowed", words)


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
