"""Which leaf shows whether a command did what it should, and how closely (pure)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from gateway.expression import compile_formula
from gateway.mapping import BoundLeaf, SignalLike
from gateway.mapping_rules import Command, Confirm, LeafRule
from gateway.targets import slope
from gateway.vss import integer_range


class PlacedSignal(SignalLike, Protocol):
    """A signal whose frame is known."""

    @property
    def can_id(self) -> int:
        """Of its frame, with bit 31 set when that has 29 bits."""


@dataclass(frozen=True, slots=True)
class Feedback:
    """The leaf that shows whether a command did what it should."""

    path: str
    leaf: int
    tolerance: float


def find_feedback(
    rule: LeafRule,
    command: Command,
    own: tuple[int, int],
    signals: Sequence[PlacedSignal],
    heard: Mapping[str, tuple[int, BoundLeaf]],
    step: float | None,
    warnings: list[str],
) -> Feedback | None:
    """The leaf that confirms a command; `None` where nothing on the buses does.

    Args:
        rule: The commanded leaf's.
        command: What the mapping says of the command.
        own: Bus and `can_id` of the message the command is sent in, which proves nothing.
        signals: Of all buses.
        heard: Index and binding of each leaf that is heard, by path.
        step: Smallest step of the wanted number, in the leaf's unit.
        warnings: Gets what is probably not meant.
    """
    confirm = command.confirm
    if confirm == "":
        return None
    given = confirm if isinstance(confirm, Confirm) else Confirm(path=confirm)
    path = given.path or rule.path
    if path not in heard:
        if given.path is not None:
            warnings.append(f"{rule.path}: confirm: {path} is not heard here; never confirmed")
        return None
    leaf, bound = heard[path]
    signal = signals[bound.signal_index]
    if (signal.bus, signal.can_id) == own:
        return None
    tolerance = given.tolerance
    if tolerance is None:
        is_converted = command.transform is not None
        tolerance = max(_feedback_step(bound, signal), (step or 0.0) * is_converted) / 2
    return Feedback(path, leaf, tolerance)


def _feedback_step(bound: BoundLeaf, signal: SignalLike) -> float:
    source = bound.rule.source
    transform = source.transform if source else None
    if transform is not None and transform.mapping is not None:
        return 0.0
    step = abs(float(signal.scale))
    if transform is not None and transform.math is not None:
        step *= slope(compile_formula(transform.math))
    return max(step, 1.0) if integer_range(bound.rule.datatype) else step
