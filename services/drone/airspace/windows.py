"""When a zone is in force, from its file (pure)."""

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from typing import Any

from internetcar.contract.message import milliseconds
from services.drone.airspace.shapes import ZoneFileError
from services.drone.airspace.zone import Weekly, Window

MOST_WINDOWS = 200
_DAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
_EVERY_DAY = ("ANY",)
_DAY_MIN = 24 * 60


def windows_of(properties: dict[str, Any]) -> tuple[Window, ...]:
    """Windows of `limitedApplicability` (ED-318) or `applicability` (ED-269); none: always.

    What cannot be read of a weekly schedule (holidays, sunrise) counts as always: the safe side.

    Raises:
        ZoneFileError: An instant is none, or an end lies before its start.
    """
    found = properties.get("limitedApplicability", properties.get("applicability"))
    if found is None:
        return ()
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise ZoneFileError("has an applicability that is no list of objects")
    if len(found) > MOST_WINDOWS:
        raise ZoneFileError(f"has more than {MOST_WINDOWS} windows of time")
    if any(each.get("permanent") in ("YES", True) for each in found):
        return ()
    return tuple(_window(each) for each in found)


def _window(entry: dict[str, Any]) -> Window:
    start = _instant(entry.get("startDateTime"), "startDateTime")
    end = _instant(entry.get("endDateTime"), "endDateTime")
    if start is not None and end is not None and end < start:
        raise ZoneFileError("has an endDateTime before its startDateTime; turn them around")
    return Window(start, end, _weekly(entry.get("schedule")))


def _instant(value: Any, name: str) -> int | None:
    if value is None:
        return None
    try:
        instant = datetime.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise ZoneFileError(_no_instant(value, name)) from error
    if instant.tzinfo is None:
        raise ZoneFileError(_no_instant(value, name))
    return milliseconds(instant)


def _no_instant(value: Any, name: str) -> str:
    return f"has {str(value)[:40]!r} as {name}; write 2026-01-31T08:00:00Z"


def _weekly(schedule: Any) -> tuple[Weekly, ...]:
    """None where it cannot be read."""
    if not isinstance(schedule, list) or len(schedule) > MOST_WINDOWS:
        return ()
    try:
        return tuple(span for entry in schedule for span in _spans(entry))
    except (AttributeError, KeyError, TypeError, ValueError):
        return ()


def _spans(entry: Any) -> Iterator[Weekly]:
    days = entry["day"]
    days = [days] if isinstance(days, str) else days
    start, end = _minute(entry["startTime"]), _minute(entry["endTime"])
    if end <= start:
        end += _DAY_MIN
    for index in _indices(days):
        yield Weekly(index * _DAY_MIN + start, index * _DAY_MIN + end)


def _indices(days: list[str]) -> list[int]:
    if not days:
        raise ValueError("no day")
    return [
        index for day in days for index in (range(7) if day in _EVERY_DAY else (_DAYS.index(day),))
    ]


def _minute(text: str) -> int:
    """Minutes after midnight UTC; below zero or beyond a day where the zone's clock differs."""
    moment = time.fromisoformat(text)
    ahead = moment.utcoffset() or timedelta()
    return moment.hour * 60 + moment.minute - int(ahead.total_seconds() // 60)
