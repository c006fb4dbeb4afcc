"""What the detector is told in the benchmark: the shipped contexts, and the same with free roads.

Beside a gate the context may know a free road, at 9, 18, 26, 43 or 60 m; a car may be on it, or on
one that nobody knows of.
"""

import math
from functools import cached_property
from pathlib import Path

import numpy as np

import services.tolls
from services.tolls.detection.bends import BENDS
from services.tolls.detection.detector import Detector
from services.tolls.detection.provable import Provability, provable
from services.tolls.objects import Gate, Road
from services.tolls.tariff.context import Context, load_context
from tests.bench.report import CannotMeasureError
from tests.tolls_site import REACH_M, Site

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


def clear_m(site: Site, wanted_m: float) -> float:
    """How far from the middle a free road runs: outside the tolled carriageway in any case."""
    half_m = float(np.hypot(*(site.line[1] - site.line[0]))) / 2
    return max(wanted_m, half_m + CLEAR_OF_GATE_M)


def road_beside(site: Site, right_m: float, name: str) -> Road:
    """A free road that keeps its distance from the one through a gate."""
    step_m = 25.0 if len(site.gate.carriageway) > 1 else ROAD_REACH_M
    along = np.arange(-ROAD_REACH_M, ROAD_REACH_M + 1, step_m)
    points, _ = site.centre.place(along, np.full_like(along, right_m))
    return Road(id=name[:64], line=tuple((a, b) for a, b in site.plane.degrees(points).tolist()))


def distance_m(one: Gate, other: Gate) -> float:
    """Between the middles of two gates, good enough for hundreds of metres."""
    lat, lon = (np.array(one.line).mean(axis=0) - np.array(other.line).mean(axis=0)).tolist()
    east = lon * math.cos(math.radians(one.line[0][0]))
    return 111_195.0 * math.hypot(lat, east)


class Ground:
    """The shipped contexts, their gates' sites, and detectors for them."""

    def __init__(self) -> None:
        self.contexts = {name: read_context(name) for name in CONTEXTS}
        self.sites = {
            name: {gate.id: Site(gate) for gate in context.gates if gate.bearing_deg is not None}
            for name, context in self.contexts.items()
        }
        self._shipped: dict[str, Detector] = {}
        self._beside: dict[tuple[str, str, float], Detector] = {}

    def shipped(self, name: str) -> Detector:
        """For a context as it is; made when first asked for."""
        if name not in self._shipped:
            context = self.contexts[name]
            self._shipped[name] = Detector(context.gates, context.roads)
        return self._shipped[name]

    def beside(self, name: str, gate: str, beside_m: float) -> Detector:
        """For the part of a context around a gate, with a free road so far to its right."""
        key = (name, gate, beside_m)
        if key not in self._beside:
            context, site = self.contexts[name], self.sites[name][gate]
            gates = [one for one in context.gates if distance_m(one, site.gate) <= 2 * REACH_M]
            road = road_beside(site, clear_m(site, beside_m), f"beside.{gate}")
            self._beside[key] = Detector(gates, [*context.roads, road])
        return self._beside[key]

    @cached_property
    def provability(self) -> dict[str, list[Provability]]:
        """By context, what can be proven at sigma 5 m and a fix a second."""
        return {
            name: provable(context.gates, context.roads, 5.0, 1.0)
            for name, context in self.contexts.items()
        }

    @cached_property
    def provable_on_bends(self) -> dict[str, frozenset[str]]:
        """By context, the gates that are provable where roads bend as the context does not say."""
        return {
            name: frozenset(
                one.gate
                for one in provable(context.gates, context.roads, 5.0, 1.0, BENDS[-1][0])
                if one.is_provable
            )
            for name, context in self.contexts.items()
        }

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
