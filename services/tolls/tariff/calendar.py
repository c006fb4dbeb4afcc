"""Days and hours as a tariff sees them: in local time, with holidays, eves and seasons (pure)."""

from collections.abc import Iterable
from datetime import date
from functools import cached_property
from typing import Annotated

from pydantic import BeforeValidator, Field, PlainSerializer

from services.tolls.objects import Described, GateId

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
"""As `date.weekday` counts them."""
HOLIDAY, EVE = "holiday", "eve"

DayType = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,31}$")]
"""A weekday, `holiday`, `eve`, or the id of a season."""

MINUTES_OF_DAY = 24 * 60


def _minute_of(clock: object) -> object:
    if not isinstance(clock, str):
        return clock
    hours, colon, minutes = clock.partition(":")
    if not (colon and len(hours) == len(minutes) == 2 and (hours + minutes).isdecimal()):
        raise ValueError("write a time of day as HH:MM")
    if int(minutes) > 59 or int(hours) * 60 + int(minutes) > MINUTES_OF_DAY:
        raise ValueError("a time of day is 00:00 to 24:00")
    return int(hours) * 60 + int(minutes)


def clock(minute: int) -> str:
    """A minute of the day as HH:MM."""
    return f"{minute // 60:02d}:{minute % 60:02d}"


Minute = Annotated[
    int,
    BeforeValidator(_minute_of),
    Field(ge=0, le=MINUTES_OF_DAY, strict=True),
    PlainSerializer(clock, return_type=str),
]
"""A minute of the local day, HH:MM from 00:00 to 24:00."""

Yearly = Annotated[str, Field(pattern=r"^(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$")]
"""A day of every year, MM-DD."""


class Season(Described):
    """A part of every year, both ends within; it may reach over the end of the year."""

    id: GateId
    first: Yearly
    last: Yearly

    def holds(self, day: date) -> bool:
        """Whether a day lies in it."""
        at = f"{day.month:02d}-{day.day:02d}"
        if self.first <= self.last:
            return self.first <= at <= self.last
        return at >= self.first or at <= self.last


class Calendar(Described):
    """Which days are not like others.

    Attributes:
        holidays: Public holidays, as dates.
        eves: The days before one, where the operator treats them otherwise, as dates.
        seasons: Parts of every year.
    """

    holidays: tuple[date, ...] = ()
    eves: tuple[date, ...] = ()
    seasons: tuple[Season, ...] = ()

    @cached_property
    def _holidays(self) -> frozenset[date]:
        return frozenset(self.holidays)

    @cached_property
    def _eves(self) -> frozenset[date]:
        return frozenset(self.eves)

    def types(self, day: date) -> frozenset[str]:
        """All that a day is: its weekday, a holiday, an eve, its seasons."""
        found = [WEEKDAYS[day.weekday()]]
        if day in self._holidays:
            found.append(HOLIDAY)
        if day in self._eves:
            found.append(EVE)
        found.extend(season.id for season in self.seasons if season.holds(day))
        return frozenset(found)

    def known_types(self) -> frozenset[str]:
        """All that a day may be."""
        return frozenset((*WEEKDAYS, HOLIDAY, EVE, *(season.id for season in self.seasons)))


def fits_day(types: frozenset[str], wanted: Iterable[str], unwanted: Iterable[str]) -> bool:
    """Whether a day is one of the wanted types (none named: any) and none of the unwanted."""
    wanted = tuple(wanted)
    return (not wanted or not types.isdisjoint(wanted)) and types.isdisjoint(unwanted)
