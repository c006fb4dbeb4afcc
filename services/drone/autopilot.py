"""What the service knows of an autopilot, and what it may ask of one, whatever it speaks (pure).

An adapter does no I/O either: it is given bytes and the time, and gives back bytes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, Protocol

from services.drone.geodesy import Place
from services.drone.moment import Moment


class Mode(StrEnum):
    """The autopilot's own modes, as far as the service tells them apart."""

    GUIDED = "guided"
    """It goes where it is told: the only one in which the service flies."""
    AUTO = "auto"
    BRAKE = "brake"
    RTL = "rtl"
    """Back to its home by itself, and down; `SMART_RTL` and the like count here."""
    LAND = "land"
    OTHER = "other"
    """Somebody flies it: stabilize, loiter, altitude hold and the like."""


class Landed(StrEnum):
    """What the autopilot says of the ground."""

    UNKNOWN = "unknown"
    ON_GROUND = "on_ground"
    TAKING_OFF = "taking_off"
    IN_AIR = "in_air"
    LANDING = "landing"


@dataclass(frozen=True, slots=True)
class DronePosition:
    """Where it is and how it moves; `at_s` is when that was received."""

    place: Place
    altitude_m: float
    """Above mean sea level."""
    height_m: float
    """Above its home."""
    north_mps: float
    east_mps: float
    up_mps: float
    heading_deg: float
    at_s: float


@dataclass(frozen=True, slots=True)
class Home:
    """Where the autopilot would go by itself."""

    place: Place
    altitude_m: float


@dataclass(frozen=True, slots=True)
class Wind:
    """The autopilot's own estimate: where it comes from, and how fast it is."""

    from_deg: float
    speed_mps: float


@dataclass(frozen=True, slots=True)
class Preparation:
    """What came of `Prepare`: the safety profile read back, and the fence."""

    id: int
    """Of the intent that asked for it."""
    is_done: bool
    problems: tuple[str, ...] = ()
    """In words; done without any means that it may be armed."""
    written: tuple[str, ...] = ()
    """Parameters that had to be written, as `NAME 0 → 1`."""


@dataclass(frozen=True, slots=True)
class DroneStatus:
    """All that the autopilot last said. None of it is older than `heard_s` tells."""

    heard_s: float | None = None
    """When the last heartbeat came; `None`: never."""
    refusal: str = ""
    """Why this autopilot is not flown, in words: PX4, for one, until its table is in."""
    firmware: str = ""
    """Make and version, such as ArduCopter 4.6.1."""
    mode: Mode = Mode.OTHER
    mode_name: str = ""
    """As the autopilot calls it, such as LOITER."""
    is_armed: bool = False
    landed: Landed = Landed.UNKNOWN
    landed_s: float | None = None
    """When that came; `None`: never."""
    is_failsafe: bool = False
    """It says that it acts on a failsafe."""
    position: DronePosition | None = None
    home: Home | None = None
    satellites: int = 0
    has_fix: bool = False
    """A three-dimensional one."""
    is_position_good: bool = False
    """Its estimator holds an absolute horizontal position."""
    is_prearm_good: bool = False
    """It says that it would arm; some say so too early."""
    battery_pct: float | None = None
    voltage_v: float | None = None
    burn_pct_per_s: float | None = None
    """From the current and the capacity it knows, now."""
    wind: Wind | None = None
    loss_share: float = 0.0
    """Share of its packets lost in the last ten seconds, 0…1."""
    preparation: Preparation | None = None
    complaints: tuple[str, ...] = ()
    """Its last warnings in its own words, newest last, at most ten, none older than a minute."""


@dataclass(frozen=True, slots=True)
class FenceArea:
    """A polygon that must not be entered, or (`is_inclusion`) not be left; corners in order."""

    corners: tuple[Place, ...]
    is_inclusion: bool = False


@dataclass(frozen=True, slots=True)
class Prepare:
    """Read the safety profile back, write what differs, read again; upload the fence.

    On the ground only. The result is `DroneStatus.preparation`.
    """

    fence: tuple[FenceArea, ...]
    ceiling_m: float
    """Above home: the highest the fence lets it."""
    return_height_m: float
    """Above home: how high a return by the autopilot itself flies."""


@dataclass(frozen=True, slots=True)
class SetMode:
    """Change the mode; GUIDED, BRAKE, RTL and LAND only."""

    mode: Mode


@dataclass(frozen=True, slots=True)
class Arm:
    """Start the motors, on the ground."""


@dataclass(frozen=True, slots=True)
class Disarm:
    """Stop the motors, on the ground; in the air the autopilot refuses, and it is never forced."""


@dataclass(frozen=True, slots=True)
class TakeOff:
    """Climb straight to a height above home; sent once: only who sees it stand says it again."""

    height_m: float
    again: int = 0
    """How often it was said before in this launch, and got no answer."""


@dataclass(frozen=True, slots=True)
class GoTo:
    """Fly to a place and hover there; the autopilot refuses places outside its fence."""

    place: Place
    height_m: float
    speed_mps: float | None = None


@dataclass(frozen=True, slots=True)
class Track:
    """Be at a place that moves: position and velocity together. Not acknowledged; say it at 5 Hz.

    Without the velocity a copter lags far behind.
    """

    place: Place
    height_m: float
    velocity: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """North, east and up in m/s."""
    heading_deg: float | None = None


@dataclass(frozen=True, slots=True)
class MoveHome:
    """Home is here now, at the altitude it had."""

    place: Place


@dataclass(frozen=True, slots=True)
class HomeHere:
    """Home is where it stands, at this altitude; on the ground only.

    A home that was set by command is not moved by arming any more: without this the heights of the
    next flight would be above the place of the one before.
    """


@dataclass(frozen=True, slots=True)
class OperatorAt:
    """Where the operator is, for remote ID; not acknowledged."""

    place: Place
    altitude_m: float | None = None


@dataclass(frozen=True, slots=True)
class TakePicture:
    """Let the camera take one picture."""


Intent = (
    Prepare
    | SetMode
    | Arm
    | Disarm
    | TakeOff
    | GoTo
    | Track
    | MoveHome
    | HomeHere
    | OperatorAt
    | TakePicture
)


@dataclass(frozen=True, slots=True)
class Result:
    """What the autopilot answered to an intent that is acknowledged."""

    id: int
    outcome: Literal["accepted", "denied", "failed", "unsupported", "timeout"]
    """`timeout`: no answer to any of the tries; it may have happened all the same."""
    detail: str = ""


@dataclass(slots=True)
class Counts:
    """What came in, since the start."""

    packets: int = 0
    junk_bytes: int = 0
    unsigned: int = 0
    """Dropped since they bear no signature, or a false or old one."""
    foreign: int = 0
    """Right ones, but of another system or component."""


class Autopilot(Protocol):
    """One autopilot behind one transport. Never blocks, never reads a clock."""

    @property
    def counts(self) -> Counts:
        """What came in, since the start."""

    def receive(self, data: bytes, now: Moment) -> None:
        """Take what the transport brought; junk is counted, never raised."""

    def perform(self, intent_id: int, intent: Intent, now: Moment) -> None:
        """Begin to do it; the answer comes by `results` under this id."""

    def turn(self, now: Moment) -> None:
        """Let time pass: heartbeats, repetitions, time-outs. Call it at least ten times a second.

        It is what proves to the autopilot that the control loop lives.
        """

    def outgoing(self) -> Sequence[bytes]:
        """What to send now, one item a datagram; each is given once."""

    def results(self) -> Sequence[Result]:
        """Answers that came since the last call."""

    def status(self, now: Moment) -> DroneStatus:
        """All it last said."""
