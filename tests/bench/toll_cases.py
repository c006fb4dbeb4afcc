"""Passages and what they cost by the sources, and where the sources are (`INTERNETCAR_DATA`)."""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from services.tolls.facts import Passage
from services.tolls.tariff.context import Context
from services.tolls.tariff.vehicle import VehicleFacts
from tests.bench.report import CannotMeasureError

_REPOSITORY = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("INTERNETCAR_DATA", _REPOSITORY.parent / "shared" / "data")) / "tolls"


@dataclass(frozen=True)
class Case:
    """Passages of one vehicle and what they cost together, in smallest units."""

    passages: tuple[Passage, ...]
    vehicle: VehicleFacts
    wanted_minor: int
    words: str


Source = Callable[[Context], Iterator[Case]]
"""The cases that a source has for a context."""


def read_json(relative: str) -> Any:
    """What a JSON file of the sources holds."""
    return json.loads(read_text(relative))


def read_text(relative: str) -> str:
    """A file of the sources.

    Raises:
        CannotMeasureError: It is absent.
    """
    path = DATA / relative
    if not path.exists():
        raise CannotMeasureError(f"no {relative} in {DATA}: set INTERNETCAR_DATA")
    return path.read_text(encoding="utf-8")


def passage_at(gate: str, day: date, minute: int, zone: ZoneInfo, ordinal: int = 1) -> Passage:
    """A passage at a minute of a local day."""
    local = datetime.combine(day, time(), zone) + timedelta(minutes=minute)
    return Passage(f"p{ordinal}", gate, local)
