"""Whether a condition holds now, in three values: yes, no, and not known (pure)."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from internetcar.contract.message import Scalar, Value
from services.drone.moment import Moment
from services.drone.rules import jam as traffic
from services.drone.rules.settings import AtRest, Comparison, Condition, Either, Jam, Parked
from services.drone.rules.signals import (
    CURRENT_GEAR,
    PARKING_BRAKE,
    SELECTED_GEAR,
    SPEED,
    Truth,
    fresh,
    is_held,
    number,
    speed_kmh,
)
from services.drone.view import SeenSignal, View


class Holds(NamedTuple):
    """What is known of a condition now."""

    is_true: Truth
    words: str
    since_ms: int
    """UTC of the car's instant from which it is so, where it is true."""


class Inputs(NamedTuple):
    """What a condition looks at."""

    view: View
    now: Moment
    max_age_s: float


def look(
    condition: Condition, memory: Mapping[str, Any], inputs: Inputs
) -> tuple[Holds, dict[str, Any]]:
    """Whether a condition holds, after it did for its `for_s`, and what it remembers.

    Args:
        condition: One of a rule.
        memory: `held_s`, `since_ms` while it is true; `inner` of a jam.
        inputs: What it looks at.
    """
    was_true = "held_s" in memory
    holds, inner = _now(condition, was_true, memory.get("inner", {}), inputs)
    kept: dict[str, Any] = {"inner": inner} if inner else {}
    if holds.is_true is not True:
        return holds, kept
    held_s = memory.get("held_s", inputs.now.s)
    since_ms = memory.get("since_ms", holds.since_ms)
    kept |= {"held_s": held_s, "since_ms": since_ms}
    is_long = inputs.now.s - held_s >= condition.for_s
    return Holds(True if is_long else None, _lasting(holds.words, condition.for_s), since_ms), kept


def paths_of(condition: Condition) -> set[str]:
    """The VSS paths that a condition reads."""
    match condition:
        case Comparison():
            return {condition.path}
        case Either():
            return {part.path for part in condition.any}
        case AtRest():
            return {SPEED}
        case _:
            return {SPEED, SELECTED_GEAR, CURRENT_GEAR, PARKING_BRAKE}


def _now(
    condition: Condition, was_true: bool, inner: Mapping[str, Any], inputs: Inputs
) -> tuple[Holds, dict[str, Any]]:
    match condition:
        case Comparison():
            return _compared(condition, was_true, inputs), {}
        case Either():
            return _either(condition, inner, inputs)
        case Jam():
            found = traffic.look(condition, inner, *inputs)
            return Holds(found.is_true, found.words, found.since_ms), found.memory
        case Parked():
            at_rest = _at_rest(condition.below_kmh, inputs)
            held = is_held(*inputs)
            return Holds(_both(at_rest.is_true, held), "the car is parked", at_rest.since_ms), {}
        case _:
            return _at_rest(condition.below_kmh, inputs), {}


def _compared(condition: Comparison, was_true: bool, inputs: Inputs) -> Holds:
    seen = fresh(inputs.view, condition.path, inputs.now, inputs.max_age_s)
    if seen is None:
        return Holds(None, "", inputs.now.utc_ms)
    is_true = _meets(condition, seen.value, condition.hysteresis if was_true else 0.0)
    words = f"{condition.path} is {_shown(seen.value)}"
    return Holds(is_true, words, _instant(seen, inputs.now))


def _meets(condition: Comparison, value: Value, slack: float) -> Truth:
    """Whether a value meets a comparison; `None`: they are not of one kind."""
    if condition.is_ is not None:
        return _equal(value, condition.is_)
    if condition.is_not is not None:
        equal = _equal(value, condition.is_not)
        return None if equal is None else not equal
    measured = number(value)
    if measured is None:
        return None
    if condition.above is not None:
        return measured > condition.above - slack
    return condition.below is not None and measured < condition.below + slack


def _equal(value: Value, wanted: Scalar) -> Truth:
    """Whether a value is another; 1 is not true, and 1 is 1.0."""
    if isinstance(wanted, bool) or isinstance(value, bool):
        is_kind = isinstance(wanted, bool) and isinstance(value, bool)
    elif isinstance(wanted, str):
        is_kind = isinstance(value, str)
    else:
        is_kind = isinstance(value, int | float)
    return value == wanted if is_kind else None


def _either(
    condition: Either, inner: Mapping[str, Any], inputs: Inputs
) -> tuple[Holds, dict[str, Any]]:
    """True if one is, false if all are: each has its own memory for hysteresis and time."""
    found: list[Holds] = []
    kept: dict[str, Any] = {}
    for index, part in enumerate(condition.any):
        holds, memory = look(part, inner.get(str(index), {}), inputs)
        found.append(holds)
        kept[str(index)] = memory
    true = [holds for holds in found if holds.is_true]
    if true:
        words = " and ".join(holds.words for holds in true)
        return Holds(True, words, min(holds.since_ms for holds in true)), kept
    is_unknown = any(holds.is_true is None for holds in found)
    return Holds(None if is_unknown else False, "", inputs.now.utc_ms), kept


def _at_rest(below_kmh: float, inputs: Inputs) -> Holds:
    kmh = speed_kmh(*inputs)
    seen = inputs.view.signals.get(SPEED)
    since_ms = _instant(seen, inputs.now) if seen is not None else inputs.now.utc_ms
    return Holds(None if kmh is None else kmh <= below_kmh, "the car stands", since_ms)


def _both(one: Truth, other: Truth) -> Truth:
    if one is False or other is False:
        return False
    return None if one is None or other is None else True


def _instant(seen: SeenSignal, now: Moment) -> int:
    return now.utc_ms - round((now.s - seen.at_s) * 1000)


def _shown(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)[:40]


def _lasting(words: str, for_s: float) -> str:
    return f"{words} for {for_s:.0f} s" if for_s else words
