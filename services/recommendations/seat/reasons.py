"""Why a position, or a driver, is suggested, in one sentence (pure)."""

from collections.abc import Mapping, Sequence

from services.recommendations.destination.moment import MINUTES_PER_DAY
from services.recommendations.seat.guessing import Signs, stood
from services.recommendations.seat.habit import Habit, Wanted
from services.recommendations.seat.settled import is_same, words

_NEAR_MIN = 60.0


def why_seat(wanted: Sequence[Wanted]) -> str:
    """Why these positions; there is one at least."""
    most = max(wanted, key=lambda each: each.probability)
    others = len(wanted) - 1
    more = f", and {others} more {'settings' if others > 1 else 'setting'} like that"
    trips = "the last trip" if most.of == 1 else f"{most.times} of the last {most.of} trips"
    return (
        f"Because you left the {words(most.leaf)} at {most.value:g} on {trips}"
        f"{more if others else ''}."
    )


def why_guess(name: str, habits: Mapping[str, Habit], signs: Signs) -> str:
    """Why it may be this driver."""
    near = {each: _near(habit, signs.day) for each, habit in habits.items()}
    whole, when = sum(near.values()), " at about this time"
    if not near[name]:
        near, when = {each: len(habit.newest) for each, habit in habits.items()}, ""
        whole = sum(near.values())
    said = f"Because {name} drove on {near[name]} of the last {_trips(whole)}{when}"
    leaf, values = stood(habits[name], signs)
    if not values:
        return f"{said}."
    times = sum(is_same(value, signs.seat[leaf]) for value, _ in values)
    then = "left" if signs.is_moved else "found"
    return f"{said}, and {then} the {words(leaf)} like this on {times} of {_trips(len(values))}."


def _near(habit: Habit, day: float) -> int:
    apart = [abs(trip.day % 1.0 - day % 1.0) * MINUTES_PER_DAY for trip in habit.newest]
    return sum(min(each, MINUTES_PER_DAY - each) <= _NEAR_MIN for each in apart)


def _trips(number: int) -> str:
    return "one trip" if number == 1 else f"{number} trips"
