"""The clock of a simulated flight, which may run at any speed: the simulator's own (pure)."""

from services.drone.mavlink.codec import Codec, mavlink
from services.drone.moment import Moment

SILENCE_S = 1.0
"""After so long without a word, in real seconds, time goes on as it really does."""
ARRIVAL_MS = 500
"""Messages may come out of order by less: their earlier time changes nothing."""


class VehicleClock:
    """Time as the autopilot's messages tell it; it never goes back.

    Its date is the simulator's too, and goes back with it: where one was halted, or started anew
    after it had run ten times as fast, the messages of its car would be too old for ever.

    Feed it all that is received before anything else gets it. Only a simulator may be the clock:
    who tells the time also decides what is old.
    """

    def __init__(self, real: Moment) -> None:
        self._codec = Codec(0)
        self._target: int | None = None
        self._now = real
        self._real_s = real.s
        self._heard_real_s = real.s - SILENCE_S
        self._boot_ms: int | None = None
        self._silent_s = 0.0
        """What was added without a word of it; taken off its next step."""

    def hear(self, data: bytes, real: Moment) -> None:
        """Take received bytes; their times move the clock."""
        for message in self._codec.decode(data, real):
            if message.get_srcComponent() != mavlink.MAV_COMP_ID_AUTOPILOT1:
                continue
            boot_ms = getattr(message, "time_boot_ms", None)
            if boot_ms is None:
                continue
            if self._target is None:
                self._target = message.get_srcSystem()
            if message.get_srcSystem() == self._target:
                self._told(boot_ms, getattr(message, "time_unix_usec", 0), real)

    def now(self, real: Moment) -> Moment:
        """This moment; `real` is the machine's own."""
        passed_s = real.s - self._real_s
        silent_s = real.s - self._heard_real_s - SILENCE_S
        self._real_s = real.s
        if silent_s > 0:
            step_s = min(passed_s, silent_s)
            self._silent_s += step_s
            self._advance(step_s)
        return self._now

    def _told(self, boot_ms: int, utc_us: int, real: Moment) -> None:
        last = self._boot_ms
        if last is not None and last - ARRIVAL_MS < boot_ms < last:
            return
        self.now(real)
        step_s = 0.0 if last is None or boot_ms < last else (boot_ms - last) / 1000.0
        self._advance(max(0.0, step_s - self._silent_s))
        self._boot_ms, self._heard_real_s, self._silent_s = boot_ms, real.s, 0.0
        if utc_us:
            self._now = Moment(self._now.s, utc_us // 1000)

    def _advance(self, step_s: float) -> None:
        self._now = Moment(self._now.s + step_s, self._now.utc_ms + round(step_s * 1000))
