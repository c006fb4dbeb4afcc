"""Which known database explains what came over a bus (pure)."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from cantools.database.can import Signal

from gateway.databases import Database
from gateway.traffic import Traffic
from gateway.vehicles import Bus, Vehicle

LEAST_FRAMES = 12
"""So many frames of a message show whether its counter counts."""
COUNTING = 0.9
"""A counter goes on by one in this share of its frames: some are lost, some are sent twice."""
_COUNTER_BITS = range(2, 17)
_COUNTER_NAME = re.compile(r"count|cntr|cnt(?![a-z])|alive|rolling|msgc|seq", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Match:
    """How well one database explains one bus; shares are of all frames that came, 0…1."""

    name: str
    known: float
    """Frames whose identifier the database has."""
    fitting: float
    """Frames that also have the length the database says."""
    ids_known: int
    ids: int
    messages: int
    """How many the database has: one that knows little else is the likelier one."""
    counting: int
    """Signals that count from frame to frame as a counter does."""
    counters: int
    """These, and those that are called a counter and do not count."""

    @property
    def score(self) -> float:
        """0…1: fitting frames, up to half of it taken off where counters do not count."""
        counted = self.counting / self.counters if self.counters else 0.5
        return self.fitting * (0.5 + counted / 2)


def rank(traffic: Traffic, databases: Iterable[Database]) -> list[Match]:
    """The databases that know anything of this traffic, the best first."""
    matches = [match(traffic, database) for database in databases]
    found = [one for one in matches if one.known]
    return sorted(
        found, key=lambda one: (-round(one.score, 3), -one.ids_known / one.messages, one.name)
    )


def fitting_lines(chosen: Collection[str], lines: Mapping[str, Vehicle]) -> list[str]:
    """The vehicle lines of which the chosen databases explain a bus, the best first.

    Args:
        chosen: Names of databases, as paths or `opendbc:NAME`.
        lines: Vehicle lines by name.
    """
    missing = {name: len(unexplained(line, chosen)) for name, line in lines.items()}
    explained = {name: len(line.buses) - missing[name] for name, line in lines.items()}
    fitting = [name for name in lines if explained[name]]
    return sorted(fitting, key=lambda name: (-explained[name], missing[name], name))


def unexplained(line: Vehicle, chosen: Collection[str]) -> list[Bus]:
    """The buses of a vehicle line that none of the chosen databases explains."""
    return [
        bus
        for bus in line.buses.values()
        if not any(_explains(database, bus) for database in chosen)
    ]


def bus_of_line(line: Vehicle, database: str) -> str | None:
    """The name a vehicle line has for the bus that a database explains."""
    return next((name for name, bus in line.buses.items() if _explains(database, bus)), None)


def _explains(database: str, bus: Bus) -> bool:
    """Whether it is the bus's own, or called as the one that must be brought."""
    stem = database.rpartition("/")[2].partition(".")[0]
    is_brought = bus.bring is not None and bus.bring.partition(".")[0] == stem
    return is_brought or database in bus.databases


def match(traffic: Traffic, database: Database) -> Match:
    """Hold one database against the traffic of one bus."""
    known = fitting = ids = counting = counters = 0
    for message in database.messages:
        heard = traffic.ids.get(message.can_id)
        if heard is None:
            continue
        ids += 1
        known += heard.frames
        fitting += heard.lengths[message.length]
        for signal in message.signals:
            verdict = _counts(signal, heard.payloads)
            counting += verdict is True
            counters += verdict is not None
    frames = traffic.frames or 1
    return Match(
        name=database.name,
        known=known / frames,
        fitting=fitting / frames,
        ids_known=ids,
        ids=len(traffic.ids),
        messages=len(database.messages),
        counting=counting,
        counters=counters,
    )


def _counts(signal: Signal, payloads: Sequence[bytes]) -> bool | None:
    """Whether a signal counts; `None` where it is none that should and does not."""
    if signal.length not in _COUNTER_BITS or signal.multiplexer_ids or signal.conversion.is_float:
        return None
    if len(payloads) < LEAST_FRAMES:
        return None
    values = [raw for payload in payloads if (raw := raw_value(signal, payload)) is not None]
    if len(values) < LEAST_FRAMES:
        return None
    modulus = 1 << signal.length
    steps = sum((after - before) % modulus == 1 for before, after in pairwise(values))
    if steps >= COUNTING * (len(values) - 1):
        return True
    return False if _COUNTER_NAME.search(signal.name) else None


def raw_value(signal: Signal, payload: bytes) -> int | None:
    """The bits of a signal as an unsigned number; `None` where the payload is too short."""
    if signal.byte_order == "little_endian":
        end = signal.start + signal.length
        shift, word = signal.start, int.from_bytes(payload, "little")
    else:  # a DBC numbers bits within each byte from its right
        end = 8 * (signal.start // 8) + 7 - signal.start % 8 + signal.length
        shift, word = 8 * len(payload) - end, int.from_bytes(payload, "big")
    if end > 8 * len(payload):
        return None
    return word >> shift & (1 << signal.length) - 1
