"""Fees held against the sources: each is reckoned once more from the raw data, in a simple way.

The raw data are read where they are (`INTERNETCAR_DATA`); nothing of the contexts' tariffs is used.
"""

from collections.abc import Iterator
from datetime import date, datetime
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from services.tolls.facts import Passage
from services.tolls.tariff.context import Context
from services.tolls.tariff.fees import fees
from services.tolls.tariff.shipped import find_context, names
from services.tolls.tariff.vehicle import VehicleFacts
from tests.bench.report import progress
from tests.bench.toll_cases import Case, Source, passage_at, read_json, read_text
from tests.german_act import HUNDRED_M, PERIODS, annex, per_km, toll_minor, vehicles

SINGAPORE_DAYS = tuple(
    date.fromisoformat(day)
    for day in ("2026-05-20", "2026-06-10", "2026-05-24", "2026-05-27", "2026-12-24")
)
"""Two working days, one with dated changes, a Sunday, a holiday, an eve that is free from 13:00."""
MULTIPLIERS = {
    VehicleFacts(kind="car"): Fraction(1), VehicleFacts(kind="motorcycle"): Fraction(1, 2),
    VehicleFacts(kind="heavy_goods"): Fraction(3, 2),
    VehicleFacts(kind="very_heavy_goods"): Fraction(2),
}  # fmt: skip
NORWEGIAN_DAY = date(2015, 6, 10)
NORWEGIAN_TIMES = ("06:59", "07:00", "08:59", "09:00", "12:00", "15:00", "16:59", "17:00", "23:00")
NORWEGIAN_TRIPS = ((390, 1, 1), (480, 30, 60), (510, 60, 1), (720, 40, 40), (890, 61, 60))
"""Minutes of the day at which a trip begins, and from one passage to the next."""
GOTHENBURG = (
    ("2013-01-14 21:00:00", 0), ("2013-01-15 21:00:00", 0), ("2013-02-07 06:23:27", 8),
    ("2013-02-07 15:27:00", 13), ("2013-02-08 06:20:27", 8), ("2013-02-08 06:27:00", 0),
    ("2013-02-08 14:35:00", 0), ("2013-02-08 15:29:00", 13), ("2013-02-08 15:47:00", 18),
    ("2013-02-08 16:01:00", 0), ("2013-02-08 16:48:00", 18), ("2013-02-08 17:49:00", 3),
    ("2013-02-08 18:29:00", 0), ("2013-02-08 18:35:00", 0), ("2013-03-26 14:25:00", 8),
    ("2013-03-28 14:07:27", 0),
)  # fmt: skip
"""Passages of the task with what they cost in kronor, by hand: 21, 60 (the cap), 8 and 0 a day."""
GOTHENBURG_HOURS = (
    ("2013-02-11 06:10:00", 0), ("2013-02-11 06:50:00", 13), ("2013-02-11 07:10:01", 18),
    ("2013-02-11 10:00:00", 8), ("2013-02-11 11:00:00", 0), ("2013-02-11 11:00:01", 8),
)  # fmt: skip
"""A day below the cap: 06:50 is the dearest of its hour, and an hour ends after 60 minutes."""


def check() -> tuple[int, int]:
    """How many cases there are, and how many of them are not exact.

    Raises:
        CannotMeasureError: The raw data are absent.
    """
    count = wrong = 0
    for name in names():
        found = [compared(find_context(name), source) for source in SOURCES.get(name, ())]
        if not found:
            progress(f"  fee {name}: a context is shipped that nothing here is held against")
            found = [(1, 1)]
        count += sum(cases for cases, _ in found)
        wrong += sum(differ for _, differ in found)
    return count, wrong


def compared(context: Context, source: Source) -> tuple[int, int]:
    """How many cases a source has, and how many of them cost something else by the context."""
    count = wrong = 0
    for case in source(context):
        got = sum(fee.amount_minor for fee in fees(case.passages, context, case.vehicle))
        count += 1
        if got != case.wanted_minor:
            wrong += 1
            if wrong <= 20:
                progress(
                    f"  fee {context.id}: {case.words}: {got}, by the source {case.wanted_minor}"
                )
    return count, wrong


def _minutes(clock: str) -> int:
    return int(clock[:2]) * 60 + int(clock[3:])


def singapore(context: Context) -> Iterator[Case]:
    """Every group at both sides of every edge of its bands; and two passages of one group."""
    raw = read_json("singapore/erp-data.json")
    for group in raw["groups"]:
        known = {gate.id for gate in context.gates if gate.bearing_deg is not None}
        gates = [number for number in group["gantryNos"] if number in known]
        if not gates:
            continue
        bands = [band for band in raw["baseRates"] if band["groupId"] == group["id"]]
        dated = [band for band in raw["adjustments"] if band["groupId"] == group["id"]]
        edges = {_minutes(band[side]) for band in (*bands, *dated) for side in ("start", "end")}
        minutes = sorted({m for edge in edges for m in (edge - 1, edge, edge + 2)} | {0, 720})
        for day in SINGAPORE_DAYS:
            for vehicle, factor in MULTIPLIERS.items():
                prices = {
                    minute: _minor(_singapore(bands, dated, day, minute) * factor)
                    for minute in minutes
                }
                minutes_of_set = 60 if len(group["gantryNos"]) > 1 else 0
                yield from _alone_and_twice(
                    gates, day, prices, vehicle, context.zone, minutes_of_set
                )


def _alone_and_twice(
    gates: list[str],
    day: date,
    prices: dict[int, int],
    vehicle: VehicleFacts,
    zone: ZoneInfo,
    minutes_of_set: int,
) -> Iterator[Case]:
    """One passage, and two of one group; a group of one gantry is no set, so both are paid."""
    for minute, wanted in prices.items():
        once = passage_at(gates[0], day, minute, zone)
        yield Case((once,), vehicle, wanted, f"{gates[0]} {day} minute {minute} {vehicle.kind}")
    minutes = list(prices)
    for first, last in zip(minutes, minutes[3:], strict=False):
        pair = (
            passage_at(gates[0], day, first, zone), passage_at(gates[-1], day, last, zone, 2),
        )  # fmt: skip
        together = [prices[first], prices[last]]
        wanted = max(together) if last - first < minutes_of_set else sum(together)
        if last - first != minutes_of_set:
            yield Case(pair, vehicle, wanted, f"{gates} {day} minutes {first} and {last}")


def _singapore(bands: list[Any], dated: list[Any], day: date, minute: int) -> Fraction:
    """Dollars for a car."""
    if day.weekday() == 6 or day == date(2026, 5, 27):
        return Fraction(0)
    if day == date(2026, 12, 24) and minute >= 13 * 60:
        return Fraction(0)
    for band in sorted(dated, key=lambda band: str(band["fromDate"]), reverse=True):
        until = band["toDate"] or "9999"
        if band["fromDate"] <= day.isoformat() <= until and _holds(band, minute):
            return Fraction(str(band["amount"]))
    return next(
        (Fraction(str(band["amount"])) for band in bands if _holds(band, minute)), Fraction()
    )


def _holds(band: Any, minute: int) -> bool:
    return _minutes(band["start"]) <= minute < _minutes(band["end"])


def _minor(amount: Fraction) -> int:
    """Hundredths, half up."""
    return int(amount * 100 + Fraction(1, 2))


def norway(context: Context) -> Iterator[Case]:
    """Every station with a direction, small and large, with a tag and without, by the clock."""
    stations = {station["id"]: station for station in read_json("norway/stations_2015.json")}
    for gate in context.gates:
        station = stations.get(gate.station or "")
        if station is None or gate.bearing_deg is None:
            continue
        for clock in NORWEGIAN_TIMES:
            for kind, size in (("car", "small"), ("heavy_goods", "large")):
                for has_tag in (False, True):
                    wanted = Fraction(_norwegian(station, size, clock))
                    if has_tag and size == "small":
                        wanted *= Fraction(4, 5)
                    once = passage_at(gate.id, NORWEGIAN_DAY, _minutes(clock), context.zone)
                    vehicle = VehicleFacts.model_validate({"kind": kind, "has_tag": has_tag})
                    words = f"{gate.id} {clock} {size} tag {has_tag}"
                    yield Case((once,), vehicle, _minor(wanted), words)


def _norwegian(station: Any, size: str, clock: str) -> str:
    rush = station[f"rush_{size}"]
    for begins, ends in (station["rush_am"], station["rush_pm"]):
        if rush is not None and begins and ends and begins <= clock < ends:
            return str(rush)
    return str(station[size] or 0)


def norway_hours(context: Context) -> Iterator[Case]:
    """Three passages of a project's stations, near and far apart; without the rule all are paid."""
    stations = {station["id"]: station for station in read_json("norway/stations_2015.json")}
    gates: dict[str, list[str]] = {}
    for gate in context.gates:
        station = stations.get(gate.station or "")
        if station is not None and gate.bearing_deg is not None:
            shared = station["project"] if station["hour_rule"] == "Ja" else None
            gates.setdefault(shared or station["id"], []).append(gate.id)
    by_id = {gate.id: stations[gate.station] for gate in context.gates if gate.station in stations}
    for together in gates.values():
        for number in range(len(together)):
            passed = [together[(number + more) % len(together)] for more in range(3)]
            has_rule = by_id[passed[0]]["hour_rule"] == "Ja"
            for start, *gaps in NORWEGIAN_TRIPS:
                minutes = [start, start + gaps[0], start + sum(gaps)]
                prices = [
                    _minor(Fraction(_norwegian(by_id[gate], "small", _clock(minute))))
                    for gate, minute in zip(passed, minutes, strict=True)
                ]
                passages = tuple(
                    passage_at(gate, NORWEGIAN_DAY, minute, context.zone, ordinal)
                    for ordinal, (gate, minute) in enumerate(zip(passed, minutes, strict=True))
                )
                wanted = _hourly(minutes, prices) if has_rule else sum(prices)
                yield Case(passages, VehicleFacts(kind="car"), wanted, f"{passed} at {minutes}")


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


def _hourly(minutes: list[int], prices: list[int]) -> int:
    """The dearest of each hour, which the first passage after the one before begins."""
    total, dearest, began = 0, 0, minutes[0]
    for minute, price in zip(minutes, prices, strict=True):
        if minute - began > 60:
            total, dearest, began = total + dearest, 0, minute
        dearest = max(dearest, price)
    return total + dearest


def germany(context: Context) -> Iterator[Case]:
    """Every combination of classes at the edges of each annex's time, and all sections in a row."""
    act = read_text("germany/BFStrMG.md")
    gates = {gate.id: HUNDRED_M[gate.station or ""] for gate in context.gates}
    first = next(iter(gates))
    for rates in PERIODS:
        text = annex(act, rates.annex)
        for vehicle in vehicles(rates):
            euros = per_km(text, vehicle, rates)
            for day, minute in ((rates.first, 0), (rates.last, 24 * 60 - 1)):
                once = passage_at(first, date.fromisoformat(day), minute, context.zone)
                wanted = toll_minor(euros, gates[first])
                yield Case((once,), vehicle, wanted, f"annex {rates.annex} {day} {vehicle}")
        trip = tuple(
            passage_at(gate, date.fromisoformat(rates.first), 600 + ordinal, context.zone, ordinal)
            for ordinal, gate in enumerate(gates)
        )
        wanted = sum(toll_minor(euros, hundred_m) for hundred_m in gates.values())
        yield Case(trip, vehicle, wanted, f"annex {rates.annex}: all sections")


def gothenburg(context: Context) -> Iterator[Case]:
    """The passages of the task, day by day: single charge, day cap, free days; at any gates."""
    days: dict[str, list[tuple[str, int]]] = {}
    for stamp, kronor in (*GOTHENBURG, *GOTHENBURG_HOURS):
        days.setdefault(stamp[:10], []).append((stamp, kronor))
    gates = [gate.id for gate in context.gates]
    for day, stamps in days.items():
        wanted = 100 * sum(kronor for _, kronor in stamps)
        for first in range(len(gates)):
            for step in (0, 1, 3):
                passages = tuple(
                    Passage(
                        f"p{i}",
                        gates[(first + step * i) % len(gates)],
                        datetime.fromisoformat(stamp).replace(tzinfo=context.zone),
                    )
                    for i, (stamp, _) in enumerate(stamps)
                )
                words = f"{day} from {gates[first]} on, every {step}"
                yield Case(passages, VehicleFacts(kind="car"), wanted, words)


SOURCES: dict[str, tuple[Source, ...]] = {
    "germany": (germany,),
    "gothenburg": (gothenburg,),
    "norway": (norway, norway_hours),
    "singapore": (singapore,),
}
"""By context, what its fees are held against."""
