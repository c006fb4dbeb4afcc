"""Databases and mapping to a pipeline: what the settings come to."""

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.checks import CheckRuleError
from gateway.databases import Database
from gateway.decode import Decoder, MessageState, SignalDefinition, signal_definitions
from gateway.mapping import Binding, Mapping, MappingError, bind, catalog_leaf, unmapped_binding
from gateway.pacing import Pace
from gateway.pipeline import Pipeline
from gateway.protection import check_rules
from internetcar.contract.signals import Catalog, CatalogLeaf


@dataclass(frozen=True)
class Assembly:
    """A pipeline ready for frames, and what a reader may know of its leaves."""

    pipeline: Pipeline
    paths: list[str]
    catalog: dict[str, dict[str, CatalogLeaf]]
    """Leaves by group: the VSS branch, or the CAN message where there is no mapping."""
    errors: list[str]
    """Leaves that cannot be said, and the fix; the others can."""
    warnings: list[str]
    """What is probably not meant."""

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
) -> Assembly:
    """Bind a mapping (without one: every signal as `Message.Signal`) and build the pipeline.

    Args:
        databases: For each bus, those that explain its frames.
        bus_names: The buses' names, as mappings and catalog say them.
        mapping: Which leaf is which signal.
        default_pace: For leaves whose mapping says nothing of pacing.
        is_paced: False sends every changed signal of every frame.

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
    return Assembly(
        pipeline=Pipeline(decoder, binding.leaves, paces, judged),
        paths=[leaf.path for leaf in binding.leaves],
        catalog=_catalog(binding, signals, bus_names, paces),
        errors=binding.errors,
        warnings=[*(mapping.warnings if mapping else ()), *binding.warnings],
    )


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


def group_of(path: str) -> str:
    """The catalog entry a leaf stands in: `Vehicle.Cabin` for all below it, else its parent."""
    steps = path.split(".")
    return ".".join(steps[:2]) if len(steps) > 2 else steps[0]
