"""A rate as it is for one vehicle: bands of the day and exact prices (pure)."""

from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from services.tolls.tariff.calendar import MINUTES_OF_DAY, clock, fits_day
from services.tolls.tariff.tariff import Rate


@dataclass(frozen=True, slots=True)
class Found:
    """What a band says: an exact price in smallest units, and the same for a person."""

    is_per_km: bool
    price: Fraction
    text: str


@dataclass(frozen=True, slots=True)
class Line:
    """A rate as it is for one vehicle: its bands and what each of them says."""

    rate: Rate
    bands: tuple[tuple[int, int, Found], ...]

    def price(self, day: date, types: frozenset[str], minute: int) -> Found | None:
        """What it says of a local minute; `None`: nothing."""
        rate = self.rate
        if not holds(rate.valid_from, rate.valid_until, day):
            return None
        if not fits_day(types, rate.days, rate.except_days):
            return None
        for start, end, found in self.bands:
            if start <= minute < end:
                return found
        return None


def span(start: int, end: int, label: str = "") -> str:
    """A part of the day for a person."""
    if (start, end) == (0, MINUTES_OF_DAY):
        return label or "all day"
    times = f"{clock(start)}–{clock(end)}"  # noqa: RUF001 - from a time to a time
    return f"{label}, {times}" if label else times


def holds(first: date | None, last: date | None, day: date) -> bool:
    """Whether a day is none before the first and none after the last."""
    return (first is None or first <= day) and (last is None or day <= last)
