"""What the detector is told in the benchmark: the shipped contexts, and the same with free roads.

A world is a context as the detector gets it. `shipped` is what we ship. In `road 18` and the like
every gate has a free road of 18 m beside its own in the context, and a car may be on it.
"""

import math
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

import services.tolls
from services.tolls.context import Context, load_context
from services.tolls.detection import Detector
from services.tolls.objects import Gate, Road
from tests.bench.report import CannotMeasureError
from tests.tolls_site import Site

CONTEXTS = ("singapore", "norway")
BESIDE_M = (9.0, 18.0, 26.0, 43.0, 60.0)
"""Free roads that are in a context, by their distance from the middle of the tolled one."""
ROAD_REACH_M = 1500.0
CLEAR_OF_GATE_M = 3.0
"""From the end of the gate's line to the middle of the free road, at least."""
NEAR_M = 100.0
PAIRS = (("42", "33"), ("64", "63"), ("93", "91"))
"""Singapore: one line and two groups; opposite directions; a tunnel of two directions."""


def read_context(name: str) -> Context:
    """A shipped context."""
    path = Path(services.tolls.__file__).parent / "contexts" / f"{name}.json"
    if not path.exists():
        raise CannotMeasureError(f"no context {path.name} is shipped")
    return load_context(path.read_bytes(), path.name)


@dataclass(frozen=True)
class World:
    """A context and a detector for it.

    Attributes:
        beside_m: How far to the right of every gate a free road runs that the context knows;
            `None`: as shipped.
    """

    context: Context
    beside_m: float | None = None
    sites: dict[str, Site] = field(default_factory=dict)

    @cached_property
    def detector(self) -> Detector:
        roads = list(self.context.roads)
        if self.beside_m is not None:
            roads += [
                road_beside(site, clear_m(site, self.beside_m), f"beside.{name}")
                for name, site in self.sites.items()
            ]
        return Detector(self.context.gates, roads)


def clear_m(site: Site, wanted_m: float) -> float:
    """How far from the middle a free road runs: outside the tolled carriageway in any case."""
    half_m = float(np.hypot(*(site.line[1] - site.line[0]))) / 2
    return max(wanted_m, half_m + CLEAR_OF_GATE_M)


def road_beside(site: Site, right_m: float, name: str) -> Road:
    """A free road that keeps its distance from the one through a gate."""
    along = np.arange(-ROAD_REACH_M, ROAD_REACH_M + 1, 25.0)
    points, _ = site.centre.place(along, np.full_like(along, right_m))
    return Road(id=name[:64], line=tuple((a, b) for a, b in site.plane.degrees(points).tolist()))


def distance_m(one: Gate, other: Gate) -> float:
    """Between the middles of two gates, good enough for hundreds of metres."""
    lat, lon = (np.array(one.line).mean(axis=0) - np.array(other.line).mean(axis=0)).tolist()
    east = lon * math.cos(math.radians(one.line[0][0]))
    return 111_195.0 * math.hypot(lat, east)


class Ground:
    """All worlds of the shipped contexts, and which gates are near each other."""

    def __init__(self) -> None:
        self.contexts = {name: read_context(name) for name in CONTEXTS}
        self.sites = {
            name: {gate.id: Site(gate) for gate in context.gates if gate.bearing_deg is not None}
            for name, context in self.contexts.items()
        }
        self._worlds: dict[tuple[str, float | None], World] = {}

    def world(self, name: str, beside_m: float | None = None) -> World:
        """Made when first asked for."""
        key = (name, beside_m)
        if key not in self._worlds:
            self._worlds[key] = World(self.contexts[name], beside_m, self.sites[name])
        return self._worlds[key]

    def partner(self, gate: str) -> str | None:
        """The other gate of one of the pairs that punish a careless detector."""
        for one, other in self.pairs:
            if gate in (one, other):
                return other if gate == one else one
        return None

    @cached_property
    def pairs(self) -> list[tuple[str, str]]:
        """By their ids in the context, those whose gates both are there."""
        ids = self.contexts["singapore"].by_id
        named = {name: name for name in ids}
        named |= {name.lstrip("g"): name for name in ids}
        return [(named[a], named[b]) for a, b in PAIRS if a in named and b in named]
