"""When a car may be asked over OBD-II, so that asking never keeps it awake (pure).

Asking stops when the bus is silent, when nothing has shown for a minute that the ignition is on,
and when the small battery is low. That a question is answered shows nothing: a controller that
sleeps is woken by it. Asking begins again by what the car does of itself only: its bus wakes, talks
clearly more than before, or its small battery is charged; and each half hour for some seconds
where the bus talks though nobody asks.
"""

from collections.abc import Mapping

from gateway.obd_pids import CHARGE_PID, ENGINE_SPEED_PID, SPEED_PID, VOLTAGE_PID

SILENCE_NS = 5_000_000_000
"""A bus on which nothing came for so long sleeps."""
SLEEP_NS = 1_000_000_000
"""On one that is silent for so long nothing is missed: what was said last may hold."""
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
LOOK_AGAIN_NS = 1_800_000_000_000
"""So long a car rests whose bus talks on, before it is looked at again: 48 times a day, ..."""
LOOK_NS = 3_000_000_000
"""... for so long, which is 15 questions."""
FRUITLESS_NS = 60_000_000_000
"""So long a bus that wakes is left alone where the last two times showed no ignition; each time
more doubles it, up to `LOOK_AGAIN_NS`: a frame now and then is no driver."""
TELLING = frozenset({0x04, 0x05, 0x0F, 0x11, 0x21, 0x31, 0x46, 0x5C, 0xA6, CHARGE_PID})
"""PIDs that rise when a car is used: load, throttle, distances, temperatures, and the charge, which
falls as well. None of them counts the time in which a controller is awake, as our questions would
keep it; and each is a sign only beyond all it was, so that what trembles is none for long and what
cools down never."""
TELLING_NS = 15_000_000_000
"""How often those are asked for, at the least: twice before a minute is over."""


class ObdRest:
    """Whether to ask, and why not. `now_ns` is a clock that only goes forward."""

    def __init__(self, now_ns: int) -> None:
        """Begin by asking: a port behind a gateway of the car's own is silent until asked."""
        self.is_asking = True
        self.reason = ""
        """Why not, for a person."""
        self.is_looking = False
        """It was begun to ask only to see whether the car is in use again."""
        self.is_silent = False
        """It is not asked since its bus sleeps: what it said last still holds."""
        self._heard_ns = now_ns
        self._alive_ns = now_ns
        self._low_since_ns: int | None = None
        self._window_ns = now_ns
        self._window_frames = 0
        self._quietest: int | None = None
        self._ranges: dict[int, tuple[bytes, bytes]] = {}
        self._is_alive = self._is_woken = self._may_look = False
        self._fruitless = 0
        self.stopped_ns = now_ns
        """When asking ended last."""

    def is_heard(self, now_ns: int) -> bool:
        """Whether the bus talks now, if only to answer."""
        return now_ns - self._heard_ns < SLEEP_NS

    def traffic(self, frames: int, now_ns: int) -> None:
        """Take frames of the car that answer nobody."""
        if not frames:
            return
        self._is_woken |= now_ns - self._heard_ns >= SILENCE_NS
        self._heard_ns = now_ns
        if self.is_asking:
            return
        self._window_frames += frames
        if now_ns - self._window_ns >= SILENCE_NS:
            count, self._window_frames, self._window_ns = self._window_frames, 0, now_ns
            quietest = count if self._quietest is None else min(self._quietest, count)
            self._quietest = quietest
            self._is_woken |= count >= max(LIVELY * quietest, quietest + LIVELIER_FRAMES)
        rested_ns = now_ns - self.stopped_ns
        if self._is_woken and rested_ns >= self._wait_ns():
            self._begin(now_ns)
        elif self._may_look and rested_ns >= LOOK_AGAIN_NS:
            self._look(now_ns)

    def answer(self, data: Mapping[int, bytes], now_ns: int) -> None:
        """Take an answer; `data` are the PIDs in it."""
        self._heard_ns = now_ns
        is_used = any(data.get(ENGINE_SPEED_PID, b"")) or any(data.get(SPEED_PID, b""))
        for pid in TELLING & data.keys():
            is_used |= self._is_beyond(pid, data[pid])
        if is_used:
            self._live(now_ns)
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
            if not self.is_asking:
                self._begin(now_ns)
            self._live(now_ns)

    def check(self, now_ns: int, unanswered: int) -> bool:
        """Whether the car may be asked now, after so many questions without an answer."""
        if not self.is_asking:
            return False
        if now_ns - self._heard_ns >= SILENCE_NS and unanswered >= UNANSWERED:
            self._stop("the bus is silent", now_ns, is_silent=True)
        elif now_ns - self._alive_ns >= IGNITION_NS:
            self._stop("the ignition seems to be off", now_ns, may_look=True)
        return self.is_asking

    def _live(self, now_ns: int) -> None:
        """Take a sign that the car is in use."""
        self._alive_ns, self._is_alive = now_ns, True

    def _is_beyond(self, pid: int, data: bytes) -> bool:
        """Whether a value is more than all that was said of it; the charge also: less."""
        low, high = self._ranges.setdefault(pid, (data, data))
        self._ranges[pid] = min(low, data), max(high, data)
        return data > high or (pid == CHARGE_PID and data < low)

    def _wait_ns(self) -> int:
        """How long a bus that wakes waits to be asked, by how often that showed nothing."""
        if self._fruitless < 2:
            return 0
        return min(LOOK_AGAIN_NS, FRUITLESS_NS << min(self._fruitless - 2, 16))

    def _stop(
        self, reason: str, now_ns: int, *, is_silent: bool = False, may_look: bool = False
    ) -> None:
        self.is_asking, self.reason = False, reason
        self.is_silent, self._may_look = is_silent, may_look
        self._fruitless = 0 if self._is_alive else self._fruitless + 1
        self._is_woken = False
        self.stopped_ns = now_ns
        self._window_ns, self._window_frames, self._quietest = now_ns, 0, None

    def _begin(self, now_ns: int) -> None:
        self._ranges.clear()
        self.is_looking = False
        self._ask(now_ns, now_ns)

    def _look(self, now_ns: int) -> None:
        """Ask for a moment only, unless it shows that the car was used since."""
        self.is_looking = True
        self._ask(now_ns, now_ns - IGNITION_NS + LOOK_NS)

    def _ask(self, now_ns: int, alive_ns: int) -> None:
        self.is_asking, self.reason, self.is_silent = True, "", False
        self._heard_ns, self._alive_ns, self._is_alive = now_ns, alive_ns, False
        self._low_since_ns = None
