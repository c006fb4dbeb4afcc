"""The clock of a real flight: the machine's own. The only place of this room that reads one."""

import time

from services.drone.moment import Moment


class RealClock:
    """Monotonic seconds for ages, UTC for words."""

    def now(self) -> Moment:
        """This moment."""
        return Moment(time.monotonic(), time.time_ns() // 1_000_000)
