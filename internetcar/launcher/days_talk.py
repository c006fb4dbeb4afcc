"""Talks to the recommendation service of `car up` about the past, no faster than it listens."""

import queue
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self
from uuid import uuid4

from internetcar.contract.broker_url import BrokerUrl
from internetcar.contract.link import Link
from internetcar.contract.message import Message
from internetcar.contract.recommendations import (
    RecommendationAnswer,
    RecommendationControl,
    RecommendationFeedback,
    RecommendationOffer,
)
from internetcar.contract.trips import TripEnded
from internetcar.launcher.roll_call import CONNECT_S

Told = tuple[TripEnded, str]
"""A trip, and the reading it comes from."""

_STARTS_S = 30.0
_ANSWERS_S = 20.0
_OFFERS_S = 2.0
_AGAIN_S = 0.3
_TURN_S = 0.02


class Talk:
    """A context manager: a connection on which trips are said, and answers awaited.

    The service takes what one client says in order: an answer to a question says that it has
    learned all that was said before.

    Args:
        broker: Of our own.
        vehicle_id: Whose trips.
        requester: As whom we ask.
        turn: Called often while something is awaited; false ends the waiting.
    """

    def __init__(
        self, broker: BrokerUrl, vehicle_id: str, requester: str, turn: Callable[[], bool]
    ) -> None:
        self._vehicle_id = vehicle_id
        self._requester = requester
        self._turn = turn
        self._heard: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self._answers: dict[str, RecommendationAnswer] = {}
        self._offers: dict[str, RecommendationOffer] = {}
        self._begun = uuid4().hex[:12]
        self._asked = 0
        self._link = Link(broker, f"days-{self._begun}")
        self._link.on(
            RecommendationAnswer, self._heard.put, requester=requester, vehicle_id=vehicle_id
        )
        self._link.on(RecommendationOffer, self._heard.put, vehicle_id=vehicle_id)

    def __enter__(self) -> Self:
        self._link.start(wait_s=CONNECT_S)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._link.stop()

    def is_heard(self) -> bool:
        """Wait for the service to start; false where it does not."""
        deadline_s = time.monotonic() + _STARTS_S
        while time.monotonic() < deadline_s:
            asked = self.ask()
            if self._until(lambda asked=asked: asked in self._answers, _AGAIN_S):  # type: ignore[misc]
                return True
            if not self._turn():
                return False
        return False

    def say(self, message: Message) -> None:
        """Say something of a trip."""
        self._link.publish(message)

    def ask(self) -> str:
        """Ask something that changes nothing: about an offer that there never was; its id."""
        self._asked += 1
        asked = f"days-{self._begun}-{self._asked}"
        self._answer(asked)
        return asked

    def is_answered(self, asked: str) -> bool:
        """Wait for an answer; false where none comes."""
        if not self._until(lambda: asked in self._answers, _ANSWERS_S):
            return False
        del self._answers[asked]
        return True

    def rejects_climate(self, trip_id: str) -> bool:
        """Reject the climate that is offered on a trip; false where none is."""

        def found() -> RecommendationOffer | None:
            return self._offers.get(trip_id)

        if not self._until(lambda: found() is not None, _OFFERS_S):
            return False
        offer = found()
        assert offer is not None
        self._answer(offer.offer_id)
        return (
            self._until(lambda: offer.offer_id in self._answers, _OFFERS_S)
            and self._answers.pop(offer.offer_id).status == "done"
        )

    def name(self, driver: str, place_id: str, label: str) -> None:
        """Give a place a name."""
        self._link.publish(
            RecommendationControl(
                vehicle_id=self._vehicle_id, requester=self._requester,
                request_id=f"days-{self._begun}-{place_id}", action="name_place", driver=driver,
                place_id=place_id, label=label,
            )
        )  # fmt: skip

    def _answer(self, offer_id: str) -> None:
        self._link.publish(
            RecommendationFeedback(
                vehicle_id=self._vehicle_id,
                requester=self._requester,
                offer_id=offer_id,
                answer="reject",
            )
        )

    def _until(self, condition: Callable[[], bool], timeout_s: float) -> bool:
        deadline_s = time.monotonic() + timeout_s
        while not condition():
            if time.monotonic() > deadline_s or not self._turn():
                return False
            self._take()
        return True

    def _take(self) -> None:
        """Take what was heard, or wait a little for it."""
        try:
            heard = self._heard.get(timeout=_TURN_S)
        except queue.Empty:
            return
        if isinstance(heard, RecommendationAnswer) and heard.id is not None:
            self._answers[heard.id] = heard
        elif isinstance(heard, RecommendationOffer) and heard.kind == "climate":
            self._offers[heard.trip_id] = heard
