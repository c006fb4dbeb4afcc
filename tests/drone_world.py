"""The whole service against the simulated copter in lockstep: virtual time, no sockets.

The real conductor, pilot, MAVLink adapter and store, `SimCopter`, and a scripted car.
"""

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from internetcar.contract.drone import DroneReply, DroneRequest, DroneState
from internetcar.contract.message import Message
from internetcar.contract.signals import Position
from services.database import Database
from services.drone.assembly import make_pilot
from services.drone.broker.reception import Reception
from services.drone.broker.telling import Identity
from services.drone.conductor import Conductor
from services.drone.geodesy import Place
from services.drone.mavlink.copter import ArduCopter
from services.drone.mavlink.shipped import load_profile
from services.drone.moment import Moment
from services.drone.record.journal import replay
from services.drone.settings import DroneSettings
from services.drone.store import open_store
from simulator.copter.copter import Settings as CopterSettings
from simulator.copter.copter import SimCopter, Truth
from simulator.copter.faults import Line
from simulator.copter.roof import CarAt as RoofAt
from simulator.copter.roof import Roof
from tests.drone_car import START, Driver, Parked
from tests.drone_life import FragileStore, KilledError, Landing, Recorder, settings
from tests.drone_talk import ASKER, DRONE, START_S, VEHICLE, CarLink, Sky, Talk

STEP_S = 0.05
START_MS = 1_780_308_000_000  # 2026-06-01, 10:00 UTC: by day at START
TOUCHES_M = 0.02
"""So low it touches; a second later its autopilot believes it."""


class World(Talk):
    """One car, one copter, one service that may die and come again.

    Args:
        folder: For the store; what is in it outlives a death.
        seed: Of all chance in this world.
        driver: Of the car.
        records: Keep every event and decision for `replay_differences`.
        step_s: Of everything; the service's own turn is a twentieth of a second.
    """

    def __init__(
        self,
        folder: Path,
        seed: int = 0,
        *,
        driver: Driver | None = None,
        config: DroneSettings | None = None,
        copter: CopterSettings | None = None,
        car_link: CarLink | None = None,
        sky: Sky | None = None,
        sigma_m: float = 0.0,
        records: bool = False,
        step_s: float = STEP_S,
    ) -> None:
        super().__init__(seed, driver or Parked(), sky or Sky(), car_link or CarLink(), sigma_m)
        self.step_s, self.now = step_s, Moment(START_S, START_MS)
        self.config, self.folder, self.records = config or settings(), folder, records
        self.chance = random.Random(seed)
        self.copter = SimCopter(
            replace(
                copter or CopterSettings(ready_after_s=3.0), lat_deg=START.lat_deg,
                lon_deg=START.lon_deg, start_unix_s=START_MS / 1000,
                wind_from_deg=self.sky.from_deg, wind_mps=self.sky.wind_mps,
            ),
            random.Random(seed + 1),
        )  # fmt: skip
        self.up, self.down = Line(self.chance), Line(self.chance)
        self.roof = Roof()
        self.is_broker = True
        self.retained: dict[tuple[type[Message], str], Message] = {}
        self.retained_requests: list[tuple[str, bytes]] = []
        self._asked = 0
        self.heard: list[Message] = []
        self.landings: list[Landing] = []
        self.each_step: list[Callable[[], None]] = []
        self.lives: list[Recorder] = []
        self.conductor: Conductor | None = None
        self.car_said: Place | None = None
        self.lowest_pct = 100.0
        self._fastest_down = 0.0
        self._touched: tuple[Place | None, Place] | None = None
        self.truth: Truth = self.copter.truth
        self.database: Database | None = None
        self.start()

    def start(self) -> None:
        """Make the service anew from what is on disk."""
        assert self.conductor is None
        self.database = open_store(str(self.folder / "drone.sqlite"))
        self.store = FragileStore(self.database, VEHICLE, DRONE)
        memory = self.store.memory()
        pilot = make_pilot(self.config, memory)
        autopilot = ArduCopter(load_profile(), self.config.system_id)
        recorder = Recorder(memory) if self.records else None
        if recorder is not None:
            self.lives.append(recorder)
        self.pilot = pilot
        self.conductor = Conductor(
            Identity(VEHICLE, DRONE, self.now.utc_ms, "test"), pilot, autopilot,
            Reception(self.store, self.config.rights), self.store, recorder,
        )  # fmt: skip
        self.conductor.broker(self.now, is_connected=self.is_broker)
        if self.is_broker:
            self._say_retained()

    def kill(self) -> None:
        """As `kill -9`: only what is on disk is left."""
        if self.conductor is not None:
            assert self.database is not None
            self.database.close()
            self.conductor, self.database = None, None

    def restart(self) -> None:
        """Dead and there again."""
        self.kill()
        self.start()

    def broker(self, *, is_there: bool) -> None:
        """The broker comes or goes."""
        if is_there == self.is_broker:
            return
        self.is_broker = is_there
        if self.conductor is not None:
            self.conductor.broker(self.now, is_connected=is_there)
            if is_there:
                self._say_retained()

    def _say_retained(self) -> None:
        assert self.conductor is not None
        for message in self.retained.values():
            self.conductor.hear(message, self.now)
        for topic, payload in self.retained_requests:
            self.conductor.ask(topic, payload, self.now, retained=True)

    def request(self, method: str, tid: str = "", **changed: Any) -> DroneRequest:
        """A request as of now; `data` and all else by name."""
        self._asked += 1
        given = {
            "vehicle_id": VEHICLE, "drone_id": DRONE, "requester": ASKER,
            "tid": tid or f"t{self._asked}", "timestamp": self.now.utc_ms, "method": method,
        }  # fmt: skip
        return DroneRequest.model_validate({**given, **changed})

    def deliver(self, request: DroneRequest, *, retained: bool = False) -> None:
        """The broker hands a packet over, if both are there."""
        if self.conductor is not None and self.is_broker:
            self.conductor.ask(request.topic, request.encode(), self.now, retained=retained)

    def ask(self, method: str, tid: str = "", **changed: Any) -> DroneReply:
        """Ask and wait for the answer."""
        request, before = self.request(method, tid, **changed), len(self.heard)
        self.deliver(request)
        self.step()
        found = [
            each
            for each in self.heard[before:]
            if isinstance(each, DroneReply) and each.tid == request.tid
        ]
        assert len(found) == 1, found
        return found[0]

    def step(self) -> None:
        """A short time of everything."""
        self.now = Moment(self.now.s + self.step_s, self.now.utc_ms + round(self.step_s * 1000))
        self.car = self.driver.drive(self.step_s)
        if self.truth.is_on_ground or self.roof.is_docked:
            self.roof.carry(self.copter, RoofAt(*self.car_true, self.car.heading_deg))
        for data in self.up.arrived(self.now.s):
            self.copter.receive(data)
        self.copter.advance(self.step_s)
        for data in self.copter.outgoing():
            self.down.send(data, self.now.s)
        self.talk()
        self._serve()
        self._look()
        for each in self.each_step:
            each()

    def _serve(self) -> None:
        arrived = self.down.arrived(self.now.s)
        messages = self.arrived()
        for message in messages:
            self.retained[type(message), getattr(message, "path", "")] = message
            if self.is_broker and isinstance(message, Position):  # else it was told nobody
                self.car_said = Place(message.latitude, message.longitude)
        if self.conductor is None:
            return
        try:
            for data in arrived:
                self.conductor.receive(data, self.now)
            if self.is_broker:
                for message in messages:
                    self.conductor.hear(message, self.now)
            said = self.conductor.turn(self.now)
            for data in self.conductor.outgoing():
                self.up.send(data, self.now.s)
        except KilledError:
            self.kill()
            return
        if self.is_broker:
            self.heard += said
        else:
            self.heard += [each for each in said if isinstance(each, DroneState)]

    def run(self, seconds: float) -> None:
        """Let time pass."""
        for _ in range(round(seconds / self.step_s)):
            self.step()

    def until(self, done: Callable[[], object], seconds: float) -> bool:
        """Let time pass until something is so; whether it came to be."""
        for _ in range(round(seconds / self.step_s)):
            if done():
                return True
            self.step()
        return bool(done())

    def until_state(self, *states: str, seconds: float = 120.0) -> bool:
        """Until the service says that it is in one of these states."""
        return self.until(lambda: self.state in states, seconds)

    def until_down(self, seconds: float = 1_500.0) -> bool:
        """Until the copter stands on the ground, disarmed."""
        return self.until(lambda: not self.truth.is_armed and self.truth.is_on_ground, seconds)

    def ready(self) -> "World":
        """All interlocks hold."""
        assert self.until_state("docked", seconds=60.0), (self.state, self.detail)
        self.run(8.0)
        return self

    def _look(self) -> None:
        before, truth = self.truth, self.copter.truth
        self.truth = truth
        if not truth.is_on_ground:
            self.lowest_pct = min(self.lowest_pct, truth.battery_pct)
            if truth.height_m < 1.0:
                self._fastest_down = max(self._fastest_down, -truth.up_mps)
            else:
                self._fastest_down = 0.0
            if truth.height_m > TOUCHES_M:
                self._touched = None
            elif self._touched is None:
                self._touched = self.car_said, self.car_true
        if truth.is_on_ground and not before.is_on_ground:
            said, true = self._touched or (self.car_said, self.car_true)
            self.landings.append(Landing(
                self.now.s, self.drone_true, said, true, self.car_true,
                max(self._fastest_down, -before.up_mps), truth.battery_pct, truth.has_crashed,
                self.state,
            ))  # fmt: skip

    @property
    def drone_true(self) -> Place:
        return Place(self.truth.lat_deg, self.truth.lon_deg)

    @property
    def state(self) -> str:
        """What the service says of itself."""
        return "dead" if self.conductor is None else self.pilot.state_name

    @property
    def detail(self) -> str:
        return "" if self.conductor is None else self.pilot.state().detail or ""

    def states(self) -> list[str]:
        """All states that were said, in order."""
        found = [each.state for each in self.heard if isinstance(each, DroneState)]
        return [each for at, each in enumerate(found) if at == 0 or found[at - 1] != each]

    def replay_differences(self) -> list[str]:
        """Decide everything anew, life by life; what differs."""
        return [
            each
            for life in self.lives
            for each in replay(life.lines, make_pilot(self.config, life.memory))
        ]

    def close(self) -> None:
        """Let go of the store."""
        self.kill()


def point(place: Place, height_m: float | None = None) -> dict[str, Any]:
    """A place as requests have it."""
    found: dict[str, Any] = {"latitude": place.lat_deg, "longitude": place.lon_deg}
    return found if height_m is None else {**found, "height": height_m}
