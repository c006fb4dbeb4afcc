"""Accepted commands to their end: frames, feedback, holding (pure).

A command's frame is sent once. Where the mapping says `hold_s` it is repeated in the message's
cycle, until that is over or something ends it earlier.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from gateway.actuators import Actuator, CommandMessage
from gateway.encoding import Refusal
from gateway.feedback import is_shown
from gateway.ledger import Ledger
from gateway.requests import Key, Request
from gateway.traffic import id_text
from gateway.world import Moment, Sent, World
from internetcar.contract.commands import State
from internetcar.contract.message import Scalar

SECOND_NS = 1_000_000_000


@dataclass(slots=True)
class Running:
    """A command that is not at its end, or whose frame is held."""

    request: Request
    actuator: Actuator
    raw: int
    expected: Scalar
    """What the feedback should show."""
    deadline_ns: int
    """Until when its first frame may be sent; monotonic, as the others."""
    state: State = "accepted"
    is_final: bool = False
    sent: Sent | None = None
    confirm_by_ns: int = 0
    hold_until_ns: int = 0
    next_frame_ns: int = 0

    @property
    def is_holding(self) -> bool:
        """Whether its frame is repeated."""
        return self.hold_until_ns > 0

    def says(self, seen: bytes | None) -> dict[str, int]:
        """Raw numbers by signal: its own, and the multiplexers that select it.

        Args:
            seen: The newest frame of its message that another node sent.
        """
        message, name = self.actuator.message, self.actuator.signal.name
        return {**message.composer.page(name, seen), name: self.raw}


class Executions:
    """The commands under way."""

    def __init__(self, world: World, ledger: Ledger) -> None:
        self._world = world
        self._ledger = ledger
        self._running: dict[Key, Running] = {}
        self._last: dict[tuple[int, int], tuple[bytes, bytes | None]] = {}
        """The newest frame we sent of each message, and what had been seen of others then."""

    def __iter__(self) -> Iterator[Running]:
        return iter(list(self._running.values()))

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self._running)

    @property
    def waiting(self) -> int:
        """How many are accepted and not sent yet."""
        return sum(running.state == "accepted" for running in self._running.values())

    @property
    def next_due_ns(self) -> int | None:
        """When `advance` has something to do without a frame that comes; `None`: never."""
        if not self._running:  # asked in every turn of the loop
            return None
        due = [
            due_ns
            for running in self._running.values()
            for due_ns in (running.confirm_by_ns, running.next_frame_ns)
            if due_ns
        ]
        return min(due, default=None)

    def accept(self, running: Running, moment: Moment) -> None:
        """Take a command; its frame waits for `durable`."""
        self._running[running.request.key] = running
        self._ledger.say(running.request, "accepted", moment, final=False)

    def durable(self, key: Key, moment: Moment) -> None:
        """An accepted command is on disk: send it, if it still may be."""
        running = self._running.get(key)
        if running is None or running.state != "accepted":
            return
        try:
            _need_time(running, moment)
            self.need_condition(running.actuator)
            self.need_bus(running.actuator)
            self._send(running, moment)
        except Refusal as refusal:
            self._close(running, "rejected", moment, refusal.reason, refusal.detail)

    def failed(self, key: Key, moment: Moment) -> None:
        """An accepted command cannot be written down: it is not sent."""
        running = self._running.get(key)
        if running is not None and running.state == "accepted":
            self._close(running, "rejected", moment, "audit", "the disk does not take the audit")

    def advance(self, moment: Moment) -> None:
        """See what the feedback shows, repeat what is held, and end what is over."""
        for running in self:
            if running.state == "accepted" and moment.now_ns > running.deadline_ns:
                detail = "its time was over before it was on disk"
                self._close(running, "rejected", moment, "expired", detail)
                continue
            if running.state == "sent" and not running.is_final:
                self._watch(running, moment)
            if running.is_holding:
                self._hold(running, moment)

    def end(self, running: Running, reason: str, moment: Moment, detail: str | None = None) -> None:
        """End a command early, wherever it is."""
        running.hold_until_ns = running.next_frame_ns = 0
        if running.is_final:
            self._forget(running, reason, moment, detail)
        else:
            self._close(running, "timeout", moment, reason, detail)

    def need_condition(self, actuator: Actuator) -> None:
        """Make sure that the car is as the mapping wants it.

        Raises:
            Refusal: It is not, or nobody knows.
        """
        if actuator.condition and (why := actuator.condition.why_not(self._world.value_of)):
            raise Refusal("only_when", why)

    def need_bus(self, actuator: Actuator) -> None:
        """Make sure that the frame may be put on its bus.

        Raises:
            Refusal: The bus does not take it, or another node sends this message.
        """
        message = actuator.message
        if refusal := self._world.why_not_send(message):
            raise refusal
        if self._world.is_sent_by_others(message) and not actuator.command.override:
            raise Refusal(
                "other_sender",
                f"another node on {message.bus_name} sends {message.definition.name}",
            )

    def compose(self, running: Running) -> bytes:
        """The payload of a command's frame: with it what is held in the same message.

        Raises:
            Refusal: A signal of the message has no value.
        """
        message = running.actuator.message
        seen = self._world.payload_of(message)
        wanted: dict[str, int] = {}
        for each in self._company(running):
            wanted |= each.says(seen)
        before, seen_then = self._last.get(message.key, (seen, seen))
        return message.composer.compose(wanted, seen, before if seen == seen_then else seen)

    def _company(self, running: Running) -> list[Running]:
        """A command, and those held that can be in one frame with it."""
        seen = self._world.payload_of(running.actuator.message)
        company, said = [running], running.says(seen)
        for other in self._running.values():
            if other.is_holding and other.actuator.message.key == running.actuator.message.key:
                beside = other.says(seen)
                if other is not running and beside.items() <= {**beside, **said}.items():
                    company.append(other)
                    said |= beside
        return company

    def _send(self, running: Running, moment: Moment) -> None:
        actuator, now_ns = running.actuator, moment.now_ns
        wall_ns = self._put(running, now_ns)
        for other in self:
            is_older = other is not running and other.sent is not None
            if is_older and other.actuator.target == actuator.target:
                self.end(other, "superseded", moment)
        frames = self._world.frames_of(actuator.feedback) if actuator.feedback else 0
        running.sent, running.state = Sent(wall_ns, frames), "sent"
        if actuator.command.hold_s:
            running.hold_until_ns = now_ns + int(actuator.command.hold_s * SECOND_NS)
            running.next_frame_ns = now_ns + actuator.message.cycle_ms * 1_000_000
        if actuator.feedback is None:
            self._close(running, "sent", moment, None, "nothing on the bus confirms it")
        else:
            running.confirm_by_ns = now_ns + actuator.command.timeout_ms * 1_000_000
            self._ledger.say(running.request, "sent", moment, final=False)

    def _put(self, running: Running, now_ns: int) -> int:
        """Send a frame; what else is held and in this frame has its turn with it."""
        message = running.actuator.message
        payload = self.compose(running)
        wall_ns = self._world.send(message, payload)
        self._last[message.key] = payload, self._world.payload_of(message)
        for other in self._company(running):
            if other.is_holding:
                other.next_frame_ns = now_ns + message.cycle_ms * 1_000_000
        return wall_ns

    def _watch(self, running: Running, moment: Moment) -> None:
        feedback, sent = running.actuator.feedback, running.sent
        assert feedback is not None
        assert sent is not None
        shown = self._world.shown(feedback, sent)
        if shown is not None and is_shown(running.expected, shown, feedback):
            self._close(running, "confirmed", moment)
        elif moment.now_ns >= running.confirm_by_ns:
            detail = (
                f"{feedback.path} did not show it within {running.actuator.command.timeout_ms} ms"
            )
            self.end(running, "no_feedback", moment, detail)

    def _hold(self, running: Running, moment: Moment) -> None:
        if moment.now_ns >= running.hold_until_ns:
            running.hold_until_ns = running.next_frame_ns = 0  # feedback may still come
            if running.is_final:
                self._forget(running, "over", moment)
        elif moment.now_ns >= running.next_frame_ns:
            try:
                self.need_condition(running.actuator)
                self.need_bus(running.actuator)
                self._put(running, moment.now_ns)
            except Refusal as refusal:
                self.end(running, refusal.reason, moment, refusal.detail)

    def _close(
        self,
        running: Running,
        state: State,
        moment: Moment,
        reason: str | None = None,
        detail: str | None = None,
    ) -> None:
        running.state, running.is_final, running.confirm_by_ns = state, True, 0
        self._ledger.say(running.request, state, moment, reason, detail)
        if not running.is_holding:
            del self._running[running.request.key]

    def _forget(
        self, running: Running, reason: str, moment: Moment, detail: str | None = None
    ) -> None:
        """A held frame of a command whose outcome is known is no longer sent."""
        del self._running[running.request.key]
        self._ledger.say(running.request, "ended", moment, reason, detail, is_new=False)


def _need_time(running: Running, moment: Moment) -> None:
    if moment.now_ns > running.deadline_ns:
        raise Refusal("expired", "its time was over before it could be sent")


def in_words(message: CommandMessage, payload: bytes) -> str:
    """What would be sent, for a person."""
    identifier = id_text(message.definition.can_id)
    return f"would send {identifier} {payload.hex(' ')} on {message.bus_name}"
