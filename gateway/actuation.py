"""Commands as they come: who may, when, what, and whether it is new (pure).

accepted → sent → confirmed | timeout | rejected. What is accepted waits until it is on disk, then
its frame is sent (`execution.py`); nothing is ever sent twice. Time is an argument.
"""

from collections.abc import Callable, Collection, Mapping

from gateway.actuators import Actuator
from gateway.encoding import Refusal
from gateway.execution import SECOND_NS, Executions, Running, in_words
from gateway.ledger import Ledger, Outcome, Report
from gateway.requests import Key, Request
from gateway.targets import leaf_value
from gateway.throttle import Throttle
from gateway.world import Moment, World

LONGEST_LIFETIME_NS = 60 * SECOND_NS
LIFETIME_NS = 10 * SECOND_NS
"""Of a command that does not say when it expires, from its receipt."""
MOST_WAITING = 100
"""Accepted commands that are not sent yet: so many at most, also while the disk does not answer."""
_REQUESTER_BURST = 20
_UNREAD = {
    "not_allowed", "retained", "malformed", "id_conflict", "expired", "lifetime",
    "clock_unsynchronized",
}  # fmt: skip
"""Refusals that say nothing of the command by this id: another packet of it may still come."""


class Actuation:
    """The commands of one vehicle."""

    def __init__(
        self,
        world: World,
        known: Callable[[Key], Outcome | None],
        requester_rate_hz: float = 10.0,
    ) -> None:
        """Begin without an actuator.

        Args:
            world: The car and its buses.
            known: What is remembered of a command, beyond the most recent.
            requester_rate_hz: How many commands one requester may give a second, in the long run.
        """
        self._ledger = Ledger(known)
        self._executions = Executions(world, self._ledger)
        self._actuators: Mapping[str, Actuator] = {}
        self._allowed: Mapping[str, Collection[str]] = {}
        self._requester_rate_hz = requester_rate_hz
        self._requesters = _throttle(requester_rate_hz, _REQUESTER_BURST)
        self._paths: dict[str, Throttle] = {}

    def take_reports(self) -> list[Report]:
        """What is to be said and written down since the last call, in order.

        An `accepted` one is answered by `durable` or `failed`.
        """
        reports = list(self._ledger.reports)
        self._ledger.reports.clear()
        return reports

    @property
    def is_busy(self) -> bool:
        """Whether a command is under way, or something is to be said."""
        return bool(self._executions.count or self._ledger.reports)

    @property
    def next_due_ns(self) -> int | None:
        """When `advance` has something to do without a frame that comes; `None`: never."""
        return self._executions.next_due_ns

    def use(
        self,
        actuators: Mapping[str, Actuator],
        allowed: Mapping[str, Collection[str]],
        moment: Moment,
    ) -> None:
        """Take other actuators, by path, and which requester may set which of them.

        What is under way with a command that is gone, or is another now, ends.
        """
        for running in self._executions:
            path, requester = running.actuator.path, running.request.requester
            follower = actuators.get(path)
            is_same = follower is not None and follower.rule == running.actuator.rule
            if follower is None or not is_same or path not in allowed.get(requester, ()):
                self._executions.end(running, "withdrawn", moment)
            else:
                running.actuator = follower
        self._paths = {path: self._throttle_of(actuator) for path, actuator in actuators.items()}
        self._actuators, self._allowed = actuators, allowed

    def receive(self, request: Request, moment: Moment) -> None:
        """Judge one command as it comes."""
        try:
            self._judge(request, moment)
        except Refusal as refusal:
            is_new = refusal.reason not in _UNREAD
            reason, detail = refusal.reason, refusal.detail
            self._ledger.say(request, "rejected", moment, reason, detail, is_new=is_new)

    def durable(self, key: Key, moment: Moment) -> None:
        """An accepted command is on disk: send it, if it still may be."""
        self._executions.durable(key, moment)

    def failed(self, key: Key, moment: Moment) -> None:
        """An accepted command cannot be written down: it is not sent."""
        self._executions.failed(key, moment)

    def advance(self, moment: Moment) -> None:
        """See what the feedback shows, repeat what is held, and end what is over."""
        self._executions.advance(moment)

    def end_all(self, reason: str, moment: Moment) -> None:
        """End everything that is under way: the gateway goes, or another took its place."""
        for running in self._executions:
            self._executions.end(running, reason, moment)

    def _judge(self, request: Request, moment: Moment) -> None:
        actuator = self._allowed_actuator(request)
        if request.retained:
            raise Refusal("retained", "a command is not retained: publish it without `retain`")
        if request.problem is not None:
            raise Refusal("malformed", request.problem)
        if request.has_id and (outcome := self._ledger.outcome(request.key)) is not None:
            if outcome.digest != request.digest:
                raise Refusal("id_conflict", f"{request.id} was used for another command")
            self._ledger.repeat(request, outcome, moment)
            return
        deadline_ns = _deadline_ns(request, moment)
        if actuator.command.momentary and not request.has_id:
            raise Refusal("id_required", f"{request.path} is a push: give the command an `id`")
        if request.value is None:
            self._release(request, moment)
            return
        value = leaf_value(actuator.rule, request.value, actuator.low, actuator.high)
        raw = actuator.to_raw(value)
        running = Running(request, actuator, raw, actuator.expected(value, raw), deadline_ns)
        self._executions.need_condition(actuator)
        self._need_rate(request, moment)
        self._executions.need_bus(actuator)
        payload = self._executions.compose(running)
        if request.dry_run:
            self._ledger.say(request, "checked", moment, None, in_words(actuator.message, payload))
        else:
            self._count_rate(request, moment)
            self._executions.accept(running, moment)

    def _allowed_actuator(self, request: Request) -> Actuator:
        path, requester = request.path, request.requester
        actuator = self._actuators.get(path)
        if actuator is None or not actuator.command.allow:
            raise Refusal("not_allowed", f"{path} is nothing that the mapping lets be set")
        if path not in self._allowed.get(requester, ()):
            raise Refusal(
                "not_allowed",
                f"the gateway's settings do not let {requester[:36]} set {path}",
            )
        return actuator

    def _release(self, request: Request, moment: Moment) -> None:
        held = [
            running
            for running in self._executions
            if running.actuator.path == request.path
            and (running.is_holding or running.state == "accepted")
        ]
        if not held:
            raise Refusal("not_held", f"nothing holds {request.path}")
        if request.dry_run:
            self._ledger.say(request, "checked", moment, None, "would let go")
            return
        for running in held:
            self._executions.end(running, "released", moment)
        self._ledger.say(request, "released", moment)

    def _throttle_of(self, actuator: Actuator) -> Throttle:
        """An actuator's rate: what it was asked so far counts, as long as the limit is the same."""
        hz = actuator.command.rate_limit_hz
        former = self._actuators.get(actuator.path)
        is_same = former is not None and former.command.rate_limit_hz == hz
        return self._paths[actuator.path] if is_same else _throttle(hz)

    def _need_rate(self, request: Request, moment: Moment) -> None:
        now_ns = moment.now_ns
        if self._executions.waiting >= MOST_WAITING:
            raise Refusal("busy", f"{MOST_WAITING} commands wait for the disk")
        if not self._paths[request.path].has(None, now_ns):
            hz = self._actuators[request.path].command.rate_limit_hz
            raise Refusal("rate_limited", f"{request.path}: at most {hz:g} a second")
        if not self._requesters.has(request.requester, now_ns):
            raise Refusal(
                "rate_limited",
                f"{request.requester}: at most {self._requester_rate_hz:g} commands a second",
            )

    def _count_rate(self, request: Request, moment: Moment) -> None:
        self._paths[request.path].take(None, moment.now_ns)
        self._requesters.take(request.requester, moment.now_ns)


def _throttle(rate_hz: float, least: float = 1.0) -> Throttle:
    """A tenth of a second's commands may come together, and at least so many."""
    return Throttle(max(least, rate_hz / 10), rate_hz)


def _deadline_ns(request: Request, moment: Moment) -> int:
    """Until when a command may be sent, in the monotonic clock."""
    if request.expires_at_ns is None:
        deadline_ns = request.received_ns + LIFETIME_NS
    else:
        if not moment.is_trusted:
            raise Refusal(
                "clock_unsynchronized",
                "the gateway's clock is not set: send no `expires_at`, or set `trust_clock`",
            )
        left_ns = request.expires_at_ns - moment.wall_ns
        if left_ns > LONGEST_LIFETIME_NS:
            raise Refusal("lifetime", "`expires_at` is more than 60 s ahead")
        deadline_ns = moment.now_ns + left_ns
    if moment.now_ns > deadline_ns:
        raise Refusal("expired", "its time was over when it came")
    return deadline_ns
