"""Leaves that no signal of a database says: what OBD-II and J1939 tell whole (pure)."""

from collections.abc import Sequence
from typing import NamedTuple

from gateway.bus_settings import BusSettings
from gateway.j1939_leaves import IDENTITY
from gateway.obd_leaves import CATALOG
from internetcar.contract.signals import CatalogLeaf


class ToldLeaf(NamedTuple):
    """One leaf whose values come whole."""

    path: str
    entry: CatalogLeaf
    is_sure: bool
    """It stands in the catalog before it was told: the car is asked for it whatever it knows."""


def told_leaves(buses: Sequence[BusSettings], max_interval_ms: int) -> list[ToldLeaf]:
    """What the buses can tell; of a path that two of them know, the first counts."""
    found: dict[str, ToldLeaf] = {}
    for bus in buses:
        for leaf in CATALOG.values() if bus.obd else ():
            is_sure = bus.obd is True and not leaf.source.startswith("OBD.01.")
            entry = leaf.catalog_leaf(bus.name, max_interval_ms)
            found.setdefault(leaf.path, ToldLeaf(leaf.path, entry, is_sure))
        for path, description in IDENTITY.items() if bus.j1939 else ():
            entry = CatalogLeaf(
                datatype="string",
                source=f"{bus.name}/J1939.FEEC",
                description=description,
                max_interval_ms=max_interval_ms,
            )
            found.setdefault(path, ToldLeaf(path, entry, is_sure=False))
    return list(found.values())
