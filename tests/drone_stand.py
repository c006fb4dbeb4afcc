"""What tests of the drone's service share: a pilot and an autopilot that only write down."""

from collections.abc import Callable, Sequence
from typing import Any

from internetcar.contract.drone import (
    DroneReply,
    DroneRequest,
    DroneState,
    ReplyData,
    ReplyOutput,
    State,
)
from internetcar.contract.message import instant
from services.database_errors import StoreError
from services.drone.autopilot import Arm, Counts, DroneStatus, Intent, Prepare, Result, TakeOff
from services.drone.events import Asked, Effect, Event, Heard, Perform
from services.drone.moment import Moment
from services.drone.store import Answer, Kept

NOW_MS = 1_780_000_000_000


def moment(s: float) -> Moment:
    return Moment(100.0 + s, NOW_MS + round(s * 1_000))


def request(tid: str = "t1", *, s: float = 0.0, **changed: Any) -> DroneRequest:
    fields = {
        "vehicle_id": "demo", "drone_id": "drone1", "requester": "alice", "tid": tid,
        "timestamp": moment(s).utc_ms, "method": "flighttask_execute", "data": {"task": "scout"},
    }  # fmt: skip
    return DroneRequest.model_validate({**fields, **changed})


class WritingPilot:
    """Accepts a launch when docked, then prepares, arms, takes off; writes down what it heard."""

    def __init__(self, memory: str | None = None) -> None:
        self.memory = memory or "docked"
        self.heard: list[Event] = []
        self.predicted_pct: float | None = 77.7
        self.told = self._state("docked", moment(0))
        self._id = 0

    def handle(self, event: Event, now: Moment) -> Sequence[Effect]:
        if not isinstance(event, Heard):
            self.heard.append(event)
        if isinstance(event, Asked):
            return self._asked(event.request, now)
        if isinstance(event, Heard):
            self.heard += [event] if event.results else []
            return self._go_on(now)
        return ()

    def remembered(self) -> str:
        return self.memory

    def state(self) -> DroneState:
        return self.told

    @property
    def state_name(self) -> State:
        return self.told.state

    def _asked(self, asked: DroneRequest, now: Moment) -> list[Effect]:
        is_free = self.memory == "docked" or asked.method != "flighttask_execute"
        output = ReplyOutput(
            status="accepted" if is_free else "rejected",
            reason=None if is_free else "busy",
            dry_run=asked.dry_run,
        )
        reply = DroneReply(
            vehicle_id="demo", drone_id="drone1", requester=asked.requester, tid=asked.tid,
            bid=asked.bid, timestamp=now.utc_ms, method=asked.method,
            data=ReplyData(result=int(not is_free), output=output),
        )  # fmt: skip
        if is_free and not asked.dry_run and asked.method == "flighttask_execute":
            self.memory = "preflight"
            return [reply, self._perform(Prepare((), 120.0, 30.0))]
        return [reply]

    def _go_on(self, now: Moment) -> list[Effect]:
        match self.memory:
            case "preflight":
                self.memory = "armed"
                return [self._perform(Arm()), self._state("armed", now)]
            case "armed":
                self.memory = "takeoff"
                return [self._perform(TakeOff(30.0)), self._state("takeoff", now)]
        return []

    def _perform(self, intent: Intent) -> Perform:
        self._id += 1
        return Perform(self._id, intent)

    def _state(self, state: Any, now: Moment) -> DroneState:
        self.told = DroneState(
            vehicle_id="demo", drone_id="drone1", state=state, since=instant(now.utc_ms)
        )
        return self.told


class WritingAutopilot:
    """Does nothing, and remembers what it was asked."""

    def __init__(self) -> None:
        self.told = DroneStatus(firmware="Fake 1.0")
        self.counts = Counts()
        self.performed: list[Intent] = []
        self.received: list[bytes] = []
        self.turns = 0
        self.before: Callable[[], object] = lambda: None
        """Called before anything is performed."""

    def receive(self, data: bytes, now: Moment) -> None:
        self.received.append(data)

    def perform(self, intent_id: int, intent: Intent, now: Moment) -> None:
        self.before()
        self.performed.append(intent)

    def turn(self, now: Moment) -> None:
        self.turns += 1

    def outgoing(self) -> Sequence[bytes]:
        return [b"heartbeat"]

    def results(self) -> Sequence[Result]:
        return ()

    def status(self, now: Moment) -> DroneStatus:
        return self.told


class BrokenStore:
    """A store on a disk that can be pulled out."""

    def __init__(self) -> None:
        self.is_broken = False
        self.saves = 0
        self.rows: dict[tuple[str, str], Kept] = {}
        self.text: str | None = None

    def memory(self) -> str | None:
        self._look()
        return self.text

    def kept(self, requester: str, tid: str) -> Kept | None:
        self._look()
        return self.rows.get((requester, tid))

    def reserve(self, requester: str, tid: str, digest: str, now_ms: int) -> None:
        self._look()
        self.rows.setdefault((requester, tid), Kept(digest, None))

    def save(self, memory: str | None, answers: Sequence[Answer], now_ms: int) -> None:
        self._look()
        self.saves += 1
        self.text = self.text if memory is None else memory
        for answer in answers:
            self.rows[answer.requester, answer.tid] = Kept(answer.digest, answer.reply)

    def _look(self) -> None:
        if self.is_broken:
            raise StoreError("the disk is gone")
