"""Lets no erased byte stay in a service's files, and tries again where somebody is in the way."""

from collections.abc import Callable

from services.database import Database

_AGAIN_MS = 60_000
"""Writing the file anew takes its time, also where it fails."""


class Scrubber:
    """Scrubs a database when it is asked to; one that began has been asked.

    Args:
        database: Of the service.
        clock_ms: UTC milliseconds.
    """

    def __init__(self, database: Database, clock_ms: Callable[[], int]) -> None:
        self._database = database
        self._clock_ms = clock_ms
        self._is_asked = True  # a process before this one may have had no time for it
        self._next_ms = 0

    def ask(self) -> None:
        """Something was erased: scrub with the next turn."""
        self._is_asked, self._next_ms = True, 0

    def turn(self) -> None:
        """Scrub, if it is asked for and time."""
        now_ms = self._clock_ms()
        if self._is_asked and not now_ms < self._next_ms <= now_ms + _AGAIN_MS:
            self._is_asked = not self._database.scrub()
            self._next_ms = now_ms + _AGAIN_MS
