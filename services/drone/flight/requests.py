"""What a requester may change now, and the answer, at once (pure)."""

from collections.abc import Callable

from internetcar.contract.drone import DroneRequest, Interlock
from internetcar.contract.drone_methods import MethodData
from services.drone.autopilot import Disarm, Landed, Mode
from services.drone.flight import deriving, holding, launch, returning
from services.drone.flight.answers import accept, reject, settle, settle_flight
from services.drone.flight.cockpit import Cockpit
from services.drone.flight.memory import RECENT_LAUNCHES, Flight
from services.drone.flight.states import FLYING
from services.drone.interlocks.check import tripped
from services.drone.tasks.registry import CONFIRMED, task_of
from services.drone.tasks.task import Plan

BUSY = "the drone is on a flight, and only a docked drone takes off"
TAKEN = "the autopilot, or a person, has taken over; it is followed, never fought"
ON_A_TASK = frozenset({"enroute", "on_task", "hold"})
COMING_BACK = frozenset({"returning", "rendezvous"})
OF_THE_WAY = frozenset(
    {"plan", "rule", "battery", "zone", "ceiling", "wind", "rain", "temperature", "daylight"}
)
"""The interlocks of a launch that another way in the air must keep, too."""


def handle(cockpit: Cockpit, request: DroneRequest) -> None:
    """Answer a request, and begin to do what it asks for."""
    if request.tid in cockpit.memory.launched:
        reject(cockpit, request, "id_conflict", "this tid has already started a flight")
        return
    HANDLERS[request.method](cockpit, request)


def _launch(cockpit: Cockpit, request: DroneRequest) -> None:
    data, state = request.asked(), cockpit.memory.state
    if task_of(data) == "follow" and state in ON_A_TASK and _has_task(cockpit):
        _change(cockpit, request)
        return
    plan = launch.planned(cockpit, data)
    found = [launch.docked(cockpit), *_interlocks(cockpit, data, plan)]
    bad = tripped(found)
    if state in FLYING or state in ("preflight", "armed"):
        reason, words = ("autopilot", TAKEN) if state == "failsafe" else ("busy", BUSY)
        reject(cockpit, request, reason, words, found)
    elif bad:
        reject(cockpit, request, "interlock", launch.words_of(bad), found)
    elif accept(cockpit, request, "all interlocks hold", found):
        wish = cockpit.memory.wishes[-1]
        cockpit.book.started(task_of(data), cockpit.now)
        launch.begin(cockpit, wish, data, request.data)


def _interlocks(cockpit: Cockpit, data: MethodData, plan: Plan) -> list[Interlock]:
    """Those of a launch, and whether the limits of its rule let it."""
    found = launch.interlocks(cockpit, plan)
    refusal = cockpit.book.refusal(task_of(data), cockpit.now)
    if refusal:
        found.append(Interlock(id="rule", result="tripped", words=refusal))
    return found


def _has_task(cockpit: Cockpit) -> bool:
    flight, hold = cockpit.memory.flight, cockpit.memory.hold
    is_in_air = flight is not None and flight.is_takeoff_sent and not flight.is_task_done
    return is_in_air and (hold is None or hold.why == "interlock")


def _change(cockpit: Cockpit, request: DroneRequest) -> None:
    """Follow instead, or other points, in the air; not after a stop, which only a return ends."""
    data, flight = request.asked(), cockpit.memory.flight
    state = cockpit.memory.state
    if state not in ON_A_TASK or flight is None or not _has_task(cockpit):
        _not_now(cockpit, request)
        return
    plan = launch.planned(cockpit, data)
    found = [each for each in _interlocks(cockpit, data, plan) if each.id in OF_THE_WAY]
    bad = tripped(found)
    if bad:
        reject(cockpit, request, "interlock", launch.words_of(bad), found)
    elif accept(cockpit, request, f"changes to {task_of(data)}", found):
        cockpit.book.started(task_of(data), cockpit.now)
        wish = cockpit.memory.wishes.pop()
        settle_flight(cockpit, "canceled", "recalled", "another task took its place")
        cockpit.memory.wishes.append(wish)
        cockpit.memory.launched = [*cockpit.memory.launched, wish.tid][-RECENT_LAUNCHES:]
        cockpit.memory.flight = Flight(
            wish=wish, task=task_of(data), method=request.method, data=dict(request.data),
            height_m=plan.take_off_m, is_arm_sent=True, is_takeoff_sent=True,
        )  # fmt: skip
        cockpit.task_memory, cockpit.memory.hold, cockpit.route = None, None, None
        cockpit.enter("enroute", f"changes to {task_of(data)}")


def _not_now(cockpit: Cockpit, request: DroneRequest) -> None:
    state = cockpit.memory.state
    if state == "failsafe":
        reject(cockpit, request, "autopilot", TAKEN)
    elif state in FLYING:
        reject(cockpit, request, "busy", f"not while it is {state}")
    else:
        reject(cockpit, request, "not_flying", "there is no flight for it to change")


def _is_launching(cockpit: Cockpit) -> bool:
    state = cockpit.memory.state
    is_on_ground = cockpit.drone.landed == Landed.ON_GROUND
    return state in ("preflight", "armed") or (state == "takeoff" and is_on_ground)


def _return_home(cockpit: Cockpit, request: DroneRequest) -> None:
    state = cockpit.memory.state
    if _is_launching(cockpit):
        if accept(cockpit, request, "the launch is canceled"):
            wish = cockpit.memory.wishes[-1]
            launch.give_up(cockpit, "canceled", "recalled", f"{request.requester} called it back")
            settle(cockpit, wish, "ok", detail="it did not take off")
    elif state in ("takeoff", "enroute", "on_task", "hold", "divert_landing", *COMING_BACK):
        if cockpit.memory.mode == Mode.LAND:
            reject(cockpit, request, "busy", "it lands already")
        elif accept(cockpit, request, "it returns"):
            returning.start(cockpit, f"{request.requester} called it back")
    elif state == "landing":
        accept(cockpit, request, "it lands already")
    elif _may_bring_anothers(cockpit):
        if accept(cockpit, request, "it returns"):
            cockpit.memory.mode = Mode.GUIDED
            returning.start(cockpit, f"{request.requester} called it back")
    else:
        _not_now(cockpit, request)


def _may_bring_anothers(cockpit: Cockpit) -> bool:
    """Whether it only follows another service, that may hang or be none: a person knows."""
    drone, is_followed = cockpit.drone, cockpit.memory.state == "failsafe"
    is_up = drone.position is not None and drone.landed != Landed.ON_GROUND
    is_guided = is_up and drone.mode == Mode.GUIDED
    return is_followed and is_guided and deriving.may_be_anothers(cockpit)


def _return_home_cancel(cockpit: Cockpit, request: DroneRequest) -> None:
    asked = [wish for wish in cockpit.memory.wishes if wish.method == "return_home"]
    flight = cockpit.memory.flight
    if cockpit.memory.state not in COMING_BACK or not asked or flight is None:
        _not_now(cockpit, request)
    elif accept(cockpit, request, "it hovers"):
        for wish in asked:
            settle(cockpit, wish, "canceled", "recalled", "the return was canceled")
        _hover_here(cockpit, flight)


def _hover_here(cockpit: Cockpit, flight: Flight) -> None:
    here = cockpit.here
    point = {
        "latitude": here.place.lat_deg, "longitude": here.place.lon_deg,
        "height": max(here.height_m, cockpit.settings.rendezvous_height_m),
    }  # fmt: skip
    flight.task, flight.method, flight.data = "hover", "fly_to_point", {"points": [point]}
    flight.task_memory, flight.is_task_done, cockpit.task_memory = {}, False, None
    cockpit.enter("enroute", "hovers where the return was canceled")


def _stop(cockpit: Cockpit, request: DroneRequest) -> None:
    state = cockpit.memory.state
    is_on_ground = cockpit.drone.landed == Landed.ON_GROUND
    if _is_launching(cockpit) and launch.may_climb(cockpit):
        if accept(cockpit, request, "the launch is canceled; if it climbs already it brakes"):
            settle_flight(cockpit, "canceled", "recalled", "stopped")
            holding.start(cockpit, "stop", f"{request.requester} stopped it")
            cockpit.mode(Mode.BRAKE)
    elif _is_launching(cockpit):
        if accept(cockpit, request, "the launch is canceled"):
            launch.give_up(cockpit, "canceled", "recalled", "stopped")
    elif state not in FLYING:
        accept(cockpit, request, "it does not fly")
    elif not _may_brake(cockpit):
        accept(cockpit, request, "the autopilot, or a person, lands or flies it: nothing is sent")
    elif is_on_ground:
        if accept(cockpit, request, "it has landed and is disarmed"):
            cockpit.perform(Disarm())
    elif accept(cockpit, request, "it brakes and hovers"):
        holding.start(cockpit, "stop", f"{request.requester} stopped it")
        cockpit.mode(Mode.BRAKE)


def _may_brake(cockpit: Cockpit) -> bool:
    """Not against a person, and not against a landing that the autopilot itself began."""
    state, mode = cockpit.memory.state, cockpit.drone.mode
    if state == "lost_link" or cockpit.drone.position is None or mode == Mode.OTHER:
        return False
    return not (state == "failsafe" and mode == Mode.LAND)


def _confirm(cockpit: Cockpit, request: DroneRequest) -> None:
    flight = cockpit.memory.flight
    if flight is None or flight.task != "hand_over" or cockpit.memory.state not in ON_A_TASK:
        _not_now(cockpit, request)
    elif accept(cockpit, request, "it is handed over"):
        memory = flight.task_memory if cockpit.task_memory is None else cockpit.task_memory
        flight.task_memory = {**memory, CONFIRMED: True}
        cockpit.task_memory = flight.task_memory


HANDLERS: dict[str, Callable[[Cockpit, DroneRequest], None]] = {
    "takeoff_to_point": _launch,
    "flighttask_execute": _launch,
    "fly_to_point": _change,
    "return_home": _return_home,
    "return_home_cancel": _return_home_cancel,
    "drone_emergency_stop": _stop,
    "hand_over_confirm": _confirm,
}
