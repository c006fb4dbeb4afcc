"""Which rule is due now (pure).

The same events at the same moments give the same answers.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from internetcar.contract.drone_methods import FlightTask
from services.drone.moment import Moment
from services.drone.rules.conditions import Holds, Inputs, look, paths_of
from services.drone.rules.settings import RENDEZVOUS, RuleSettings
from services.drone.rules.signals import Truth
from services.drone.view import View

HOUR_MS, DAY_MS = 3_600_000, 86_400_000


@dataclass(frozen=True, slots=True)
class Due:
    """A rule wants its task flown, once for what happened."""

    rule: str
    task: str
    because: str
    """What holds, in words."""
    data: FlightTask | None
    """`None`: nothing is launched, the drone that is out is called back."""
    tid: str
    """From the rule and the car's instant: the same happening has the same one for ever."""
    since_ms: int
    """UTC of that instant."""


@dataclass(slots=True)
class _Row:
    """What is remembered of one rule; `conditions` and `false_s` not beyond a restart."""

    since_ms: int | None = None
    """Of the happening that goes on; `None`: there is none."""
    last_ms: int = 0
    """Of the last happening: no later one has its id."""
    has_fired: bool = False
    starts_ms: list[int] = field(default_factory=list)
    """When its task was started in the last day."""
    driven_ms: dict[str, int] = field(default_factory=dict)
    false_s: float | None = None
    conditions: dict[str, dict[str, Any]] = field(default_factory=dict)


class RuleBook:
    """All rules, what they remember, and which is due."""

    def __init__(
        self, rules: Mapping[str, RuleSettings], memory: Mapping[str, Any] | None = None
    ) -> None:
        """Begin, or go on after a restart.

        What must hold for a time must hold for it again after a restart: nobody watched.

        Args:
            rules: By name, as a field of `RuleTable` gives them.
            memory: What `memory` was before the restart; what is not so is forgotten.
        """
        self._rules = dict(rules)
        known = memory or {}
        self._rows = {name: _restored(known.get(name)) for name in self._rules}

    @property
    def memory(self) -> dict[str, Any]:
        """What must be on disk before a due rule is acted on; JSON values only."""
        return {name: _kept(row) for name, row in self._rows.items()}

    def turn(self, view: View, now: Moment, *, is_out: bool = False) -> list[Due]:
        """The rules that became due; call it with every turn, at least once a second.

        Args:
            view: What is known.
            now: This moment.
            is_out: The drone is away on a task from which a rendezvous may call it back.
        """
        found = []
        for name, rule in self._rules.items():
            if not rule.enabled or not rule.when:
                continue
            row = self._rows[name]
            if rule.task == RENDEZVOUS and not is_out:
                row.since_ms, row.has_fired, row.conditions = None, False, {}
                continue
            is_true, holds = _looked(rule, row, Inputs(view, now, rule.max_age_s))
            _follow(rule, row, is_true, holds, now)
            if is_true and not row.has_fired and not _hindrance(name, rule, row, now):
                row.has_fired = True
                row.starts_ms.append(now.utc_ms)
                found.append(_due(name, rule, row, holds))
        return found

    def refusal(self, task: str, now: Moment) -> str:
        """Why a request must not start a task now, in words; empty: it may.

        A request waits for no cooldown. A task without a rule, such as `hover`, is free.
        """
        found = [(name, rule) for name, rule in self._rules.items() if rule.task == task]
        found.sort(key=lambda row: not row[1].enabled)
        reasons = [_refused(name, rule, self._rows[name], now) for name, rule in found]
        return reasons[0] if reasons and all(reasons) else ""

    def started(self, task: str, now: Moment) -> None:
        """A request started a task: it counts for the limits of its rules."""
        for name, rule in self._rules.items():
            if rule.task == task:
                self._rows[name].starts_ms.append(now.utc_ms)


def paths(rules: Mapping[str, RuleSettings]) -> set[str]:
    """The VSS paths that the rules read."""
    used = [rule.when for rule in rules.values() if rule.enabled]
    return {path for when in used for condition in when for path in paths_of(condition)}


def _looked(rule: RuleSettings, row: _Row, inputs: Inputs) -> tuple[Truth, list[Holds]]:
    """Whether all conditions hold; one that does not is enough to know that they do not."""
    found = []
    for index, condition in enumerate(rule.when):
        key = str(index)
        before = row.conditions.get(key)
        if before is None:
            driven_ms = row.driven_ms.get(key)
            before = {"inner": {"driven_ms": driven_ms}} if driven_ms is not None else {}
        holds, row.conditions[key] = look(condition, before, inputs)
        driven_ms = row.conditions[key].get("inner", {}).get("driven_ms")
        if driven_ms is not None:
            row.driven_ms[key] = driven_ms
        found.append(holds)
    if any(holds.is_true is False for holds in found):
        return False, found
    return (None if any(holds.is_true is None for holds in found) else True), found


def _follow(rule: RuleSettings, row: _Row, is_true: Truth, holds: list[Holds], now: Moment) -> None:
    """Where a happening begins and where it is over; what is not known changes neither."""
    if is_true is False:
        row.false_s = now.s if row.false_s is None else row.false_s
        if now.s - row.false_s >= rule.rearm_s:
            row.since_ms, row.has_fired = None, False
        return
    row.false_s = None
    if is_true and row.since_ms is None:
        since_ms = max(each.since_ms for each in holds)
        row.since_ms = row.last_ms = max(since_ms, row.last_ms + 1)


def _hindrance(name: str, rule: RuleSettings, row: _Row, now: Moment) -> str:
    last_ms = row.starts_ms[-1] if row.starts_ms else None
    if last_ms is not None and abs(now.utc_ms - last_ms) < rule.cooldown_s * 1000:
        return f"{name} waits {rule.cooldown_s:.0f} s from one time to the next"
    return _refused(name, rule, row, now)


def _refused(name: str, rule: RuleSettings, row: _Row, now: Moment) -> str:
    if not rule.enabled:
        return f"the rule {name} is not enabled"
    row.starts_ms = [ms for ms in row.starts_ms if abs(now.utc_ms - ms) < DAY_MS]
    hour = sum(1 for ms in row.starts_ms if abs(now.utc_ms - ms) < HOUR_MS)
    if hour >= rule.limits.per_hour:
        return f"{name} was flown {hour} times in an hour; the limit is {rule.limits.per_hour}"
    if len(row.starts_ms) >= rule.limits.per_day:
        limit = rule.limits.per_day
        return f"{name} was flown {len(row.starts_ms)} times in a day; the limit is {limit}"
    return ""


def _due(name: str, rule: RuleSettings, row: _Row, holds: list[Holds]) -> Due:
    assert row.since_ms is not None, "a rule that is true has begun to be"
    because = ", ".join(each.words for each in holds)
    data = None
    if rule.task != RENDEZVOUS:
        data = FlightTask(task=rule.task, points=rule.points, duration_s=rule.duration_s)
    return Due(name, rule.task, because, data, f"rule:{name}:{row.since_ms}", row.since_ms)


def _kept(row: _Row) -> dict[str, Any]:
    return {
        "since_ms": row.since_ms,
        "last_ms": row.last_ms,
        "has_fired": row.has_fired,
        "starts_ms": list(row.starts_ms),
        "driven_ms": dict(row.driven_ms),
    }


def _restored(memory: object) -> _Row:
    if not isinstance(memory, Mapping):
        return _Row()
    since, starts, driven = (memory.get(key) for key in ("since_ms", "starts_ms", "driven_ms"))
    return _Row(
        since_ms=since if _is_instant(since) else None,
        last_ms=memory["last_ms"] if _is_instant(memory.get("last_ms")) else 0,
        has_fired=memory.get("has_fired") is True,
        starts_ms=[ms for ms in starts if _is_instant(ms)] if isinstance(starts, list) else [],
        driven_ms={str(key): ms for key, ms in driven.items() if _is_instant(ms)}
        if isinstance(driven, Mapping)
        else {},
    )


def _is_instant(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 53
