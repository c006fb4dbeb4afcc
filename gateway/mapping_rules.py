"""A mapping file to its rules: which VSS leaf is which CAN signal, and how (pure).

KUKSA's `dbc2vss` (older: `dbc`) and `vss2dbc` objects are read unchanged. Our own keys stand in the
same objects, where KUKSA does not look: see `Source` and `Command`.
"""

import re
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass, replace
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from gateway.expression import ExpressionError, compile_formula
from gateway.pacing import Pace
from gateway.vss import Node, VssError, VssLeaf, convert, leaf_nodes, read_document
from internetcar.contract.message import InputError, Scalar, Value

LOCATION = "Vehicle.CurrentLocation"
"""The branch whose leaves are one group unless they say otherwise."""

_PATH = re.compile(r"[A-Za-z0-9_.@-]{1,200}")
_Milliseconds = Annotated[int, Field(ge=0, le=86_400_000)]
_SignalName = Annotated[str, Field(min_length=1, max_length=200)]


class MappingError(InputError):
    """A mapping that cannot be used; the text names the file, the leaf and the fix."""


class _Rule(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", strict=True, allow_inf_nan=False)


class Entry(_Rule):
    """One line of a table: this value becomes that one."""

    from_: Scalar = Field(alias="from")
    to: Value


class Transform(_Rule):
    """What a value goes through on its way: a table, a formula over `x`, or (neither) nothing."""

    mapping: tuple[Entry, ...] | None = Field(default=None, strict=False)
    math: str | None = None


class Selector(_Rule):
    """A further signal of the same message that must have this value."""

    signal: _SignalName
    value: int


class Place(_Rule):
    """What source and command have in common: a signal, and how its frame is protected."""

    signal: _SignalName
    message: str | None = Field(default=None, description="needed where several have the signal")
    bus: str | None = Field(default=None, description="needed where several have the message")
    transform: Transform | None = None
    counter: str | dict[str, JsonValue] | None = None
    checksum: str | dict[str, JsonValue] | None = None


class Source(Place):
    """Where a leaf's value comes from (`dbc2vss`), and how often it is worth saying.

    What it leaves open is the gateway's default (100 ms, on change, repeated every 60 s).
    `on_change: true` alone means every change, as in KUKSA; `on_change: false` repeats an
    unchanged value every interval.
    """

    multiplexer: tuple[Selector, ...] = Field(default=(), strict=False)
    interval_ms: _Milliseconds | None = None
    on_change: bool | None = None
    deadband: float = Field(default=0.0, ge=0, description="in the leaf's unit")
    max_interval_ms: _Milliseconds | None = Field(default=None, description="0: never repeated")
    group: str | None = Field(default=None, description='"" leaves the group a branch has')


class Confirm(_Rule):
    """The leaf that shows whether a command did what it should."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    path: str | None = Field(default=None, description="none: the leaf itself")
    tolerance: float | None = Field(default=None, ge=0, description="in that leaf's unit")


class Command(Place):
    """Where a leaf's target goes (`vss2dbc`), and under which conditions it may."""

    allow: bool = Field(default=False, description="settings may let somebody set it")
    confirm: str | Confirm | None = Field(
        default=None, description='a path, or its `path` and `tolerance`; "" for no feedback'
    )
    only_when: str | None = Field(default=None, description="see `condition.py`")
    rate_limit_hz: float = Field(default=10.0, gt=0, le=1000)
    timeout_ms: int = Field(default=2000, ge=1, le=600_000)
    hold_s: float = Field(default=0.0, ge=0, le=600, description="how long its frame is repeated")
    override: bool = Field(default=False, description="also where another node sends the message")
    momentary: bool = Field(default=False, description="a push: needs an id, so twice is once")


class _Leaf(_Rule):
    datatype: str
    unit: str | None = None
    min: float | None = None
    max: float | None = None
    allowed: tuple[Scalar, ...] | None = Field(default=None, strict=False)
    description: str | None = None


_R = TypeVar("_R", bound=_Rule)
_P = TypeVar("_P", bound=Place)


@dataclass(frozen=True, slots=True)
class LeafRule(VssLeaf):
    """Everything a mapping says of one leaf."""

    source: Source | None = None
    command: Command | None = None

    def pace(self, default: Pace) -> Pace:
        """How often this leaf is said; `default` is for what the mapping leaves open."""
        source = self.source
        if source is None:
            return replace(default, group=_group(self.path, None))
        interval_ns = default.interval_ns
        if source.interval_ms is not None:
            interval_ns = source.interval_ms * 1_000_000
        elif source.on_change:
            interval_ns = 0
        repeat_ns = default.max_interval_ns
        if source.max_interval_ms is not None:
            repeat_ns = source.max_interval_ms * 1_000_000
        elif source.on_change is False:
            repeat_ns = interval_ns
        return Pace(interval_ns, source.deadband, repeat_ns, _group(self.path, source.group))


@dataclass(frozen=True, slots=True)
class Mapping:
    """The rules of one file."""

    name: str
    leaves: MappingOf[str, LeafRule]
    """By VSS path, in the file's order; only those with a source or a command."""
    warnings: tuple[str, ...] = ()
    """What is probably not meant, such as keys nobody reads."""


def parse_mapping(text: str, name: str) -> Mapping:
    """Read a mapping: a VSS tree as JSON, or a flat `.vspec` overlay.

    Raises:
        MappingError: It cannot be read or contradicts itself; names the file, the leaf and the key.
    """
    leaves: dict[str, LeafRule] = {}
    warnings: list[str] = []
    try:
        for path, node in leaf_nodes(read_document(text, name), name):
            if rule := _rule(path, node, warnings):
                leaves[path] = rule
    except VssError as error:
        raise MappingError(str(error)) from error
    except MappingError as error:
        raise MappingError(f"{name}: {error}") from error
    return Mapping(name, leaves, tuple(f"{name}: {warning}" for warning in warnings))


def inherit(mapping: Mapping, vss: MappingOf[str, VssLeaf]) -> Mapping:
    """Fill in what an overlay leaves to its VSS release: unit, limits, allowed values, description.

    What the mapping says itself stays.
    """
    return replace(
        mapping, leaves={path: _filled(rule, vss) for path, rule in mapping.leaves.items()}
    )


def _filled(rule: LeafRule, vss: MappingOf[str, VssLeaf]) -> LeafRule:
    leaf = vss.get(rule.path)
    if leaf is None:
        return rule
    return replace(
        rule,
        unit=leaf.unit if rule.unit is None else rule.unit,
        min=leaf.min if rule.min is None else rule.min,
        max=leaf.max if rule.max is None else rule.max,
        allowed=leaf.allowed if rule.allowed is None else rule.allowed,
        description=leaf.description if rule.description is None else rule.description,
    )


def _rule(path: str, node: Node, warnings: list[str]) -> LeafRule | None:
    if "dbc" in node and "dbc2vss" in node:
        raise MappingError(f"{path}: both `dbc` and `dbc2vss`; they mean the same, keep `dbc2vss`")
    source_key = "dbc" if "dbc" in node else "dbc2vss"
    if source_key not in node and "vss2dbc" not in node:
        return None
    if not _PATH.fullmatch(path):
        raise MappingError(f"{path[:200]!r}: a leaf's path has only A-Z a-z 0-9 _ . @ -")
    kind: str = node["type"]
    if "vss2dbc" in node and kind != "actuator":
        raise MappingError(f"{path}: `vss2dbc` is for an actuator, and this is a {kind}")
    leaf = _validate(_Leaf, node, path)
    source = _place(Source, node, path, source_key, warnings)
    command = _place(Command, node, path, "vss2dbc", warnings)
    if misplaced := sorted((_keys(Source) | _keys(Command)) & node.keys()):
        warnings.append(f"{path}: {', '.join(misplaced)} belong inside `dbc2vss` or `vss2dbc`")
    rule = LeafRule(path=path, kind=kind, **dict(leaf), source=source, command=command)
    _check_values(rule)
    return rule


def _place(model: type[_P], node: Node, path: str, key: str, warnings: list[str]) -> _P | None:
    if key not in node:
        return None
    where = f"{path}: {key}"
    place = _validate(model, node[key], where)
    if unknown := sorted(node[key].keys() - _keys(model)):
        warnings.append(f"{where}: nobody reads {', '.join(unknown)[:200]}")
    transform = place.transform
    if transform is None:
        return place
    if (transform.mapping is None) == (transform.math is None):
        raise MappingError(f"{where}.transform: either `mapping` or `math`")
    if transform.math is not None:
        try:
            compile_formula(transform.math)
        except ExpressionError as error:
            raise MappingError(f"{where}.transform.math: {error}") from error
    return place


def _check_values(rule: LeafRule) -> None:
    """Every value a table can give is one of the leaf's datatype."""
    transform = rule.source.transform if rule.source else None
    try:
        convert(rule.datatype, 0)
        for entry in (transform and transform.mapping) or ():
            convert(rule.datatype, entry.to)
    except VssError as error:
        raise MappingError(f"{rule.path}: {error}") from error


def _validate(model: type[_R], node: Any, where: str) -> _R:
    try:
        return model.model_validate(node)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise MappingError(f"{where}{f'.{place}' if place else ''}: {first['msg']}") from error


def _keys(model: type[_Rule]) -> set[str]:
    return {field.alias or name for name, field in model.model_fields.items()}


def _group(path: str, group: str | None) -> str | None:
    if group is not None:
        return group or None
    return LOCATION if path.startswith(f"{LOCATION}.") else None
