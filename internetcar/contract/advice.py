"""What a trip may need beside a destination: climate, seat, media, stops, and how to use less."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from internetcar.contract.message import Instant, Message, Name, Part, Path
from internetcar.contract.money import EventId, Term, Words
from internetcar.contract.presence import Origin
from internetcar.contract.trips import (
    Celsius,
    Latitude,
    Longitude,
    Metres,
    SettingText,
    SettingValue,
)

MOST_SUGGESTED_SETTINGS = 40
MOST_SUGGESTED_ITEMS = 3
MOST_SUGGESTED_STOPS = 3
MOST_ADVICE = 5

Share = Annotated[float, Field(ge=0, le=1)]
PlaceId = EventId
"""Of one driver; never given twice, also not after it is forgotten."""

StopKind = Literal["charge", "fuel", "habit"]
"""`habit`: the driver mostly stops there on this way."""

EcoKind = Literal["idle", "speed", "acceleration", "braking", "climate"]
"""What would have used less."""


class SuggestedSetting(Part):
    """What the driver would set something in the car to."""

    path: Path = Field(description="the VSS leaf")
    value: SettingValue
    now: SettingValue | None = Field(default=None, description="how it stands, if that is known")
    probability: Share


class SuggestedItem(Part):
    """Something to hear."""

    item: SettingText = Field(description="as the car names it: a URI, else artist and track")
    probability: Share
    because: Words = ""


class SuggestedStop(Part):
    """A stop on the way."""

    kind: StopKind
    place_id: PlaceId | None = Field(default=None, description="none: no place is known for it")
    label: Term | None = None
    latitude: Latitude | None = None
    longitude: Longitude | None = None
    probability: Share
    because: Words = ""


class _Advice(Message):
    QOS: ClassVar[Literal[0, 1]] = 1
    RETAIN: ClassVar[bool] = True
    SENDER: ClassVar[str] = "recommendations"
    MAX_PAYLOAD_BYTES: ClassVar[int] = 16_384

    vehicle_id: Name
    trip_id: EventId
    driver: Term
    origin: Origin
    at: Instant = Field(description="by the clock of the trip")


class ClimateRecommendation(_Advice):
    """How warm the driver has it in such weather; nothing is retained while no trip is on."""

    TOPIC: ClassVar[str] = "v1/vehicle/{vehicle_id}/recommendation/climate"

    settings: list[SuggestedSetting] = Field(max_length=MOST_SUGGESTED_SETTINGS)
    because: Words = ""
    similar_trips: int = Field(ge=0, description="so many trips it is drawn from")
    outside_c: Celsius | None = None
    is_withdrawn: bool = Field(
        default=False, description="rejected twice: not offered until the driver does it by hand"
    )


class SeatRecommendation(_Advice):
    """Where the driver has seat and mirrors; nothing is retained while no trip is on."""

    TOPIC: ClassVar[str] = "v1/vehicle/{vehicle_id}/recommendation/seat"

    guess: Term | None = Field(default=None, description="who may drive, where the car says nobody")
    probability: Share | None = Field(default=None, description="of the guess")
    settings: list[SuggestedSetting] = Field(max_length=MOST_SUGGESTED_SETTINGS)
    because: Words = ""
    is_withdrawn: bool = Field(
        default=False, description="rejected twice: not offered until the driver does it by hand"
    )


class MediaRecommendation(_Advice):
    """What to hear first or next; nothing is retained while no trip is on."""

    TOPIC: ClassVar[str] = "v1/vehicle/{vehicle_id}/recommendation/media"

    items: list[SuggestedItem] = Field(max_length=MOST_SUGGESTED_ITEMS)
    after: SettingText | None = Field(default=None, description="what is heard; none: the first")


class StopRecommendation(_Advice):
    """Where to charge, fuel or stop on the way; nothing is retained while no trip is on."""

    TOPIC: ClassVar[str] = "v1/vehicle/{vehicle_id}/recommendation/stop"

    stops: list[SuggestedStop] = Field(max_length=MOST_SUGGESTED_STOPS)
    range_m: Metres | None = Field(default=None, description="what the car says it can still go")
    needed_m: Metres | None = Field(default=None, description="to the likely end, with a margin")
    because: Words = ""


class EcoHint(Part):
    """One thing that would have used less on the trip that has ended."""

    kind: EcoKind
    saves: float = Field(ge=0, le=1e7, description="in the unit of the message")
    share: Share = Field(description="of what the trip used")
    words: Words


class EcoAdvice(_Advice):
    """What the last trip used and what would have used less; it stays until the next trip ends."""

    TOPIC: ClassVar[str] = "v1/vehicle/{vehicle_id}/recommendation/eco"

    unit: Literal["Wh", "ml"]
    used: float = Field(ge=-1e7, le=1e7)
    expected: float | None = Field(
        default=None, ge=-1e7, le=1e7, description="by the model of this car before this trip"
    )
    hints: list[EcoHint] = Field(max_length=MOST_ADVICE)
