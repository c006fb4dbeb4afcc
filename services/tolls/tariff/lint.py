"""What is wrong or suspicious in a toll context, before it costs somebody money (pure)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from math import atan2, cos, degrees, hypot, radians
from typing import Literal

from services.tolls.objects import Gate, LatLon
from services.tolls.tariff.context import Context
from services.tolls.tariff.lint_tariff import tariff_doubts

MOST_ASKEW_DEG = 60.0
"""A road may cross its gate's line at an angle, but not along it."""
_SHORTEST_M, _LONGEST_M = 2.0, 300.0
_METRES_PER_DEGREE = 111_195.0
"""On a sphere of 6,371,009 m; good to 0.6 % on WGS 84, which decides nothing here."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """Something in a context.

    Attributes:
        level: `error`: it charges wrongly or not at all; `warning`: it may; `note`: it is as
            said, but one should know.
        place: Where: a gate's id, a rate, a field.
        text: What, and what to do.
    """

    level: Literal["error", "warning", "note"]
    place: str
    text: str


def lint(context: Context, today: date) -> list[Doubt]:
    """All that is wrong or suspicious, in the order of the context.

    Args:
        context: The context.
        today: To know what is past.
    """
    doubts = [*_validity(context, today)]
    for gate in context.gates:
        doubts += _gate(context, gate)
    doubts += [Doubt(level, place, text) for level, place, text in tariff_doubts(context, today)]
    return doubts


def _validity(context: Context, today: date) -> Iterator[Doubt]:
    if context.signature is None:
        yield Doubt("warning", "signature", "nobody has signed it: run car tolls context sign")
    if not context.sources:
        yield Doubt("warning", "sources", "no source is named: say where the facts are from")
    if context.valid_until is not None and context.valid_until < today:
        yield Doubt("warning", "valid_until", f"it ended on {context.valid_until}")
    if context.valid_from > today:
        yield Doubt("note", "valid_from", f"it begins on {context.valid_from}")


def _gate(context: Context, gate: Gate) -> Iterator[Doubt]:
    length_m, bearing = _measured(*gate.line)
    if not _SHORTEST_M <= length_m <= _LONGEST_M:
        yield Doubt("warning", gate.id, f"its line is {length_m:.1f} m long")
    if gate.bearing_deg is None:
        yield Doubt("note", gate.id, "its direction is unknown: it is never charged")
    elif (askew := _askew(gate.bearing_deg, bearing)) > MOST_ASKEW_DEG:
        text = f"its bearing is {askew:.0f}° off the right angle to its line: turn one of them"
        yield Doubt("error", gate.id, text)
    if gate.geometry == "synthetic" and not gate.note:
        yield Doubt("warning", gate.id, "it is synthetic without a note that says how and why")
    if not _is_priced(context, gate):
        yield Doubt("warning", gate.id, "no rate is for it: it costs nothing")


def _measured(start: LatLon, end: LatLon) -> tuple[float, float]:
    """Length in metres and bearing in degrees of a short line."""
    north = end[0] - start[0]
    east = (end[1] - start[1]) * cos(radians((start[0] + end[0]) / 2))
    return hypot(north, east) * _METRES_PER_DEGREE, degrees(atan2(east, north)) % 360


def _askew(bearing_deg: float, line_deg: float) -> float:
    """How far a direction of travel is off the nearer right angle to a line, 0 to 90."""
    along = abs((bearing_deg - line_deg + 90) % 180 - 90)
    return 90 - along


def _is_priced(context: Context, gate: Gate) -> bool:
    rates = context.tariff.rates_by_place
    if None in rates or gate.kind in ("entry", "exit"):
        return True
    return not context.places[gate.id].isdisjoint(place for place in rates if place is not None)
