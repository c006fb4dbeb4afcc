"""Signals to leaves: the rules of a mapping meet the signals of the databases (pure)."""

import difflib
import math
from collections.abc import Iterable, Sequence
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass, field

from gateway.mapping_rules import (
    Command,
    LeafRule,
    Mapping,
    MappingError,
    Place,
    Selector,
    Source,
    inherit,
    parse_mapping,
)
from gateway.translation import (
    UNMAPPABLE,
    SignalLike,
    Translate,
    translation,
    unmatched,
    untranslated,
)
from gateway.vss import integer_range
from internetcar.contract.signals import CatalogLeaf

__all__ = [
    "UNMAPPABLE",
    "Binding",
    "BoundLeaf",
    "Command",
    "LeafRule",
    "Mapping",
    "MappingError",
    "SignalLike",
    "Source",
    "bind",
    "catalog_leaf",
    "inherit",
    "parse_mapping",
    "unmapped_binding",
]


@dataclass(frozen=True, slots=True)
class BoundLeaf:
    """One leaf, its signal, and what turns the signal's number into the leaf's value."""

    path: str
    rule: LeafRule
    signal_index: int
    translate: Translate
    low: float = -math.inf
    """A number below this, in the leaf's unit, is out of range."""
    high: float = math.inf
    selectors: tuple[tuple[int, int], ...] = ()
    """(signal index, value): the leaf is meant only while all of these hold in its message."""


@dataclass(frozen=True, slots=True)
class Binding:
    """What a mapping comes to on these databases."""

    leaves: list[BoundLeaf] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    """What must be mended before the mapping can be used."""
    warnings: list[str] = field(default_factory=list)
    """Leaves that will never be said here, and tables that name what does not exist."""

    @property
    def signal_indices(self) -> set[int]:
        """The signals that must be decoded."""
        selecting = {index for leaf in self.leaves for index, _ in leaf.selectors}
        return {leaf.signal_index for leaf in self.leaves} | selecting


def bind(mapping: Mapping, signals: Sequence[SignalLike], bus_names: Sequence[str]) -> Binding:
    """Find each rule's signal and prepare its translation.

    A leaf whose signal is in none of the databases is a warning: the bus may just not be connected.
    A message that several buses carry is taken from the first of them, with a warning.
    """
    binding = Binding()
    by_name = names_of(signals)
    for rule in mapping.leaves.values():
        if rule.source is None:
            continue
        try:
            found = _find(rule, rule.source, signals, by_name, bus_names, binding)
            if found is not None:
                binding.leaves.append(_bound(rule, rule.source, found, signals, by_name, binding))
        except MappingError as error:
            binding.errors.append(f"{mapping.name}: {rule.path}: {error}")
    return binding


def unmapped_binding(signals: Sequence[SignalLike], bus_names: Sequence[str]) -> Binding:
    """Every signal as the leaf `Message.Signal`, for use without a mapping.

    Characters outside `[A-Za-z0-9_-]` become `_`. Where several buses have the same
    `Message.Signal`, each of these leaves begins with the name of its bus.
    """
    binding = Binding()
    plain = [f"{_safe(signal.message)}.{_safe(signal.signal)}" for signal in signals]
    buses: dict[str, set[int]] = {}
    for signal, path in zip(signals, plain, strict=True):
        buses.setdefault(path, set()).add(signal.bus)
    taken: dict[str, str] = {}
    for index, (signal, path) in enumerate(zip(signals, plain, strict=True)):
        where = f"{bus_names[signal.bus]}/{signal.message}.{signal.signal}"
        if len(buses[path]) > 1:
            path = f"{_safe(bus_names[signal.bus])}.{path}"
        if path in taken:
            binding.errors.append(f"{path}: both {taken[path]} and {where}; rename one in its file")
            continue
        taken[path] = where
        rule = _unmapped_rule(path, signal)
        binding.leaves.append(BoundLeaf(path, rule, index, untranslated(signal)))
    return binding


def catalog_leaf(
    leaf: BoundLeaf,
    signals: Sequence[SignalLike],
    bus_names: Sequence[str],
    *,
    max_interval_ms: int,
) -> CatalogLeaf:
    """What a reader must know of a leaf; `max_interval_ms` is its pace's, 0 for never."""
    rule, signal = leaf.rule, signals[leaf.signal_index]
    is_mapped = rule.source is not None
    return CatalogLeaf(
        datatype=rule.datatype,
        unit=rule.unit,
        min=rule.min,
        max=rule.max,
        allowed=list(rule.allowed) if rule.allowed else None,
        value_names=None if is_mapped or not signal.choices else _value_names(signal),
        source=f"{bus_names[signal.bus]}/{signal.message}.{signal.signal}",
        description=rule.description,
        max_interval_ms=max_interval_ms or None,
    )


def _find(
    rule: LeafRule,
    source: Source,
    signals: Sequence[SignalLike],
    by_name: MappingOf[str, Sequence[int]],
    bus_names: Sequence[str],
    binding: Binding,
) -> int | None:
    fitting, elsewhere = fitting_signals(source, signals, by_name, bus_names)
    if len(fitting) == 1:
        return fitting[0]
    if not fitting:
        binding.warnings.append(f"{rule.path}: no {elsewhere}; never said")
        return None
    places = places_of(fitting, signals, bus_names)
    if len({signals[index].message for index in fitting}) > 1:
        raise MappingError(f"{source.signal} is ambiguous{places}; add `message`")
    first = min(fitting, key=lambda index: signals[index].bus)
    taken = bus_names[signals[first].bus]
    binding.warnings.append(f"{rule.path}: taken from {taken}{places}; add `bus` to choose")
    return first


def fitting_signals(
    place: Place,
    signals: Sequence[SignalLike],
    by_name: MappingOf[str, Sequence[int]],
    bus_names: Sequence[str],
) -> tuple[list[int], str]:
    """The signals a rule may mean; and for where there is none, what is there instead."""
    named = by_name.get(place.signal, ())
    fitting = [
        index
        for index in named
        if place.message in (None, signals[index].message)
        and place.bus in (None, bus_names[signals[index].bus])
    ]
    if fitting:
        return fitting, ""
    found = places_of(named, signals, bus_names) or _similar(place.signal, by_name)
    wanted = "/".join(part for part in (place.bus, place.message, place.signal) if part)
    return [], f"{wanted} in these databases{found}"


def names_of(signals: Sequence[SignalLike]) -> dict[str, list[int]]:
    """The indices of the signals of each name."""
    by_name: dict[str, list[int]] = {}
    for index, signal in enumerate(signals):
        by_name.setdefault(signal.signal, []).append(index)
    return by_name


def places_of(indices: Iterable[int], signals: Sequence[SignalLike], buses: Sequence[str]) -> str:
    """Where signals are, as the end of a sentence."""
    places = [f"{buses[signals[index].bus]}/{signals[index].message}" for index in indices]
    return f": it is in {', '.join(places[:8])}" if places else ""


def _similar(name: str, by_name: Iterable[str]) -> str:
    similar = difflib.get_close_matches(name, list(by_name), n=3)
    return f" (there is {', '.join(similar)})" if similar else ""


def _bound(
    rule: LeafRule,
    source: Source,
    index: int,
    signals: Sequence[SignalLike],
    by_name: MappingOf[str, Sequence[int]],
    binding: Binding,
) -> BoundLeaf:
    signal = signals[index]
    for value in unmatched(source, signal):
        names = ", ".join((signal.choices or {}).values()) or "no names"
        binding.warnings.append(
            f"{rule.path}: `from: {value}` never matches; {signal.signal} has {names[:200]}"
        )
    low, high = _limits(rule, source, signal)
    return BoundLeaf(
        path=rule.path,
        rule=rule,
        signal_index=index,
        translate=translation(rule, source, signal),
        low=low,
        high=high,
        selectors=tuple(_selector(item, signal, signals, by_name) for item in source.multiplexer),
    )


def _limits(rule: LeafRule, source: Source, signal: SignalLike) -> tuple[float, float]:
    """The leaf's own limits, those of its datatype and, for a number taken as it is, the signal's.

    Half a step of tolerance: a database rounds the end of its range.
    """
    low, high = integer_range(rule.datatype) or (-math.inf, math.inf)
    low = low if rule.min is None else max(low, rule.min)
    high = high if rule.max is None else min(high, rule.max)
    smallest, largest = signal.minimum, signal.maximum
    if source.transform or smallest is None or largest is None or smallest >= largest:
        return low, high
    tolerance = abs(signal.scale) / 2
    return max(low, smallest - tolerance), min(high, largest + tolerance)


def _selector(
    selector: Selector,
    beside: SignalLike,
    signals: Sequence[SignalLike],
    by_name: MappingOf[str, Sequence[int]],
) -> tuple[int, int]:
    for index in by_name.get(selector.signal, ()):
        if (signals[index].bus, signals[index].message) == (beside.bus, beside.message):
            return index, selector.value
    raise MappingError(
        f"the multiplexer {selector.signal} is not in {beside.message}, as {beside.signal} is"
    )


def _safe(name: str) -> str:
    return "".join(c if c.isascii() and (c.isalnum() or c in "_-") else "_" for c in name)


def _unmapped_rule(path: str, signal: SignalLike) -> LeafRule:
    is_integer = not signal.is_float and float(signal.scale).is_integer()
    return LeafRule(
        path=path,
        kind="sensor",
        datatype="int64" if is_integer and float(signal.offset).is_integer() else "double",
        unit=signal.unit,
        min=signal.minimum,
        max=signal.maximum,
    )


def _value_names(signal: SignalLike) -> dict[str, str]:
    return {str(raw): name for raw, name in (signal.choices or {}).items()}
