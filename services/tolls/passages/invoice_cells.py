"""A time or an amount in a cell of an operator's invoice, as people write them (pure)."""

import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Literal
from zoneinfo import ZoneInfo

from internetcar.contract.money import MOST_MINOR

_NAMED_MONTHS = ("%d %b %Y", "%d %B %Y")
_CLOCK = re.compile(
    r"(\d{1,2})[:.](\d{1,2})(?:[:.](\d{1,2})(?:\.(\d{1,6}))?)?(?: ?([ap])\.?m\.?)?", re.ASCII | re.I
)
_SYMBOLS = {"€": "EUR", "£": "GBP", "¥": "JPY CNY", r"kr\.?": "NOK SEK DKK ISK"}
"""Signs, as patterns, of the currencies that have them; a dollar may have letters of its code."""


@dataclass(frozen=True, slots=True)
class Money:
    """In what an operator bills."""

    currency: str
    exponent: int


Order = Literal["day", "month"]


def read_instants(text: str, zone: ZoneInfo, order: Order) -> tuple[tuple[datetime, ...], int]:
    """The instants, UTC, that a text may mean, and what it leaves open in milliseconds.

    Raises:
        ValueError: It is none.
    """
    resolution_ms = 1_000 if re.search(r"\d[:.]\d\d[:.]\d\d", text) else 60_000
    moment = _moment(" ".join(text.split()), order)
    if not 1900 < moment.year < 9000:
        raise ValueError(f"{text[:40]!r} is no time of a passage")
    if moment.tzinfo is not None:
        return (moment.astimezone(UTC),), resolution_ms
    both = {moment.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)}
    return tuple(sorted(both)), resolution_ms


def _moment(text: str, order: Order) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        if parts := re.fullmatch(r"(.*?\d)[ T](\d{1,2}[:.].*)", text):
            day, clock = _day(parts[1], order), _clock(parts[2])
            if day is not None and clock is not None:
                return datetime.combine(day, clock)
    else:
        if len(text) > 10:
            return moment
    raise ValueError(f"{text[:40]!r} is no date and time such as 2026-05-01 08:00")


def _day(text: str, order: Order) -> date | None:
    """A date with the day or month first, in figures or with the month's name."""
    figures = re.fullmatch(r"(\d{1,2})([./-])(\d{1,2})\2(\d{4}|\d{2})", text, re.ASCII)
    if figures is None:
        return _named_day(text)
    first, sign, second, year = int(figures[1]), figures[2], int(figures[3]), int(figures[4])
    if len(figures[4]) == 2:
        year += 2000 if year < 69 else 1900  # as POSIX has it
    ways = [(second, first), (first, second)]
    if sign == ".":
        ways.pop()
    elif order == "month":
        ways.reverse()
    for month, day in ways:
        with suppress(ValueError):
            return date(year, month, day)
    return None


def _named_day(text: str) -> date | None:
    for form in _NAMED_MONTHS if any(letter.isalpha() for letter in text) else ():
        with suppress(ValueError):
            return datetime.strptime(text, form).date()  # noqa: DTZ007 - a day has no zone
    return None


def _clock(text: str) -> time | None:
    parts = _CLOCK.fullmatch(text)
    if parts is None:
        return None
    hour, half = int(parts[1]), (parts[5] or "").lower()
    if half and not 1 <= hour <= 12:
        return None
    if half:
        hour = hour % 12 + (12 if half == "p" else 0)
    micros = int((parts[4] or "").ljust(6, "0"))
    with suppress(ValueError):
        return time(hour, int(parts[2]), int(parts[3] or 0), micros)
    return None


def read_amount(text: str, money: Money) -> int:
    """An amount in the smallest unit, whichever sign stands before its decimals.

    Raises:
        ValueError: It is none, or finer than the currency.
    """
    bare = text.replace(money.currency, "")
    signs = [sign for sign, codes in _SYMBOLS.items() if money.currency in codes]
    letters = re.match(r"([A-Z]*)\$", bare.lstrip("+-\u00a0 "))
    if letters and money.currency.startswith(letters[1]) and money.currency.endswith("D"):
        signs.append(rf"{letters[1]}\$")
    bare = re.sub("|".join([r"[\s\u00a0\u202f'\u2019]|,-$|\.-$", *signs]), "", bare)
    decimals = r"\d+" if money.exponent > 2 else r"\d{1,2}|\d{4,}"  # three are thousands
    pattern = rf"([+-]?)(\d[\d.,]*?)(?:([.,])({decimals}))?(-?)"
    match = re.fullmatch(pattern, bare, re.ASCII)
    if match is None or len(bare) > 30:
        raise ValueError(f"{text[:30]!r} is no amount such as 2.50")
    whole = re.sub(r"[.,]", "", match[2])
    if re.search(r"[.,]", match[2]) and not re.fullmatch(r"\d{1,3}([.,])\d{3}(\1\d{3})*", match[2]):
        raise ValueError(f"{text[:30]!r} is no amount such as 2.50")
    minor = Decimal(f"{whole}.{match[4] or 0}").scaleb(money.exponent)
    if minor != minor.to_integral_value() or minor > MOST_MINOR:
        raise ValueError(f"{text[:30]!r} is no amount in {money.currency}")
    return -int(minor) if "-" in (match[1], match[5]) else int(minor)
