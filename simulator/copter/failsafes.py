"""What it does by itself when something is wrong (pure)."""

import math

from simulator.copter import modes, motors
from simulator.copter.fencing import breaches, words
from simulator.copter.state import CRITICAL, NOTICE, WARNING, Mode, State

LOW_S = 2.0
"""How long the charge is too low before it acts, as observed."""
_GIVE_UP_M = 100.0
_CONTINUE_AUTO, _CONTINUE_LANDING, _CONTINUE_PILOT = 2, 8, 16
"""Of FS_OPTIONS."""
_AUTOPILOTS = frozenset({Mode.AUTO, Mode.GUIDED, Mode.RTL, Mode.LAND})
"""All other modes, BRAKE too, count as a pilot's."""

_GCS_ACTIONS = {1: "RTL", 2: "RTL", 3: "RTL", 4: "LAND", 5: "LAND", 6: "RTL", 7: "BRAKE"}
_BATTERY_LEVELS = ((1, "BATT_LOW_MAH", "BATT_LOW_VOLT"), (2, "BATT_CRT_MAH", "BATT_CRT_VOLT"))
_BATTERY_ACTIONS = {1: "LAND", 2: "RTL", 3: "RTL", 4: "LAND", 5: "STOP", 6: "RTL", 7: "BRAKE"}
_FENCE_ACTIONS = {1: "RTL", 2: "LAND", 3: "RTL", 4: "BRAKE", 5: "LAND"}
"""FS_GCS_ENABLE, BATT_FS_*_ACT and FENCE_ACTION; what has no smart return falls back."""


def check(state: State) -> None:
    """Look at all of them; ten times a second is enough."""
    _check_gcs(state)
    _check_battery(state)
    _check_estimator(state)


def _act(state: State, action: str) -> None:
    """RTL falls back to LAND; on the ground any action is to disarm."""
    if not state.is_armed:
        return
    if state.is_landed or action == "STOP":
        motors.disarm(state)
    elif not (action != "LAND" and modes.set_mode(state, Mode[action])):
        modes.set_mode(state, Mode.LAND)


def _check_gcs(state: State) -> None:
    action = int(state.parameters["FS_GCS_ENABLE"])
    if not action or state.gcs_heard_s is None:
        return
    is_lost = state.now_s - state.gcs_heard_s > state.parameters["FS_GCS_TIMEOUT"]
    if is_lost and not state.is_gcs_failsafe:
        state.is_gcs_failsafe = True
        if not state.is_armed:
            state.say(WARNING, "GCS Failsafe")
            return
        continues = _continues(state)
        words_ = continues or _GCS_ACTIONS.get(action, "RTL")
        state.say(WARNING, f"GCS Failsafe - {words_}")
        if not continues:
            _act(state, _GCS_ACTIONS.get(action, "RTL"))
    elif not is_lost and state.is_gcs_failsafe:
        state.is_gcs_failsafe = False
        state.say(WARNING, "GCS Failsafe Cleared")


def _continues(state: State) -> str:
    """What it goes on with although its ground station is lost, as FS_OPTIONS says; empty: none."""
    options = 0 if state.is_landed else int(state.parameters["FS_OPTIONS"])
    if state.mode is Mode.LAND and options & _CONTINUE_LANDING:
        return "Continuing Landing"
    if state.mode is Mode.AUTO and options & _CONTINUE_AUTO:
        return "Continuing Auto Mode"
    if state.mode not in _AUTOPILOTS and options & _CONTINUE_PILOT:
        return "Continuing Pilot Control"
    return ""


def _check_battery(state: State) -> None:
    parameters = state.parameters
    if not parameters["BATT_MONITOR"]:
        return
    left_mah = parameters["BATT_CAPACITY"] - state.battery.consumed_mah
    voltage_v = state.battery.voltage_v
    timer_s = parameters["BATT_LOW_TIMER"]
    level = 0
    for number, mah_name, volt_name in _BATTERY_LEVELS:
        mah, volt = parameters[mah_name], parameters[volt_name]
        is_charge_low = _lasts(state, mah_name, mah > 0.0 and left_mah < mah, LOW_S)
        is_volt_low = _lasts(state, volt_name, volt > 0.0 and voltage_v < volt, timer_s)
        if is_charge_low or is_volt_low:
            level = number
    if level > state.battery_failsafe:
        state.battery_failsafe = level
        how = "critical" if level == 2 else "low"
        used_mah = state.battery.consumed_mah
        state.say(WARNING, f"Battery 1 is {how} {voltage_v:.2f}V used {used_mah:.0f} mAh")
        action = int(parameters["BATT_FS_CRT_ACT" if level == 2 else "BATT_FS_LOW_ACT"])
        if action in _BATTERY_ACTIONS:
            _act(state, _BATTERY_ACTIONS[action])


def _lasts(state: State, name: str, is_so: bool, seconds: float) -> bool:
    """Whether something has been so for a while."""
    if not is_so:
        state.low_since_s.pop(name, None)
        return False
    return state.now_s - state.low_since_s.setdefault(name, state.now_s) >= seconds


def _check_estimator(state: State) -> None:
    is_lost = state.is_armed and not state.has_position and state.now_s >= state.ready_s
    if is_lost and not state.is_ekf_failsafe:
        state.is_ekf_failsafe = True
        needs_position = state.mode not in (Mode.STABILIZE, Mode.ALT_HOLD)
        if needs_position and state.parameters["FS_EKF_ACTION"]:
            state.say(CRITICAL, "EKF Failsafe: changed to LAND Mode")
            _act(state, "LAND")
    elif not is_lost and state.is_ekf_failsafe:
        state.is_ekf_failsafe = False
        state.say(CRITICAL, "EKF Failsafe Cleared")


def check_fence(state: State) -> None:
    """Act when a fence is newly breached; no more than 25 times a second."""
    kinds = breaches(state)
    new = kinds & ~state.breaches
    state.breaches = kinds
    if not new or not state.is_armed:
        return
    state.breached_s = state.now_s
    state.breach_count += 1
    state.say(NOTICE, f"{words(new)} breached")
    action = _FENCE_ACTIONS.get(int(state.parameters["FENCE_ACTION"]))
    if action is not None:
        _act(state, "LAND" if _is_far_out(state) else action)


def _is_far_out(state: State) -> bool:
    """So far above the ceiling, or from home, that it would rather land than fly back."""
    north_m, east_m, up_m = state.home or (0.0, 0.0, 0.0)
    over_m = state.body.up_m - up_m - state.parameters["FENCE_ALT_MAX"]
    away_m = math.hypot(state.body.north_m - north_m, state.body.east_m - east_m)
    is_far = away_m - state.parameters["FENCE_RADIUS"] > _GIVE_UP_M and bool(state.breaches & 2)
    return is_far or (over_m > _GIVE_UP_M and bool(state.breaches & 1))
