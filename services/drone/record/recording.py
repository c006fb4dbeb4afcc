"""Keeps every event and decision of one run in a file, as long as there is room."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import IO

import orjson

from services.drone.events import Effect, Event
from services.drone.moment import Moment
from services.drone.record import journal

log = logging.getLogger(__name__)


class Recording:
    """A file of lines: the first says how it began, each other is an event.

    A disk that is full ends the recording, never the flight.

    Args:
        path: A new file.
        settings: Of the service, as JSON.
        memory: What the pilot remembered when it began; `None`: nothing.
        most_bytes: The recording ends there.
    """

    def __init__(self, path: Path, settings: str, memory: str | None, most_bytes: int) -> None:
        self._path = path
        self._left = most_bytes
        self._file: IO[bytes] | None = None
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._file = path.open("xb")
        except OSError as error:
            log.warning("%s: nothing is recorded: %s", path, error.strerror)
            return
        head = {"settings": orjson.Fragment(settings), "memory": memory}
        self._append(orjson.dumps(head) + b"\n")

    def write(self, event: Event, now: Moment, effects: Sequence[Effect]) -> None:
        """Keep one event and what was decided on it."""
        if self._file is not None:
            self._append(journal.line(event, now, effects))

    def flush(self) -> None:
        """Hand what was written to the system."""
        if self._file is not None:
            try:
                self._file.flush()
            except OSError as error:
                self._end(error.strerror or "cannot be written")

    def close(self) -> None:
        """End the recording."""
        if self._file is not None:
            self._end("")

    def _append(self, line: bytes) -> None:
        assert self._file is not None
        if len(line) > self._left:
            self._end("it is as long as it may be (record_mb)")
            return
        self._left -= len(line)
        try:
            self._file.write(line)
        except OSError as error:
            self._end(error.strerror or "cannot be written")

    def _end(self, why: str) -> None:
        file, self._file = self._file, None
        if why:
            log.warning("%s: the recording ends: %s", self._path, why)
        try:
            if file is not None:
                file.close()
        except OSError as error:
            log.warning("%s: its end is lost: %s", self._path, error.strerror)
