"""What a task remembers between its steps, as JSON values (pure).

What comes back from a disk is hostile: a value of the wrong kind is as good as none.
"""

from collections.abc import Mapping
from typing import Any

from services.drone.geodesy import Place
from services.drone.moment import Moment

LONGEST_STEP_S = 2.0
"""What moves with time does not leap after a pause."""

LARGEST = 1e15
"""No number that a task remembers comes near it."""


def number(memory: Mapping[str, Any], key: str, otherwise: float = 0.0) -> float:
    """A finite number."""
    value = memory.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return otherwise
    return float(value) if -LARGEST < value < LARGEST else otherwise


def place(value: object) -> Place | None:
    """A place from `[lat, lon, …]`."""
    if not isinstance(value, list | tuple) or len(value) < 2:
        return None
    lat, lon = value[0], value[1]
    for part in (lat, lon):
        if isinstance(part, bool) or not isinstance(part, int | float):
            return None
    return Place(float(lat), float(lon)) if abs(lat) <= 90 and abs(lon) <= 180 else None


def clocked(memory: Mapping[str, Any], now: Moment) -> tuple[float, float, dict[str, float]]:
    """How long the task runs, how long ago its last step was, and the clock's own memory.

    A clock that was set back (another boot) adds nothing.
    """
    passed_s = max(0.0, now.s - number(memory, "at_s", now.s))
    elapsed_s = number(memory, "elapsed_s") + passed_s
    return elapsed_s, min(passed_s, LONGEST_STEP_S), {"at_s": now.s, "elapsed_s": elapsed_s}
