"""Which messages a mapping says are protected, and by which counter and checksum (pure)."""

from collections.abc import Sequence
from typing import Protocol

from pydantic import JsonValue

from gateway.checks import ALGORITHMS, CheckRule
from gateway.mapping import BoundLeaf, MappingError

_MOST_STEP, _MOST_XOR = 255, 0xFFFF_FFFF
_OTHER_NAMES = {"xor8": "xor"}
"""What the command side calls an algorithm of `checks.py`."""


class _Placed(Protocol):
    @property
    def bus(self) -> int: ...
    @property
    def can_id(self) -> int: ...


def check_rules(
    leaves: Sequence[BoundLeaf], signals: Sequence[_Placed]
) -> dict[tuple[int, int], CheckRule]:
    """The rule of each protected message by (bus, `can_id`).

    A leaf's `counter` and `checksum` speak of its whole message: one leaf that says them is enough.

    Raises:
        MappingError: A rule that cannot be, or two leaves that contradict each other.
    """
    rules: dict[tuple[int, int], CheckRule] = {}
    for leaf in leaves:
        source = leaf.rule.source
        if source is None or (source.counter is None and source.checksum is None):
            continue
        signal = signals[leaf.signal_index]
        key = (signal.bus, signal.can_id)
        rule = check_rule(leaf.path, source.counter, source.checksum)
        if rules.setdefault(key, rule) != rule:
            raise MappingError(f"{leaf.path}: another leaf of its message has another check")
    return rules


def check_rule(path: str, counter: JsonValue, checksum: JsonValue) -> CheckRule:
    """The rule that a mapping's `counter` and `checksum` spell out.

    Raises:
        MappingError: They say what cannot be; names the leaf `path`.
    """
    counting = _spelled_out(path, "counter", counter, {"signal", "step"})
    summing = _spelled_out(path, "checksum", checksum, {"signal", "rule", "final_xor"})
    named = str(summing.get("rule", "sum"))
    algorithm = _OTHER_NAMES.get(named, named)
    if algorithm not in ALGORITHMS:
        raise MappingError(f"{path}: no checksum rule {named!r}; there are {', '.join(ALGORITHMS)}")
    rule = CheckRule(
        checksum=_name(summing),
        algorithm=algorithm,
        final_xor=_number(path, "final_xor", summing.get("final_xor", 0), 0, _MOST_XOR),
        counter=_name(counting),
        step=_number(path, "step", counting.get("step", 1), 1, _MOST_STEP),
    )
    if rule.counter is not None and rule.counter == rule.checksum:
        raise MappingError(f"{path}: {rule.counter} cannot be both `counter` and `checksum`")
    return rule


def _spelled_out(path: str, key: str, said: JsonValue, known: set[str]) -> dict[str, JsonValue]:
    """The name of a signal alone is short for `{"signal": name}`."""
    if said is None:
        return {}
    spelled: dict[str, JsonValue] = said if isinstance(said, dict) else {"signal": said}
    if not isinstance(spelled.get("signal"), str) or not spelled["signal"]:
        raise MappingError(f"{path}: {key}: name its `signal`")
    if unknown := sorted(spelled.keys() - known):
        raise MappingError(f"{path}: {key}: nobody reads {unknown[0][:40]!r}")
    return spelled


def _number(path: str, key: str, value: JsonValue, least: int, most: int) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
        return value
    raise MappingError(f"{path}: `{key}` is a whole number from {least} to {most}")


def _name(said: dict[str, JsonValue]) -> str | None:
    name = said.get("signal")
    return name if isinstance(name, str) else None
