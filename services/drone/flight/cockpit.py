"""What every part of the pilot works with during one turn (pure)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from internetcar.contract.drone import DroneEvent, DroneState, Interlock, State
from internetcar.contract.message import instant
from services.drone.autopilot import (
    DronePosition,
    DroneStatus,
    GoTo,
    Intent,
    Mode,
    Result,
    SetMode,
    TakeOff,
    Track,
)
from services.drone.events import Effect, Perform
from services.drone.flight.memory import Memory
from services.drone.flight.ports import Finding, Rooms
from services.drone.flight.settings import FlightSettings
from services.drone.flight.standing import Standing
from services.drone.geodesy import Offset, Place, distance_m, offset
from services.drone.moment import Moment
from services.drone.rules.book import Due, RuleBook
from services.drone.tasks.car_motion import CarNow, where
from services.drone.tasks.turning import turns
from services.drone.view import View
from services.drone.words import printable

JITTER_S = 0.015
"""What is due every so often may come so much early: turns are not exact."""
MODE_AGAIN_S = 2.0
MODE_TAKES_S = 8.0
"""So long the mode before is not somebody else's after another was asked for."""
BELOW_CEILING_M = 1.0
"""The autopilot's fence is broken at the ceiling, not above it, and a climb overshoots."""
MOST_WORDS = 400
NEVER = Moment(0.0, 0)
"""Before the first event."""


def line(text: str) -> str:
    """A text as it may stand in a message: one line, not too long."""
    clean = printable(text)
    return clean if len(clean) <= MOST_WORDS else clean[: MOST_WORDS - 1] + "…"


@dataclass(slots=True)
class Pace:
    """When things were last done."""

    last: dict[str, float] = field(default_factory=dict)

    def is_due(self, name: str, every_s: float, now: Moment) -> bool:
        """Whether it is time again; then it counts as done."""
        before = self.last.get(name)
        if before is not None and now.s - before < every_s - JITTER_S:
            return False
        self.last[name] = now.s
        return True

    def since(self, name: str, now: Moment) -> float:
        """Seconds since the first time that this was asked for; 0 then."""
        return now.s - self.last.setdefault(name, now.s)


@dataclass(slots=True)
class Route:
    """A way that is being flown, corner by corner."""

    to: Place
    height_m: float
    corners: list[Place]
    """Still to be flown to, at least one."""
    travel_m: float
    """How high it flies there; at the end it goes to `height_m`."""
    climb_at: Place | None = None
    """Where it still has to climb before it flies across."""
    is_coming_down: bool = False
    told: Intent | None = None
    told_id: int = 0
    """Of the last intent that told it."""


@dataclass(slots=True)
class Rest:
    """Since when the car has stayed where it is."""

    anchor: Place
    since_s: float


@dataclass(slots=True)
class Cockpit:
    """The memory, and beside it what need not survive."""

    vehicle_id: str
    drone_id: str
    settings: FlightSettings
    rooms: Rooms
    memory: Memory
    book: RuleBook
    view: View = field(default_factory=View)
    now: Moment = NEVER
    effects: list[Effect] = field(default_factory=list)
    next_id: int = 1
    asked: dict[int, str] = field(default_factory=dict)
    """The kind of each intent that is not answered yet."""
    answers: dict[str, Result] = field(default_factory=dict)
    """The last answer to each kind since this state began."""
    beat: Pace = field(default_factory=Pace)
    stage: Pace = field(default_factory=Pace)
    """Like `beat`, begun anew with each state."""
    entered_s: float = 0.0
    is_restarted: bool = True
    """Nothing was derived yet since the service began."""
    is_derived: bool = False
    """The state is what the autopilot says, not what is remembered."""
    recent_modes: dict[Mode, float] = field(default_factory=dict)
    """Modes that it may still be in after another was asked for, and since when."""
    route: Route | None = None
    stay_at: Track | None = None
    rest: Rest | None = None
    standing: Standing | None = None
    """Where the car stands; `None`: its wheels turn, or nobody knows whether they do."""
    task_memory: Mapping[str, Any] | None = None
    """Newer than what is remembered of it; `None`: nothing is."""
    meeting: Place | None = None
    """Where it will meet the car."""
    descent_m: float | None = None
    """The height it was last told in a descent."""
    is_descending: bool = False
    landing_on: Place | None = None
    """Where the car stood when the descent began."""
    takeoff_says: int = 0
    """How often the take-off of this launch was said; not remembered: a restart says none."""
    takeoff_said_s: float = 0.0
    prepare_id: int = 0
    home_told: Place | None = None
    rtl_home: Place | None = None
    """Where home was when the autopilot's own return began."""
    rtl_rest_s: float | None = None
    """The rest of the car for which that return began anew last."""
    found: Sequence[Interlock] = ()
    """All of them, as they were last looked at: they stand in every answer."""
    tripped: dict[str, Interlock] = field(default_factory=dict)
    """What is published as tripped now."""
    tripped_s: dict[str, float] = field(default_factory=dict)
    """Since when each of them is, in the air."""
    trips: dict[str, Finding] = field(default_factory=dict)
    """Those in the air that are acted upon, with what is done about each."""
    predicted_pct: float | None = None
    started_s: float = 0.0
    """When the first turn was."""
    lost_at_s: float = 0.0
    waiting: list[tuple[Due, float]] = field(default_factory=list)
    """Rules that are due and were not allowed to launch, and since when."""

    @property
    def drone(self) -> DroneStatus:
        """What the autopilot last said."""
        return self.view.drone

    @property
    def here(self) -> DronePosition:
        """Where the drone is; only asked for once it is known."""
        assert self.view.drone.position is not None
        return self.view.drone.position

    @property
    def in_state_s(self) -> float:
        """How long this state has lasted."""
        return self.now.s - self.entered_s

    @property
    def car_age_s(self) -> float | None:
        """How old the car's last position is."""
        car = self.view.car
        return None if car is None else self.now.s - car.at_s

    @property
    def is_car_fresh(self) -> bool:
        """Whether the car's last position may be flown by."""
        age = self.car_age_s
        return age is not None and age <= self.settings.fix_fresh_s

    @property
    def car(self) -> CarNow | None:
        """Where the car is now and how it moves."""
        return where(self.view.fixes, self.now.s, turns=turns(self.view))

    @property
    def car_place(self) -> Place | None:
        """Where the car is to be landed on: where it stands, else its last position."""
        if self.standing is not None:
            return self.standing.place
        return None if self.view.car is None else self.view.car.fix.place

    @property
    def is_car_at_rest(self) -> bool:
        """Whether the car has stayed where it is for long enough, as far as it says.

        Without the broker nobody says more: what was parked then is parked.
        """
        car, rest = self.view.car, self.rest
        if car is None or rest is None:
            return False
        if not self.view.is_broker_connected:
            return car.at_s - rest.since_s >= self.settings.rest_s
        return self.is_car_fresh and self.now.s - rest.since_s >= self.settings.rest_s

    def to(self, place: Place) -> Offset:
        """The way from the drone."""
        return offset(self.here.place, place)

    def apart_m(self, place: Place) -> float:
        """How far the drone is from there, on the ground."""
        return distance_m(self.here.place, place)

    def perform(self, intent: Intent) -> int:
        """Ask the autopilot; never for a height at which its fence would hold it for broken."""
        highest_m = self.rooms.checks.limits.ceiling_m - BELOW_CEILING_M
        if isinstance(intent, TakeOff | GoTo | Track) and intent.height_m > highest_m:
            intent = replace(intent, height_m=highest_m)
        number, self.next_id = self.next_id, self.next_id + 1
        self.asked[number] = type(intent).__name__
        self.effects.append(Perform(number, intent))
        return number

    def mode(self, wanted: Mode) -> bool:
        """Whether the autopilot is in a mode; if not it is asked to be, again and again."""
        asked = self.memory.mode
        if asked != wanted:
            self.memory.mode = wanted
            self.beat.last.pop("mode", None)
            self.recent_modes[self.drone.mode] = self.now.s
            if asked is not None and asked != self.drone.mode:
                # What was asked for before may still come: it is countermanded.
                self.recent_modes[asked] = self.now.s
                self.beat.last["mode"] = self.now.s
                self.perform(SetMode(wanted))
        if self.drone.mode == wanted:
            return True
        if self.beat.is_due("mode", MODE_AGAIN_S, self.now):
            self.perform(SetMode(wanted))
        return False

    @property
    def is_taken_over(self) -> bool:
        """Whether the autopilot is in a mode that the service did not ask for."""
        mode = self.drone.mode
        since_s = self.recent_modes.get(mode)
        is_changing = since_s is not None and self.now.s - since_s <= MODE_TAKES_S
        return mode != self.memory.mode and not is_changing

    def say(
        self, method: str, data: Mapping[str, Any], tid: str | None = None, bid: str | None = None
    ) -> None:
        """Publish an event."""
        self.effects.append(
            DroneEvent(
                vehicle_id=self.vehicle_id, drone_id=self.drone_id, tid=tid, bid=bid,
                timestamp=self.now.utc_ms, method=method, data=dict(data),
            )
        )  # fmt: skip

    def enter(self, state: State, detail: str = "") -> None:
        """Go over to a state; to be in it already changes only the words."""
        self.memory.detail = line(detail)
        if self.memory.state == state:
            return
        self.memory.state, self.memory.since_ms = state, self.now.utc_ms
        self.entered_s, self.route, self.stay_at = self.now.s, None, None
        self.stage, self.meeting, self.landing_on = Pace(), None, None
        self.descent_m, self.is_descending = None, False
        self.answers = {}

    def state(self) -> DroneState:
        """The state as it is published."""
        flight = self.memory.flight
        wish = flight.wish if flight is not None else None
        return DroneState(
            vehicle_id=self.vehicle_id, drone_id=self.drone_id, state=self.memory.state,
            since=instant(self.memory.since_ms),
            task=flight.task if flight is not None else None,
            tid=wish.tid if wish is not None else None,
            requester=wish.requester if wish is not None else None,
            detail=self.memory.detail or None,
            interlocks=list(self.tripped.values()),
        )  # fmt: skip
