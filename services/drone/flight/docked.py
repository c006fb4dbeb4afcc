"""On the car: what would keep it there now, and whether the car itself wants a flight (pure)."""

from internetcar.contract.drone import DroneRequest
from services.drone.flight import launch
from services.drone.flight.answers import tell
from services.drone.flight.cockpit import Cockpit
from services.drone.flight.memory import Wish
from services.drone.flight.ports import Due

REQUESTER = "drone"
"""Under whose name the car's own rules launch."""


def turn(cockpit: Cockpit) -> None:
    """Follow whoever arms it; else ask the rules."""
    if cockpit.drone.is_armed:
        cockpit.memory.mode = None
        cockpit.enter("failsafe", "somebody else armed it")
    else:
        ask_rules(cockpit)


def ask_rules(cockpit: Cockpit) -> None:
    """Once a second, in the air too: what is due there is only said."""
    rules = cockpit.rooms.rules
    if rules is None or not cockpit.beat.is_due("rules", 1.0, cockpit.now):
        return
    memory, due = rules.turn(cockpit.view, cockpit.memory.rules, cockpit.now)
    cockpit.memory.rules = dict(memory)
    for each in due:
        _decide(cockpit, each)


def _decide(cockpit: Cockpit, due: Due) -> None:
    request = DroneRequest(
        vehicle_id=cockpit.vehicle_id, drone_id=cockpit.drone_id, requester=REQUESTER,
        tid=due.tid, timestamp=cockpit.now.utc_ms, method="flighttask_execute",
        data=dict(due.data),
    )  # fmt: skip
    data = request.asked()
    found = [
        launch.docked(cockpit),
        *launch.interlocks(cockpit, launch.planned(cockpit, data)),
    ]
    bad = launch.tripped(found)
    is_known = due.tid in cockpit.memory.launched
    is_launched = not bad and not is_known
    cockpit.say(
        "rule_decision",
        {
            "rule": due.rule, "outcome": "launched" if is_launched else "blocked",
            "because": list(due.because),
            "interlocks": [each.model_dump(mode="json") for each in bad],
        },
        due.tid,
    )  # fmt: skip
    if is_launched:
        wish = Wish(tid=due.tid, requester=REQUESTER, method="flighttask_execute")
        cockpit.memory.wishes.append(wish)
        tell(cockpit, wish, "sent")
        launch.begin(cockpit, wish, data, due.data)
