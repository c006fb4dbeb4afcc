"""The command way: from the broker's topics to the buses, and every state back and on disk."""

import logging
import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime

from gateway.actuation import Actuation
from gateway.assembly import Assembly
from gateway.audit import Audit
from gateway.encoding import Refusal
from gateway.inbox import Inbox
from gateway.ledger import Outcome, Report
from gateway.live_world import LiveWorld
from gateway.outbox import StorageError
from gateway.requests import Key, read_request
from gateway.throttle import Throttle
from gateway.world import Moment
from internetcar.contract.commands import Command, CommandAnswer, CommandStatus
from internetcar.contract.delivery import Outcome as Sending
from internetcar.contract.link import Link
from internetcar.contract.message import ContractError
from internetcar.contract.subscriptions import Received

log = logging.getLogger(__name__)

_AT_ONCE = 32
"""Packets read in one turn of the loop, so that a flood does not hold up the frames."""
_MOST_UNSAID = 1_000
_UNSAID_S = 60.0
"""A state that could not be said for so long interests nobody any more."""


class Commander:
    """Hears commands, has them judged and carried out, says and writes down what becomes of them.

    `hear` and the audit's news come in other threads; everything else belongs to the loop.

    Args:
        link: Not running yet.
        vehicle_id: Whose commands.
        audit: Not started yet.
        world: The car.
        inbox: Where the link's thread puts what it hears.
        journal: Of this run; the ids of commands that bring none begin with it.
        requester_rate_hz: Commands a second of one requester.
        now_ns: The monotonic clock.
    """

    def __init__(
        self,
        link: Link,
        vehicle_id: str,
        audit: Audit,
        world: LiveWorld,
        inbox: Inbox,
        journal: str,
        requester_rate_hz: float,
        now_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self.refused = 0
        """Commands that were refused since the start, said so or not."""
        self._link = link
        self._vehicle_id = vehicle_id
        self._audit = audit
        self._world = world
        self._inbox = inbox
        self._journal = journal[:12]
        self._now_ns = now_ns
        self._actuation = Actuation(world, self._known, requester_rate_hz)
        self._count = 0
        self._is_mute = False
        self._accepted: dict[Key, Report] = {}
        self._under_way: set[Key] = set()
        self._unsaid: deque[tuple[float, str, bytes, bytes | None]] = deque(maxlen=_MOST_UNSAID)
        self._refusals = Throttle(burst=50, per_s=20)
        self._warnings = Throttle(burst=1, per_s=1 / 60)
        link.on_received(
            Command.filter(vehicle_id=vehicle_id), self._hear, qos=Command.QOS, tells_retain=True
        )

    @property
    def is_idle(self) -> bool:
        """Whether `turn` would do nothing; it costs next to nothing to ask."""
        return not (
            self._unsaid
            or self._inbox.has_any
            or self._audit.written
            or self._audit.unwritten
            or self._actuation.is_busy
        )

    @property
    def next_due_ns(self) -> int | None:
        """When `turn` has something to do of itself, by the monotonic clock."""
        return self._actuation.next_due_ns

    def start(self, moment: Moment) -> None:
        """Begin to write the audit; what an earlier run left without an end has timed out."""
        self._audit.start()
        try:
            unfinished = self._audit.unfinished(moment.wall_ns)
        except StorageError as error:
            log.error("%s: what was under way before is not known", error)  # noqa: TRY400 # no bug
            return
        for report in unfinished:
            self._audit.append(report)
            self._say(report)

    def use(self, assembly: Assembly, moment: Moment) -> None:
        """Take the actuators of an assembly, and who may set which of them."""
        self._world.use(assembly)
        self._inbox.know(assembly.allowed.keys())
        self._actuation.use(assembly.actuators, assembly.allowed, moment)
        self._settle()

    def turn(self, moment: Moment, *, is_mute: bool = False) -> None:
        """Take what came, carry out what is due, and say what is new.

        Args:
            moment: Now.
            is_mute: Another gateway speaks for the vehicle: leave all commands to it.
        """
        if is_mute and not self._is_mute:
            self._actuation.end_all("taken_over", moment)
        self._is_mute = is_mute
        for waiting in self._inbox.take(_AT_ONCE):
            if not is_mute:
                self._receive(waiting.received, waiting.received_ns, moment)
        self._settle()
        while self._audit.written:
            key = self._audit.written.popleft()
            if accepted := self._accepted.pop(key, None):
                self._say(accepted)
            self._actuation.durable(key, moment)
        while self._audit.unwritten:
            key = self._audit.unwritten.popleft()
            self._accepted.pop(key, None)
            self._actuation.failed(key, moment)
        self._actuation.advance(moment)
        self._settle()
        self._pump()
        self._clear()

    def stop(self, moment: Moment) -> None:
        """End what is under way, and write down what waits."""
        self._actuation.end_all("shutdown", moment)
        self._settle()
        self._pump()
        self._audit.close()

    def problem(self) -> str | None:
        """What a person should know; `None` while all is well."""
        return "the command audit cannot be written to disk" if self._audit.is_failing else None

    @property
    def refused_in_all(self) -> int:
        """Commands refused since the start, those that a flood lost without a word included."""
        return self.refused + self._inbox.dropped

    def _known(self, key: Key) -> Outcome | None:
        """What the audit remembers of a command.

        Raises:
            Refusal: It cannot be read, so nobody knows whether the command is new.
        """
        try:
            return self._audit.outcome(key)
        except StorageError as error:
            raise Refusal("audit", "the audit cannot be read") from error

    def _hear(self, received: Received) -> None:
        self._inbox.put(received, self._now_ns())

    def _receive(self, received: Received, received_ns: int, moment: Moment) -> None:
        if not received.payload:
            return  # somebody cleared a retained command
        self._count += 1
        try:
            request = read_request(received, f"{self._journal}-{self._count}", received_ns)
        except ContractError:
            log.debug("not a command topic: %r", received.topic[:200])
            return
        self._actuation.receive(request, moment)

    def _settle(self) -> None:
        """Write down and say what is new; a flood of refusals is said in part."""
        for report in self._actuation.take_reports():
            if report.state == "rejected":
                self.refused += 1
                if not self._is_heard(report):
                    continue
            if report.reason == "not_allowed":
                self._warn(report)  # whoever may set nothing does not fill the audit
            elif not report.is_repeated:
                self._audit.append(report)
            if report.state == "accepted" and not report.is_repeated:
                self._under_way.add(report.request.key)
                self._accepted[report.request.key] = report  # said once it is on disk
                continue
            if report.final and self._is_end(report):
                self._under_way.discard(report.request.key)
                self._accepted.pop(report.request.key, None)
            self._say(report)

    def _is_heard(self, report: Report) -> bool:
        """Whether a refusal is said: the end of what was accepted always, a flood in part."""
        request = report.request
        return self._is_end(report) or self._refusals.take(request.requester, request.received_ns)

    def _is_end(self, report: Report) -> bool:
        """Whether it ends an accepted command, and is not about another packet with its id."""
        is_other = report.reason in ("not_allowed", "retained", "id_conflict")
        return report.request.key in self._under_way and not is_other

    def _warn(self, report: Report) -> None:
        request = report.request
        if self._warnings.take(request.requester, request.received_ns):
            log.warning("refused: %r wants to set %r", request.requester, request.path)

    def _say(self, report: Report) -> None:
        request = report.request
        fields = {
            "vehicle_id": self._vehicle_id,
            "id": None if request.problem else request.id,
            "requester": request.requester,
            "path": request.path,
            "state": report.state,
            "final": report.final,
            "reason": report.reason,
            "detail": report.detail,
            "value": request.value,
            "at": datetime.fromtimestamp(report.at_ns // 1_000_000 / 1000, UTC),
        }
        now_s = self._now_ns() / 1e9
        try:
            status = CommandStatus.model_validate(fields)
        except ValueError:  # the topic's requester or path is none: nobody could read an answer
            return
        self._unsaid.append((now_s, status.topic, status.encode(), None))
        if request.answer_to is not None:
            answer = CommandAnswer.model_validate(fields)
            self._unsaid.append((now_s, request.answer_to, answer.encode(), request.correlation))

    def _clear(self) -> None:
        """Take retained commands from the broker, also those that were dropped unread."""
        while self._link.is_connected and (topic := self._inbox.take_retained()) is not None:
            said = self._link.publish_bytes(topic, b"", retain=True)
            if said.outcome in (Sending.FULL, Sending.LOST):
                self._inbox.note_retained(topic)
                return

    def _pump(self) -> None:
        while self._unsaid and self._link.is_connected:
            since_s, topic, payload, correlation = self._unsaid[0]
            if self._now_ns() / 1e9 - since_s <= _UNSAID_S:
                said = self._link.publish_bytes(topic, payload, correlation=correlation)
                if said.outcome in (Sending.FULL, Sending.LOST):
                    return
            self._unsaid.popleft()
