"""What a kind of advice is to the service: what it keeps of a trip, learns of it, and says (pure).

A kind is one `Adviser` in `advisers.py`. The service keeps its evidence, forgets it, asks it when a
trip begins or goes on, says what it advises, makes its offers and takes the answers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Protocol

from internetcar.contract.advice import SuggestedItem, SuggestedSetting, SuggestedStop
from internetcar.contract.message import Message
from internetcar.contract.presence import Origin
from internetcar.contract.recommendations import OfferKind
from internetcar.contract.trips import SettingValue, TripEnded
from services.recommendations.destination.places import Places
from services.recommendations.destination.predictor import Forecast
from services.recommendations.journey import Journey

APPLIED_AT = 0.8
"""From this probability on it may be applied without asking, where the driver wants that."""
MOST_EVIDENCE = 2_000
"""Of one driver (or car) and kind; the oldest go."""
MOST_BYTES = 4_096
"""Of a trip's evidence as JSON; what is larger is not kept."""

Kind = Literal["climate", "seat", "media", "stop", "energy"]
Body = Mapping[str, Any]
"""What JSON holds."""


class Evidence(NamedTuple):
    """What is kept of a trip for one kind of advice.

    Attributes:
        trip_id: Of which trip.
        driver: Who drove.
        started_ms: UTC ms.
        day: Days since 1970 on the driver's wall clock, as `Moment` has them.
        place_id: Where it led; empty where that is not known.
        body: What the adviser kept.
    """

    trip_id: str
    driver: str
    started_ms: int
    day: float
    place_id: str
    body: Body


class Answered(NamedTuple):
    """An offer of a kind that has been answered, or applied; the oldest first.

    Attributes:
        key: What was offered, as the adviser's `Offer` had it.
        at_ms: When it was offered, UTC ms by the trip's clock.
        is_accepted: Else it was rejected.
    """

    key: str
    at_ms: int
    is_accepted: bool


class Standing(NamedTuple):
    """How a setting stands, and when it was last changed, UTC ms; 0: not on this trip."""

    value: SettingValue
    changed_ms: int


@dataclass(frozen=True, slots=True)
class Asked:
    """A trip that is on, as an adviser sees it.

    Attributes:
        vehicle_id: Whose.
        journey: The trip: its ids and times, `day`, `origin_id`.
        origin: Of the messages.
        trips: How many trips of this driver are known.
        forecast: Where it may lead; `None` where nothing is known of that.
        places: The driver's.
        labels: What the driver calls places, by their ids.
        settings: How things stand, by VSS leaf.
        outside_c: °C, now.
        level_pct: Of battery or fuel, now.
        range_m: What the car says it can still go.
        answered: The offers of this kind that have been answered, the oldest first.
        drivers: Evidence of this kind of each driver of the vehicle, by name; for `seat` alone,
            which has to guess who drives; empty for others.
    """

    vehicle_id: str
    journey: Journey
    origin: Origin
    trips: int
    forecast: Forecast | None
    places: Places
    labels: Mapping[str, str]
    settings: Mapping[str, Standing]
    outside_c: float | None = None
    level_pct: float | None = None
    range_m: float | None = None
    answered: Sequence[Answered] = ()
    drivers: Mapping[str, Sequence[Evidence]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Offer:
    """What is likely enough to be asked about.

    Attributes:
        key: What it is, the same for the same offer on another trip, such as `21.5`.
        probability: That the driver wants it.
        because: Why, in one sentence.
        settings: Sent as commands when it is accepted.
        guess: Is it this driver?
        item: Something to hear.
        stop: Where to stop.
    """

    key: str
    probability: float
    because: str
    settings: tuple[SuggestedSetting, ...] = ()
    guess: str | None = None
    item: SuggestedItem | None = None
    stop: SuggestedStop | None = None


@dataclass(frozen=True, slots=True)
class Advice:
    """What a kind says of a trip that is on.

    Attributes:
        state: What is retained on its topic while the trip is on; said where it is another than
            before, so let it change only where that is worth saying. `at` is not compared.
        offer: Made where the kind has offered nothing on this trip.
    """

    state: Message | None = None
    offer: Offer | None = None


class Adviser(Protocol):
    """One kind of advice; it holds nothing of any driver itself.

    Attributes:
        kind: Of its evidence.
        offers: Of its offers; `None`: it makes none, and is not asked on the way.
        of_car: Its evidence is that of the car, whoever drove.
        speaks_after: It may have something to say of a trip that has ended.
    """

    kind: Kind
    offers: OfferKind | None
    of_car: bool
    speaks_after: bool

    def kept(self, trip: TripEnded, day: float, place_id: str) -> Body | None:
        """What to keep of a trip that has ended; `None`: nothing."""

    def learn(self, evidence: Sequence[Evidence]) -> Any:
        """What the evidence of one driver (or car), the oldest first, teaches; held in memory."""

    def advise(self, asked: Asked, learned: Any) -> Advice:
        """What to say of a trip that is on; called at its start and with each progress."""

    def after(
        self, trip: TripEnded, learned: Any, trips: int, day: float, origin: Origin
    ) -> Message | None:
        """What to say of a trip that has ended, by what was learned before it."""
