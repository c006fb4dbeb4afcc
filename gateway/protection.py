"""Which messages a mapping says are protected, and by which counter and checksum (pure)."""

from collections.abc import Sequence
from typing import Protocol

from pydantic import JsonValue

from gateway.checks import ALGORITHMS, CheckRule
from gateway.mapping import BoundLeaf, MappingError

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
    counting, summing = _spelled_out(counter), _spelled_out(checksum)
    named = str(summing.get("rule", "sum"))
    algorithm = _OTHER_NAMES.get(named, named)
    if algorithm not in ALGORITHMS:
        raise MappingError(f"{path}: no checksum rule {named!r}; there are {', '.join(ALGORITHMS)}")
    step, final_xor = counting.get("step", 1), summing.get("final_xor", 0)
    if not isinstance(step, int) or not isinstance(final_xor, int):
        raise MappingError(f"{path}: `step` and `final_xor` are whole numbers")
    return CheckRule(
        checksum=_name(path, "checksum", summing),
        algorithm=algorithm,
        final_xor=final_xor,
        counter=_name(path, "counter", counting),
        step=step,
    )


def _spelled_out(said: JsonValue) -> dict[str, JsonValue]:
    """The name of a signal alone is short for `{"signal": name}`."""
    return said if isinstance(said, dict) else {"signal": said} if said else {}


def _name(path: str, key: str, said: dict[str, JsonValue]) -> str | None:
    name = said.get("signal")
    if said and not isinstance(name, str):
        raise MappingError(f"{path}: {key}: name its `signal`")
    return name if isinstance(name, str) else None
