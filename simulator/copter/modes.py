"""Changing the mode, and letting it fly (pure)."""

from simulator.copter import guided, mission, motors, returning
from simulator.copter.state import WARNING, Mode, State

BRAKE_MPS2 = 7.5
"""ArduCopter's BRAKE_MODE_DECEL_RATE."""
_WITHOUT_POSITION = frozenset({Mode.STABILIZE, Mode.ALT_HOLD, Mode.LAND})
_SINK_MPS = 2.0
"""How it comes down in STABILIZE: nobody holds the throttle."""


def set_mode(state: State, number: int) -> bool:
    """Change the mode; into the one it is in changes nothing, and is a yes."""
    if number == state.mode:
        return True
    if number not in Mode._value2member_map_:
        state.say(WARNING, f"No such mode {number}")
        return False
    mode = Mode(number)
    why = ""
    if not state.is_armed:
        pass  # on the ground any mode is allowed
    elif mode not in _WITHOUT_POSITION and not state.has_position:
        why = "requires position"
    elif mode is Mode.AUTO:
        why = mission.may_start(state)
    if why:
        state.say(WARNING, f"Mode change to {mode.name} failed: {why}")
        return False
    state.mode = mode
    _enter(state)
    return True


def _enter(state: State) -> None:
    state.hold = state.body.stopping_point()
    state.hold_up_m = state.body.up_m
    if state.mode is Mode.GUIDED:
        guided.enter(state)
    elif state.mode is Mode.RTL:
        returning.start(state)
    elif state.mode is Mode.AUTO:
        mission.start(state)


def run(state: State, dt_s: float) -> None:
    """One step of an armed copter."""
    mode = state.mode
    if mode is Mode.GUIDED:
        guided.run(state, dt_s)
    elif mode is Mode.RTL:
        returning.run(state, dt_s)
    elif mode is Mode.AUTO:
        mission.run(state, dt_s)
    elif state.is_landed:
        if mode is Mode.LAND:
            motors.disarm(state)
    elif mode is Mode.LAND:
        returning.land(state, dt_s, state.hold)
    else:
        _stay(state, dt_s)


def _stay(state: State, dt_s: float) -> None:
    body = state.body
    if state.mode is Mode.BRAKE:
        body.fly(dt_s, 0.0, 0.0, BRAKE_MPS2)
    elif state.mode is Mode.LOITER:
        body.fly_to(dt_s, state.hold, (0.0, 0.0), 10.0)
    else:
        body.fly(dt_s, returning.DRIFT * state.air[0], returning.DRIFT * state.air[1])
    if state.mode is Mode.STABILIZE:
        body.climb(dt_s, -_SINK_MPS)
        motors.feel_ground(state, is_descending=True)
    else:
        body.climb_to(dt_s, state.hold_up_m, 0.0, 2.5, 1.5)
