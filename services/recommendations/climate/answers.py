"""What offers of climate were answered, and what follows from it (pure).

The key of an offer holds what was offered, how it stood and the weather: `t21.5<19,f2<4@4` is a
set-point of 21.5 °C where it stood at 19, and the fan at 2 where it stood at 4, at 4 °C outside.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from services.recommendations.advising import Answered
from services.recommendations.answers import BY_HAND, DAY_MS, IN_A_ROW
from services.recommendations.climate.leaves import LEAVES, number, scale_of
from services.recommendations.climate.past import MARKS_S, Past, Setting
from services.recommendations.climate.vote import SIMILAR_C

MOST_ANSWERED = 200
"""Older answers count no more."""
_PATHS = {leaf.code: leaf.path for leaf in LEAVES}
_LEAVES = {leaf.path: leaf for leaf in LEAVES}
_PART = re.compile(r"([a-z])(-?[0-9]{1,4}(?:\.[0-9]{1,2})?)<(-?[0-9]{1,4}(?:\.[0-9]{1,2})?)")
_MOST_KEY = 100


@dataclass(frozen=True, slots=True)
class Change:
    """A setting as it was offered, and as it stood."""

    offered: float
    stood: float


@dataclass(frozen=True, slots=True)
class Answer:
    """An offer that was answered.

    Attributes:
        at_ms: When it was made, UTC ms.
        is_accepted: Else it was rejected.
        outside_c: °C.
        changes: By the path of the leaf, the weightiest first.
    """

    at_ms: int
    is_accepted: bool
    outside_c: float
    changes: Mapping[str, Change]


def key(changes: Mapping[str, Change], outside_c: float) -> str:
    """What an offer was, to be read again by `read`."""
    parts = [
        f"{leaf.code}{_digits(change.offered)}<{_digits(change.stood)}"
        for leaf in LEAVES
        if (change := changes.get(leaf.path)) is not None
    ]
    return f"{','.join(parts)}@{round(outside_c)}"


def _digits(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


def read(answered: Sequence[Answered]) -> list[Answer]:
    """The answers whose key can be read, the oldest first."""
    found = []
    for each in answered[-MOST_ANSWERED:]:
        told, _, weather = each.key[:_MOST_KEY].rpartition("@")
        changes = _changes(told)
        outside_c = re.fullmatch(r"-?[0-9]{1,3}", weather, re.ASCII)
        if changes and outside_c:
            found.append(Answer(each.at_ms, each.is_accepted, float(weather), changes))
    return found


def _changes(told: str) -> dict[str, Change]:
    changes = {}
    for part in told.split(","):
        match = _PART.fullmatch(part)
        path = _PATHS.get(match[1]) if match else None
        if match and path:
            offered, stood = number(float(match[2])), number(float(match[3]))
            if offered is not None and stood is not None:
                changes[path] = Change(offered, stood)
    return changes


def is_silent(answered: Sequence[Answered], at_ms: int) -> bool:
    """Whether one was rejected within the day before (or after, if a clock was set back)."""
    return any(not each.is_accepted and abs(at_ms - each.at_ms) < DAY_MS for each in answered)


def is_withdrawn(
    answers: Sequence[Answer], outside_c: float, past: Past, suggested: Mapping[str, float]
) -> bool:
    """Whether it was rejected twice in such weather, and not set so by hand often enough since.

    Args:
        answers: The driver's, the oldest first.
        outside_c: °C, now.
        past: The driver's trips.
        suggested: What would be suggested now, by the path of the leaf.
    """
    row: list[Answer] = []
    for each in answers:
        if abs(each.outside_c - outside_c) > SIMILAR_C:
            continue
        if each.is_accepted or _is_lifted(row, past, suggested, each.at_ms):
            row = []
        if not each.is_accepted:
            row.append(each)
    return len(row) >= IN_A_ROW and not _is_lifted(row, past, suggested, None)


def _is_lifted(
    row: Sequence[Answer], past: Past, suggested: Mapping[str, float], until_ms: int | None
) -> bool:
    """Whether the driver has done by hand, often enough, what was last rejected or is suggested."""
    if len(row) < IN_A_ROW:
        return False
    last = row[-1]
    path, change = next(iter(last.changes.items()))
    setting = past.settings.get(path)
    if setting is None:
        return False
    wanted = [change.offered, suggested.get(path, change.offered)]
    near = np.abs(past.outside_c - last.outside_c) <= SIMILAR_C
    near &= past.started_ms > last.at_ms
    if until_ms is not None:
        near &= past.started_ms <= until_ms
    same = scale_of(_LEAVES[path], (*setting.raw, *wanted)).same
    so = np.abs(setting.by_hand[:, None] - np.array(wanted)).min(1) <= same
    return int((near & so).sum()) >= BY_HAND


def counted(past: Past, answers: Sequence[Answer], day: float, started_ms: int) -> Past:
    """The past with each rejection as one trip more: how it stood was how it was wanted.

    Args:
        past: The driver's trips; they stay the first rows.
        answers: The driver's.
        day: Of the trip that is on, as in `Moment`.
        started_ms: When it began, UTC ms.
    """
    rejected = [each for each in answers if not each.is_accepted]
    at_ms = np.array([each.at_ms for each in rejected], float)
    outside_c = np.array([each.outside_c for each in rejected], float)
    settings = {}
    for path, setting in past.settings.items():
        stood = [each.changes[path].stood if path in each.changes else np.nan for each in rejected]
        column = np.repeat(np.array(stood, float)[:, None], len(MARKS_S), axis=1)
        by_hand = np.concatenate([setting.by_hand, np.full(len(rejected), np.nan)])
        settings[path] = Setting(np.concatenate([setting.at, column]), by_hand, setting.raw)
    return Past(
        day=np.concatenate([past.day, day - (started_ms - at_ms) / DAY_MS]),
        outside_c=np.concatenate([past.outside_c, outside_c]),
        lasted_s=np.concatenate([past.lasted_s, np.full(len(rejected), MARKS_S[-1])]),
        started_ms=np.concatenate([past.started_ms, at_ms]),
        settings=settings,
    )
