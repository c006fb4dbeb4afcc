"""From a wish to the air: interlocks, preparation, arming, take-off (pure)."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from internetcar.contract.drone import Interlock, Progress
from internetcar.contract.drone_methods import METHODS, MethodData
from services.drone.autopilot import Arm, Disarm, HomeHere, Landed, Mode, Prepare, TakeOff
from services.drone.flight import holding, returning
from services.drone.flight.answers import settle_flight
from services.drone.flight.cockpit import Cockpit, line
from services.drone.flight.memory import RECENT_LAUNCHES, Flight, Wish
from services.drone.interlocks.check import tripped
from services.drone.interlocks.situation import shown
from services.drone.tasks.registry import task_of
from services.drone.tasks.task import Leg, Plan

FENCE_RADIUS_M = 5_000.0
CLIMBED = 0.95
"""Of the height: then the take-off is over."""
ALLOWED_S = 1.0
"""How often all interlocks are looked at again until it takes off."""
GRACE_S = 20.0
"""On top of the time of the slowest climb."""
HOME_AGAIN_S = 2.0
TAKEOFF_SAYS = 5
"""So often a take-off is said at most, while no answer comes and it is seen to stand: a link that
loses a fifth each way loses them all once in 3,000 launches."""
ARMING_S = 4.0
"""So long after it was asked for a drone may still arm."""
WAITED_FOR = frozenset({"drone_prearm"})
"""Not good for a moment while the autopilot takes its new settings and its new fence: it waits."""
COMPLAINTS = 3
"""So many of the autopilot's last warnings are told."""


def data_of(flight: Flight) -> MethodData:
    """What the flight is for, as its method has it."""
    return METHODS[flight.method].model_validate(flight.data)


def planned(cockpit: Cockpit, data: MethodData) -> Plan:
    """What a request would fly; never higher than the ceiling, and around the zones."""
    plan = cockpit.rooms.tasks[task_of(data)].plan(
        data, cockpit.view, cockpit.now, cockpit.rooms.task_settings
    )
    highest = max((plan.take_off_m, *(leg.height_m for leg in plan.legs)))
    ceiling_m = cockpit.rooms.checks.limits.ceiling_m
    if highest > ceiling_m:
        words = f"{highest:.0f} m is above the ceiling of {ceiling_m:.0f} m"
        return Plan((), plan.take_off_m, words)
    return _around_zones(cockpit, plan)


def _around_zones(cockpit: Cockpit, plan: Plan) -> Plan:
    """The same plan, each leg led around the zones on its way."""
    legs: list[Leg] = []
    for leg in plan.legs:
        way = cockpit.rooms.airspace.way(leg.start, leg.end, leg.height_m, cockpit.now)
        if way is None:
            return Plan((), plan.take_off_m, "a zone is in the way, and there is no way around it")
        legs += [Leg(start, end, leg.height_m) for start, end in pairwise(way)]
    return Plan(tuple(legs), plan.take_off_m, plan.problem)


def interlocks(cockpit: Cockpit, plan: Plan) -> list[Interlock]:
    """All that must hold for a launch: the pilot's own conditions first."""
    checks = cockpit.rooms.checks.launch(cockpit.view, plan, cockpit.now)
    found = [plan_interlock(plan), _at_car(cockpit), *checks]
    return list({interlock.id: interlock for interlock in found}.values())


def docked(cockpit: Cockpit) -> Interlock:
    """Only a docked drone takes off."""
    state = cockpit.memory.state
    result, words = "ok", "it is docked"
    if state != "docked":
        result, words = "tripped", f"it is {state}, and only a docked drone takes off"
    return Interlock.model_validate(
        {"id": "docked", "value": state, "limit": "docked", "result": result, "words": words}
    )


def plan_interlock(plan: Plan) -> Interlock:
    """Whether what is asked for can be flown at all."""
    return Interlock(
        id="plan",
        result="tripped" if plan.problem else "ok",
        words=line(plan.problem or "it can be flown"),
    )


def _at_car(cockpit: Cockpit) -> Interlock:
    car, drone, limit = cockpit.view.car, cockpit.drone.position, cockpit.settings.drone_at_car_m
    if car is None or drone is None:
        words = "it is not known how far the drone is from the car"
        return Interlock(id="drone_at_car", limit=limit, result="tripped", words=words)
    apart = round(cockpit.apart_m(car.fix.place), 1)
    return Interlock(
        id="drone_at_car", value=apart, limit=limit,
        result="ok" if apart <= limit else "tripped",
        words=f"the drone is {shown(apart, limit)} m from the car, at most {limit:.0f}",
    )  # fmt: skip


def words_of(found: Sequence[Interlock]) -> str:
    """Why it does not fly, for a driver."""
    return "; ".join(interlock.words for interlock in found)


def begin(cockpit: Cockpit, wish: Wish, data: MethodData, raw: Mapping[str, Any]) -> None:
    """Start a flight that was accepted: read the safety profile back, upload the fence."""
    plan, limits = planned(cockpit, data), cockpit.rooms.checks.limits
    cockpit.memory.flight = Flight(
        wish=wish, task=task_of(data), method=wish.method, data=dict(raw),
        height_m=plan.take_off_m,
    )  # fmt: skip
    cockpit.memory.launched = [*cockpit.memory.launched, wish.tid][-RECENT_LAUNCHES:]
    cockpit.memory.mode, cockpit.takeoff_says = cockpit.drone.mode, 0
    cockpit.memory.hold = cockpit.memory.target = None
    cockpit.enter("preflight", "reads the safety profile back")
    fence = cockpit.rooms.airspace.fence_areas(
        cockpit.here.place, FENCE_RADIUS_M, cockpit.now, limits.ceiling_m
    )
    cockpit.prepare_id = cockpit.perform(
        Prepare(fence, limits.ceiling_m, cockpit.settings.return_height_m)
    )


def preflight(cockpit: Cockpit) -> None:
    """Prepared, then GUIDED, then armed; all interlocks hold until then."""
    flight = cockpit.memory.flight
    assert flight is not None
    if cockpit.drone.is_armed:
        if flight.is_arm_sent:
            cockpit.enter("armed", "the motors turn")
        else:
            settle_flight(cockpit, "failed", "autopilot", "somebody else armed it")
            cockpit.enter("failsafe", "somebody else armed it")
        return
    if cockpit.in_state_s > cockpit.settings.preflight_s:
        words = "; ".join(["it does not arm", *(each.words for each in cockpit.tripped.values())])
        give_up(cockpit, "timeout", "refused", _complaints(cockpit, words))
        return
    is_looked_at = cockpit.stage.is_due("allowed", ALLOWED_S, cockpit.now)
    if is_looked_at and not is_still_allowed(cockpit):
        return
    is_ready = _is_prepared(cockpit) and cockpit.mode(Mode.GUIDED) and _is_home_here(cockpit)
    again_s = cockpit.settings.arm_again_s
    if not is_ready or not cockpit.stage.is_due("arm", again_s, cockpit.now):
        return
    if is_looked_at or is_still_allowed(cockpit):
        flight.is_arm_sent = True
        cockpit.memory.detail = "arms"
        cockpit.perform(Arm())


def is_still_allowed(cockpit: Cockpit) -> bool:
    """Whether all interlocks still hold; if not the flight ends on the ground, or waits there."""
    flight = cockpit.memory.flight
    assert flight is not None
    bad = tripped(interlocks(cockpit, planned(cockpit, data_of(flight))))
    if cockpit.drone.is_armed:
        bad = tuple(each for each in bad if each.id != "drone_prearm")
    cockpit.tripped = {interlock.id: interlock for interlock in bad}
    if not bad:
        return True
    if cockpit.memory.state == "preflight" and {each.id for each in bad} <= WAITED_FOR:
        cockpit.memory.detail = line(f"waits: {words_of(bad)}")
        return False
    data = {"interlocks": [each.model_dump(mode="json") for each in bad], "then": "canceled"}
    cockpit.say("interlock_trip", data, flight.wish.tid, flight.wish.bid)
    give_up(cockpit, "failed", "interlock", words_of(bad))
    return False


def _is_prepared(cockpit: Cockpit) -> bool:
    preparation = cockpit.drone.preparation
    if preparation is None or preparation.id != cockpit.prepare_id or not preparation.is_done:
        return False
    if preparation.problems:
        give_up(cockpit, "failed", "refused", "; ".join(preparation.problems))
        return False
    return True


def _is_home_here(cockpit: Cockpit) -> bool:
    """Whether home is where it stands: all heights of the flight are above it."""
    answer = cockpit.answers.get("HomeHere")
    if answer is not None and answer.outcome == "accepted":
        return True
    if answer is not None:
        cockpit.memory.detail = line(f"its home cannot be set here: {answer.detail}")
    if cockpit.stage.is_due("home here", HOME_AGAIN_S, cockpit.now):
        cockpit.perform(HomeHere())
    return False


def armed(cockpit: Cockpit) -> None:
    """Armed on the ground: take off, once; or, without a flight any more, disarm."""
    flight = cockpit.memory.flight
    if flight is None:
        if cockpit.drone.is_armed and cockpit.drone.landed != Landed.ON_GROUND:
            holding.start(cockpit, "unknown_flight", "it took off all the same; it returns")
        elif cockpit.drone.is_armed:
            _disarm(cockpit)
        elif cockpit.in_state_s > ARMING_S:
            cockpit.enter("docked", cockpit.memory.detail)
    elif cockpit.drone.is_armed and cockpit.drone.landed != Landed.ON_GROUND:
        settle_flight(cockpit, "failed", "autopilot", "somebody else took off")
        cockpit.enter("failsafe", "somebody else took off")
    elif not cockpit.drone.is_armed:
        give_up(cockpit, "failed", "refused", _complaints(cockpit, "it disarmed"))
    elif not flight.is_takeoff_sent and is_still_allowed(cockpit):
        flight.is_takeoff_sent = True
        cockpit.perform(TakeOff(flight.height_m))
        cockpit.enter("takeoff", f"climbs to {flight.height_m:.0f} m")
        cockpit.takeoff_says, cockpit.takeoff_said_s = 1, cockpit.now.s


def takeoff(cockpit: Cockpit) -> None:
    """Climb; what does not leave the ground is disarmed, what hangs in the air returns."""
    flight, status = cockpit.memory.flight, cockpit.drone
    assert flight is not None
    answer = cockpit.answers.get("TakeOff")
    is_refused = answer is not None and answer.outcome in ("denied", "failed", "unsupported")
    lasts_s = flight.height_m / cockpit.settings.climb_mps + GRACE_S
    if status.landed == Landed.ON_GROUND:
        if answer is not None and answer.outcome == "timeout" and _is_said_again(cockpit, flight):
            return
        # What was said again may be refused because the first was heard after all.
        if (is_refused and cockpit.takeoff_says <= 1) or cockpit.in_state_s > GRACE_S:
            settle_flight(
                cockpit, "failed", "refused", _complaints(cockpit, "it does not take off")
            )
            _disarm(cockpit)
        return
    if flight.wish not in cockpit.memory.wishes:
        returning.start(cockpit, "its task has ended")
    elif cockpit.here.height_m >= CLIMBED * flight.height_m:
        cockpit.enter("enroute", "on its way")
    elif cockpit.in_state_s > lasts_s:
        settle_flight(cockpit, "timeout", "refused", "it does not climb; it returns")
        returning.start(cockpit, "it does not climb")


def _is_said_again(cockpit: Cockpit, flight: Flight) -> bool:
    """No answer came and it stands there armed: the command was lost, or a second is harmless.

    Only within the launch in which it was said first: a restart or a lost link ends its wish.
    """
    is_open = flight.wish in cockpit.memory.wishes and 0 < cockpit.takeoff_says < TAKEOFF_SAYS
    if not is_open:
        return False
    is_seen = (cockpit.drone.landed_s or 0.0) > cockpit.takeoff_said_s
    if is_seen and is_still_allowed(cockpit):
        del cockpit.answers["TakeOff"]
        cockpit.perform(TakeOff(flight.height_m, again=cockpit.takeoff_says))
        cockpit.takeoff_says, cockpit.takeoff_said_s = cockpit.takeoff_says + 1, cockpit.now.s
    return True


def may_climb(cockpit: Cockpit) -> bool:
    """Whether a take-off that was said may be heard, whatever it last said of the ground."""
    flight, drone = cockpit.memory.flight, cockpit.drone
    is_said = cockpit.takeoff_says > 0 or (flight is not None and flight.is_takeoff_sent)
    is_heard = (drone.heard_s or 0.0) > cockpit.takeoff_said_s
    return is_said and not (is_heard and not drone.is_armed)


def give_up(cockpit: Cockpit, status: Progress, reason: str, detail: str) -> None:
    """End a flight on the ground; an armed drone is disarmed."""
    is_arming = cockpit.memory.flight is not None and cockpit.memory.flight.is_arm_sent
    settle_flight(cockpit, status, reason, detail)
    cockpit.memory.flight = None
    if cockpit.drone.is_armed or is_arming:
        cockpit.enter("armed", line(f"disarms: {detail}"))
        _disarm(cockpit)
    else:
        cockpit.enter("docked", detail)


def _disarm(cockpit: Cockpit) -> None:
    if cockpit.stage.is_due("disarm", holding.DISARM_AGAIN_S, cockpit.now):
        cockpit.perform(Disarm())


def _complaints(cockpit: Cockpit, words: str) -> str:
    said = "; ".join(cockpit.drone.complaints[-COMPLAINTS:])
    return f"{words}: {said}" if said else words
