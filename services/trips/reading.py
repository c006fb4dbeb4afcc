"""From a batch of the log to moments: what was told at which instant, each thing once (pure).

A snapshot tells again what was known, with the instants it was known from: what is not newer than
the last of its leaf is no news.
"""

import math
from collections.abc import Collection
from typing import NamedTuple

from pydantic import BaseModel, Field

from internetcar.contract.message import Value, milliseconds
from internetcar.contract.telemetry import Sample, Telemetry

Known = bool | int | float | str | None
"""What a leaf is; `None`: not validly told."""

_MOST_LETTERS = 200
_MOST_INTEGER = 1 << 53


class Moment(NamedTuple):
    """What was told at one instant, UTC ms."""

    at_ms: int
    told: dict[str, Known]


class Reading(BaseModel):
    """What was last said of each leaf, and the instant of it, UTC ms."""

    at_ms: dict[str, int] = Field(default_factory=dict)
    known: dict[str, Known] = Field(default_factory=dict)

    def number(self, leaf: str) -> float | None:
        """The number a leaf has, if it has one."""
        return number(self.known.get(leaf))

    def shift(self, shift_ms: int) -> None:
        """The clock was set: what was said keeps its distance from now."""
        self.at_ms = {leaf: at_ms + shift_ms for leaf, at_ms in self.at_ms.items()}


def read(reading: Reading, batch: Telemetry, leaves: Collection[str]) -> list[Moment]:
    """The moments of the next batch in the order of their instants, none after its end.

    Args:
        reading: Of this vehicle; its instants are changed, what is known is not.
        batch: The next in the log's order.
        leaves: What is read of it.
    """
    start_ms, end_ms = milliseconds(batch.start_at), milliseconds(batch.end_at)
    told: dict[int, dict[str, Known]] = {}
    for leaf in sorted(batch.samples.keys() & leaves):
        last = reading.at_ms.get(leaf)
        for entry in sorted(batch.samples[leaf], key=_offset):
            at_ms = min(start_ms + entry[0], end_ms)
            if last is None or at_ms > last:
                last = at_ms
                told.setdefault(at_ms, {})[leaf] = _value(entry)
        if last is not None:
            reading.at_ms[leaf] = last
    return [Moment(at_ms, told[at_ms]) for at_ms in sorted(told)]


def number(value: Known) -> float | None:
    """A number, if it is one."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value)


def cleaned(text: str) -> str:
    """A stranger's text as it may stand in a message: one line, not long."""
    return "".join(letter for letter in text[:_MOST_LETTERS] if letter.isprintable())


def _offset(entry: Sample) -> int:
    return entry[0]


def _value(entry: Sample) -> Known:
    """What a leaf says, if it says it rightly."""
    if len(entry) > 2 and entry[2] != "valid":
        return None
    return known_of(entry[1])


def known_of(value: Value) -> Known:
    """A value as it is kept; `None` for lists, and for numbers that are none."""
    if isinstance(value, str):
        return cleaned(value)
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if abs(value) <= _MOST_INTEGER else None
    if isinstance(value, float):
        return value if math.isfinite(value) and abs(value) < 1e15 else None
    return None
