"""What KUKSA's CAN provider would send, after its documentation; and where ours differs (pure)."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

from cantools.database.errors import Error
from cantools.database.namedsignalvalue import NamedSignalValue

from gateway.assembly import Assembly, assemble
from gateway.databases import Database, MessageDefinition
from gateway.decode import signal_definitions
from gateway.expression import Formula, compile_formula
from gateway.mapping import LeafRule, Mapping, Source, bind
from gateway.pacing import Pace, Sample
from gateway.vss import VssError, convert
from internetcar.contract.message import Scalar, Value

ELEVEN_BITS = 0x7FF
DEFAULT_INTERVAL_MS = 1000
STEP_NS = 10_000_000
LONGEST_SILENCE_NS = 120_000_000_000
Frame = tuple[int, int, bytes, int]
"""Bus index, SocketCAN id, payload, UTC nanoseconds."""
Said = tuple[int, Value]
"""When (UTC nanoseconds) and what."""


@dataclass(slots=True)
class _Gate:
    """What KUKSA remembers of one leaf."""

    rule: LeafRule
    source: Source
    formula: Formula | None
    at_ns: int | None = None
    value: Value = None
    ignored: Counter[str] = field(default_factory=Counter)

    @property
    def interval_ns(self) -> int:
        """The least time between two looks at a value."""
        interval_ms = self.source.interval_ms
        if interval_ms is None:
            interval_ms = 0 if self.source.on_change else DEFAULT_INTERVAL_MS
        return interval_ms * 1_000_000


class KuksaSender:
    """KUKSA's rules of sending, for the frames of one bus.

    A value is looked at when the interval is over, and looking begins the next interval even where
    nothing is sent; then it is transformed, then compared. Signals go by name alone.
    """

    def __init__(self, mapping: Mapping, databases: Iterable[Database]) -> None:
        self._gates: dict[str, list[_Gate]] = {}
        for rule in mapping.leaves.values():
            if source := rule.source:
                math = source.transform.math if source.transform else None
                gate = _Gate(rule, source, None if math is None else compile_formula(math))
                self._gates.setdefault(source.signal, []).append(gate)
        definitions = [message for database in databases for message in database.messages]
        self._messages = {message.can_id & ELEVEN_BITS: message for message in definitions}

    @property
    def ignored(self) -> dict[str, Counter[str]]:
        """Why values were not sent, by leaf: reason and count."""
        return {gate.rule.path: gate.ignored for gates in self._gates.values() for gate in gates}

    def feed(self, can_id: int, payload: bytes, at_ns: int) -> list[tuple[str, Value]]:
        """The leaves sent for this frame."""
        message = self._messages.get(can_id & ELEVEN_BITS)
        if message is None or not any(s.name in self._gates for s in message.signals):
            return []
        sent: list[tuple[str, Value]] = []
        values = _decoded(message, payload)
        for name, value in values.items():
            for gate in self._gates.get(name, ()):
                if _is_beyond_range(message, name, value):
                    gate.ignored["outside the range in the database"] += 1
                elif _is_due(gate, at_ns) and _is_selected(gate.source, values):
                    said = _said(gate, value)
                    if said is not None:
                        sent.append((gate.rule.path, said))
        return sent


def _decoded(message: MessageDefinition, payload: bytes) -> dict[str, Scalar | NamedSignalValue]:
    try:
        decoded = message.source.decode(payload, allow_truncated=True)
    except (Error, ValueError, LookupError, ArithmeticError):
        return {}
    return decoded if isinstance(decoded, dict) else {}


def _is_beyond_range(message: MessageDefinition, name: str, value: object) -> bool:
    if not isinstance(value, int | float):
        return False
    signal = message.source.get_signal_by_name(name)
    is_low = signal.minimum is not None and value < signal.minimum
    return is_low or (signal.maximum is not None and value > signal.maximum)


def _is_due(gate: _Gate, at_ns: int) -> bool:
    if gate.at_ns is not None and at_ns - gate.at_ns < gate.interval_ns:
        return False
    gate.at_ns = at_ns
    return True


def _is_selected(source: Source, values: dict[str, Scalar | NamedSignalValue]) -> bool:
    return all(values.get(item.signal) == item.value for item in source.multiplexer)


def _said(gate: _Gate, value: Scalar | NamedSignalValue) -> Value:
    """The value to send, or `None`; a first value is always sent."""
    transformed = _transformed(gate, value)
    if transformed is None or (gate.source.on_change and transformed == gate.value):
        return None
    gate.value = transformed
    try:
        return convert(gate.rule.datatype, transformed)
    except VssError:
        gate.ignored["not a value of the leaf's datatype"] += 1
        return None


def _transformed(gate: _Gate, value: Scalar | NamedSignalValue) -> Value:
    transform = gate.source.transform
    is_named = isinstance(value, NamedSignalValue)
    plain: Scalar = value.name if isinstance(value, NamedSignalValue) else value
    if transform is None:
        wants_name = gate.rule.datatype == "string"
        return value.value if isinstance(value, NamedSignalValue) and not wants_name else plain
    if transform.mapping is not None:
        for entry in transform.mapping:
            if entry.from_ == plain:
                return entry.to
        gate.ignored["no `from` for it" + (", which has a name" if is_named else "")] += 1
        return None
    if isinstance(plain, str) or gate.formula is None:
        gate.ignored["`math` on a value that has a name"] += 1
        return None
    try:
        return gate.formula(plain)
    except (ArithmeticError, ValueError):
        gate.ignored["`math` has no result"] += 1
        return None


@dataclass(frozen=True, slots=True)
class Difference:
    """One leaf, as KUKSA says it and as we do."""

    path: str
    kuksa: tuple[Said, ...]
    ours: tuple[Said, ...]
    first_at_ns: int | None
    """When they first said something different; `None`: they told the same changes."""
    reasons: tuple[str, ...]


def compare(
    mapping: Mapping,
    databases: Sequence[Sequence[Database]],
    bus_names: Sequence[str],
    frames: Iterable[Frame],
) -> list[Difference]:
    """Run a log through KUKSA's rules (one provider a bus) and ours; leaves that differ, and why.

    A leaf that cannot be bound here is among them, with the reason.
    """
    binding = bind(mapping, signal_definitions(databases), bus_names)
    bound = {leaf.path: mapping.leaves[leaf.path] for leaf in binding.leaves}
    assembly = assemble(databases, bus_names, replace(mapping, leaves=bound), Pace())
    senders = [KuksaSender(mapping, of_bus) for of_bus in databases]
    kuksa: dict[str, list[Said]] = {path: [] for path in mapping.leaves}
    ours: dict[str, list[Said]] = {path: [] for path in mapping.leaves}
    for sample in _run(assembly, senders, frames, kuksa):
        ours[assembly.paths[sample.leaf]].append((sample.at_ns, sample.value))
    ignored: dict[str, Counter[str]] = {path: Counter() for path in mapping.leaves}
    for sender in senders:
        for path, counts in sender.ignored.items():
            ignored[path] += counts
    texts = [*binding.errors, *binding.warnings]
    found = [
        _difference(path, kuksa[path], ours[path], ignored[path], _notes(path, texts))
        for path in mapping.leaves
    ]
    return [difference for difference in found if difference.reasons]


def _run(
    assembly: Assembly,
    senders: Sequence[KuksaSender],
    frames: Iterable[Frame],
    kuksa: dict[str, list[Said]],
) -> Iterator[Sample]:
    """What we say for these frames; what KUKSA says is noted in `kuksa` on the way."""
    pipeline = assembly.pipeline
    for bus, can_id, payload, at_ns in frames:
        for now_ns in _instants(pipeline.now_ns or at_ns, at_ns):
            pipeline.now_ns = now_ns
            yield from pipeline.take()
        pipeline.now_ns = max(pipeline.now_ns, at_ns)
        pipeline.feed(bus, can_id, payload, at_ns)
        yield from pipeline.take()
        for path, value in senders[bus].feed(can_id, payload, at_ns):
            kuksa[path].append((at_ns, value))
    yield from pipeline.pacer.flush(pipeline.now_ns)


def _instants(then_ns: int, at_ns: int) -> range:
    """When the gateway looks for what is due between two frames; a long silence is cut short."""
    return range(max(then_ns, at_ns - LONGEST_SILENCE_NS) + STEP_NS, at_ns, STEP_NS)


def _notes(path: str, texts: Sequence[str]) -> list[str]:
    return [text for text in texts if f"{path}: " in text]


def _difference(
    path: str, kuksa: list[Said], ours: list[Said], ignored: Counter[str], notes: list[str]
) -> Difference:
    theirs, mine = _changes(kuksa), _changes(ours)
    reasons = list(notes)
    if repeated := len(kuksa) - len(theirs):
        reasons.append(f"KUKSA says the same value again {repeated} times; we say changes")
    if len(mine) > len(theirs):
        reasons.append(
            f"KUKSA loses {len(mine) - len(theirs)} changes: within an interval, or after a value"
            " that began an interval and was not sent"
        )
    elif len(theirs) > len(mine):
        reasons.append(f"we say {len(theirs) - len(mine)} changes fewer: interval or deadband")
    if mine and theirs and mine[-1][1] != theirs[-1][1]:
        reasons.append(f"KUKSA ends with {theirs[-1][1]}, the car with {mine[-1][1]}")
    reasons += [f"KUKSA ignores {count} values: {reason}" for reason, count in ignored.items()]
    return Difference(path, tuple(kuksa), tuple(ours), _first(theirs, mine), tuple(reasons))


def _changes(said: list[Said]) -> list[Said]:
    return [next(group) for _, group in groupby(said, key=lambda one: one[1])]


def _first(theirs: list[Said], mine: list[Said]) -> int | None:
    for (their_at, their_value), (my_at, my_value) in zip(theirs, mine, strict=False):
        if their_value != my_value:
            return min(their_at, my_at)
    longer = max(theirs, mine, key=len)
    return None if len(theirs) == len(mine) else longer[min(len(theirs), len(mine))][0]
