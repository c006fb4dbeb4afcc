"""Trips as JSON, CSV and GPX for other programs (pure)."""

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Literal

import orjson

from internetcar.contract.message import format_instant
from internetcar.contract.trips import Place, TripEnded

Format = Literal["json", "csv", "gpx"]

COLUMNS = (
    "trip_id", "vehicle_id", "driver", "started_at", "ended_at", "start_latitude",
    "start_longitude", "end_latitude", "end_longitude", "distance_m", "distance_from", "energy_wh",
    "fuel_ml", "idle_s", "stopped_s", "unknown_s", "harsh_count", "outside_c", "why", "origin",
)  # fmt: skip


def exported(trips: Iterable[TripEnded], form: Format) -> Iterator[str]:
    """The text of a file with these trips, piece by piece."""
    if form == "json":
        yield from _json(trips)
    elif form == "csv":
        yield from _csv(trips)
    else:
        yield from _gpx(trips)


def _json(trips: Iterable[TripEnded]) -> Iterator[str]:
    yield "["
    for index, trip in enumerate(trips):
        body = {"vehicle_id": trip.vehicle_id, **orjson.loads(trip.encode())}
        yield ("," if index else "") + "\n" + orjson.dumps(body).decode()
    yield "\n]\n"


def _csv(trips: Iterable[TripEnded]) -> Iterator[str]:
    yield _line(COLUMNS)
    for trip in trips:
        cells = {
            **trip.model_dump(include=set(COLUMNS)),
            "started_at": format_instant(trip.started_at),
            "ended_at": format_instant(trip.ended_at),
            **_place("start", trip.start),
            **_place("end", trip.end),
        }
        yield _line([_cell(cells[name]) for name in COLUMNS])


def _place(end: str, place: Place | None) -> dict[str, object]:
    return {
        f"{end}_latitude": None if place is None else place.latitude,
        f"{end}_longitude": None if place is None else place.longitude,
    }


def _cell(value: object) -> object:
    """Text that begins like a formula is none: a spreadsheet would reckon it."""
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@"):
        return "'" + value
    return "" if value is None else value


def _line(cells: Iterable[object]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue()


def _gpx(trips: Iterable[TripEnded]) -> Iterator[str]:
    yield (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<gpx version="1.1" creator="internetcar" xmlns="http://www.topografix.com/GPX/1/1">\n'
    )
    for trip in trips:
        # Neither id can hold what XML would mind.
        yield f"<trk><name>{trip.trip_id}</name><src>{trip.vehicle_id}</src><trkseg>\n"
        for latitude, longitude, offset_s in trip.route:
            at = format_instant(trip.started_at + timedelta(seconds=offset_s))
            yield f'<trkpt lat="{latitude}" lon="{longitude}"><time>{at}</time></trkpt>\n'
        yield "</trkseg></trk>\n"
    yield "</gpx>\n"
