"""Recommendations: where a trip may lead, offers, what people answer, and what they ask."""

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field, model_validator

from internetcar.contract.advice import (
    MOST_SUGGESTED_SETTINGS,
    PlaceId,
    Share,
    SuggestedItem,
    SuggestedSetting,
    SuggestedStop,
)
from internetcar.contract.message import Instant, Message, Name, Part
from internetcar.contract.money import EventId, Term, Words
from internetcar.contract.presence import Origin
from internetcar.contract.trips import Latitude, Longitude

MOST_SUGGESTED = 3
MOST_EXPORTED = 2_000
"""Visits in an answer; the command on the vehicle's own machine has all."""

OfferKind = Literal["destination", "climate", "seat", "media", "stop"]
Automatic = Literal["climate", "seat"]
"""What may be applied without asking, where the driver has switched that on."""

Action = Literal[
    "pause", "resume", "automatic", "name_place", "forget_place", "forget_driver", "export"
]

REASONS: Mapping[str, str] = {
    "malformed": "the payload is not what its class says",
    "not_allowed": "the service's settings do not let this requester do this",
    "unknown_offer": "there is no such offer of this vehicle, or it was forgotten",
    "expired": "the trip that the offer was for is over, or somebody else drives",
    "conflict": "this offer has the other answer, or this id was used for another request",
    "unknown_place": "this driver has no such place",
    "unknown_driver": "nothing is known of this driver",
    "not_applied": "the vehicle did not take a command, or did not show it in time",
}
"""What a reason means, in words; readers must expect others."""


class SuggestedPlace(Part):
    """A place a trip may lead to, and why."""

    place_id: PlaceId
    latitude: Latitude
    longitude: Longitude
    label: Term | None = Field(default=None, description="what the driver calls it")
    probability: Share
    because: Words = ""


class DestinationRecommendation(Message):
    """Where the trip may lead, the likeliest first; nothing is retained while no trip is on.

    Said anew when another place is the first, or its probability crosses 0.5 or 0.7. A driver of
    fewer than ten trips is told nothing.
    """

    TOPIC: ClassVar[str] = "v1/vehicle/{vehicle_id}/recommendation/destination"
    SENDER: ClassVar[str] = "recommendations"
    QOS: ClassVar[Literal[0, 1]] = 1
    RETAIN: ClassVar[bool] = True
    MAX_PAYLOAD_BYTES: ClassVar[int] = 16_384

    vehicle_id: Name
    trip_id: EventId
    driver: Term
    places: list[SuggestedPlace] = Field(max_length=MOST_SUGGESTED)
    somewhere_new: Share = Field(description="the probability of a place that is not known yet")
    origin: Origin
    at: Instant = Field(description="by the clock of the trip")


class RecommendationOffer(Message):
    """Something is likely enough to be asked about: each kind once a trip, and it ends with it."""

    TOPIC: ClassVar[str] = "v1/vehicle/{vehicle_id}/recommendation/offer"
    SENDER: ClassVar[str] = "recommendations"
    QOS: ClassVar[Literal[0, 1]] = 1
    RETAIN: ClassVar[bool] = False
    MAX_PAYLOAD_BYTES: ClassVar[int] = 16_384

    vehicle_id: Name
    offer_id: EventId
    kind: OfferKind = "destination"
    trip_id: EventId
    driver: Term
    probability: Share
    because: Words = ""
    place: SuggestedPlace | None = Field(default=None, description="of `destination`")
    settings: list[SuggestedSetting] = Field(
        default_factory=list,
        max_length=MOST_SUGGESTED_SETTINGS,
        description="of `climate` and `seat`: accepting it sends them as commands",
    )
    guess: Term | None = Field(default=None, description="of `seat`: is it this driver?")
    item: SuggestedItem | None = Field(default=None, description="of `media`")
    stop: SuggestedStop | None = Field(default=None, description="of `stop`")
    is_automatic: bool = Field(
        default=False, description="it is being applied, for the driver has switched that on"
    )
    origin: Origin
    at: Instant = Field(description="by the clock of the trip")


class RecommendationFeedback(Message):
    """What a person says to an offer; the same answer again changes nothing."""

    TOPIC: ClassVar[str] = "v1/vehicle/{vehicle_id}/recommendation/feedback/{requester}"
    SENDER: ClassVar[str] = "requester"
    HEARD_BY: ClassVar[tuple[str, ...]] = ("recommendations",)
    QOS: ClassVar[Literal[0, 1]] = 1
    RETAIN: ClassVar[bool] = False
    MAX_PAYLOAD_BYTES: ClassVar[int] = 2_048

    vehicle_id: Name
    requester: Name = Field(description="the broker's user name; its rules let nobody else in")
    offer_id: EventId
    answer: Literal["accept", "reject"]


class RecommendationControl(Message):
    """What a person asks of the service itself; the same `request_id` is the same request."""

    TOPIC: ClassVar[str] = "v1/vehicle/{vehicle_id}/recommendation/control/{requester}"
    SENDER: ClassVar[str] = "requester"
    HEARD_BY: ClassVar[tuple[str, ...]] = ("recommendations",)
    QOS: ClassVar[Literal[0, 1]] = 1
    RETAIN: ClassVar[bool] = False
    MAX_PAYLOAD_BYTES: ClassVar[int] = 4_096

    vehicle_id: Name
    requester: Name = Field(description="the broker's user name; its rules let nobody else in")
    request_id: EventId
    action: Action
    until: Instant | None = Field(default=None, description="of `pause`; none: until it is resumed")
    kind: Automatic | None = Field(default=None, description="of `automatic`")
    is_on: bool = Field(default=True, strict=True, description="of `automatic`")
    driver: Term | None = Field(default=None, description="of all but `pause` and `resume`")
    place_id: PlaceId | None = Field(default=None, description="of `name_place`, `forget_place`")
    label: Term | None = Field(
        default=None, description="of `name_place`; none: it has no name any more"
    )

    @model_validator(mode="after")
    def _says_what_it_is_about(self) -> "RecommendationControl":
        if self.action not in ("pause", "resume") and not self.driver:
            raise ValueError(f"{self.action} needs `driver`")
        if self.action in ("name_place", "forget_place") and self.place_id is None:
            raise ValueError(f"{self.action} needs `place_id`")
        if self.action == "automatic" and self.kind is None:
            raise ValueError("automatic needs `kind`")
        return self


class KnownPlace(Part):
    """A place of a driver; where it is, only with consent."""

    place_id: PlaceId
    label: Term | None = None
    latitude: Latitude | None = None
    longitude: Longitude | None = None


class KnownVisit(Part):
    """That a trip led to a place."""

    started_at: Instant
    place_id: PlaceId
    origin_id: PlaceId | None = None


class RecommendationAnswer(Message):
    """What became of feedback or a control, for its requester alone."""

    TOPIC: ClassVar[str] = "v1/client/{requester}/recommendation/{vehicle_id}"
    SENDER: ClassVar[str] = "recommendations"
    QOS: ClassVar[Literal[0, 1]] = 1
    RETAIN: ClassVar[bool] = False

    vehicle_id: Name
    requester: Name
    id: EventId | None = Field(
        default=None, description="`offer_id` or `request_id`; none: it could not be read"
    )
    status: Literal["done", "refused"]
    reason: str | None = Field(
        default=None, max_length=64, description=f"one of {', '.join(REASONS)}"
    )
    detail: Words | None = Field(default=None, description="in words, for a person")
    erased: int = Field(default=0, ge=0, description="of a `forget_…`: how many visits")
    places: list[KnownPlace] = Field(default_factory=list, description="of `export`")
    visits: list[KnownVisit] = Field(
        default_factory=list, max_length=MOST_EXPORTED, description="of `export`, the newest last"
    )
    is_cut: bool = Field(default=False, description="there are more visits than one message holds")
