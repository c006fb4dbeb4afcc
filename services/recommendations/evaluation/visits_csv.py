"""A file of visits: who was where, from when to when, read whoever wrote it (pure)."""

import csv
import re
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from internetcar.contract.message import InputError
from services.recommendations.destination.predictor import MOST_VISITS

COLUMNS = ("user", "place", "start", "end", "split")
SPLITS = ("train", "valid", "test")
MOST_ROWS = 2_000_000
MOST_USERS = 20_000
MOST_PLACES = 500_000
_LONGEST_NAME = 200
_SHOWN = 40
_MOST_NOTES = 200
_FIRST_YEAR, _LAST_YEAR = 1900, 3000
_OTHER_WORDS = {"training": "train", "val": "valid", "validation": "valid", "testing": "test"}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class VisitsError(InputError):
    """A file is none of visits: names it, the line, and the fix."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One visit.

    Attributes:
        place: Its name in the file.
        start_s: The instant of arrival, in seconds since 1970.
        end_s: The instant of departure.
        start_shift_s: What the wall clock at arrival was ahead of `start_s`.
        end_shift_s: The same at departure.
        split: `train`, `valid` or `test`.
    """

    place: str
    start_s: float
    end_s: float
    start_shift_s: float
    end_shift_s: float
    split: str


@dataclass
class _Columns:
    """One user's visits while the file is read: a few bytes each."""

    place: "array[int]" = field(default_factory=lambda: array("i"))
    start_s: "array[float]" = field(default_factory=lambda: array("d"))
    end_s: "array[float]" = field(default_factory=lambda: array("d"))
    start_shift_s: "array[int]" = field(default_factory=lambda: array("i"))
    end_shift_s: "array[int]" = field(default_factory=lambda: array("i"))
    split: "array[int]" = field(default_factory=lambda: array("b"))


class VisitsFile:
    """All visits of a file, by user, and what was noted while it was read."""

    def __init__(self) -> None:
        self._users: dict[str, _Columns] = {}
        self._numbers: dict[str, int] = {}
        self._places: list[str] = []
        self.notes: list[str] = []

    @property
    def users(self) -> list[str]:
        """In the order of the file."""
        return list(self._users)

    def visits(self, user: str) -> list[Visit]:
        """One user's visits in the order of time; what is said twice is there once."""
        rows = self._users[user]
        starts = np.frombuffer(rows.start_s)
        order = np.argsort(starts, kind="stable")
        if bool((np.diff(starts) < 0).any()):
            self._note(user, "rows out of order were sorted by start")
        if len(order) > MOST_VISITS:
            self._note(user, f"of {len(order)} visits only the newest {MOST_VISITS} are used")
        found: list[Visit] = []
        seen: set[tuple[int, float]] = set()
        again = overlaps = 0
        for row in order[-MOST_VISITS:].tolist():
            visit = self._visit(rows, row)
            key = rows.place[row], visit.start_s
            if key in seen:
                again += 1
                continue
            overlaps += bool(found) and found[-1].end_s > visit.start_s
            seen.add(key)
            found.append(visit)
        if again:
            self._note(user, f"{again} rows with a place and start said before were left out")
        if overlaps:
            self._note(user, f"{overlaps} visits overlap the next; they are taken to end there")
        return found

    def add(self, user: str, place: str, times: Sequence[tuple[float, int]], split: str) -> None:
        """One row; times are instants with what the wall clock was ahead.

        Raises:
            VisitsError: There are too many users or places.
        """
        if user not in self._users and len(self._users) == MOST_USERS:
            raise VisitsError(f"more than {MOST_USERS} users; split the file by user")
        if place not in self._numbers:
            if len(self._places) == MOST_PLACES:
                raise VisitsError(f"more than {MOST_PLACES} places; split the file by user")
            self._numbers[place] = len(self._places)
            self._places.append(place)
        rows = self._users.setdefault(user, _Columns())
        rows.place.append(self._numbers[place])
        rows.start_s.append(times[0][0])
        rows.start_shift_s.append(times[0][1])
        rows.end_s.append(times[1][0])
        rows.end_shift_s.append(times[1][1])
        rows.split.append(SPLITS.index(split))

    def _visit(self, rows: _Columns, row: int) -> Visit:
        return Visit(
            self._places[rows.place[row]],
            rows.start_s[row],
            rows.end_s[row],
            rows.start_shift_s[row],
            rows.end_shift_s[row],
            SPLITS[rows.split[row]],
        )

    def _note(self, user: str, text: str) -> None:
        if len(self.notes) < _MOST_NOTES:
            self.notes.append(f"user {_shown(user)}: {text}")


def read_visits(lines: Iterable[str], name: str, zone: ZoneInfo | None = None) -> VisitsFile:
    """Read a file of visits.

    A time with an offset is an instant, and its wall clock is the one that is written, or `zone`'s.
    A time without is what the user's wall clock showed. Where `end` is empty it is the start.

    Args:
        lines: The file's lines.
        name: What to call it in an error.
        zone: On whose wall clock times of the day are; none: as they are written.

    Raises:
        VisitsError: A column is missing, a line cannot be read, or there is too much.
    """
    reader, columns = _opened(lines, name)
    found = VisitsFile()
    rows = 0
    try:
        for row in reader:
            if not any(cell.strip() for cell in row):
                continue
            rows += 1
            _read(row, rows, columns, zone, found)
    except (VisitsError, csv.Error) as error:
        raise VisitsError(f"{name}, line {reader.line_num}: {error}") from error
    if not rows:
        raise VisitsError(f"{name}: no row follows the line that names the columns")
    return found


class _Reader:
    """A CSV reader that has eaten the first line; counts lines from 1."""

    def __init__(self, lines: Iterator[str], first: str) -> None:
        delimiter = max(",;\t", key=first.count)
        try:
            self.header = next(csv.reader([first], delimiter=delimiter), [])
        except csv.Error as error:
            raise VisitsError(f"line 1: {error}; save it as CSV") from error
        self._rows = csv.reader(lines, delimiter=delimiter)

    @property
    def line_num(self) -> int:
        return self._rows.line_num + 1

    def __iter__(self) -> Iterator[list[str]]:
        return iter(self._rows)


def _opened(lines: Iterable[str], name: str) -> tuple[_Reader, dict[str, int]]:
    every = iter(lines)
    first = next(every, "")
    if not first.strip():
        raise VisitsError(f"{name}: the first line is empty; it names {', '.join(COLUMNS)}")
    try:
        reader = _Reader(every, first)
    except VisitsError as error:
        raise VisitsError(f"{name}, {error}") from error
    titles = [title.strip().casefold() for title in reader.header]
    for column in COLUMNS:
        if titles.count(column) != 1:
            what = "no column" if column not in titles else "two columns"
            raise VisitsError(
                f"{name}: {what} {column} among {_shown(', '.join(titles))}; it needs"
                f" {', '.join(COLUMNS)}"
            )
    return reader, {column: titles.index(column) for column in COLUMNS}


def _read(
    row: Sequence[str],
    number: int,
    columns: dict[str, int],
    zone: ZoneInfo | None,
    found: VisitsFile,
) -> None:
    if number > MOST_ROWS:
        raise VisitsError(f"more than {MOST_ROWS} rows; split the file by user")
    if len(row) <= max(columns.values()):
        raise VisitsError(f"only {len(row)} cells; there is a column of the header that it lacks")
    user, place, start, end, split = (row[columns[column]].strip() for column in COLUMNS)
    for column, text in (("user", user), ("place", place)):
        if not text or len(text) > _LONGEST_NAME:
            raise VisitsError(f"{column} has {len(text)} characters, not 1…{_LONGEST_NAME}")
    word = _OTHER_WORDS.get(split.casefold(), split.casefold())
    if word not in SPLITS:
        raise VisitsError(f"split {_shown(split)!r} is none of {', '.join(SPLITS)}")
    arrived = _instant(start, "start", zone)
    left = _instant(end, "end", zone) if end else arrived
    if left[0] < arrived[0]:
        raise VisitsError(f"end {_shown(end)} is before start {_shown(start)}")
    found.add(user, place, (arrived, left), word)


def _instant(text: str, column: str, zone: ZoneInfo | None) -> tuple[float, int]:
    """Seconds since 1970, and how far the wall clock was ahead of them."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or not re.search(r"[T ]\d", text):
        raise VisitsError(
            f"{column} {_shown(text)!r} is no time such as 2024-05-01T08:00 or"
            " 2024-05-01T08:00:00+02:00"
        )
    if not _FIRST_YEAR < moment.year < _LAST_YEAR:
        raise VisitsError(f"{column} {_shown(text)!r} is not in {_FIRST_YEAR}…{_LAST_YEAR}")
    if moment.tzinfo is None:
        return (moment.replace(tzinfo=UTC) - _EPOCH).total_seconds(), 0
    local = moment if zone is None else moment.astimezone(zone)
    shift = local.utcoffset() or timedelta()
    return (moment - _EPOCH).total_seconds(), round(shift.total_seconds())


def _shown(text: str) -> str:
    """A stranger's text as it may stand in a message: one line, not long."""
    short = text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in short)
