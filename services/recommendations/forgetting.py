"""What is forgotten with age: visits, what was asked, and messages that were set aside."""

from collections.abc import Callable

from internetcar.contract.commands import CommandStatus
from internetcar.contract.recommendations import RecommendationControl, RecommendationFeedback
from internetcar.contract.trips import TripEnded, TripProgress, TripStarted
from services.database import Database
from services.quarantine import drop_old
from services.recommendations import erasing
from services.scrubbing import Scrubber

_EACH_MS = 6 * 3_600_000
"""Each time what a driver's weights have learned is learned anew."""
_SOME = 500
_MOST_PORTIONS = 50
_HEARD = (
    TripStarted, TripProgress, TripEnded, RecommendationFeedback, RecommendationControl,
    CommandStatus,
)  # fmt: skip


class Forgetting:
    """Erases what is old enough, some times a day.

    Args:
        database: With the service's tables.
        keep_ms: How long visits are kept.
        clock_ms: UTC milliseconds.
    """

    def __init__(self, database: Database, keep_ms: int, clock_ms: Callable[[], int]) -> None:
        self._database = database
        self._keep_ms = keep_ms
        self._clock_ms = clock_ms
        self._next_ms = 0
        self._scrubber = Scrubber(database, clock_ms)

    def turn(self) -> None:
        """Forget what is old, if it is time."""
        now_ms = self._clock_ms()
        if now_ms < self._next_ms <= now_ms + _EACH_MS:
            self._scrubber.turn()
            return
        self._next_ms = now_ms + _EACH_MS
        before_ms = now_ms - self._keep_ms
        drop_old(self._database, _HEARD, before_ms)
        for _ in range(_MOST_PORTIONS):
            erased = self._database.run(
                lambda connection: erasing.erase_old(connection, before_ms, now_ms, _SOME)
            )
            if erased < _SOME:
                break
        self._scrubber.ask()  # also what a command could not erase because somebody was reading
        self._scrubber.turn()
