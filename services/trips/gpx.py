"""The points of a GPX file, read in portions; a document type, and so any entity, is refused."""

import math
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import NamedTuple
from xml.parsers import expat

from internetcar.contract.message import InputError, milliseconds
from services.trips.complaints import Complaints

_DEEPEST = 60
_MOST_TEXT = 200
_FIRST_YEAR, _LAST_YEAR = 1980, 2200


class GpxError(InputError):
    """It is no GPX file that we read; the text says why and on which line."""


class Point(NamedTuple):
    """A point of a track; `begins`: the first of a segment."""

    at_ms: int
    lat_deg: float
    lon_deg: float
    speed_mps: float | None
    begins: bool


class Reader:
    """Reads GPX 1.0 and 1.1.

    Args:
        complaints: Gets the points that are none.
    """

    def __init__(self, complaints: Complaints) -> None:
        self._complaints = complaints
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._letters
        self._parser.StartDoctypeDeclHandler = self._refuse
        self._parser.EntityDeclHandler = self._refuse
        self._depth = 0
        self._begins = True
        self._point: dict[str, str] | None = None
        self._text: list[str] = []
        self._found: list[Point] = []

    def points(self, portions: Iterable[bytes]) -> Iterator[Point]:
        """The points in the order of the file.

        Raises:
            GpxError: It is no XML, or has what we do not read.
        """
        for portion in portions:
            yield from self._feed(portion, is_last=False)
        yield from self._feed(b"", is_last=True)

    def _feed(self, portion: bytes, *, is_last: bool) -> list[Point]:
        try:
            self._parser.Parse(portion, is_last)
        except (expat.ExpatError, ValueError) as error:
            if isinstance(error, GpxError):
                raise
            raise GpxError(f"line {self._parser.CurrentLineNumber}: no XML ({error})") from error
        found, self._found = self._found, []
        return found

    def _refuse(self, *_: object) -> None:
        raise GpxError(
            f"line {self._parser.CurrentLineNumber}: it declares a document type or an entity,"
            " which no GPX file needs: take that out"
        )

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise GpxError(f"line {self._parser.CurrentLineNumber}: nested too deep for GPX")
        local = name.rpartition(" ")[2]
        if local in ("trkseg", "rte"):
            self._begins = True
        elif local in ("trkpt", "rtept"):
            self._point = {key: attributes.get(key, "") for key in ("lat", "lon")}
        self._text = []

    def _letters(self, text: str) -> None:
        if self._point is not None and len(self._text) < _MOST_TEXT:
            self._text.append(text[:_MOST_TEXT])

    def _end(self, name: str) -> None:
        self._depth -= 1
        local = name.rpartition(" ")[2]
        if self._point is None:
            return
        if local in ("time", "speed"):
            self._point.setdefault(local, "".join(self._text).strip()[:_MOST_TEXT])
        elif local in ("trkpt", "rtept"):
            try:
                self._found.append(_point(self._point, begins=self._begins))
                self._begins = False
            except ValueError as error:
                self._complaints.add(self._parser.CurrentLineNumber, str(error))
            self._point = None
        self._text = []


def _point(said: dict[str, str], *, begins: bool) -> Point:
    lat, lon = _number("lat", said["lat"], 90), _number("lon", said["lon"], 180)
    if "time" not in said:
        raise ValueError("a point without a time")
    try:
        at = datetime.fromisoformat(said["time"])
    except ValueError as error:
        raise ValueError(f"time {said['time'][:40]!r} is no instant") from error
    at = at if at.tzinfo else at.replace(tzinfo=UTC)  # GPX says: UTC
    if not _FIRST_YEAR <= at.year <= _LAST_YEAR:
        raise ValueError(f"time {said['time'][:40]!r} is too far away")
    speed = _number("speed", said["speed"], 150) if said.get("speed") else None
    return Point(milliseconds(at), lat, lon, None if speed is None else abs(speed), begins)


def _number(name: str, text: str, most: float) -> float:
    try:
        value = float(text)
    except ValueError as error:
        raise ValueError(f"{name} {text[:40]!r} is no number") from error
    if not math.isfinite(value) or abs(value) > most:
        raise ValueError(f"{name} {text[:40]!r} is beyond {most}")
    return value
