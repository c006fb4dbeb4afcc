"""What a person asks of the service itself: a pause, a name, to forget; each done once."""

import hashlib
from collections.abc import Callable

import orjson
from sqlalchemy import Connection, and_, delete, select, update

from internetcar.contract.message import milliseconds
from internetcar.contract.recommendations import RecommendationControl
from internetcar.contract.trips import UNKNOWN_DRIVER
from services.database import insert_new
from services.recommendations import automatic, erasing, store
from services.recommendations.hearing import Hearing
from services.recommendations.journey import LAST_MS
from services.recommendations.replies import DONE, Answer, refused
from services.recommendations.store import Standing, of_driver
from services.recommendations.tables import place, request

_MOST_REQUESTS = 1_000
"""Of a vehicle that are remembered, so that the same one gets the same answer."""


class Controls:
    """Does what is asked, in the transaction that brought it.

    Args:
        hearing: Knows the trips; its models and voice are used.
        clock_ms: UTC milliseconds.
    """

    def __init__(self, hearing: Hearing, clock_ms: Callable[[], int]) -> None:
        self._hearing = hearing
        self._clock_ms = clock_ms

    def once(
        self, message: RecommendationControl, connection: Connection, standing: Standing
    ) -> Answer:
        """What is answered; to what was asked before, the same again, and nothing is done."""
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
                return refused("conflict", "this id was used for another request")
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
                if self._hearing.voice.is_paused(standing):
                    self._hearing.voice.hush(connection, standing)
                return DONE
            case "resume":
                standing.paused_until_ms = None
            case "automatic":
                return self._switch(message, connection, standing.vehicle_id)
            case "name_place":
                if not self._name(connection, standing.vehicle_id, driver, place_id, message.label):
                    return refused("unknown_place", "this driver has no such place")
                self._hearing.voice.hush(connection, standing)
            case "forget_place" | "forget_driver":
                return self._forget(message, connection, standing)
            case "export":
                if store.version_of(connection, standing.vehicle_id, driver) is None:
                    return refused("unknown_driver", "nothing is known of this driver")
                return DONE
        self._hearing.voice.speak(connection, standing)
        return DONE

    def _forget(
        self, message: RecommendationControl, connection: Connection, standing: Standing
    ) -> Answer:
        driver, place_id, now_ms = message.driver or "", message.place_id or "", self._clock_ms()
        self._hearing.models.drop(standing.vehicle_id, driver)
        self._hearing.counsel.learned.drop(standing.vehicle_id)
        if message.action == "forget_place":
            erased = erasing.forget_place(connection, standing, driver, place_id, now_ms)
            if erased is None:
                return refused("unknown_place", "this driver has no such place")
            self._hearing.voice.speak(connection, standing)
        else:
            erased = erasing.forget_driver(connection, standing, driver, now_ms)
            if erased is None:
                return refused("unknown_driver", "nothing is known of this driver")
        return {**DONE, "erased": erased}

    def _switch(
        self, message: RecommendationControl, connection: Connection, vehicle_id: str
    ) -> Answer:
        name, kind = message.driver or "", message.kind or ""
        if message.is_on and name == UNKNOWN_DRIVER:
            return refused("unknown_driver", "nothing is applied unasked for who is not named")
        if message.is_on and store.version_of(connection, vehicle_id, name) is None:
            return refused("unknown_driver", "nothing is known of this driver")
        automatic.switch(connection, vehicle_id, name, kind, is_on=message.is_on)
        return DONE

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

    def _bound(self, connection: Connection, vehicle_id: str) -> None:
        ours = select(request.c.kept_ms).where(request.c.vehicle_id == vehicle_id)
        newest = ours.order_by(request.c.kept_ms.desc())
        oldest_ms = connection.execute(newest.offset(_MOST_REQUESTS).limit(1)).scalar_one_or_none()
        if oldest_ms is not None:
            old = and_(request.c.vehicle_id == vehicle_id, request.c.kept_ms <= oldest_ms)
            connection.execute(delete(request).where(old))
