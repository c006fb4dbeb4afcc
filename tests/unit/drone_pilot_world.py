"""A small world for the pilot: a copter that answers as ArduCopter does, a car, and a clock."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from internetcar.contract.drone import DroneEvent, DroneReply, DroneRequest, DroneState
from services.drone.airspace.airspace import Airspace
from services.drone.autopilot import (
    Arm,
    Disarm,
    DronePosition,
    DroneStatus,
    GoTo,
    Home,
    HomeHere,
    Intent,
    Landed,
    Mode,
    MoveHome,
    Preparation,
    Prepare,
    Result,
    SetMode,
    TakeOff,
    Track,
)
from services.drone.events import (
    Asked,
    BrokerLink,
    CarFix,
    CarPresence,
    CarSignal,
    Effect,
    Event,
    Heard,
    Perform,
    WeatherReport,
)
from services.drone.flight.pilot import Pilot
from services.drone.flight.ports import Rooms
from services.drone.flight.safety import Safety
from services.drone.flight.settings import FlightSettings
from services.drone.geodesy import Offset, Place, distance_m, moved, offset
from services.drone.interlocks.limits import Airframe, Assumptions, Limits
from services.drone.moment import Moment

HOME = Place(57.7, 11.97)
NOON_MS = 1_750_000_000_000
"""June 2025, by day in Gothenburg."""
STEP_S = 0.1
NEVER = 1e9


@dataclass
class Copter:
    """A point mass with modes; what it is asked in this turn it answers in the next."""

    place: Place = HOME
    height_m: float = 0.0
    velocity: list[float] = field(default_factory=lambda: [0.0, 0.0, 0.0])
    mode: Mode = Mode.OTHER
    is_armed: bool = False
    home: Place = HOME
    ground_m: float = 0.0
    """How high the ground is where it stands; its own height is above it."""
    home_up_m: float = 0.0
    is_home_locked: bool = False
    refuses_home: bool = False
    rtl_to: Place = HOME
    goal: GoTo | Track | None = None
    climb_to: float | None = None
    battery_pct: float = 100.0
    burn_pct_per_s: float = 0.1
    preparation: Preparation | None = None
    problems: tuple[str, ...] = ()
    refuses_arm_until_s: float = 0.0
    is_prearm_good: bool = True
    deaf: bool = False
    """It hears nothing that is asked of it."""
    lost_takeoffs: int = 0
    """So many take-offs get no answer: -1 for ever."""
    is_takeoff_answer_lost: bool = False
    """They were heard all the same."""
    asked: list[Intent] = field(default_factory=list)
    results: list[Result] = field(default_factory=list)
    landed_at: list[Place] = field(default_factory=list)

    @property
    def is_flying(self) -> bool:
        return self.height_m > 0.05

    def perform(self, number: int, intent: Intent, now_s: float) -> None:
        self.asked.append(intent)
        if self.deaf:
            return
        if isinstance(intent, TakeOff) and self.lost_takeoffs:
            self.lost_takeoffs -= 1
            if self.is_takeoff_answer_lost:
                self._do(intent, now_s, number)
            self.results.append(Result(number, "timeout"))
            return
        outcome = "accepted" if self._do(intent, now_s, number) else "failed"
        self.results.append(Result(number, outcome, "" if outcome == "accepted" else "no"))  # type: ignore[arg-type]  # one of both

    def _do(self, intent: Intent, now_s: float, number: int) -> bool:
        match intent:
            case Prepare():
                self.preparation = Preparation(number, True, self.problems)
            case SetMode():
                self.change(intent.mode)
            case Arm():
                if now_s < self.refuses_arm_until_s:
                    return False
                self.is_armed = True
                if not self.is_home_locked:
                    self.home, self.home_up_m = self.place, self.ground_m
            case Disarm():
                if self.is_flying:
                    return False
                self.is_armed = False
            case TakeOff():
                if not self.is_armed or self.is_flying or self.mode != Mode.GUIDED:
                    return False
                self.climb_to, self.goal = intent.height_m, None
            case GoTo() | Track():
                if self.mode != Mode.GUIDED or not self.is_flying:
                    return False
                self.goal, self.climb_to = intent, None
            case HomeHere():
                if self.refuses_home:
                    return False
                self.home, self.home_up_m = self.place, self.ground_m + self.height_m
                self.is_home_locked = True
            case MoveHome():
                self.is_home_locked = True
                self.home = intent.place
        return True

    def change(self, mode: Mode) -> None:
        if mode == Mode.RTL and self.mode != Mode.RTL:
            self.rtl_to = self.home
        if mode != self.mode:
            self.goal = self.climb_to = None
        self.mode = mode

    def wanted(self) -> tuple[Place, float, tuple[float, float, float]]:
        if self.mode == Mode.RTL:
            if distance_m(self.place, self.rtl_to) > 0.5:
                return self.rtl_to, max(self.height_m, 15.0), (0.0, 0.0, 0.0)
            return self.rtl_to, -5.0, (0.0, 0.0, 0.0)
        if self.mode == Mode.LAND:
            return self.place, -5.0, (0.0, 0.0, 0.0)
        if self.climb_to is not None:
            return self.place, self.climb_to, (0.0, 0.0, 0.0)
        if isinstance(self.goal, Track):
            return self.goal.place, self.goal.height_m, self.goal.velocity
        if isinstance(self.goal, GoTo):
            return self.goal.place, self.goal.height_m, (0.0, 0.0, 0.0)
        return self.place, self.height_m, (0.0, 0.0, 0.0)

    def fly(self, now_s: float) -> None:
        if not self.is_armed:
            return
        self.battery_pct = max(0.0, self.battery_pct - self.burn_pct_per_s * STEP_S)
        place, height, ahead = self.wanted()
        way = offset(self.place, place)
        north, east = way.north_m * 0.8 + ahead[0], way.east_m * 0.8 + ahead[1]
        speed = math.hypot(north, east)
        limit = 10.0
        slowest = math.sqrt(2 * 1.5 * max(way.length_m, 0.01)) + math.hypot(ahead[0], ahead[1])
        allowed = min(limit, slowest)
        if speed > allowed:
            north, east = north * allowed / speed, east * allowed / speed
        up = max(-1.5, min(2.5, (height - self.height_m) * 1.0 + ahead[2]))
        if not self.is_flying and self.climb_to is None:
            north = east = 0.0
            up = max(0.0, up) if self.goal is not None else 0.0
        for index, (wanted, most) in enumerate(((north, 2.5), (east, 2.5), (up, 5.0))):
            change = wanted - self.velocity[index]
            self.velocity[index] += max(-most * STEP_S, min(most * STEP_S, change))
        self.place = moved(self.place, Offset(self.velocity[0] * STEP_S, self.velocity[1] * STEP_S))
        was_flying = self.is_flying
        self.height_m = max(0.0, self.height_m + self.velocity[2] * STEP_S)
        if was_flying and not self.is_flying:
            self.velocity = [0.0, 0.0, 0.0]
            self.landed_at.append(self.place)
            if self.mode in (Mode.LAND, Mode.RTL):
                self.is_armed = False

    def status(self, now_s: float) -> DroneStatus:
        north, east, up = self.velocity
        return DroneStatus(
            heard_s=now_s, firmware="Copter 4.6", mode=self.mode, mode_name=self.mode.value.upper(),
            is_armed=self.is_armed,
            landed=Landed.IN_AIR if self.is_flying else Landed.ON_GROUND, landed_s=now_s,
            position=DronePosition(
                self.place, 10.0 + self.ground_m + self.height_m,
                self.ground_m + self.height_m - self.home_up_m, north, east, up, 0.0, now_s
            ),
            home=Home(self.home, 10.0 + self.home_up_m),
            satellites=14, has_fix=True, is_position_good=True,
            is_prearm_good=self.is_prearm_good, battery_pct=self.battery_pct, voltage_v=15.0,
            preparation=self.preparation,
        )  # fmt: skip


@dataclass
class Car:
    """Drives straight north."""

    place: Place = HOME
    speed_mps: float = 0.0
    heading_deg: float = 0.0
    is_silent: bool = False

    def drive(self) -> None:
        north = self.speed_mps * STEP_S * math.cos(math.radians(self.heading_deg))
        east = self.speed_mps * STEP_S * math.sin(math.radians(self.heading_deg))
        self.place = moved(self.place, Offset(north, east))

    def events(self) -> list[Event]:
        kmh = self.speed_mps * 3.6
        if self.is_silent:
            return []
        return [
            CarFix(self.place, 1.0, self.heading_deg, kmh, 0.0),
            CarSignal("Vehicle.Speed", kmh, "valid", 0.0),
        ]


class World:
    """Turns of a tenth of a second; everything that happens is kept."""

    def __init__(
        self,
        settings: FlightSettings | None = None,
        airspace: Airspace | None = None,
        limits: Limits | None = None,
        **rooms: Any,
    ) -> None:
        self.settings = settings or FlightSettings()
        self.airspace = airspace or Airspace()
        self.limits = limits or Limits()
        self.rooms = rooms
        self.copter, self.car = Copter(), Car()
        self.now = Moment(1000.0, NOON_MS)
        self.is_cut = False
        """Nothing passes between service and drone."""
        self.is_connected = True
        self.log: list[tuple[Event, Moment]] = []
        self.effects: list[Effect] = []
        self.disk: str | None = None
        self.asked = 0
        self.last_status = DroneStatus()
        self.pilot = self.start()

    def start(self) -> Pilot:
        airframe, assumed = Airframe(), Assumptions()
        safety = Safety(
            self.limits, assumed, airframe, self.airspace, self.settings.return_height_m
        )
        return Pilot(
            self.settings, Rooms(self.airspace, safety, **self.rooms), self.disk,
            vehicle_id="car1", drone_id="drone1",
        )  # fmt: skip

    def restart(self) -> None:
        """As after a kill -9: only what is on disk is left."""
        self.pilot = self.start()
        self.say(BrokerLink(self.is_connected))
        self.surroundings()

    def say(self, event: Event) -> list[Effect]:
        self.log.append((event, self.now))
        effects = self.pilot.handle(event, self.now)
        self.disk = self.pilot.remembered()
        self.effects += effects
        for effect in effects:
            if isinstance(effect, Perform) and not self.is_cut:
                self.copter.perform(effect.id, effect.intent, self.now.s)
        return effects

    def surroundings(self) -> None:
        self.say(CarPresence(True, "live", "synchronized"))
        self.say(WeatherReport(2.0, 3.0, 270.0, 0.0, 15.0, 0.0))

    def turn(self) -> None:
        self.now = Moment(self.now.s + STEP_S, self.now.utc_ms + 100)
        self.car.drive()
        self.copter.fly(self.now.s)
        if self.is_connected:
            for event in self.car.events():
                self.say(event)
        if not self.is_cut:
            self.last_status = self.copter.status(self.now.s)
        results, self.copter.results = tuple(self.copter.results), []
        self.say(Heard(self.last_status, results))

    def run(self, seconds: float) -> None:
        for _ in range(round(seconds / STEP_S)):
            self.turn()

    def until(self, done: Callable[[], object], seconds: float = 600.0) -> None:
        for _ in range(round(seconds / STEP_S)):
            if done():
                return
            self.turn()
        raise AssertionError(f"not within {seconds} s; {self.state.state}: {self.state.detail}")

    def until_state(self, state: str, seconds: float = 600.0) -> None:
        self.until(lambda: self.state.state == state, seconds)

    def ready(self) -> "World":
        """Everything is good for long enough."""
        self.say(BrokerLink(True))
        self.surroundings()
        self.run(7.0)
        assert self.state.state == "docked"
        return self

    def ask(self, method: str, tid: str = "", *, dry_run: bool = False, **data: Any) -> DroneReply:
        self.asked += 1
        request = DroneRequest(
            vehicle_id="car1", drone_id="drone1", requester="phone",
            tid=tid or f"t{self.asked}", timestamp=self.now.utc_ms, method=method,
            dry_run=dry_run, data=data,
        )  # fmt: skip
        found = [each for each in self.say(Asked(request)) if isinstance(each, DroneReply)]
        assert len(found) == 1
        return found[0]

    def airborne(self, **data: Any) -> "World":
        """Launched, and hovering at its place."""
        assert self.ready().ask("takeoff_to_point", **data).data.result == 0
        self.until_state("on_task")
        return self

    @property
    def state(self) -> DroneState:
        return self.pilot.state()

    @property
    def phase(self) -> str:
        return self.state.state

    def events(self, method: str) -> list[DroneEvent]:
        return [e for e in self.effects if isinstance(e, DroneEvent) and e.method == method]

    def progress(self, method: str) -> list[str]:
        found: list[str] = []
        for event in self.events(method):
            status = str(event.data["status"])
            if not found or found[-1] != status:
                found.append(status)
        return found

    def states(self) -> list[str]:
        found: list[str] = []
        for effect in self.effects:
            if isinstance(effect, DroneState) and (not found or found[-1] != effect.state):
                found.append(effect.state)
        return found

    def intents(self, kind: type | tuple[type, ...]) -> list[Any]:
        return [
            e.intent for e in self.effects if isinstance(e, Perform) and isinstance(e.intent, kind)
        ]

    @property
    def miss_m(self) -> float:
        """How far from the car's last position it stands."""
        return distance_m(self.copter.place, self.car.place)


def place_at(north_m: float, east_m: float = 0.0) -> Place:
    return moved(HOME, Offset(north_m, east_m))


def point(place: Place, height: float | None = None) -> dict[str, float | None]:
    return {"latitude": place.lat_deg, "longitude": place.lon_deg, "height": height}
