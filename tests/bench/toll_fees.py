"""Fees held against the sources: each is reckoned once more from the raw data, in a simple way.

The raw data are read where they are (`INTERNETCAR_DATA`); nothing of the contexts' tariffs is used.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from services.tolls.facts import Passage
from services.tolls.tariff.context import Context
from services.tolls.tariff.fees import fees
from services.tolls.tariff.shipped import find_context, names
from services.tolls.tariff.vehicle import VehicleFacts
from tests.bench.report import CannotMeasureError, progress

_REPOSITORY = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("INTERNETCAR_DATA", _REPOSITORY.parent / "shared" / "data")) / "tolls"

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
GOTHENBURG = (
    ("2013-01-14 21:00:00", 0), ("2013-01-15 21:00:00", 0), ("2013-02-07 06:23:27", 8),
    ("2013-02-07 15:27:00", 13), ("2013-02-08 06:20:27", 8), ("2013-02-08 06:27:00", 0),
    ("2013-02-08 14:35:00", 0), ("2013-02-08 15:29:00", 13), ("2013-02-08 15:47:00", 18),
    ("2013-02-08 16:01:00", 0), ("2013-02-08 16:48:00", 18), ("2013-02-08 17:49:00", 3),
    ("2013-02-08 18:29:00", 0), ("2013-02-08 18:35:00", 0), ("2013-03-26 14:25:00", 8),
    ("2013-03-28 14:07:27", 0),
)  # fmt: skip
"""Passages of the task with what they cost in kronor, by hand: 21, 60 (the cap), 8 and 0 a day."""


@dataclass(frozen=True)
class Case:
    """Passages of one vehicle and what they cost together, in smallest units."""

    passages: tuple[Passage, ...]
    vehicle: VehicleFacts
    wanted_minor: int
    words: str


def check() -> tuple[int, int]:
    """How many cases there are, and how many of them are not exact.

    Raises:
        CannotMeasureError: The raw data are absent.
    """
    checks = {"singapore": singapore, "norway": norway, "gothenburg": gothenburg}
    count = wrong = 0
    for name, cases in checks.items():
        if name not in names():
            progress(f"no context {name} is shipped: its fees are not checked")
            continue
        context = find_context(name)
        for case in cases(context):
            got = sum(fee.amount_minor for fee in fees(case.passages, context, case.vehicle))
            count += 1
            if got != case.wanted_minor:
                wrong += 1
                if wrong <= 20:
                    progress(
                        f"  fee {name}: {case.words}: {got}, by the source {case.wanted_minor}"
                    )
    return count, wrong


def _raw(relative: str) -> Any:
    path = DATA / relative
    if not path.exists():
        raise CannotMeasureError(f"no {relative} in {DATA}: set INTERNETCAR_DATA")
    return json.loads(path.read_text(encoding="utf-8"))


def _minutes(clock: str) -> int:
    return int(clock[:2]) * 60 + int(clock[3:])


def _passage(gate: str, day: date, minute: int, zone: ZoneInfo, ordinal: int = 1) -> Passage:
    local = datetime.combine(day, time(), zone) + timedelta(minutes=minute)
    return Passage(f"p{ordinal}", gate, local)


def singapore(context: Context) -> Iterator[Case]:
    """Every group at both sides of every edge of its bands; and two passages of one group."""
    raw = _raw("singapore/erp-data.json")
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
        once = _passage(gates[0], day, minute, zone)
        yield Case((once,), vehicle, wanted, f"{gates[0]} {day} minute {minute} {vehicle.kind}")
    minutes = list(prices)
    for first, last in zip(minutes, minutes[3:], strict=False):
        pair = (
            _passage(gates[0], day, first, zone), _passage(gates[-1], day, last, zone, 2),
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
    stations = {station["id"]: station for station in _raw("norway/stations_2015.json")}
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
                    once = _passage(gate.id, NORWEGIAN_DAY, _minutes(clock), context.zone)
                    vehicle = VehicleFacts.model_validate({"kind": kind, "has_tag": has_tag})
                    words = f"{gate.id} {clock} {size} tag {has_tag}"
                    yield Case((once,), vehicle, _minor(wanted), words)


def _norwegian(station: Any, size: str, clock: str) -> str:
    rush = station[f"rush_{size}"]
    for begins, ends in (station["rush_am"], station["rush_pm"]):
        if rush is not None and begins and ends and begins <= clock < ends:
            return str(rush)
    return str(station[size] or 0)


def gothenburg(context: Context) -> Iterator[Case]:
    """The passages of the task, day by day: single charge, day cap, free days."""
    days: dict[str, list[tuple[str, int]]] = {}
    for stamp, kronor in GOTHENBURG:
        days.setdefault(stamp[:10], []).append((stamp, kronor))
    gate = context.gates[0].id
    for day, stamps in days.items():
        passages = tuple(
            Passage(f"p{i}", gate, datetime.fromisoformat(stamp).replace(tzinfo=context.zone))
            for i, (stamp, _) in enumerate(stamps)
        )
        wanted = 100 * sum(kronor for _, kronor in stamps)
        yield Case(passages, VehicleFacts(kind="car"), wanted, day)
