"""What carrying out a command needs to know of the car and the time (pure)."""

from dataclasses import dataclass
from typing import Protocol

from gateway.actuators import CommandMessage
from gateway.encoding import Refusal
from gateway.feedback import Feedback
from internetcar.contract.message import Value


@dataclass(frozen=True, slots=True)
class Moment:
    """Now, in both clocks."""

    now_ns: int
    """Monotonic."""
    wall_ns: int
    """UTC since 1970."""
    is_trusted: bool
    """Whether the wall clock is one that others share."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What tells frames before a send from those after it."""

    wall_ns: int
    frames: int
    """How many frames of the feedback's message had come."""


class World(Protocol):
    """The car as it is now, and the way to its buses."""

    def value_of(self, path: str) -> Value:
        """A leaf's value before pacing; raises `NoValueError` where it is not fresh and valid."""

    def frames_of(self, feedback: Feedback) -> int:
        """How many frames of the feedback's message have come."""

    def shown(self, feedback: Feedback, sent: Sent) -> Value:
        """What a frame that came after `sent` shows; `None` while there is none."""

    def payload_of(self, message: CommandMessage) -> bytes | None:
        """The newest payload that another node sent of this message."""

    def is_sent_by_others(self, message: CommandMessage) -> bool:
        """Whether another node was seen sending this message."""

    def why_not_send(self, message: CommandMessage) -> Refusal | None:
        """Why the bus of a message takes no frame now."""

    def send(self, message: CommandMessage, payload: bytes) -> int:
        """Send one frame; UTC nanoseconds at which it was sent. Raises Refusal."""
