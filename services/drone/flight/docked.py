"""On the car: whether the car itself wants a flight, and what would keep it there now (pure)."""

from internetcar.contract.drone_methods import TakeoffToPoint
from services.drone.autopilot import HomeHere
from services.drone.flight import launch, returning
from services.drone.flight.answers import tell
from services.drone.flight.cockpit import Cockpit
from services.drone.flight.memory import Wish
from services.drone.interlocks.check import tripped
from services.drone.rules.book import Due

REQUESTER = "drone"
"""Under whose name the car's own rules launch."""
EVERY_S = 1.0
HOME_EVERY_S = 10.0
HOME_OFF_M, HOME_OFF_UP_M = 20.0, 5.0
"""So far from its home, or above or below it, home is set anew: the car carried it on."""


def turn(cockpit: Cockpit) -> None:
    """Follow whoever arms it; say what would keep it on the ground."""
    if cockpit.drone.is_armed:
        cockpit.memory.mode = None
        cockpit.enter("failsafe", "somebody else armed it")
    elif cockpit.beat.is_due("docked", EVERY_S, cockpit.now):
        found = launch.interlocks(cockpit, launch.planned(cockpit, TakeoffToPoint()))
        cockpit.found = found
        cockpit.tripped = {each.id: each for each in tripped(found)}
        _bring_home(cockpit)


def _bring_home(cockpit: Cockpit) -> None:
    """Or the autopilot's fence, which is above home, would hold it for outside."""
    drone = cockpit.drone
    if drone.home is None or not drone.is_position_good:
        return
    is_far = cockpit.apart_m(drone.home.place) > HOME_OFF_M
    is_off = is_far or abs(cockpit.here.height_m) > HOME_OFF_UP_M
    if is_off and cockpit.beat.is_due("home here", HOME_EVERY_S, cockpit.now):
        cockpit.perform(HomeHere())


def ask_rules(cockpit: Cockpit) -> None:
    """Once a second, in the air too; what is due there waits, as long as its reason lasts."""
    if not cockpit.beat.is_due("rules", EVERY_S, cockpit.now):
        return
    for due in cockpit.book.turn(cockpit.view, cockpit.now, is_out=_is_out(cockpit)):
        if due.data is None:
            _call_back(cockpit, due)
        elif not _is_launched(cockpit, due, is_first=True):
            cockpit.waiting.append((due, cockpit.now.s))
    waiting, cockpit.waiting = cockpit.waiting, []
    for due, since_s in waiting:
        lasts = cockpit.book.memory[due.rule]["since_ms"] == due.since_ms
        if not lasts or cockpit.now.s - since_s > cockpit.settings.rule_waits_s:
            continue
        is_new = since_s == cockpit.now.s
        if is_new or not _is_launched(cockpit, due, is_first=False):
            cockpit.waiting.append((due, since_s))
    cockpit.memory.rules = cockpit.book.memory


def _is_out(cockpit: Cockpit) -> bool:
    """Whether it is on a task that does not go with the car."""
    flight = cockpit.memory.flight
    is_on_task = cockpit.memory.state in ("enroute", "on_task")
    return is_on_task and flight is not None and flight.task != "follow"


def _call_back(cockpit: Cockpit, due: Due) -> None:
    """The car drives away: meet it where it will be, instead of the task."""
    flight = cockpit.memory.flight
    data = {"rule": due.rule, "outcome": "called_back", "because": due.because, "interlocks": []}
    cockpit.say("rule_decision", data, None if flight is None else flight.wish.tid)
    returning.start(cockpit, f"{due.because}: it meets the car")


def _is_launched(cockpit: Cockpit, due: Due, *, is_first: bool) -> bool:
    assert due.data is not None, "a call back is not launched"
    if due.tid in cockpit.memory.launched:
        return True
    plan = launch.planned(cockpit, due.data)
    found = [launch.docked(cockpit), *launch.interlocks(cockpit, plan)]
    bad = tripped(found)
    if bad and not is_first:
        return False
    data = {
        "rule": due.rule,
        "outcome": "blocked" if bad else "launched",
        "because": due.because,
        "interlocks": [each.model_dump(mode="json") for each in found],
    }
    cockpit.say("rule_decision", data, due.tid)
    if bad:
        return False
    wish = Wish(tid=due.tid, requester=REQUESTER, method="flighttask_execute")
    cockpit.memory.wishes.append(wish)
    tell(cockpit, wish, "sent")
    launch.begin(cockpit, wish, due.data, due.data.model_dump(mode="json"))
    return True
