"""What there is to ask a car over OBD-II, and how often each is worth asking (pure)."""

from dataclasses import dataclass

from gateway.obd import CURRENT, VEHICLE, Answer, Codes, Current, Vehicle
from gateway.obd_pids import BY_PID, STATUS_PID
from gateway.obd_rest import TELLING, TELLING_NS

SECOND_NS = 1_000_000_000
PERIODS_NS = {"fast": SECOND_NS // 2, "medium": 5 * SECOND_NS, "slow": 60 * SECOND_NS}
STATUS_NS, CODES_NS, VIN_NS = 30 * SECOND_NS, 300 * SECOND_NS, 3_600 * SECOND_NS
ANSWER_NS = SECOND_NS // 2
"""So long an answer may take: ISO 15031-5 says 50 ms, an adapter on Bluetooth needs more."""
PENDING_NS = 5 * SECOND_NS
"""ISO 15765-4, P2*: the answer is promised within so long, ..."""
MAX_PENDING = 4
"""... and the promise may be repeated so often."""
MAX_CONTROLLERS = 8
"""ISO 15765-4: so many answer a question to all."""
MAX_FAILURES = 3
"""A PID that fails so often in a row is not asked for again before the next discovery."""
UNANSWERED_NS = 2 * SECOND_NS
"""Between two questions where nobody answered the last three."""
OTHER_TESTER_NS = 3 * SECOND_NS
"""So long we wait after somebody else asked: answers would cross. Less than a silence."""
STALE_PERIODS = 10
NEVER_NS = 1 << 62


Key = tuple[int, int | None]
"""A service, and what of it is asked: a PID, or service 09's kind."""


@dataclass(slots=True)
class Task:
    """A question, and when it is asked next. `period_ns` 0: until it is answered once."""

    due_ns: int
    period_ns: int
    answer_id: int | None = None
    """Of the controller asked; None: all."""
    failures: int = 0


@dataclass(slots=True)
class Asked:
    """The question in flight."""

    key: Key
    deadline_ns: int
    is_refused: bool = False
    promises: int = 0


def period_ns(key: Key) -> int:
    """How often a question is asked: a PID as often as its quickest leaf wants; 0: once."""
    service, item = key
    if service != CURRENT or item is None:
        return VIN_NS if service == VEHICLE else CODES_NS
    if item == STATUS_PID:
        return STATUS_NS
    wanted_ns = min((PERIODS_NS[leaf.pace] for leaf in BY_PID.get(item, ())), default=0)
    return min(wanted_ns, TELLING_NS) if item in TELLING else wanted_ns


def keys_of(answer: Answer) -> list[Key]:
    """The questions that an answer is for."""
    match answer:
        case Current(data):
            return [(CURRENT, pid) for pid in data]
        case Codes(service):
            return [(service, None)]
        case Vehicle(kind):
            return [(VEHICLE, kind)]
        case _:
            return []
