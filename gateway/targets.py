"""What somebody wants a leaf to be, as the raw number of the signal that asks for it (pure)."""

import math
from collections.abc import Callable, Mapping
from functools import partial

from cantools.database.can import Signal

from gateway.encoding import Refusal, raw_number, reserved_name
from gateway.expression import Formula, compile_formula
from gateway.mapping_rules import Command, LeafRule, MappingError
from gateway.vss import integer_range
from internetcar.contract.message import Scalar, Value


def leaf_value(rule: LeafRule, value: Value, low: float, high: float) -> Scalar:
    """A wanted value as one of the leaf's datatype, or why it is none.

    Nothing is guessed: a word is no number and a number no boolean; 21.0 is the integer 21.

    Raises:
        Refusal: Not of the datatype, none of the allowed ones, or beyond `low` and `high`.
    """
    value = _of_datatype(rule, value)
    if rule.allowed is not None and value not in rule.allowed:
        allowed = ", ".join(map(str, rule.allowed))
        raise Refusal("not_in_allowed", f"{_shown(value)} is none of {allowed[:200]}")
    if not isinstance(value, str | bool) and not low <= value <= high:
        unit = f" {rule.unit}" if rule.unit else ""
        raise Refusal("out_of_range", f"{value}{unit} is {_bounds(low, high)}")
    return value


def _of_datatype(rule: LeafRule, value: Value) -> Scalar:
    wanted = rule.datatype
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if wanted == "boolean" and isinstance(value, bool):
        return value
    if wanted == "string" and isinstance(value, str):
        return value
    if wanted in ("float", "double") and is_number and isinstance(value, int | float):
        return value
    if integer_range(wanted) and is_number and isinstance(value, int | float):
        if isinstance(value, int):
            return value
        if value.is_integer():
            return int(value)
    raise Refusal("datatype", f"{_shown(value)} is not a {wanted}")


def _bounds(low: float, high: float) -> str:
    if low == -math.inf:
        return f"more than {high:g}"
    if high == math.inf:
        return f"less than {low:g}"
    return f"not in {low:g}…{high:g}"


def _shown(value: Value) -> str:
    return repr(value)[:80] if isinstance(value, str | list) else str(value).lower()


def conversion(
    rule: LeafRule, command: Command, signal: Signal
) -> tuple[Callable[[Scalar], int], float | None]:
    """What makes a signal's raw number of a leaf's value, and the smallest step of a number.

    Raises:
        MappingError: The transform names what the signal does not have.
        ExpressionError: Its `math` is no formula.
    """
    transform = command.transform
    scale = abs(float(signal.conversion.scale))
    if transform is not None and transform.mapping is not None:
        table = {_typed(e.from_): _raw_of_entry(signal, e.to) for e in transform.mapping}
        return partial(_look_up, table), None
    if transform is not None and transform.math is not None:
        formula = compile_formula(transform.math)
        growth = slope(formula)
        return partial(_calculate, formula, signal), scale / growth if growth else None
    if rule.datatype == "string":
        names = {_typed(str(name)): raw for raw, name in (signal.choices or {}).items()}
        if not names:
            raise MappingError(f"vss2dbc: {signal.name} has no names, and the leaf is a string")
        return partial(_look_up, names), None
    step = None if rule.datatype == "boolean" else scale
    return partial(_number, signal), step


def _typed(value: Scalar) -> tuple[bool, Scalar]:
    """A value as a key under which `true` is not 1."""
    return isinstance(value, bool), value


def _raw_of_entry(signal: Signal, value: Value) -> int:
    if isinstance(value, str):
        for raw, name in (signal.choices or {}).items():
            if str(name) == value:
                return int(raw)
        names = ", ".join(str(name) for name in (signal.choices or {}).values()) or "no names"
        raise MappingError(f"vss2dbc: `to: {value}` is not in {signal.name}; it has {names[:200]}")
    if value is None or isinstance(value, list):
        raise MappingError(f"vss2dbc: `to: {value}` is neither a name nor a number")
    try:
        return raw_number(signal, float(value))
    except Refusal as error:
        raise MappingError(f"vss2dbc: `to: {value}`: {error.detail}") from error


def _look_up(table: Mapping[tuple[bool, Scalar], int], value: Scalar) -> int:
    raw = table.get(_typed(value))
    if raw is None:
        raise Refusal("transform", f"the mapping has no entry for {value!r}")
    return raw


def _calculate(formula: Formula, signal: Signal, value: Scalar) -> int:
    if isinstance(value, str):
        raise Refusal("transform", f"`math` has no result for {value!r}")
    try:
        physical = float(formula(value))
    except (ArithmeticError, ValueError) as error:
        raise Refusal("transform", f"`math` has no result for {value}: {error}") from error
    return _number(signal, physical)


def _number(signal: Signal, value: Scalar) -> int:
    if isinstance(value, str):
        raise Refusal("transform", f"{value!r} is no number")
    raw = raw_number(signal, float(value))
    if (name := reserved_name(signal, raw)) is not None:
        raise Refusal("reserved", f"{value} means {name} in {signal.name}")
    return raw


def slope(formula: Formula) -> float:
    """How much a formula grows over one unit; 0 where it cannot be said."""
    try:
        return abs(float(formula(1)) - float(formula(0)))
    except (ArithmeticError, ValueError):
        return 0.0
