"""The car behind the gateway's own pipeline and buses, as carrying out commands needs it."""

from collections.abc import Callable

from typing_extensions import override

from gateway.actuators import CommandMessage
from gateway.assembly import Assembly
from gateway.bus_spec import ELM327, RAW, FrameError
from gateway.condition import NoValueError
from gateway.encoding import Refusal
from gateway.feedback import Feedback
from gateway.frames import Buses
from gateway.world import Sent, World
from internetcar.contract.message import Value


class LiveWorld(World):
    """Reads what the newest drain brought; sends through the buses.

    Args:
        buses: The present ones.
        wall_ns: UTC nanoseconds since 1970.
    """

    def __init__(self, buses: Callable[[], Buses], wall_ns: Callable[[], int]) -> None:
        self._buses = buses
        self._wall_ns = wall_ns
        self._leaf_of: dict[str, int] = {}

    def use(self, assembly: Assembly) -> None:
        """Look at this pipeline from here on."""
        self._pipeline = assembly.pipeline
        self._leaf_of = {path: leaf for leaf, path in enumerate(assembly.paths)}

    @override
    def value_of(self, path: str) -> Value:
        leaf = self._leaf_of[path]
        pipeline = self._pipeline
        value, quality = pipeline.pacer.newest(leaf)
        if quality is None:
            raise NoValueError(f"{path} was not heard yet")
        if quality != "valid":
            raise NoValueError(f"{path} is {quality}")
        if pipeline.freshness.is_silent(pipeline.message_of(leaf).bus, pipeline.now_ns):
            raise NoValueError(f"{path} is old: its bus is silent")
        if pipeline.period_ns(leaf) is None:
            raise NoValueError(f"{path} may be old: how often it comes is not known yet")
        return value

    @override
    def frames_of(self, feedback: Feedback) -> int:
        return self._pipeline.message_of(feedback.leaf).frames

    @override
    def shown(self, feedback: Feedback, sent: Sent) -> Value:
        message = self._pipeline.message_of(feedback.leaf)
        if message.frames <= sent.frames:
            return None
        # An adapter's stamps may be off by more than the time to an answer.
        is_stamped = self._buses().specs[message.bus].interface in RAW
        if is_stamped and message.last_at_ns <= sent.wall_ns:
            return None
        if not self._pipeline.says(feedback.leaf):
            return None
        value, quality = self._pipeline.pacer.newest(feedback.leaf)
        return value if quality == "valid" else None

    @override
    def payload_of(self, message: CommandMessage) -> bytes | None:
        state = self._pipeline.decoder.state(*message.key)
        return None if state is None else state.newest

    @override
    def is_sent_by_others(self, message: CommandMessage) -> bool:
        state = self._pipeline.decoder.state(*message.key)
        return state is not None and state.frames > 0

    @override
    def why_not_send(self, message: CommandMessage) -> Refusal | None:
        buses = self._buses()
        spec, counters = buses.specs[message.bus], buses.counters(message.bus)
        if not spec.transmit:
            return Refusal(
                "not_transmitting", f"bus {spec.name} only listens: set `transmit = true` for it"
            )
        if spec.interface == ELM327:
            return Refusal(
                "bus", f"bus {spec.name} is an ELM327 adapter: it asks, and sends no other frame"
            )
        if counters.state != "up":
            return Refusal("bus", f"bus {spec.name} is {counters.state}: {counters.reason}")
        if message.is_fd and not spec.fd:
            return Refusal("bus", f"bus {spec.name} is not CAN FD: set `fd = true` if it is")
        if not message.is_fd and message.definition.length > 8:
            return Refusal("bus", f"{message.definition.name} is longer than a classic frame")
        return None

    @override
    def send(self, message: CommandMessage, payload: bytes) -> int:
        try:
            self._buses().send(message.bus, message.definition.can_id, payload, message.is_fd)
        except FrameError as error:
            raise Refusal("bus", str(error)) from error
        return self._wall_ns()
