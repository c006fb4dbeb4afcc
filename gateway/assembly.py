"""Databases and mapping to a pipeline: what the settings come to."""

import math
from collections.abc import Collection, Sequence
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass

from gateway.actuators import Actuator, Actuators, allowed_paths, bind_actuators
from gateway.checks import CheckRuleError
from gateway.databases import Database
from gateway.decode import Decoder, MessageState, SignalDefinition, signal_definitions
from gateway.mapping import Binding, Mapping, MappingError, bind, catalog_leaf, unmapped_binding
from gateway.pacing import Pace
from gateway.pipeline import Pipeline
from gateway.protection import check_rules
from gateway.told import ToldLeaf
from internetcar.contract.signals import Catalog, CatalogLeaf


@dataclass(frozen=True)
class Assembly:
    """A pipeline ready for frames, and what a reader may know of its leaves."""

    pipeline: Pipeline
    paths: list[str]
    catalog: dict[str, dict[str, CatalogLeaf]]
    """Leaves by group: the VSS branch, or the CAN message where there is no mapping."""
    actuators: dict[str, Actuator]
    """What the mapping lets be set, by path."""
    allowed: dict[str, frozenset[str]]
    """Which paths each requester may set."""
    errors: list[str]
    """Leaves that cannot be said, and the fix; the others can."""
    warnings: list[str]
    """What is probably not meant."""
    told: dict[str, CatalogLeaf]
    """Leaves that come whole; they enter the catalog when they were told once."""

    def introduce(self, paths: Sequence[str]) -> None:
        """Take told leaves into the catalog."""
        for path in paths:
            self.catalog.setdefault(group_of(path), {})[path] = self.told[path]

    def can_ids_of(self, bus: int) -> set[int]:
        """The ids of a bus that some leaf needs, to be heard or to be set."""
        heard = self.pipeline.messages_of_bus(bus)
        sent = {actuator.message.key for actuator in self.actuators.values()}
        return {message.definition.can_id for message in heard} | {
            can_id for key_bus, can_id in sent if key_bus == bus
        }

    def messages(self, vehicle_id: str) -> list[Catalog]:
        """The catalog as its messages."""
        return [
            Catalog(vehicle_id=vehicle_id, group=group, leaves=leaves)
            for group, leaves in self.catalog.items()
        ]


def assemble(
    databases: Sequence[Sequence[Database]],
    bus_names: Sequence[str],
    mapping: Mapping | None,
    default_pace: Pace,
    *,
    is_paced: bool = True,
    allow: MappingOf[str, Sequence[str]] | None = None,
    told: Sequence[ToldLeaf] = (),
) -> Assembly:
    """Bind a mapping (without one: every signal as `Message.Signal`) and build the pipeline.

    Args:
        databases: For each bus, those that explain its frames.
        bus_names: The buses' names, as mappings and catalog say them.
        mapping: Which leaf is which signal.
        default_pace: For leaves whose mapping says nothing of pacing.
        is_paced: False sends every changed signal of every frame.
        allow: requester → globs of the paths it may set.
        told: Leaves that come whole; where the mapping has one too, the mapping's is said.

    Raises:
        MappingError: A `counter` or `checksum` does not fit its message; names the leaf.
    """
    signals = signal_definitions(databases)
    binding = (
        unmapped_binding(signals, bus_names)
        if mapping is None
        else bind(mapping, signals, bus_names)
    )
    judged: list[MessageState] = []
    try:
        checked = check_rules(binding.leaves, signals)
        decoder = Decoder(databases, binding.signal_indices, checked, judged.append)
    except CheckRuleError as error:
        raise MappingError(f"a `counter` or `checksum` of the mapping: {error}") from error
    paces = [
        leaf.rule.pace(default_pace) if is_paced else Pace(interval_ns=0, max_interval_ns=0)
        for leaf in binding.leaves
    ]
    actuators = Actuators()
    if mapping is not None:
        actuators = bind_actuators(
            mapping,
            signals,
            bus_names,
            binding.leaves,
            lambda index: decoder.messages[signals[index].bus][signals[index].can_id],
        )
    for actuator in actuators.by_path.values():
        decoder.messages[actuator.message.bus][actuator.message.definition.can_id].keep()
    allowed = allowed_paths(allow or {}, actuators.by_path, actuators.warnings)
    mapped = {leaf.path for leaf in binding.leaves}
    told = [leaf for leaf in told if leaf.path not in mapped]
    told_pace = default_pace if is_paced else Pace(interval_ns=0, max_interval_ns=0)
    catalog = _catalog(binding, signals, bus_names, paces)
    _add_settable(catalog, actuators.by_path, frozenset().union(*allowed.values()))
    told_paths = [leaf.path for leaf in told]
    assembly = Assembly(
        pipeline=Pipeline(
            decoder, binding.leaves, [*paces, *(told_pace for _ in told)], judged, told_paths
        ),
        paths=[*(leaf.path for leaf in binding.leaves), *told_paths],
        catalog=catalog,
        actuators=actuators.by_path,
        allowed=allowed,
        errors=[*binding.errors, *actuators.errors],
        warnings=[*(mapping.warnings if mapping else ()), *binding.warnings, *actuators.warnings],
        told={leaf.path: leaf.entry for leaf in told},
    )
    assembly.introduce([leaf.path for leaf in told if leaf.is_sure])
    return assembly


def _catalog(
    binding: Binding,
    signals: Sequence[SignalDefinition],
    bus_names: Sequence[str],
    paces: Sequence[Pace],
) -> dict[str, dict[str, CatalogLeaf]]:
    catalog: dict[str, dict[str, CatalogLeaf]] = {}
    for leaf, pace in zip(binding.leaves, paces, strict=True):
        repeat_ms = pace.max_interval_ns // 1_000_000
        entry = catalog_leaf(leaf, signals, bus_names, max_interval_ms=repeat_ms)
        catalog.setdefault(group_of(leaf.path), {})[leaf.path] = entry
    return catalog


def _add_settable(
    catalog: dict[str, dict[str, CatalogLeaf]],
    actuators: MappingOf[str, Actuator],
    settable: Collection[str],
) -> None:
    """Note what can be set; a leaf that can only be set has an entry without a source."""
    for path, actuator in actuators.items():
        rule = actuator.rule
        leaves = catalog.setdefault(group_of(path), {})
        entry = leaves.get(path) or CatalogLeaf(
            datatype=rule.datatype,
            unit=rule.unit,
            min=rule.min,
            max=rule.max,
            allowed=list(rule.allowed) if rule.allowed else None,
            description=rule.description,
        )
        if path in settable:
            update = {
                "settable": True,
                "momentary": actuator.command.momentary,
                "step": actuator.step,
                "min": _finite(actuator.low),
                "max": _finite(actuator.high),
            }
            entry = entry.model_copy(update=update)
        leaves[path] = entry


def _finite(number: float) -> float | None:
    return number if math.isfinite(number) else None


def group_of(path: str) -> str:
    """The catalog entry a leaf stands in: `Vehicle.Cabin` for all below it, else its parent."""
    steps = path.split(".")
    return ".".join(steps[:2]) if len(steps) > 2 else steps[0]
