"""What a rule makes of a signal's number: a look-up, a formula or the number itself (pure)."""

import math
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Final, Literal, Protocol

from gateway.expression import Formula, compile_formula
from gateway.mapping_rules import LeafRule, Source
from gateway.vss import convert, converter
from internetcar.contract.message import Scalar, Value


class Unmappable(Enum):
    """The type of `UNMAPPABLE`."""

    UNMAPPABLE = "unmappable"


UNMAPPABLE: Final = Unmappable.UNMAPPABLE
"""What a leaf's rule makes of a number it has no value for: no `from` matches, or no result."""

_LEAST, _MOST = -(2**63), 2**64 - 1
"""The integers that JSON's encoder takes."""

Translate = Callable[[int | float], Value | Literal[Unmappable.UNMAPPABLE]]


class SignalLike(Protocol):
    """What a mapping must know of a decoded signal."""

    @property
    def bus(self) -> int:
        """Index of its bus."""

    @property
    def message(self) -> str:
        """Name of its message."""

    @property
    def signal(self) -> str:
        """Its own name."""

    @property
    def unit(self) -> str | None:
        """Unit of its number."""

    @property
    def minimum(self) -> float | None:
        """Smallest number its database knows."""

    @property
    def maximum(self) -> float | None:
        """Largest number its database knows."""

    @property
    def choices(self) -> Mapping[int, str] | None:
        """Its value table: raw number → name."""

    @property
    def scale(self) -> float:
        """Its number is raw * scale + offset."""

    @property
    def offset(self) -> float:
        """Its number is raw * scale + offset."""

    @property
    def bits(self) -> int:
        """Its length."""

    @property
    def is_float(self) -> bool:
        """Whether the raw number is a float, and so may not be finite."""


def translation(rule: LeafRule, source: Source, signal: SignalLike) -> Translate:
    """What turns the signal's number into the leaf's value."""
    transform = source.transform
    if transform is not None and transform.mapping is not None:
        return _Table(_table(rule, source, signal)).__getitem__
    if transform is not None and transform.math is not None:
        return _calculation(compile_formula(transform.math), rule.datatype)
    if rule.datatype == "string" and signal.choices:
        return _Named(
            {_physical(signal, raw): name for raw, name in signal.choices.items()}
        ).__getitem__
    return _direct(rule.datatype, signal)


class _Table(dict[int | float, Value]):
    """A table as one look-up; a number that is not in it is unmappable."""

    def __missing__(self, number: int | float) -> Literal[Unmappable.UNMAPPABLE]:
        return UNMAPPABLE


class _Named(dict[int | float, Value]):
    """A signal's names for a leaf of text; a number without a name is written as it is."""

    def __missing__(self, number: int | float) -> Value:
        short = _shortened(number)
        return None if short is None else str(short)


def unmatched(source: Source, signal: SignalLike) -> list[Scalar]:
    """Each `from` that no number of this signal can match."""
    entries = (source.transform and source.transform.mapping) or ()
    return [entry.from_ for entry in entries if not _numbers(entry.from_, signal)]


def unmatched_choices(source: Source | None, signal: SignalLike) -> list[str]:
    """Each name of the signal that a table has no entry for; none where there is no table."""
    entries = source and source.transform and source.transform.mapping
    if not entries:
        return []
    matched = {number for entry in entries for number in _numbers(entry.from_, signal)}
    choices = signal.choices or {}
    return [name for raw, name in choices.items() if _physical(signal, raw) not in matched]


def _table(rule: LeafRule, source: Source, signal: SignalLike) -> dict[int | float, Value]:
    """Each number a `from` stands for, by number or by name; the first of equals holds."""
    table: dict[int | float, Value] = {}
    for entry in (source.transform and source.transform.mapping) or ():
        for number in _numbers(entry.from_, signal):
            table.setdefault(number, convert(rule.datatype, entry.to))
    return table


def _numbers(value: Scalar, signal: SignalLike) -> list[int | float]:
    """The numbers a decoder can give for what a `from` says."""
    if isinstance(value, str):
        choices = signal.choices or {}
        return [_physical(signal, raw) for raw, name in choices.items() if name == value]
    try:
        nearest = _physical(signal, round((value - signal.offset) / signal.scale))
        is_near = not signal.is_float and math.isclose(value, nearest, rel_tol=1e-9)
    except (ArithmeticError, ValueError):
        return [value]
    return [value, nearest] if is_near else [value]


def _physical(signal: SignalLike, raw: int) -> int | float:
    """The number of a raw value; one beyond every float is none that a decoder gives."""
    try:
        return raw * signal.scale + signal.offset
    except OverflowError:
        return math.nan


def _calculation(formula: Formula, datatype: str) -> Translate:
    element = converter(datatype)
    is_array = datatype.endswith("[]")

    def calculate(number: int | float) -> Value | Literal[Unmappable.UNMAPPABLE]:
        try:
            result = formula(number)
            if not math.isfinite(result):
                return UNMAPPABLE
            value = element(result)
        except (ArithmeticError, ValueError):
            return UNMAPPABLE
        if isinstance(value, int) and not _LEAST <= value <= _MOST:
            return UNMAPPABLE
        return [value] if is_array else value

    return calculate


def _direct(datatype: str, signal: SignalLike) -> Translate:
    element = converter(datatype)
    is_array = datatype.endswith("[]")
    if not _may_be_too_long(signal):
        return (lambda number: [element(number)]) if is_array else element

    def convert_short(number: int | float) -> Value:
        short = _shortened(number)
        if short is None:
            return None
        value = element(short)
        if isinstance(value, int) and not _LEAST <= value <= _MOST:
            value = float(value)
        return [value] if is_array else value

    return convert_short


def untranslated(signal: SignalLike) -> Translate:
    """The number as it is: the translation of a signal without a mapping."""
    return _shortened if _may_be_too_long(signal) else _as_it_is


def _as_it_is(number: int | float) -> Value:
    return number


def _may_be_too_long(signal: SignalLike) -> bool:
    """Whether a number of this signal may be an integer too long for JSON, or not finite."""
    try:
        largest: float = (1 << signal.bits) * abs(signal.scale) + abs(signal.offset)
    except OverflowError:
        return True
    return signal.is_float or not largest < 2**63


def _shortened(number: int | float) -> int | float | None:
    """The number as JSON takes it; `None` where it is not finite.

    An integer of more than 64 bits loses its last digits, beyond every float it is no number.
    """
    if isinstance(number, int) and _LEAST <= number <= _MOST:
        return number
    try:
        short = float(number)
    except OverflowError:
        return None
    return short if math.isfinite(short) else None
