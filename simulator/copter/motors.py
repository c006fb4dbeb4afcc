"""Arming, disarming, and when the autopilot thinks that it stands on the ground (pure)."""

from simulator.copter.fencing import breaches
from simulator.copter.state import CRITICAL, INFO, Mode, State

ARMING_DELAY_S = 2.0
"""Between arming and the first turn of the propellers."""
CONTACT_S = 1.0
"""How long it presses on the ground before it believes to have landed."""
CRASH_MPS = 4.0
_ARMABLE = frozenset({Mode.STABILIZE, Mode.ALT_HOLD, Mode.GUIDED, Mode.LOITER})


def prearm_complaint(state: State) -> str:
    """Why SYS_STATUS says that it would not arm; empty: it says that it would."""
    if state.now_s < state.prearm_bit_s:
        return "Need Position Estimate"
    if not state.has_gnss:
        return "GPS 1: Bad fix"
    if state.battery_failsafe:
        return "Battery 1 low capacity failsafe"
    if breaches(state):
        return "Vehicle breaching fence"
    return _battery_complaint(state)


def _battery_complaint(state: State) -> str:
    parameters = state.parameters
    least_v, least_mah = parameters["BATT_ARM_VOLT"], parameters["BATT_ARM_MAH"]
    if not parameters["BATT_MONITOR"]:
        return ""
    if least_v > 0.0 and state.battery.voltage_v < least_v:
        return "Battery 1 below minimum arming voltage"
    left_mah = parameters["BATT_CAPACITY"] - state.battery.consumed_mah
    if least_mah > 0.0 and left_mah < least_mah:
        return "Battery 1 below minimum arming capacity"
    return ""


def arming_complaint(state: State) -> str:
    """Why it does not arm, though its flag may say that it would."""
    complaint = prearm_complaint(state)
    if not complaint and not state.has_position:
        return "Need Position Estimate"
    if not complaint and state.mode not in _ARMABLE:
        return f"{state.mode.name} mode not armable"
    return complaint


def arm(state: State, *, is_forced: bool = False) -> bool:
    """Arm, or say why not; when armed already that is a yes."""
    if state.is_armed:
        return True
    complaint = arming_complaint(state)
    if complaint and not is_forced:
        state.say(CRITICAL, f"Arm: {complaint}")
        return False
    state.is_armed = True
    state.armed_s = state.idle_since_s = state.now_s
    if not state.is_home_locked and state.has_position:
        body = state.body
        state.set_home(body.north_m, body.east_m, body.up_m, is_locked=False)
    state.say(INFO, "Arming motors")
    return True


def disarm(state: State) -> None:
    """Stop the motors, wherever it is."""
    if state.is_armed:
        state.is_armed = False
        state.say(INFO, "Disarming motors")


def lift_off(state: State) -> bool:
    """Let the propellers lift it; true when it is off the ground."""
    if not state.is_landed:
        return True
    if state.now_s - state.armed_s < ARMING_DELAY_S:
        return False
    state.is_landed = False
    state.contact_s = None
    state.take_offs += 1
    return True


def feel_ground(state: State, *, is_descending: bool) -> None:
    """Notice the ground after a moment of pressing on it."""
    if state.body.up_m > 0.0 or not is_descending:
        state.contact_s = None
    elif state.contact_s is None:
        state.contact_s = state.now_s
    elif state.now_s - state.contact_s >= CONTACT_S:
        touch_down(state)


def touch_down(state: State) -> None:
    """It stands, where it is."""
    state.is_landed = True
    state.contact_s = None
    state.idle_since_s = state.now_s
    state.body.rest()
    state.landed_at = state.plane.place(state.body.north_m, state.body.east_m)


def fall(state: State, dt_s: float) -> None:
    """Motors that do not turn, in the air."""
    body = state.body
    speed_mps = -body.up_mps
    body.fly(dt_s, *state.air)
    body.fall(dt_s)
    if body.up_m <= 0.0:
        state.has_crashed = state.has_crashed or speed_mps > CRASH_MPS
        touch_down(state)
        disarm(state)


def disarm_idle(state: State) -> None:
    """Disarm after a while on the ground, as DISARM_DELAY says."""
    delay_s = state.parameters["DISARM_DELAY"]
    if not state.is_armed or delay_s <= 0.0 or not state.is_landed:
        state.idle_since_s = state.now_s
    elif state.now_s - state.idle_since_s >= delay_s:
        disarm(state)
