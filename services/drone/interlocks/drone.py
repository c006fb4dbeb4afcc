"""Interlocks of the drone: its link, its position, its autopilot (pure)."""

from internetcar.contract.drone import Interlock
from services.drone.autopilot import Mode
from services.drone.interlocks.situation import Situation, told


def link(here: Situation) -> Interlock:
    """It is heard, and little is lost."""
    drone = here.view.drone
    limit = here.limits.heartbeat_s
    if drone.heard_s is None:
        return told("drone_link", "the drone was never heard", is_good=False, limit=limit)
    age = here.now.s - drone.heard_s
    if age > limit:
        words = f"the drone was last heard {age:.0f} s ago, at most {limit:g}"
        return told("drone_link", words, is_good=False, value=age, limit=limit)
    share = here.limits.loss_share
    words = f"{drone.loss_share:.0%} of the drone's packets are lost, at most {share:.0%}"
    is_good = drone.loss_share <= share
    return told("drone_link", words, is_good=is_good, value=drone.loss_share, limit=share)


def position(here: Situation) -> Interlock:
    """It knows where it is: at launch for long enough, in flight not lost for long."""
    if here.is_flight:
        return _not_lost(here)
    return _good_for("drone_position", "the drone's position", here, here.steady.position_s)


def prearm(here: Situation) -> Interlock:
    """It would arm."""
    found = _good_for("drone_prearm", "the drone's own check", here, here.steady.prearm_s)
    complaints = here.view.drone.complaints
    if found.result == "ok" or not complaints:
        return found
    words = f"{found.words}: {complaints[-1]}"
    return told(found.id, words, is_good=False, value=found.value, limit=here.limits.good_for_s)


def autopilot(here: Situation) -> Interlock:
    """It is one that is flown, and nobody else flies it."""
    drone = here.view.drone
    if drone.heard_s is None:
        return told("autopilot", "the autopilot is not known", is_good=False)
    if drone.refusal:
        return told("autopilot", drone.refusal, is_good=False, value=drone.firmware[:60])
    name = drone.mode_name or drone.mode.value
    if drone.is_failsafe:
        words = f"the autopilot acts on a failsafe, in {name}"
        return told("autopilot", words, is_good=False, value=name[:60])
    if drone.mode is Mode.OTHER and (drone.is_armed or here.is_flight):
        words = f"somebody else flies it, in {name}"
        return told("autopilot", words, is_good=False, value=name[:60])
    return told("autopilot", f"the autopilot is in {name}", is_good=True, value=name[:60])


def _good_for(name: str, what: str, here: Situation, since_s: float | None) -> Interlock:
    limit = here.limits.good_for_s
    if since_s is None or not here.is_heard:
        return told(name, f"{what} is not good", is_good=False, value=0.0, limit=limit)
    seconds = here.now.s - since_s
    words = f"{what} has been good for {min(seconds, 999.0):.0f} s, at least {limit:g}"
    return told(name, words, is_good=seconds >= limit, value=seconds, limit=limit)


def _not_lost(here: Situation) -> Interlock:
    """Its value is `None` while the drone is not heard: then nothing is lost but the link."""
    limit = here.limits.drone_lost_s
    if not here.is_heard:
        words = "the drone's position is not known"
        return told("drone_position", words, is_good=False, limit=limit)
    since_s = here.steady.lost_s
    if here.steady.position_s is not None:
        words = "the drone's position is good"
        return told("drone_position", words, is_good=True, value=0.0, limit=limit)
    seconds = limit + 1.0 if since_s is None else here.now.s - since_s
    words = f"the drone's position has been lost for {seconds:.0f} s, at most {limit:g}"
    return told("drone_position", words, is_good=seconds <= limit, value=seconds, limit=limit)
