"""What the broker remembers of a trip that is on, and how it is made to forget it."""

from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, delete

from internetcar.contract.advice import (
    ClimateRecommendation,
    EcoAdvice,
    MediaRecommendation,
    SeatRecommendation,
    StopRecommendation,
)
from internetcar.contract.message import Message
from internetcar.contract.recommendations import DestinationRecommendation
from services.database import insert_new
from services.tables import outgoing

RETAINED: Mapping[str, type[Message]] = {
    "destination": DestinationRecommendation,
    "climate": ClimateRecommendation,
    "seat": SeatRecommendation,
    "media": MediaRecommendation,
    "stop": StopRecommendation,
    "energy": EcoAdvice,
}
"""What is retained of each kind of advice."""


def clear(connection: Connection, vehicle_id: str, kinds: Iterable[str] = tuple(RETAINED)) -> None:
    """Let the broker remember nothing of what some kinds said."""
    for kind in kinds:
        topic = RETAINED[kind].filter(vehicle_id=vehicle_id)
        connection.execute(delete(outgoing).where(outgoing.c.topic == topic))
        insert_new(
            connection, outgoing, id=f"clear:{vehicle_id}:{kind}", topic=topic, payload=b"",
            retain=True, awaits=None, next_at_ms=0, attempts=0,
        )  # fmt: skip
