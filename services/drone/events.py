"""What the pilot hears, and what it answers: the whole input and output of every decision (pure).

The same events at the same moments give the same effects.
"""

from dataclasses import dataclass

from internetcar.contract.drone import DroneRequest
from internetcar.contract.message import Message, Value
from internetcar.contract.presence import Clock, Origin
from internetcar.contract.signals import Quality
from services.drone.autopilot import DroneStatus, Intent, Result
from services.drone.geodesy import Place


@dataclass(frozen=True, slots=True)
class CarFix:
    """A position of the car, `age_s` old when it was received; below zero: the clocks differ."""

    place: Place
    accuracy_m: float | None
    heading_deg: float | None
    speed_kmh: float | None
    age_s: float


@dataclass(frozen=True, slots=True)
class CarSignal:
    """A VSS leaf of the car."""

    path: str
    value: Value
    quality: Quality
    age_s: float


@dataclass(frozen=True, slots=True)
class CarPresence:
    """Whether the car's gateway is there, and what its signals are worth."""

    is_online: bool
    origin: Origin
    clock: Clock


@dataclass(frozen=True, slots=True)
class WeatherReport:
    """What a device says of the weather; `None`: it does not know."""

    wind_mps: float | None
    gust_mps: float | None
    from_deg: float | None
    rain_pct: float | None
    temperature_c: float | None
    age_s: float


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that may be granted: in time, by a requester with the right, never seen before."""

    request: DroneRequest


@dataclass(frozen=True, slots=True)
class BrokerLink:
    """Whether the broker is there."""

    is_connected: bool


@dataclass(frozen=True, slots=True)
class Twin:
    """Whether another service speaks for this drone, too."""

    is_heard: bool


@dataclass(frozen=True, slots=True)
class Heard:
    """What the autopilot says now; comes with every turn, ten times a second or more."""

    status: DroneStatus
    results: tuple[Result, ...] = ()


Event = CarFix | CarSignal | CarPresence | WeatherReport | Asked | BrokerLink | Twin | Heard


@dataclass(frozen=True, slots=True)
class Perform:
    """Ask it of the autopilot; its answer comes back under the id."""

    id: int
    intent: Intent


Effect = Perform | Message
"""Messages go to the broker. All effects go out after what the pilot remembers is on disk."""
