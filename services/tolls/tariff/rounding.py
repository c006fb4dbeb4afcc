"""Exact amounts in the smallest unit, and how they become whole and readable (pure)."""

from collections.abc import Callable
from fractions import Fraction
from math import ceil, floor

from services.tolls.tariff.tariff import Rounding


def half_up(amount: Fraction) -> int:
    """The nearest whole number, a half upwards."""
    return floor(amount + Fraction(1, 2))


_MODES: dict[str, Callable[[Fraction], int]] = {
    "half_up": half_up,
    "half_even": round,
    "down": floor,
    "up": ceil,
}


def rounded(amount: Fraction, rounding: Rounding) -> int:
    """An exact amount of smallest units as the tariff rounds it."""
    step = rounding.step_minor
    return _MODES[rounding.mode](amount / step) * step


def rounded_length_m(length_m: int, rounding: Rounding) -> int:
    """The length of a section as the tariff rounds it, a half upwards, in metres."""
    step = rounding.section_m
    return half_up(Fraction(length_m, step)) * step if step else length_m


def decimal(amount: Fraction) -> str:
    """An exact number as a decimal for a person, at most six places and none too many."""
    return f"{round(amount * 10**6) / 10**6:.6f}".rstrip("0").rstrip(".")
