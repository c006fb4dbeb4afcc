"""Hovering: why, and what ends it (pure)."""

from services.drone.autopilot import Disarm, Landed, Mode
from services.drone.flight import diverting, returning, steering
from services.drone.flight.cockpit import Cockpit
from services.drone.flight.memory import Hold

NEEDS_THE_CAR = frozenset({"enroute", "on_task", "returning", "rendezvous", "landing"})
"""In these states an old position of the car is no ground to fly on."""
DISARM_AGAIN_S = 2.0
COMMITTED_M = 3.0
"""Lower in a landing it goes on without a fresh position."""


def start(cockpit: Cockpit, why: str, words: str) -> None:
    """Hover until what it waits for has come."""
    if cockpit.memory.state != "hold":
        cockpit.memory.hold = Hold(why=why, resume=cockpit.memory.state, words=words)
    elif cockpit.memory.hold is not None:
        cockpit.memory.hold.why, cockpit.memory.hold.words = why, words
        cockpit.entered_s = cockpit.now.s
    cockpit.enter("hold", words)


def turn(cockpit: Cockpit) -> None:
    """Hover; go on, return or land elsewhere when it is time."""
    hold = cockpit.memory.hold
    if hold is None:
        returning.start(cockpit, "nothing is known of the task")
        return
    _end(cockpit, hold)
    if cockpit.memory.state != "hold":
        return
    if hold.why == "stop":
        cockpit.mode(Mode.BRAKE)
        is_on_ground = cockpit.drone.landed == Landed.ON_GROUND
        if is_on_ground and cockpit.stage.is_due("disarm", DISARM_AGAIN_S, cockpit.now):
            cockpit.perform(Disarm())  # If it is not true any more the autopilot refuses.
    elif steering.is_turn(cockpit) and cockpit.mode(Mode.GUIDED):
        steering.stay(cockpit)


def _end(cockpit: Cockpit, hold: Hold) -> None:
    settings, lasted_s = cockpit.settings, cockpit.in_state_s
    match hold.why:
        case "stop":
            if lasted_s > settings.hold_limit_s:
                returning.start(cockpit, "nobody said how to go on after the stop")
        case "car_fix":
            if cockpit.is_car_fresh or not cockpit.view.is_broker_connected:
                resume(cockpit, hold)
            elif lasted_s > settings.stale_hold_s:
                diverting.start(cockpit, "the car's position is too old", is_for_car=True)
        case "interlock":
            if not any(trip.then == "hold" for trip in cockpit.trips.values()):
                resume(cockpit, hold)
            elif lasted_s > settings.hold_limit_s:
                returning.start(cockpit, hold.words, "failed", "interlock")
        case _:
            if lasted_s > settings.give_back_s:
                returning.start(cockpit, hold.words)


def resume(cockpit: Cockpit, hold: Hold) -> None:
    """Go on with what it did before."""
    cockpit.memory.hold = None
    is_landing = hold.resume == "landing"
    cockpit.enter("rendezvous" if is_landing else hold.resume, "goes on")


def watch_car(cockpit: Cockpit) -> None:
    """Hover when the car's position is old while the broker is there; return without a broker."""
    state, view = cockpit.memory.state, cockpit.view
    if not view.is_broker_connected:
        lost_s = cockpit.started_s if view.broker_lost_s is None else view.broker_lost_s
        away_s = cockpit.now.s - lost_s
        if state in ("takeoff", "enroute", "on_task") and away_s > cockpit.settings.broker_s:
            returning.start(
                cockpit, "the message broker is away: the car is not heard", "failed", "recalled"
            )
        return
    if state not in NEEDS_THE_CAR or cockpit.is_car_fresh:
        return
    is_committed = cockpit.memory.mode == Mode.LAND or cockpit.here.height_m < COMMITTED_M
    if not (state == "landing" and is_committed):
        start(cockpit, "car_fix", "waits for a fresh position of the car")
