"""What is wrong or suspicious in the tariff of a context (pure)."""

from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Literal

from services.tolls.tariff.calendar import EVE, HOLIDAY, MINUTES_OF_DAY, clock
from services.tolls.tariff.context import Context
from services.tolls.tariff.tariff import Price, Rate, Tariff

_Doubt = tuple[Literal["error", "warning", "note"], str, str]
_MOST_YEARS = 50


def tariff_doubts(context: Context, today: date) -> Iterator[_Doubt]:
    """All doubts of a tariff: level, place, text."""
    yield from _references(context)
    yield from _days(context, today)
    for ordinal, rate in enumerate(context.tariff.rates):
        yield from _rate(context, f"rate {ordinal + 1}", rate)
    yield from _gaps(context)
    yield from _accounting(context.tariff)
    yield from _sections(context)


def _references(context: Context) -> Iterator[_Doubt]:
    known = set[str]().union(*context.places.values())
    for where, places in _named_places(context.tariff):
        for place in places:
            if place not in known:
                yield "error", where, f"{place!r} is no gate, station or group of this context"


def _named_places(tariff: Tariff) -> Iterator[tuple[str, Iterable[str]]]:
    for ordinal, rate in enumerate(tariff.rates):
        yield f"rate {ordinal + 1}", rate.places
    for group in tariff.groups:
        yield f"group {group.id}", group.places
    for section in tariff.sections:
        yield "section", (section.place,)
    yield from ((free.label, free.places) for free in tariff.free)
    yield from ((discount.label, discount.places) for discount in tariff.discounts)
    yield from ((cap.label, cap.places) for cap in tariff.caps)
    for link in tariff.transfers:
        yield link.label, (*link.after, *link.then)
    if tariff.matrix is not None:
        for journey in tariff.matrix.journeys:
            yield "matrix", (journey.entry, journey.exit)


def _days(context: Context, today: date) -> Iterator[_Doubt]:
    tariff = context.tariff
    known = tariff.calendar.known_types()
    asked: set[str] = set()
    for where, named in _named_days(tariff):
        asked |= named
        for unknown in sorted(named - known):
            yield "error", where, f"{unknown!r} is no type of day"
    last = context.valid_until or max(today, context.valid_from)
    years = range(context.valid_from.year, last.year + 1)[:_MOST_YEARS]
    for kind, days in ((HOLIDAY, tariff.calendar.holidays), (EVE, tariff.calendar.eves)):
        missing = [year for year in years if year not in {day.year for day in days}]
        if kind in asked and missing:
            shown = ", ".join(map(str, missing))
            yield "warning", "calendar", f"no {kind} is named for {shown}: add them"


def _named_days(tariff: Tariff) -> Iterator[tuple[str, set[str]]]:
    for ordinal, rate in enumerate(tariff.rates):
        yield f"rate {ordinal + 1}", {*rate.days, *rate.except_days}
    for free in tariff.free:
        yield free.label, {*free.days, *free.except_days}


def _rate(context: Context, where: str, rate: Rate) -> Iterator[_Doubt]:
    bands = sorted((start, end) for start, end, _ in rate.bands)
    for start, end in bands:
        if start >= end:
            yield "error", where, f"the band {clock(start)} to {clock(end)} holds nothing"
    for (_, end), (following, _) in pairwise(bands):
        if following < end:
            text = (
                f"bands overlap from {clock(following)} to {clock(end)}: the first written counts"
            )
            yield "error", where, text
    if rate.valid_from and rate.valid_until and rate.valid_until < rate.valid_from:
        yield "error", where, "it ends before it begins"
    is_over = rate.valid_until is not None and rate.valid_until < context.valid_from
    is_late = rate.valid_from and context.valid_until and rate.valid_from > context.valid_until
    if is_over or is_late:
        yield "warning", where, "it never holds while the context does"
    yield from _classes(context.tariff, where, [price for _, _, price in rate.bands])


def _classes(tariff: Tariff, where: str, prices: Iterable[Price]) -> Iterator[_Doubt]:
    classes = {one.id for one in tariff.classes}
    tables = [set(price) for price in prices if not isinstance(price, Decimal)]
    for unknown in sorted(set().union(*tables) - classes):
        yield "error", where, f"{unknown!r} is no vehicle class of this tariff"
    for missing in sorted(set().union(*(classes - table for table in tables))):
        yield "warning", where, f"it names no price for class {missing!r}: free"


def _gaps(context: Context) -> Iterator[_Doubt]:
    """Times of day that nothing covers on any day: forgotten, or better said with a price of 0."""
    by_place = context.tariff.rates_by_place
    covered = {
        place: {(start, end) for _, rate in rates for start, end, _ in rate.bands}
        for place, rates in by_place.items()
    }
    for gate in context.gates:
        places = (None, *sorted(context.places[gate.id]))
        spans = set[tuple[int, int]]().union(*(covered.get(place, ()) for place in places))
        reached = 0
        for start, end in sorted(spans):
            if start > reached:
                text = f"no price from {clock(reached)} to {clock(start)}: free"
                yield "warning", gate.id, text
            reached = max(reached, end)
        if spans and reached < MINUTES_OF_DAY:
            yield "warning", gate.id, f"no price from {clock(reached)} to 24:00: free"


def _accounting(tariff: Tariff) -> Iterator[_Doubt]:
    if tariff.accounting == "day" and any(cap.per == "month" for cap in tariff.caps):
        yield "error", "accounting", "a month's cap needs accounting by month"
    if tariff.accounting != "all" and tariff.matrix is not None:
        text = "a journey that is under way when an accounting period ends has no entry: use all"
        yield "warning", "accounting", text
    if any(group.minutes is None for group in tariff.groups) and tariff.accounting == "all":
        yield "warning", "accounting", "a group without minutes charges once for ever"


def _sections(context: Context) -> Iterator[_Doubt]:
    tariff = context.tariff
    for section in tariff.sections:
        if section.length == "synthetic" and not section.note:
            yield "warning", f"section {section.place}", "its length is synthetic without a note"
    if any(rate.per == "km" for rate in tariff.rates):
        known = {section.place for section in tariff.sections}
        for gate in context.gates:
            if context.places[gate.id].isdisjoint(known):
                yield "error", gate.id, "prices are by kilometre, and its length is not given"
