"""A mapping's commands meet the databases: what can be set, and how its frame is made (pure)."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Protocol

from cantools.database.can import Signal

from gateway.checks import CheckRule, CheckRuleError, Seal
from gateway.condition import Condition, ConditionError
from gateway.databases import MessageDefinition
from gateway.encoding import Composer, physical_number, said_range
from gateway.expression import ExpressionError
from gateway.feedback import Feedback, PlacedSignal, find_feedback
from gateway.layout import field_mask
from gateway.mapping import BoundLeaf, SignalLike, fitting_signals, names_of, places_of
from gateway.mapping_rules import Command, LeafRule, MappingError
from gateway.mapping_rules import Mapping as Rules
from gateway.protection import check_rule
from gateway.shared_frames import shared_frames
from gateway.targets import conversion
from gateway.vss import integer_range
from internetcar.contract.message import Scalar

DEFAULT_CYCLE_MS = 100
"""How often a held frame is sent whose database does not say its cycle."""


class MessageLike(Protocol):
    """What must be known of a message: its definition."""

    @property
    def definition(self) -> MessageDefinition:
        """As its database has it."""


@dataclass(frozen=True, slots=True)
class CommandMessage:
    """The message one or more commands are sent in."""

    bus: int
    bus_name: str
    definition: MessageDefinition
    composer: Composer
    cycle_ms: int

    @property
    def key(self) -> tuple[int, int]:
        """Bus and `can_id`."""
        return self.bus, self.definition.can_id

    @property
    def is_fd(self) -> bool:
        """Whether its frame is one of CAN FD."""
        return self.definition.source.is_fd


@dataclass(frozen=True, slots=True)
class Actuator:
    """One leaf that can be set."""

    rule: LeafRule
    command: Command
    message: CommandMessage
    signal: Signal
    to_raw: Callable[[Scalar], int]
    """A value of the leaf's datatype to the signal's raw number; raises `Refusal`."""
    low: float
    high: float
    condition: Condition | None
    feedback: Feedback | None
    step: float | None
    """Smallest step of a number one can set, in the leaf's unit."""

    @property
    def path(self) -> str:
        """The leaf's."""
        return self.rule.path

    @property
    def target(self) -> tuple[tuple[int, int], str]:
        """The signal it sets; a newer command for this signal takes an older one's place."""
        return self.message.key, self.signal.name

    def expected(self, value: Scalar, raw: int) -> Scalar:
        """What the feedback should show of a wanted value that is sent as this raw number."""
        if isinstance(value, bool | str) or self.command.transform:
            return value
        physical = physical_number(self.signal, raw)
        return int(physical) if integer_range(self.rule.datatype) else physical


@dataclass(frozen=True, slots=True)
class Actuators:
    """What a mapping's commands come to on these databases."""

    by_path: dict[str, Actuator] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    """Commands that cannot be, and what must be mended; they are left out."""
    warnings: list[str] = field(default_factory=list)


def allowed_paths(
    allow: Mapping[str, Sequence[str]], actuators: Mapping[str, Actuator], warnings: list[str]
) -> dict[str, frozenset[str]]:
    """Which leaves each requester may set: those its globs match and the mapping lets be set.

    `warnings` gets the globs that match none.
    """
    settable = [path for path, actuator in actuators.items() if actuator.command.allow]
    allowed: dict[str, frozenset[str]] = {}
    for requester, globs in allow.items():
        matched = {glob: [path for path in settable if fnmatchcase(path, glob)] for glob in globs}
        allowed[requester] = frozenset().union(*matched.values())
        warnings += [
            f"commands.allow: {requester}: {glob} matches nothing that the mapping lets be set"
            for glob, paths in matched.items()
            if not paths
        ]
    return allowed


def bind_actuators(
    mapping: Rules,
    signals: Sequence[PlacedSignal],
    bus_names: Sequence[str],
    leaves: Sequence[BoundLeaf],
    message_of: Callable[[int], MessageLike],
) -> Actuators:
    """Find each command's signal, and prepare what turns a value into its frame.

    Args:
        mapping: The rules.
        signals: Of all buses.
        bus_names: By bus.
        leaves: What is heard: conditions and feedback are about these.
        message_of: The message of a signal by its index.
    """
    found = Actuators()
    by_name = names_of(signals)
    heard = {leaf.path: (index, leaf) for index, leaf in enumerate(leaves)}
    indices: dict[str, int] = {}
    for rule in mapping.leaves.values():
        if rule.command is None:
            continue
        try:
            index = _find(rule, rule.command, signals, by_name, bus_names, found)
            if index is not None:
                indices[rule.path] = index
        except MappingError as error:
            found.errors.append(f"{mapping.name}: {rule.path}: {error}")
    keys = {path: _key(signals[index].bus, message_of(index)) for path, index in indices.items()}
    seals = _seals(mapping, keys)
    messages: dict[tuple[int, int], CommandMessage] = {}
    for path, index in indices.items():
        try:
            bus, key = signals[index].bus, keys[path]
            if key not in messages:
                definition = message_of(index).definition
                messages[key] = _message(bus, bus_names[bus], definition, seals.get(key))
            found.by_path[path] = _actuator(
                mapping.leaves[path], messages[key], signals[index], signals, heard, found
            )
        except (MappingError, CheckRuleError, ConditionError, ExpressionError) as error:
            found.errors.append(f"{mapping.name}: {path}: {error}")
    settable = found.by_path.values()
    found.warnings.extend(
        shared_frames((one.message.definition.name, one.path, one.signal) for one in settable)
    )
    return found


def _key(bus: int, message: MessageLike) -> tuple[int, int]:
    return bus, message.definition.can_id


def _find(
    rule: LeafRule,
    command: Command,
    signals: Sequence[PlacedSignal],
    by_name: Mapping[str, Sequence[int]],
    bus_names: Sequence[str],
    found: Actuators,
) -> int | None:
    fitting, elsewhere = fitting_signals(command, signals, by_name, bus_names)
    if not fitting:
        found.warnings.append(f"{rule.path}: no {elsewhere}; never set")
        return None
    if len(fitting) > 1:
        raise MappingError(
            f"vss2dbc: {command.signal} is ambiguous{places_of(fitting, signals, bus_names)};"
            " add `message` and `bus`"
        )
    return fitting[0]


def _seals(
    mapping: Rules, keys: Mapping[str, tuple[int, int]]
) -> dict[tuple[int, int], CheckRule | MappingError]:
    """How each message is protected, or why nobody knows: then no frame of it is made.

    One leaf that says it is enough for the whole message.
    """
    seals: dict[tuple[int, int], CheckRule | MappingError] = {}
    for path, key in keys.items():
        command = mapping.leaves[path].command
        if command is None or (command.counter is None and command.checksum is None):
            continue
        try:
            check = check_rule(path, command.counter, command.checksum)
        except MappingError as error:
            seals[key] = error
            continue
        former = seals.setdefault(key, check)
        if isinstance(former, CheckRule) and former != check:
            seals[key] = MappingError(
                f"vss2dbc: {path} and another leaf of its message have another `counter` or"
                " `checksum`"
            )
    return seals


def _message(
    bus: int,
    bus_name: str,
    definition: MessageDefinition,
    check: CheckRule | MappingError | None,
) -> CommandMessage:
    if isinstance(check, MappingError):
        raise check
    source = definition.source
    if len(definition.signals) != len(source.signals):
        raise MappingError(
            f"vss2dbc: {definition.name} has signals that cannot be decoded, so no frame of it"
            " is made; `car dbc lint` says which"
        )
    for signal in definition.signals:
        if field_mask(signal) >> 8 * definition.length:
            raise MappingError(
                f"vss2dbc: {signal.name} reaches beyond the {definition.length} bytes of"
                f" {definition.name}, so no frame of it is made"
            )
    seal = None if check is None else Seal(check, definition.signals)
    return CommandMessage(
        bus,
        bus_name,
        definition,
        Composer(definition.name, definition.length, definition.signals, seal),
        definition.cycle_time_ms or DEFAULT_CYCLE_MS,
    )


def _actuator(
    rule: LeafRule,
    message: CommandMessage,
    signal: SignalLike,
    signals: Sequence[PlacedSignal],
    heard: Mapping[str, tuple[int, BoundLeaf]],
    found: Actuators,
) -> Actuator:
    command = rule.command
    assert command is not None
    source = next(s for s in message.definition.signals if s.name == signal.signal)
    if not source.conversion.scale:
        raise MappingError(f"vss2dbc: {source.name} has the scale 0")
    if source.name in message.composer.sealed:
        raise MappingError(f"vss2dbc: {source.name} is the counter or checksum of its message")
    condition = _condition(command, heard)
    to_raw, step = conversion(rule, command, source)
    feedback = find_feedback(rule, command, message.key, signals, heard, step, found.warnings)
    low, high = _limits(rule, signals, heard)
    return Actuator(rule, command, message, source, to_raw, low, high, condition, feedback, step)


def _condition(command: Command, heard: Mapping[str, tuple[int, BoundLeaf]]) -> Condition | None:
    if command.only_when is None:
        return None
    condition = Condition(command.only_when)
    for path in sorted(condition.paths):
        if path not in heard:
            raise MappingError(f"only_when: {path} is not heard here, so it would never hold")
    if why := condition.why_never(lambda path: heard[path][1].rule.datatype):
        raise MappingError(f"only_when: {why}")
    return condition


def _limits(
    rule: LeafRule, signals: Sequence[PlacedSignal], heard: Mapping[str, tuple[int, BoundLeaf]]
) -> tuple[float, float]:
    """The leaf's own, those of its datatype, and what its own signal can show."""
    low, high = integer_range(rule.datatype) or (-math.inf, math.inf)
    low = low if rule.min is None else max(low, rule.min)
    high = high if rule.max is None else min(high, rule.max)
    if rule.path not in heard or (rule.source and rule.source.transform):
        return low, high
    signal = signals[heard[rule.path][1].signal_index]
    least, most = said_range(signal.minimum, signal.maximum)
    return max(low, least), min(high, most)
