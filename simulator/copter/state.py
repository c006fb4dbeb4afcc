"""Everything a simulated copter is at one moment (pure)."""

from dataclasses import dataclass, field
from enum import IntEnum

from simulator.copter.battery import Battery
from simulator.copter.body import Body
from simulator.copter.items import Item, Zone
from simulator.copter.parameters import Parameters
from simulator.copter.plane import Plane
from simulator.copter.wind import Wind

CRITICAL, WARNING, NOTICE, INFO = 2, 4, 5, 6
"""MAV_SEVERITY."""


class Mode(IntEnum):
    """ArduCopter's numbers of the modes it has here."""

    STABILIZE = 0
    ALT_HOLD = 2
    AUTO = 3
    GUIDED = 4
    LOITER = 5
    RTL = 6
    LAND = 9
    BRAKE = 17


class Result(IntEnum):
    """MAV_RESULT."""

    ACCEPTED = 0
    TEMPORARILY_REJECTED = 1
    DENIED = 2
    UNSUPPORTED = 3
    FAILED = 4


class Landed(IntEnum):
    """MAV_LANDED_STATE."""

    ON_GROUND = 1
    IN_AIR = 2
    TAKING_OFF = 3
    LANDING = 4


@dataclass(slots=True)
class Guided:
    """What it was last told in GUIDED; north, east and up in metres on the plane."""

    kind: str = "velocity"
    """`velocity`, `position`, `track` or `take_off`."""
    place: tuple[float, float] = (0.0, 0.0)
    up_m: float = 0.0
    velocity: tuple[float, float] = (0.0, 0.0)
    up_mps: float = 0.0
    told_s: float = 0.0
    speed_mps: float = 10.0
    climb_mps: float = 2.5
    descent_mps: float = 1.5
    heading_deg: float | None = None
    is_complete: bool = False
    """Of a take-off."""


@dataclass(slots=True)
class Return:
    """The way home, built once when RTL begins."""

    phase: str = "start"
    """`start`, `climb`, `return`, `loiter`, `descent` or `land`."""
    origin: tuple[float, float] = (0.0, 0.0)
    place: tuple[float, float] = (0.0, 0.0)
    height_m: float = 0.0
    """Above the ground of the plane."""
    home_up_m: float = 0.0
    since_s: float = 0.0
    wait_s: float = 0.0


@dataclass(slots=True)
class Auto:
    """How far the mission is."""

    index: int = 1
    is_started: bool = False
    is_entered: bool = False
    place: tuple[float, float] = (0.0, 0.0)
    up_m: float = 0.0
    speed_mps: float = 10.0
    reached_s: float | None = None
    is_landing: bool = False
    is_taking_off: bool = False
    is_done: bool = False


@dataclass(slots=True)
class State:
    """The copter: the world around it, its firmware's memory, and what became of it."""

    plane: Plane
    ground_altitude_m: float
    """Above sea level."""
    parameters: Parameters
    battery: Battery
    wind: Wind
    ready_s: float
    """When it can be armed, after boot."""
    prearm_bit_s: float
    """When it says so."""

    body: Body = field(default_factory=Body)
    now_s: float = 0.0
    """Since boot."""
    air: tuple[float, float] = (0.0, 0.0)
    """The wind's velocity north and east."""

    mode: Mode = Mode.STABILIZE
    is_armed: bool = False
    armed_s: float = 0.0
    is_landed: bool = True
    idle_since_s: float = 0.0
    contact_s: float | None = None
    """Since when it presses on the ground."""
    hold: tuple[float, float] = (0.0, 0.0)
    """Where LAND, LOITER, ALT_HOLD and BRAKE stay."""
    hold_up_m: float = 0.0
    guided: Guided = field(default_factory=Guided)
    rtl: Return = field(default_factory=Return)
    auto: Auto = field(default_factory=Auto)

    home: tuple[float, float, float] | None = None
    """North, east and up on the plane."""
    is_home_locked: bool = False
    origin: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """Of the local frame."""

    mission: tuple[Item, ...] = ()
    fence_items: tuple[Item, ...] = ()
    rally: tuple[Item, ...] = ()
    fence: tuple[Zone, ...] = ()

    has_gnss: bool = True
    gnss_lost_s: float = 0.0
    gcs_heard_s: float | None = None
    is_gcs_failsafe: bool = False
    is_ekf_failsafe: bool = False
    battery_failsafe: int = 0
    """0 none, 1 low, 2 critical."""
    low_since_s: dict[str, float] = field(default_factory=dict)
    breaches: int = 0
    """Bits of FENCE_TYPE that are breached now."""
    breached_s: float = 0.0

    said: list[tuple[int, str]] = field(default_factory=list)
    """Texts to send: severity and words."""
    reached: list[int] = field(default_factory=list)
    """Mission items to announce as reached."""
    is_home_news: bool = False

    take_offs: int = 0
    breach_count: int = 0
    landed_at: tuple[float, float] | None = None
    """Latitude and longitude of the last touch-down."""
    has_crashed: bool = False
    pictures: int = 0
    operator: tuple[float, float, float] | None = None
    """Latitude, longitude and altitude it was last told for remote ID."""

    def say(self, severity: int, text: str) -> None:
        """Send words to the ground."""
        if len(self.said) < 100:
            self.said.append((severity, text))

    @property
    def home_up_m(self) -> float:
        """Height of home above the ground of the plane."""
        return self.home[2] if self.home else 0.0

    @property
    def height_m(self) -> float:
        """Above home."""
        return self.body.up_m - self.home_up_m

    @property
    def has_position(self) -> bool:
        """Its estimator holds an absolute horizontal position."""
        if self.now_s < self.ready_s:
            return False
        return self.has_gnss or self.now_s - self.gnss_lost_s < DEAD_RECKONING_S

    @property
    def is_failsafe(self) -> bool:
        """It acts on a failsafe, or would."""
        return self.is_gcs_failsafe or self.is_ekf_failsafe or self.battery_failsafe > 0

    @property
    def landed(self) -> Landed:
        """What EXTENDED_SYS_STATE says."""
        if self.is_landed:
            return Landed.ON_GROUND
        if self.mode is Mode.LAND or (self.mode is Mode.RTL and self.rtl.phase == "land"):
            return Landed.LANDING
        if self.mode is Mode.AUTO and self.auto.is_landing:
            return Landed.LANDING
        if self.mode is Mode.AUTO and self.auto.is_taking_off:
            return Landed.TAKING_OFF
        if self.mode is Mode.GUIDED and self.guided.kind == "take_off":
            return Landed.IN_AIR if self.guided.is_complete else Landed.TAKING_OFF
        return Landed.IN_AIR

    def set_home(self, north_m: float, east_m: float, up_m: float, *, is_locked: bool) -> None:
        """Home is here; a locked one is not moved by arming."""
        self.home = (north_m, east_m, up_m)
        self.is_home_locked = self.is_home_locked or is_locked
        self.is_home_news = True


DEAD_RECKONING_S = 7.0
"""How long the estimator trusts its position without GNSS."""
