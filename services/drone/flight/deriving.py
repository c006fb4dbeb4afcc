"""What goes on, from what the autopilot says: after a start, and after a silence (pure).

Nothing is sent to it before.
"""

from services.drone.autopilot import Disarm, Landed, Mode
from services.drone.flight import holding, returning
from services.drone.flight.answers import settle, settle_flight
from services.drone.flight.cockpit import Cockpit
from services.drone.flight.memory import Hold
from services.drone.flight.states import FLYING, STEERED

RESTARTED = "the service was started again on the way; the drone returns"
SILENT = "the link to the drone was lost; it returns"
UNKNOWN = "a flight that is not remembered; it returns"
ANOTHERS = "it is followed: no flight of ours is remembered, another service may fly it"
LISTENS_S = 3.0
"""So long after a start another service may answer before an unknown flight is taken for ours."""
CAME_DOWN = "it came down before the task was done"


def is_heard(cockpit: Cockpit) -> bool:
    """Whether heartbeats come; if not the state says so, and nothing is assumed."""
    heard_s, most_s = cockpit.drone.heard_s, cockpit.rooms.checks.limits.heartbeat_s
    if heard_s is not None and cockpit.now.s - heard_s <= most_s:
        return True
    state, memory = cockpit.memory.state, cockpit.memory
    if cockpit.is_derived:
        cockpit.is_derived, cockpit.lost_at_s = False, cockpit.now.s
        memory.before = state
        if state in FLYING:
            cockpit.enter("lost_link", "the drone is not heard")
        else:
            if memory.flight is not None and not memory.flight.is_takeoff_sent:
                settle_flight(cockpit, "failed", "refused", "the drone is not heard any more")
            cockpit.enter("offline", "the drone is not heard")
    return False


def derive(cockpit: Cockpit) -> bool:
    """Find out the state; whether enough is known for it."""
    drone = cockpit.drone
    if drone.landed == Landed.UNKNOWN:
        return False
    if drone.is_armed:
        is_on_ground = drone.landed == Landed.ON_GROUND
        if drone.position is None:
            return False
        if _is_unknown(cockpit) and may_be_anothers(cockpit):
            if is_on_ground and not cockpit.view.has_twin:
                return False
            cockpit.enter("failsafe", ANOTHERS)
        elif is_on_ground:
            _armed_on_ground(cockpit)
        else:
            _in_the_air(cockpit)
    elif drone.landed == Landed.ON_GROUND:
        _on_ground(cockpit)
    else:
        return False
    cockpit.is_derived, cockpit.memory.before = True, None
    return True


def may_be_anothers(cockpit: Cockpit) -> bool:
    """Whether what flies may be the flight of another service: we have none."""
    is_new = cockpit.now.s - cockpit.started_s < LISTENS_S
    return cockpit.memory.flight is None and (cockpit.view.has_twin or is_new)


def _is_unknown(cockpit: Cockpit) -> bool:
    """Whether it is in GUIDED, and nothing is remembered of a flight that we steered."""
    is_ours = cockpit.memory.flight is not None or cockpit.memory.before in STEERED
    return not is_ours and cockpit.drone.mode == Mode.GUIDED


def _why(cockpit: Cockpit) -> tuple[str, str]:
    return ("restarted", RESTARTED) if cockpit.is_restarted else ("recalled", SILENT)


def _on_ground(cockpit: Cockpit) -> None:
    memory = cockpit.memory
    reason, words = _why(cockpit)
    is_done = memory.flight is not None and memory.flight.is_task_done
    if is_done or memory.before in ("landing", "divert_landing"):
        end(cockpit)
        return
    for wish in list(memory.wishes):
        settle(cockpit, wish, "failed", reason, words)
    forget(cockpit)
    cockpit.enter("docked")


def _armed_on_ground(cockpit: Cockpit) -> None:
    memory = cockpit.memory
    flight = memory.flight
    reason, words = _why(cockpit)
    memory.mode = cockpit.drone.mode
    if flight is not None and flight.is_takeoff_sent:
        settle_flight(cockpit, "failed", reason, words)
        is_landing = memory.before in ("landing", "divert_landing", "failsafe")
        cockpit.enter("failsafe" if is_landing else "takeoff", words)
    elif flight is not None or cockpit.drone.mode == Mode.GUIDED:
        settle_flight(cockpit, "failed", reason, words)
        memory.flight = None
        cockpit.enter("armed", "disarms: it was armed and there is no flight")
        cockpit.stage.is_due("disarm", holding.DISARM_AGAIN_S, cockpit.now)
        cockpit.perform(Disarm())
    else:
        cockpit.enter("failsafe", "somebody else armed it")


def _in_the_air(cockpit: Cockpit) -> None:
    memory, mode = cockpit.memory, cockpit.drone.mode
    if mode == Mode.GUIDED:
        _guided(cockpit)
    elif mode == Mode.BRAKE and not memory.is_rebuilding:
        memory.mode = Mode.BRAKE
        memory.hold = Hold(why="stop", resume="returning")
        settle_flight(cockpit, "failed", *_why(cockpit))
        cockpit.enter("hold", "it was stopped")
    elif mode == Mode.LAND and memory.mode == Mode.LAND and memory.before is not None:
        state = memory.before
        cockpit.enter(state if state in ("landing", "divert_landing") else "failsafe", "lands")
    else:
        follow(cockpit, *_why(cockpit))


def _guided(cockpit: Cockpit) -> None:
    """Ours, if there is a flight; without one the memory is lost: only we fly it in GUIDED.

    The safety profile ties GUIDED to our own system id, so a drone in it that nobody remembers is
    ours. It hovers for a while, lest another ground station is surprised, and is brought home.
    """
    memory = cockpit.memory
    memory.mode, memory.is_rebuilding = Mode.GUIDED, False
    reason, words = _why(cockpit)
    silent_s = cockpit.now.s - cockpit.lost_at_s
    is_short = not cockpit.is_restarted and silent_s <= cockpit.settings.link_gap_s
    if memory.flight is None and memory.before not in FLYING:
        holding.start(cockpit, "unknown_flight", UNKNOWN)
    elif is_short and memory.before in FLYING - {"failsafe", "lost_link"}:
        assert memory.before is not None
        cockpit.enter(memory.before, "goes on after a short silence")
    elif memory.before == "divert_landing" and memory.target is not None:
        cockpit.enter("divert_landing", memory.target.words)
    else:
        settle_flight(cockpit, "failed", reason, words)
        returning.start(cockpit, words)


def follow(cockpit: Cockpit, reason: str, words: str) -> None:
    """The autopilot, or a person, decides from now on."""
    settle_flight(cockpit, "failed", reason, words)
    cockpit.memory.hold = cockpit.memory.target = None
    name = cockpit.drone.mode_name or cockpit.drone.mode.value.upper()
    cockpit.enter("failsafe", f"{name}: the autopilot, or a person, has taken over")


def end(cockpit: Cockpit) -> None:
    """It is down and disarmed: the flight is over."""
    memory, flight = cockpit.memory, cockpit.memory.flight
    for wish in list(memory.wishes):
        if wish.method == "return_home" or (flight is not None and flight.is_task_done):
            settle(cockpit, wish, "ok")
        else:
            is_early = memory.state == "takeoff"
            words = "it disarmed during the take-off" if is_early else CAME_DOWN
            settle(cockpit, wish, "failed", "autopilot", words)
    forget(cockpit)
    words, car = "landed", cockpit.view.car
    if car is not None and cockpit.drone.position is not None:
        apart_m = cockpit.apart_m(car.fix.place)
        words = f"landed {apart_m:.1f} m from the car's last position"
    cockpit.enter("docked", words)


def forget(cockpit: Cockpit) -> None:
    """Nothing of a flight that is over."""
    memory = cockpit.memory
    memory.flight = memory.hold = memory.target = memory.mode = None
    memory.is_rebuilding, memory.wishes = False, []
    cockpit.trips, cockpit.tripped, cockpit.task_memory = {}, {}, None
    cockpit.tripped_s = {}
