"""When a car may be asked over OBD-II, so that asking never keeps it awake (pure).

Asking stops when the bus is silent, when nothing has shown for a minute that the ignition is on,
and when the small battery is low. It begins again by what the car does of itself only: its bus
wakes, talks clearly more than before, or its small battery is charged.
"""

from collections.abc import Mapping

from gateway.obd_pids import ENGINE_SPEED_PID, SPEED_PID, VOLTAGE_PID

SILENCE_NS = 5_000_000_000
"""A bus on which nothing came for so long sleeps."""
UNANSWERED = 3
"""And so many questions in a row were not answered: it is silent, too, while nobody asks."""
IGNITION_NS = 60_000_000_000
"""So long the ignition may seem to be off."""
LOW_V = 12.2
"""A lead battery at rest has half its charge left."""
LOW_NS = 10_000_000_000
"""So long it must be low: a starting engine pulls it down for some seconds."""
CHARGED_V = 13.2
"""No lead battery has so much at rest: something charges it, so the car is on."""
LIVELY = 2.0
"""So many times the frames of a bus at rest mean that somebody has come."""
LIVELIER_FRAMES = 100
"""And at least so many more, in `SILENCE_NS`."""


class ObdRest:
    """Whether to ask, and why not. `now_ns` is a clock that only goes forward."""

    def __init__(self, now_ns: int) -> None:
        """Begin by asking: a port behind a gateway of the car's own is silent until asked."""
        self.is_asking = True
        self.reason = ""
        """Why not, for a person."""
        self._tells_ignition = False
        self._heard_ns = now_ns
        self._alive_ns = now_ns
        self._low_since_ns: int | None = None
        self._window_ns = now_ns
        self._window_frames = 0
        self._quietest: int | None = None

    def traffic(self, frames: int, now_ns: int) -> None:
        """Take frames of the car that answer nobody."""
        if not frames:
            return
        was_asleep = now_ns - self._heard_ns >= SILENCE_NS
        self._heard_ns = now_ns
        if self.is_asking:
            return
        if was_asleep:
            self._begin(now_ns)
            return
        self._window_frames += frames
        if now_ns - self._window_ns >= SILENCE_NS:
            count, self._window_frames, self._window_ns = self._window_frames, 0, now_ns
            quietest = count if self._quietest is None else min(self._quietest, count)
            self._quietest = quietest
            if count >= max(LIVELY * quietest, quietest + LIVELIER_FRAMES):
                self._begin(now_ns)

    def supports(self, pid: int) -> None:
        """Some controller knows this PID; the ignition is judged by what can tell it."""
        self._tells_ignition |= pid in (ENGINE_SPEED_PID, VOLTAGE_PID)

    def answer(self, data: Mapping[int, bytes], now_ns: int) -> None:
        """Take an answer; `data` are the PIDs in it."""
        self._heard_ns = now_ns
        if not self._tells_ignition:
            self._alive_ns = now_ns
        if any(data.get(ENGINE_SPEED_PID, b"")) or any(data.get(SPEED_PID, b"")):
            self._alive_ns = now_ns
        if len(voltage := data.get(VOLTAGE_PID, b"")) == 2:
            self.voltage(int.from_bytes(voltage, "big") / 1_000, now_ns)

    def voltage(self, volts: float, now_ns: int) -> None:
        """Take the small battery's voltage, of the car or of the adapter that measures it."""
        if volts >= LOW_V:
            self._low_since_ns = None
        elif self._low_since_ns is None:
            self._low_since_ns = now_ns
        elif now_ns - self._low_since_ns >= LOW_NS and self.is_asking:
            self._stop(f"the small battery has {volts:.2f} V, less than {LOW_V} V", now_ns)
        if volts >= CHARGED_V:
            self._alive_ns = now_ns
            if not self.is_asking:
                self._begin(now_ns)

    def check(self, now_ns: int, unanswered: int) -> bool:
        """Whether the car may be asked now, after so many questions without an answer."""
        if not self.is_asking:
            return False
        if now_ns - self._heard_ns >= SILENCE_NS and unanswered >= UNANSWERED:
            self._stop("the bus is silent", now_ns)
        elif now_ns - self._alive_ns >= IGNITION_NS:
            self._stop("the ignition seems to be off", now_ns)
        return self.is_asking

    def _stop(self, reason: str, now_ns: int) -> None:
        self.is_asking, self.reason = False, reason
        self._window_ns, self._window_frames, self._quietest = now_ns, 0, None

    def _begin(self, now_ns: int) -> None:
        self.is_asking, self.reason = True, ""
        self._heard_ns = self._alive_ns = now_ns
        self._low_since_ns = None
