"""What to ask a car over OBD-II next, within a budget (pure; the clock is an argument).

One question is in flight at a time. It first finds out with 11-bit, then with 29-bit ids, who
answers and which PIDs there are; then it asks what is due, the most overdue first, so that a small
budget makes everything slower and starves nothing.
"""

from collections.abc import Callable
from typing import NamedTuple

from gateway.isotp import Begun, Pdu
from gateway.isotp_send import flow_control, segment
from gateway.obd import (
    BITMAPS,
    CURRENT,
    FUNCTIONAL,
    FUNCTIONAL_29,
    NOT_SUPPORTED,
    PENDING,
    RESPONSE_PENDING,
    STORED,
    VEHICLE,
    VIN,
    Answer,
    Current,
    Refusal,
    parse_answer,
    physical_id,
    request,
    supported,
)
from gateway.obd_pids import BY_PID, LENGTHS, STATUS_PID
from gateway.obd_plan import (
    ANSWER_NS,
    MAX_CONTROLLERS,
    MAX_FAILURES,
    MAX_PENDING,
    NEVER_NS,
    OTHER_TESTER_NS,
    PENDING_NS,
    SECOND_NS,
    STALE_PERIODS,
    UNANSWERED_NS,
    Asked,
    Key,
    Task,
    keys_of,
    period_ns,
)
from gateway.obd_rest import UNANSWERED, ObdRest


class Frame(NamedTuple):
    """One frame to send."""

    can_id: int
    payload: bytes


class ObdPoller:
    """Asks one car.

    Attributes:
        rest: Whether it may be asked now, and why not.
        answered: PIDs of service 01 that are asked for, and the id of who answers them.
    """

    def __init__(self, now_ns: int, requests_per_second: float = 5.0) -> None:
        """Begin with finding out who is there.

        Args:
            now_ns: A clock that only goes forward.
            requests_per_second: At most; a flow control is counted as one, and is not held up.
        """
        self.rest = ObdRest(now_ns)
        self.requests = 0
        """Questions asked since the start."""
        self._interval_ns = round(SECOND_NS / requests_per_second)
        self._next_ns = now_ns
        self._other_until_ns = now_ns
        self._is_29_bit: bool | None = None
        self._tries_29_bit = False
        self._tasks: dict[Key, Task] = {}
        self._answered_ns: dict[Key, int] = {}
        self._asked: Asked | None = None
        self._lately: tuple[int, int] = (0, now_ns)
        self._flow: list[Frame] = []
        self._let_on: set[int] = set()
        self._unanswered = 0
        self._discover(now_ns)

    @property
    def answered(self) -> dict[int, int]:
        """The PIDs of service 01 that are asked for, and the id that answers each."""
        return {
            item: task.answer_id
            for (service, item), task in self._tasks.items()
            if service == CURRENT and item is not None and task.answer_id is not None
        }

    @property
    def next_due_ns(self) -> int:
        """When `take` is to be called again, at the latest."""
        if self._asked is not None:
            return self._asked.deadline_ns
        due_ns = min(task.due_ns for task in self._tasks.values())
        return max(due_ns, self._next_ns, self._other_until_ns)

    def traffic(self, frames: int, now_ns: int) -> None:
        """Take how many frames the car sent that answer nobody."""
        self._watch(lambda: self.rest.traffic(frames, now_ns), now_ns)

    def voltage(self, volts: float, now_ns: int) -> None:
        """Take what an adapter measures at the connector."""
        self._watch(lambda: self.rest.voltage(volts, now_ns), now_ns)

    def other_tester(self, now_ns: int) -> None:
        """Take that somebody else asks on this bus."""
        self._other_until_ns = now_ns + OTHER_TESTER_NS

    def feed(self, part: Pdu | Begun, now_ns: int) -> Answer | None:
        """Take what ISO-TP put together of the frames that came; say what it answers.

        Raises:
            ObdError: It is an answer that cannot be understood.
        """
        asks = physical_id(part.can_id)
        if asks is None:
            return None
        if isinstance(part, Begun):
            self._let_go_on(part, asks, now_ns)
            return None
        answer = parse_answer(part.payload, LENGTHS)
        self._unanswered = 0
        for key in keys_of(answer):
            if period_ns(key):
                self._answered_ns[key] = now_ns
                self._given_up.discard(key)
        data = answer.data if isinstance(answer, Current) else {}
        self._watch(lambda: self.rest.answer(data, now_ns), now_ns)
        for pid, content in data.items():
            self._learn(pid, content, part.can_id, now_ns)
        self._settle(answer, now_ns)
        return answer

    def take(self, now_ns: int) -> list[Frame]:
        """The frames to send now."""
        frames, self._flow = self._flow, []
        if not self.rest.check(now_ns, self._unanswered):
            self._asked = None
            return []
        if self._asked is not None and now_ns >= self._asked.deadline_ns:
            self._fail(self._asked, now_ns)
        if self._asked is None and now_ns >= max(self._next_ns, self._other_until_ns):
            frames += self._ask(now_ns)
        return frames

    def overdue(self, now_ns: int) -> list[Key]:
        """The questions that are not answered any more: not for ten of their periods, or given up.

        Where the car is left alone because of its ignition or battery, all that is said of now;
        none while the bus sleeps, or has just fallen silent: what was said last still holds.
        """
        rest, answered = self.rest, self._answered_ns
        if not rest.is_asking:
            until_ns = -1 if rest.is_silent else rest.stopped_ns
            return [key for key in answered if key[0] == CURRENT and answered[key] <= until_ns]
        if not rest.is_heard(now_ns):
            return []
        late = [key for key in answered if now_ns - answered[key] > STALE_PERIODS * period_ns(key)]
        return [*self._given_up, *late]

    def _watch(self, event: Callable[[], None], now_ns: int) -> None:
        """Let something happen to `rest`; where asking begins in full, find out anew."""
        was_asking = self.rest.is_asking
        event()
        if self.rest.is_asking and not was_asking and not self.rest.is_looking:
            self._discover(now_ns)

    def _discover(self, now_ns: int) -> None:
        self._asked, self._unanswered = None, 0
        self._status: dict[int, int] = {}
        self._given_up: set[Key] = set()
        self._answered_ns = dict.fromkeys(self._answered_ns, now_ns)  # it slept until now
        self._tasks = {(CURRENT, 0): Task(now_ns, 0)}

    def _add(self, key: Key, now_ns: int, answer_id: int | None = None) -> None:
        known = self._tasks.setdefault(key, Task(now_ns, period_ns(key), answer_id))
        if answer_id is not None:
            known.answer_id = min(known.answer_id or answer_id, answer_id)

    def _learn(self, pid: int, content: bytes, answer_id: int, now_ns: int) -> None:
        if pid in BITMAPS:
            for each in supported(pid, content):
                if each in BITMAPS:
                    self._add((CURRENT, each), now_ns)
                elif each in BY_PID:
                    asked_of = None if each == STATUS_PID else answer_id  # each has a light
                    self._add((CURRENT, each), now_ns, asked_of)
            if not pid:
                self._is_29_bit = answer_id > 0x7FF
                for key in ((STORED, None), (PENDING, None), (VEHICLE, VIN)):
                    self._add(key, now_ns)
        elif pid == STATUS_PID:
            if self._status.get(answer_id, content[0]) != content[0]:  # codes came or went
                for key in ((STORED, None), (PENDING, None)):
                    if key in self._tasks:
                        self._tasks[key].due_ns = now_ns
            self._status[answer_id] = content[0]

    def _let_go_on(self, begun: Begun, asks: int, now_ns: int) -> None:
        """Answer a first frame, where it answers us: another tester's is not ours to answer.

        Several controllers answer one question: the second also after the first is done. Each
        is let go on once.
        """
        service, until_ns = self._lately
        is_ours = begun.start[:1] == bytes((service + 0x40,)) and now_ns < until_ns
        if is_ours and asks not in self._let_on and len(self._let_on) < MAX_CONTROLLERS:
            self._let_on.add(asks)
            self._next_ns += self._interval_ns  # it is a frame as well
            self._flow.append(Frame(asks, flow_control()))
            if self._asked is not None:
                self._asked.deadline_ns = now_ns + 2 * SECOND_NS

    def _settle(self, answer: Answer, now_ns: int) -> None:
        asked = self._asked
        if asked is None:
            return
        service = asked.key[0]
        if isinstance(answer, Refusal):
            if answer.service != service:
                return
            if answer.reason == RESPONSE_PENDING and asked.promises < MAX_PENDING:
                asked.promises += 1
                asked.deadline_ns = now_ns + PENDING_NS
                self._lately = (service, asked.deadline_ns)
            elif answer.reason in NOT_SUPPORTED:
                asked.is_refused = True
            return
        if asked.key in keys_of(answer):
            self._succeed(asked.key)

    def _succeed(self, key: Key) -> None:
        self._asked = None
        task = self._tasks[key]
        task.failures = 0
        if not task.period_ns:
            task.due_ns = NEVER_NS

    def _fail(self, asked: Asked, now_ns: int) -> None:
        self._asked = None
        task = self._tasks[asked.key]
        task.failures += not self._unanswered  # where nobody answers, it is not this PID's fault
        self._unanswered += not asked.is_refused
        if asked.key == (CURRENT, 0):
            if self._is_29_bit is None:
                self._tries_29_bit = not self._tries_29_bit
        elif asked.is_refused or task.failures >= MAX_FAILURES:
            del self._tasks[asked.key]
            self._given_up.add(asked.key)
        if self._unanswered >= UNANSWERED:
            self._next_ns = max(self._next_ns, now_ns + UNANSWERED_NS)

    def _ask(self, now_ns: int) -> list[Frame]:
        key = min(self._tasks, key=lambda each: self._tasks[each].due_ns)
        task = self._tasks[key]
        if task.due_ns > now_ns:
            return []
        task.due_ns = now_ns + task.period_ns
        self._asked = Asked(key, now_ns + ANSWER_NS)
        self._lately = (key[0], now_ns + ANSWER_NS)
        self._let_on.clear()
        self._next_ns = now_ns + self._interval_ns
        self.requests += 1
        return [Frame(self._target(task), segment(request(*key))[0])]

    def _target(self, task: Task) -> int:
        asks = None if task.answer_id is None else physical_id(task.answer_id)
        if asks is not None:
            return asks
        is_29_bit = self._tries_29_bit if self._is_29_bit is None else self._is_29_bit
        return FUNCTIONAL_29 if is_29_bit else FUNCTIONAL
