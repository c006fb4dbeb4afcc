"""What is forgotten with age: trips, and messages that were set aside."""

from collections.abc import Callable

from internetcar.contract.telemetry import RepairedTelemetry, Telemetry
from services.database import Database
from services.quarantine import drop_old
from services.scrubbing import Scrubber
from services.trips import store

_EACH_MS = 60_000
_SOME = 200


class Forgetting:
    """Erases what is old enough, a portion a minute.

    Args:
        database: With the service's tables.
        keep_ms: How long trips are kept.
        clock_ms: UTC milliseconds.
    """

    def __init__(self, database: Database, keep_ms: int, clock_ms: Callable[[], int]) -> None:
        self._database = database
        self._keep_ms = keep_ms
        self._clock_ms = clock_ms
        self._next_ms = 0
        self._scrubber = Scrubber(database, clock_ms)

    def turn(self) -> None:
        """Forget a portion, if it is time."""
        now_ms = self._clock_ms()
        if now_ms < self._next_ms <= now_ms + _EACH_MS:  # else the clock was set back
            return
        self._next_ms = now_ms + _EACH_MS
        before_ms = now_ms - self._keep_ms
        drop_old(self._database, (Telemetry, RepairedTelemetry), before_ms)
        if self._database.run(lambda each: store.erase_old(each, before_ms, _SOME)):
            self._scrubber.ask()
        self._scrubber.turn()
