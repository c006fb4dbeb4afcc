"""The pilot: every event in, every effect out, and nothing else decides (pure)."""

from collections.abc import Callable, Mapping

from internetcar.contract.drone import DroneState, State
from services.drone.autopilot import Landed, Mode
from services.drone.events import Asked, Effect, Event, Heard
from services.drone.flight import (
    deriving,
    diverting,
    docked,
    enroute,
    holding,
    home,
    landing,
    launch,
    requests,
    rest,
    returning,
    watching,
)
from services.drone.flight.answers import in_progress
from services.drone.flight.cockpit import Cockpit
from services.drone.flight.memory import Memory, recall
from services.drone.flight.ports import Rooms
from services.drone.flight.settings import FlightSettings
from services.drone.flight.states import FLYING, STEERED
from services.drone.moment import Moment
from services.drone.rules.book import RuleBook
from services.drone.view import seen

TURNS: Mapping[State, Callable[[Cockpit], None]] = {
    "docked": docked.turn,
    "preflight": launch.preflight,
    "armed": launch.armed,
    "takeoff": launch.takeoff,
    "enroute": enroute.turn,
    "on_task": enroute.turn,
    "returning": returning.turn,
    "rendezvous": returning.rendezvous,
    "landing": landing.turn,
    "hold": holding.turn,
    "divert_landing": diverting.turn,
}
"""What each state does in a turn; the others only look on."""


class Pilot:
    """One drone's flights. Deterministic: the same events at the same moments, the same effects."""

    def __init__(
        self,
        settings: FlightSettings,
        rooms: Rooms,
        remembered: str | None,
        *,
        vehicle_id: str,
        drone_id: str,
    ) -> None:
        """Begin with what an earlier pilot remembered.

        Args:
            settings: How it flies.
            rooms: Zones, interlocks, tasks and rules.
            remembered: `remembered()` of the last pilot; `None`: there was none.
            vehicle_id: Whose drone it is.
            drone_id: Which of its drones.
        """
        memory, damage = recall(remembered)
        if memory.state not in ("offline", "lost_link", "fault"):
            memory.before = memory.state
        book = RuleBook(rooms.rules, memory.rules)
        self._cockpit = Cockpit(vehicle_id, drone_id, settings, rooms, memory, book)
        memory.state = "lost_link" if memory.before in FLYING else "offline"
        memory.detail = ""
        self._damage = damage
        self._known, self._text = Memory(), ""
        self._shown: tuple[object, ...] | None = None
        self._is_started = False

    def handle(self, event: Event, now: Moment) -> list[Effect]:
        """What follows from an event; `remembered` is to be on disk before it is done."""
        cockpit = self._cockpit
        cockpit.now, cockpit.effects = now, []
        before = cockpit.view.car
        cockpit.view = seen(cockpit.view, event, now)
        if cockpit.view.car is not None and cockpit.view.car is not before:
            rest.watch(cockpit, cockpit.view.car)
        match event:
            case Asked():
                requests.handle(cockpit, event.request)
            case Heard():
                self._answers(event)
                self._turn()
            case _ if self._shown is not None:
                return cockpit.effects  # What the car or the broker says changes no state yet.
        self._tell_state()
        return cockpit.effects

    def remembered(self) -> str:
        """All that must survive; it becomes text anew only when it is another."""
        memory = self._cockpit.memory
        if not self._text or self._known != memory:
            self._known, self._text = memory.model_copy(deep=True), memory.text()
        return self._text

    @property
    def predicted_pct(self) -> float | None:
        """What would be left of the battery on the car, if it returned now; in the air only."""
        return self._cockpit.predicted_pct

    def state(self) -> DroneState:
        """What the drone does."""
        return self._cockpit.state()

    @property
    def state_name(self) -> State:
        """The name of that state alone."""
        return self._cockpit.memory.state

    def _answers(self, heard: Heard) -> None:
        cockpit = self._cockpit
        for result in heard.results:
            kind = cockpit.asked.pop(result.id, None)
            if kind is not None:
                cockpit.answers[kind] = result

    def _turn(self) -> None:
        cockpit = self._cockpit
        if not self._is_started:
            self._begin()
        cockpit.rooms.checks.look(cockpit.view, cockpit.now)
        if not deriving.is_heard(cockpit):
            return
        if cockpit.drone.refusal:
            cockpit.enter("fault", cockpit.drone.refusal)
            cockpit.is_derived = False
            return
        if not cockpit.is_derived and not deriving.derive(cockpit):
            return
        cockpit.is_restarted = False
        _fly(cockpit)
        docked.ask_rules(cockpit)
        home.turn(cockpit)

    def _begin(self) -> None:
        self._is_started = True
        cockpit = self._cockpit
        cockpit.started_s = cockpit.now.s
        if cockpit.memory.since_ms == 0:
            cockpit.memory.since_ms = cockpit.now.utc_ms
        if self._damage:
            health = {"code": "memory", "level": 2, "detail": self._damage}
            cockpit.say("hms", {"list": [health]})

    def _tell_state(self) -> None:
        cockpit, before = self._cockpit, self._shown
        self._shown = now = _shown(cockpit)
        if now == before:
            return
        if before is None or before[0] != now[0]:
            in_progress(cockpit)
        cockpit.effects.append(cockpit.state())


def _shown(cockpit: Cockpit) -> tuple[object, ...]:
    """What makes a state another one: not the values of interlocks, which change all the time."""
    memory, flight = cockpit.memory, cockpit.memory.flight
    wish = None if flight is None else (flight.task, flight.wish.tid, flight.wish.requester)
    return memory.state, memory.since_ms, memory.detail, wish, frozenset(cockpit.tripped)


def _fly(cockpit: Cockpit) -> None:
    memory, drone = cockpit.memory, cockpit.drone
    if memory.state in FLYING and not drone.is_armed:
        is_odd = drone.landed == Landed.IN_AIR
        if is_odd and cockpit.beat.since("no motors", cockpit.now) <= launch.ARMING_S:
            return  # One heartbeat that cannot be is not the end of a flight.
        if cockpit.memory.state != "takeoff" or cockpit.in_state_s > launch.ARMING_S:
            deriving.end(cockpit)
        return
    cockpit.beat.last.pop("no motors", None)
    if drone.position is None:
        diverting.blind(cockpit)
        return
    cockpit.beat.last.pop("blind", None)
    if (memory.state in STEERED or memory.state == "armed") and cockpit.is_taken_over:
        deriving.follow(cockpit, "autopilot", "the autopilot, or a person, has taken over")
    if memory.state == "failsafe":
        _given_back(cockpit)
    if memory.state in STEERED:
        holding.watch_car(cockpit)
    if memory.state in FLYING:
        watching.turn(cockpit)
    if memory.state == "divert_landing" and diverting.is_car_back(cockpit):
        returning.start(cockpit, "the car is heard again")
    turn = TURNS.get(memory.state)
    if turn is not None:
        turn(cockpit)


def _given_back(cockpit: Cockpit) -> None:
    is_ours = cockpit.drone.mode == Mode.GUIDED and not deriving.may_be_anothers(cockpit)
    if is_ours and cockpit.drone.landed != Landed.ON_GROUND:
        cockpit.memory.mode, cockpit.memory.is_rebuilding = Mode.GUIDED, False
        is_known = cockpit.memory.flight is not None
        words = "it was given back and returns" if is_known else deriving.UNKNOWN
        holding.start(cockpit, "given_back", words)
