"""Trips: when one began, where it is, and all that is told of it once it has ended."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from internetcar.contract.message import Instant, Message, Name, Part, Path
from internetcar.contract.money import LINE, EventId, Term
from internetcar.contract.presence import Clock, Origin

UNKNOWN_DRIVER = "unknown"
"""Where the car does not say who drives."""

MOST_ROUTE_POINTS = 1_000
MOST_SETTINGS = 400
MOST_HARSH = 200
MOST_RECENT = 24

Seconds = Annotated[float, Field(ge=0, le=1e9)]
Metres = Annotated[float, Field(ge=0, le=1e9)]
SpeedSum = Annotated[float, Field(ge=0, le=1e15)]
Percent = Annotated[float, Field(ge=0, le=100)]
Celsius = Annotated[float, Field(ge=-100, le=150)]
Latitude = Annotated[float, Field(ge=-90, le=90)]
Longitude = Annotated[float, Field(ge=-180, le=180)]

SettingText = Annotated[str, Field(max_length=200, pattern=LINE)]
SettingValue = bool | int | float | SettingText

RoutePoint = tuple[Latitude, Longitude, Seconds]
"""Latitude, longitude (WGS 84, degrees) and seconds after the start."""

HarshKind = Literal["acceleration", "braking", "cornering"]

WhyEnded = Literal["power_off", "signal_lost", "crash"]
"""`signal_lost`: the log or the car fell silent; what comes later may correct it."""


class Place(Part):
    """Somewhere on Earth, WGS 84."""

    latitude: Latitude
    longitude: Longitude


class SettingChange(Part):
    """What something in the car was set to; `offset_s` 0 is how it stood at the start."""

    path: Path = Field(description="the VSS leaf")
    offset_s: Seconds = Field(description="after the start of the trip")
    value: SettingValue


class HarshEvent(Part):
    """One harsh acceleration, braking or bend."""

    kind: HarshKind
    offset_s: Seconds = Field(description="after the start of the trip")
    peak_mps2: float = Field(ge=0, le=1_000, description="the most of it, in m/s²")


class Driving(Part):
    """How a trip was driven: sums over the time for which the speed v (m/s) is known.

    The acceleration a is that between turning points of the speed, of which none is that turns by
    less than 0.7 m/s.
    """

    known_s: Seconds = Field(description="so long the speed is known")
    speed_m: Metres = Field(description="∫v dt, in m")
    speed2_m2_per_s: SpeedSum = Field(description="∫v² dt, in m²/s")
    speed3_m3_per_s2: SpeedSum = Field(description="∫v³ dt, in m³/s²")
    faster_m2_per_s2: SpeedSum = Field(description="∫(v·a)⁺ dt, in m²/s²: v²/2 that was gained")
    slower_m2_per_s2: SpeedSum = Field(description="∫(v·a)⁻ dt, in m²/s²: v²/2 that was lost")
    idle_s: Seconds = Field(description="of `known_s` it stood (an engine: running)")
    is_cold_start: bool | None = Field(
        default=None,
        description="by the coolant, else whether it had been off for three hours; absent: unknown",
    )


class TripStarted(Message):
    """A car was switched on: said once it knows who sits in it, or two seconds later."""

    TOPIC: ClassVar[str] = "v1/vehicle/{vehicle_id}/trip/started"
    SENDER: ClassVar[str] = "trips"
    HEARD_BY: ClassVar[tuple[str, ...]] = ("recommendations",)
    QOS: ClassVar[Literal[0, 1]] = 1
    RETAIN: ClassVar[bool] = False
    MAX_PAYLOAD_BYTES: ClassVar[int] = 65_536

    vehicle_id: Name
    trip_id: EventId
    driver: Term = Field(
        default=UNKNOWN_DRIVER, description="`unknown` where the car does not say who drives"
    )
    started_at: Instant
    start: Place | None = Field(default=None, description="absent without a fix")
    outside_c: Celsius | None = Field(default=None, description="°C")
    settings: list[SettingChange] = Field(
        default_factory=list, max_length=MOST_SETTINGS, description="how things stand"
    )
    level_pct: Percent | None = Field(default=None, description="of battery, else of fuel, in %")
    range_m: Metres | None = Field(default=None, description="what the car says it can still go")
    origin: Origin
    clock: Clock


class TripProgress(Message):
    """Where a trip is, about every ten seconds of it; a lost one is made good by the next."""

    TOPIC: ClassVar[str] = "v1/vehicle/{vehicle_id}/trip/progress"
    SENDER: ClassVar[str] = "trips"
    HEARD_BY: ClassVar[tuple[str, ...]] = ("recommendations",)
    QOS: ClassVar[Literal[0, 1]] = 0
    RETAIN: ClassVar[bool] = False
    MAX_PAYLOAD_BYTES: ClassVar[int] = 16_384

    vehicle_id: Name
    trip_id: EventId
    driver: Term = UNKNOWN_DRIVER
    started_at: Instant
    at: Instant
    elapsed_s: Seconds
    distance_m: Metres = Field(description="so far")
    start: Place | None = None
    position: Place | None = Field(default=None, description="absent without a fresh fix")
    heading_deg: float | None = Field(default=None, ge=0, le=360)
    speed_kmh: float | None = Field(default=None, ge=0, le=1_000)
    outside_c: Celsius | None = Field(default=None, description="°C")
    changed: list[SettingChange] = Field(
        default_factory=list,
        max_length=MOST_RECENT,
        description="the last change of each setting in the ten minutes before, the newest first",
    )
    level_pct: Percent | None = Field(default=None, description="of battery, else of fuel, in %")
    range_m: Metres | None = Field(default=None, description="what the car says it can still go")
    origin: Origin


class TripEnded(Message):
    """A trip as a whole: final five minutes after it ended, for a shorter stop is part of it.

    The same `trip_id` may be said again with a greater `revision`, when a part of the log comes
    late: the greatest one holds.
    """

    TOPIC: ClassVar[str] = "v1/vehicle/{vehicle_id}/trip/ended"
    SENDER: ClassVar[str] = "trips"
    HEARD_BY: ClassVar[tuple[str, ...]] = ("recommendations",)
    QOS: ClassVar[Literal[0, 1]] = 1
    RETAIN: ClassVar[bool] = False

    vehicle_id: Name
    trip_id: EventId
    revision: int = Field(ge=1, le=1_000_000)
    is_dropped: bool = Field(
        default=False, description="it moved less than 300 m: no trip, and kept by nobody"
    )
    driver: Term = UNKNOWN_DRIVER
    started_at: Instant
    ended_at: Instant
    start: Place | None = None
    end: Place | None = None
    distance_m: Metres
    distance_from: Literal["odometer", "speed", "gnss"] | None = None
    energy_wh: float | None = Field(
        default=None,
        ge=-1e7,
        le=1e7,
        description="out of the traction battery, what came back less",
    )
    fuel_ml: float | None = Field(default=None, ge=0, le=1e7)
    level_pct: Percent | None = Field(
        default=None, description="of battery, else of fuel, in %, at the end"
    )
    idle_s: Seconds | None = Field(
        default=None, description="it stood while on (an engine: running); absent: not told"
    )
    driving: Driving | None = Field(
        default=None, description="absent where the speed is not told for 80 % of the time"
    )
    stopped_s: Seconds = Field(
        default=0.0, description="switched off, in stops that are part of it"
    )
    unknown_s: Seconds = Field(default=0.0, description="of which the log says nothing")
    harsh: list[HarshEvent] = Field(default_factory=list, max_length=MOST_HARSH)
    harsh_count: int = Field(default=0, ge=0, le=1_000_000, description="also those not listed")
    harsh_watched: list[HarshKind] = Field(
        default_factory=list, max_length=3, description="what the car tells enough for"
    )
    outside_c: Celsius | None = Field(default=None, description="mean, °C")
    settings: list[SettingChange] = Field(
        default_factory=list,
        max_length=MOST_SETTINGS,
        description="how things stood at the start, and their changes",
    )
    route: list[RoutePoint] = Field(
        default_factory=list, max_length=MOST_ROUTE_POINTS, description="simplified"
    )
    route_tolerance_m: Metres = Field(
        default=10.0, description="no fix lies further from the route"
    )
    why: WhyEnded
    origin: Origin
    clock: Clock
