"""Whether the car is in a jam (pure).

Memory, JSON values: `at_s` of the last turn, `parts` of the window as [begun at s, metres, seconds,
seconds standing, stops], `stands`, `stood_s`, `free_s`, and `driven_ms`, which outlives a restart.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from services.drone.geodesy import KMH_PER_MPS
from services.drone.moment import Moment
from services.drone.rules.settings import Jam
from services.drone.rules.signals import PARK, Truth, gear, is_held, speed_kmh
from services.drone.view import View

STANDING_KMH, MOVING_KMH = 1.0, 3.0
"""It stands below the one until it is above the other: a creeping wheel sensor makes no stops."""
LONGEST_TURN_S = 5.0
"""After a longer pause nobody knows what the car did in it."""
OFTEN_MS = 60_000
"""That it drove is remembered once a minute, not in a write each second."""
PARTS = 24
"""The window moves on in this many steps."""
ROLLING_SHARE = 0.2
"""Traffic that stands for a smaller share of the window rolls."""


class Found(NamedTuple):
    """What is known of a jam now."""

    is_true: Truth
    memory: dict[str, Any]
    words: str
    since_ms: int


class _Window(NamedTuple):
    metres: float
    seconds: float
    standing_s: float
    stops: int


def look(jam: Jam, memory: Mapping[str, Any], view: View, now: Moment, max_age_s: float) -> Found:
    """Whether this is a jam: false only where traffic runs freely or the car is parked."""
    kmh = speed_kmh(view, now, max_age_s)
    driven_ms = memory.get("driven_ms")
    kept = {"driven_ms": driven_ms} if isinstance(driven_ms, int) else {}
    if kmh is None:
        return Found(None, kept, "", now.utc_ms)
    if not _drives(jam, view, now, max_age_s):
        is_parked = is_held(view, now, max_age_s) and kmh < STANDING_KMH
        return Found(False if is_parked else None, kept, "", now.utc_ms)
    if kmh >= jam.driven_kmh and not 0 <= now.utc_ms - kept.get("driven_ms", 0) < OFTEN_MS:
        kept = {"driven_ms": now.utc_ms}
    passed_s = now.s - memory.get("at_s", now.s - LONGEST_TURN_S - 1.0)
    if not 0.0 <= passed_s <= LONGEST_TURN_S:
        return Found(None, {**kept, **_begun(kmh, now)}, "", now.utc_ms)
    live = _gone_on(jam, memory, kmh, passed_s, now)
    return _judged(jam, {**kept, **live}, now)


def _drives(jam: Jam, view: View, now: Moment, max_age_s: float) -> bool:
    chosen = gear(view, now, max_age_s)
    if jam.needs_drive:
        return chosen is not None and chosen > 0 and chosen != PARK
    return is_held(view, now, max_age_s) is False


def _begun(kmh: float, now: Moment) -> dict[str, Any]:
    stands = kmh < STANDING_KMH
    return {"at_s": now.s, "parts": [], "stands": stands, "stood_s": 0.0, "free_s": 0.0}


def _gone_on(
    jam: Jam, memory: Mapping[str, Any], kmh: float, passed_s: float, now: Moment
) -> dict[str, Any]:
    stood = memory["stands"]
    stands = kmh < (MOVING_KMH if stood else STANDING_KMH)
    stood_s = memory["stood_s"] + passed_s if stood and stands else 0.0
    free_s = memory["free_s"] + passed_s if kmh >= jam.free_kmh else 0.0
    parts = [part for part in memory["parts"] if part[0] > now.s - jam.window_s - _step_s(jam)]
    if not parts or now.s - parts[-1][0] >= _step_s(jam):
        parts.append([now.s, 0.0, 0.0, 0.0, 0])
    start_s, metres, seconds, standing_s, stops = parts[-1]
    parts[-1] = [
        start_s,
        metres + (0.0 if stands else kmh / KMH_PER_MPS * passed_s),
        seconds + passed_s,
        standing_s + (passed_s if stands else 0.0),
        stops + int(stands and not stood),
    ]
    return {"at_s": now.s, "parts": parts, "stands": stands, "stood_s": stood_s, "free_s": free_s}


def _step_s(jam: Jam) -> float:
    return jam.window_s / PARTS


def _judged(jam: Jam, memory: dict[str, Any], now: Moment) -> Found:
    parts = memory["parts"]
    window = _Window(*(sum(column) for column in list(zip(*parts, strict=True))[1:]))
    driven_ms = memory.get("driven_ms")
    has_driven = driven_ms is not None and 0 <= now.utc_ms - driven_ms <= jam.driven_within_s * 1000
    if memory["free_s"] >= jam.free_s and memory["free_s"] > 0.0:
        return Found(False, memory, "", now.utc_ms)
    if has_driven and memory["stood_s"] >= jam.standing_s:
        since_ms = now.utc_ms - round(memory["stood_s"] * 1000)
        words = f"a jam: the car stands for {memory['stood_s']:.0f} s"
        return Found(True, memory, words, since_ms)
    if has_driven and _is_slow(jam, window):
        words = f"a jam: {window.metres:.0f} m in {window.seconds:.0f} s with {window.stops} stops"
        return Found(True, memory, words, now.utc_ms)
    return Found(None, memory, "", now.utc_ms)


def _is_slow(jam: Jam, window: _Window) -> bool:
    """Whether the car got hardly on in a whole window, and no single light explains it."""
    if window.seconds < jam.window_s or window.metres >= jam.moved_m:
        return False
    if window.metres / window.seconds * KMH_PER_MPS >= jam.mean_kmh:
        return False
    is_rolling = window.standing_s <= ROLLING_SHARE * window.seconds
    return window.stops >= jam.stops or is_rolling
