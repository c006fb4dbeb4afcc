"""Why a stop is suggested, in one sentence each; numbers in steps, so that they hold (pure)."""

import math
from collections.abc import Callable

from services.recommendations.stops.energy import Filling, Short
from services.recommendations.stops.habit import Habit

_NEAREST_M = 5_000.0
_NUMBERS = ((50_000.0, _NEAREST_M), (200_000.0, 10_000.0), (math.inf, 50_000.0))
"""Up to so many metres in steps of so many."""
_STEPS = (0.3, 0.5, 0.7, 0.9)
_DONE = {"charge": "charged", "fuel": "fuelled"}

Name = Callable[[str], str]
"""What the driver calls a place, by its id."""


def at_least(probability: float) -> float:
    """The greatest step that a probability reaches; 0 below all."""
    return max((each for each in _STEPS if probability >= each), default=0.0)


def at_most_m(reach_m: float) -> float:
    """A range, rounded down to a step."""
    step_m = _step_m(reach_m)
    return math.floor(reach_m / step_m) * step_m


def at_least_m(needed_m: float) -> float:
    """What is needed, rounded up to a step."""
    step_m = _step_m(needed_m)
    return math.ceil(needed_m / step_m) * step_m


def of_short(short: Short, name: Name) -> str:
    """Why it is said that it may run short."""
    needs, left = _needs(short, name), _left(short)
    if short.is_told:
        return f"The car says that {left} are left, and {needs}."
    return f"By your last {short.trips} trips what is left lasts for {left}, and {needs}."


def of_filling(filling: Filling, short: Short, name: Name) -> str:
    """Why this is where to charge or fuel."""
    times = "once" if filling.times == 1 else f"{filling.times} times"
    done = f"you have {_DONE[short.kind]} at {name(filling.place_id)} {times}"
    return f"Because {_left(short)} are left, {_needs(short, name)}, and {done}."


def of_habit(habit: Habit, name: Name) -> str:
    """Why a stop is likely."""
    when = " on such days at about this time" if habit.is_near else ""
    alike = f"{habit.times} of your {habit.of} trips from here{when}"
    return (
        f"Because {alike} made a short stop at {name(habit.place_id)}, "
        f"mostly on the way to {name(habit.onward_id)}."
    )


def _left(short: Short) -> str:
    range_m = at_most_m(short.range_m)
    return f"about {_km(range_m)}" if range_m else f"less than {_km(_NEAREST_M)}"


def _needs(short: Short, name: Name) -> str:
    needed = _km(at_least_m(short.needed_m))
    return f"the way to {name(short.place_id)} needs {needed} with a margin"


def _step_m(metres: float) -> float:
    return next(step_m for most_m, step_m in _NUMBERS if metres <= most_m)


def _km(metres: float) -> str:
    return f"{metres / 1_000:.0f} km"
