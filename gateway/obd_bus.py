"""OBD-II on one bus: hears who answers, tells the leaves, and asks where it may (pure)."""

from collections.abc import Mapping

from gateway.drain import FrameSink
from gateway.isotp import IsoTpReassembler, Pdu
from gateway.obd import ObdError, is_answer, is_request, physical_id
from gateway.obd_leaves import PATHS_OF, ObdLeaves
from gateway.obd_plan import SECOND_NS
from gateway.obd_poller import Frame, ObdPoller
from gateway.pipeline import Pipeline


class ObdBus:
    """One bus on which a car is asked, or on which somebody else asks it.

    Attributes:
        bus: Its index.
        poller: What asks; `None` while nothing may be asked.

    Args:
        texts: What trouble codes mean.
        requests_per_second: At most; `None` never asks, whatever happens.
    """

    def __init__(
        self, bus: int, texts: Mapping[str, str], requests_per_second: float | None = None
    ) -> None:
        self.bus = bus
        self.poller: ObdPoller | None = None
        self._requests_per_second = requests_per_second
        self._reassembler = IsoTpReassembler()
        self._leaves = ObdLeaves(texts)
        self._heard = self._traffic = 0
        self._next_look_ns = 0

    def use(self, pipeline: Pipeline, onward: FrameSink) -> None:
        """Tell this pipeline from here on.

        Args:
            pipeline: Has the leaves.
            onward: Takes the frames that are no answers, and those that a database knows too.
        """
        self._pipeline = pipeline
        self._onward = onward
        self._known = pipeline.decoder.messages[self.bus]

    def feed(self, bus: int, can_id: int, payload: bytes, at_ns: int) -> None:
        """Take one frame, as the sink of a drain."""
        self._heard += 1
        if physical_id(can_id) is not None:
            self._answer(can_id, payload, at_ns)
        elif is_request(can_id):
            if self.poller is not None:
                self.poller.other_tester(self._pipeline.now_ns)
        else:
            self._traffic += 1
            self._onward(bus, can_id, payload, at_ns)
            return
        if can_id in self._known:
            self._onward(bus, can_id, payload, at_ns)

    def turn(self, now_ns: int, volts: float | None, *, is_up: bool) -> list[Frame]:
        """The frames to send now, after each drain; never one where nothing may be asked.

        Args:
            now_ns: The monotonic clock.
            volts: Of the small battery, where the adapter measures it.
            is_up: Whether the bus is there; one that comes back is asked anew.
        """
        if self._heard:
            self._pipeline.freshness.hear(self.bus, now_ns)
        traffic, self._traffic, self._heard = self._traffic, 0, 0
        if not is_up or self._requests_per_second is None:
            self.poller = None
            return []
        if self.poller is None:
            self.poller = ObdPoller(now_ns, self._requests_per_second)
        poller = self.poller
        poller.traffic(traffic, now_ns)
        if volts is not None:
            poller.voltage(volts, now_ns)
        if now_ns >= self._next_look_ns:
            self._next_look_ns = now_ns + SECOND_NS
            for key in poller.overdue(now_ns):
                for path in PATHS_OF.get(key, ()):
                    self._pipeline.doubt(path)
        return poller.take(now_ns)

    @property
    def next_due_ns(self) -> int | None:
        """When `turn` has something to do of itself; `None` while nothing is asked."""
        poller = self.poller
        return None if poller is None or not poller.rest.is_asking else poller.next_due_ns

    @property
    def pause(self) -> str | None:
        """Why the car is not asked now, though it may be; `None` while it is."""
        return None if self.poller is None else self.poller.rest.reason or None

    def _answer(self, can_id: int, payload: bytes, at_ns: int) -> None:
        part = self._reassembler.feed(self.bus, can_id, payload, at_ns)
        if part is None:
            return
        if isinstance(part, Pdu) and not is_answer(part.payload):
            return  # of another diagnostic service, such as UDS: somebody else asked
        try:
            if self.poller is not None:
                answer = self.poller.feed(part, self._pipeline.now_ns)
                said = [] if answer is None else self._leaves.say(answer, can_id, at_ns)
            else:
                said = self._leaves.feed(part) if isinstance(part, Pdu) else []
        except ObdError:
            self._pipeline.decoder.errors[self.bus] += 1
            return
        for path, value, quality, said_ns in said:
            self._pipeline.tell(path, value, quality, said_ns)
