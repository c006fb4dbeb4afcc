"""The ways a vehicle may have taken instead of a gate's: what a proof is held against."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from shapely import STRtree
from shapely.geometry import LineString, Point

from services.tolls.detection.network import GateFrame, way_in
from services.tolls.detection.paths import Way
from services.tolls.detection.plane import mercator, stretch, turn_rad
from services.tolls.objects import Gate, Road

REACH_M = 100.0
"""Ways that come nearer to a gate than this are alternatives."""
PARALLEL_M = 43.0
"""A free road is assumed this far from the gate, on either side,"""
PARALLEL_SIGMAS = 9.3
"""or so many standard deviations, if that is nearer: what a receiver can just tell apart."""
LANE_M = 3.5
LANE_EDGE_M = 1.5
"""A car's middle keeps this far from the ends of the gate's line."""
_ALIKE_RAD = math.radians(30.0)
"""Ways that differ less in direction are taken as parallel: roads bend together."""
_SAME_ROAD_M = 20.0
"""A gate further ahead than this and not beside is on the same road, and passed as well."""
UNKNOWN = "parallel road"


@dataclass(frozen=True, slots=True)
class Alternative:
    """A way beside a gate's.

    Attributes:
        name: A road, `gate` and the id of another gate, or `UNKNOWN`.
        offsets_m: Where it may pass the gate, to the right of the gate's middle.
        way: How it runs in the gate's straight frame, where it is not parallel to the gate's.
        is_opposite: Whether it is driven in the other direction.
    """

    name: str
    offsets_m: tuple[float, ...]
    way: Way | None = None
    is_opposite: bool = False

    @property
    def separation_m(self) -> float:
        """From the middle of the gate to the nearest of it."""
        return min(abs(offset) for offset in self.offsets_m)


def lanes_m(half_width_m: float) -> tuple[float, ...]:
    """Where in a gate's line a car may be, to the right of its middle."""
    edge = max(0.0, half_width_m - LANE_EDGE_M)
    count = 1 + math.ceil(2.0 * edge / LANE_M)
    if count == 1:
        return (0.0,)
    return tuple(-edge + 2.0 * edge * index / (count - 1) for index in range(count))


def alternatives(
    frames: Sequence[GateFrame], gates: Sequence[Gate], roads: Sequence[Road]
) -> list[list[Alternative]]:
    """For each frame the ways known to the context that come near its gate.

    A road may be driven in both directions: it is held against a gate in the gate's.

    Args:
        frames: The gates that have a direction.
        gates: All of them.
        roads: Free ways.
    """
    framed = {frame.gate.id: frame for frame in frames}
    lines = [gate.line for gate in gates] + [road.line for road in roads]
    tree = STRtree([LineString([mercator(*point) for point in line]) for line in lines])
    found = []
    for frame in frames:
        middle = mercator(frame.plane.lat_deg, frame.plane.lon_deg)
        reach = (REACH_M + frame.half_width_m) * stretch(frame.plane.lat_deg)
        near = sorted(int(i) for i in tree.query(Point(middle), "dwithin", reach))
        each = [
            _gate(frame, gates[i], framed.get(gates[i].id))
            if i < len(gates)
            else _road(frame, roads[i - len(gates)])
            for i in near
        ]
        found.append([alternative for alternative in each if alternative is not None])
    return found


def _road(frame: GateFrame, road: Road) -> Alternative | None:
    way = Way.through(way_in(frame, road.line))
    return _line(road.id, way) if way else None


def assumed(sigma_m: float) -> list[Alternative]:
    """The free roads assumed on each side, whatever is known: no map has all of them."""
    distance = min(PARALLEL_M, PARALLEL_SIGMAS * sigma_m)
    return [Alternative(UNKNOWN, (offset,)) for offset in (-distance, distance)]


def _line(name: str, way: Way) -> Alternative:
    """A known line as an alternative, in the gate's direction."""
    along, right, turn = way.at(0.0)
    if abs(turn) > math.pi / 2:
        way = Way.through(tuple(reversed(way.points[1:-1]))) or way
        along, right, turn = way.at(0.0)
    offset = right - along * math.tan(turn) if abs(turn) < _ALIKE_RAD else right
    return Alternative(name, (offset,), way)


def _gate(frame: GateFrame, gate: Gate, other: GateFrame | None) -> Alternative | None:
    """Another gate's carriageway as an alternative; `None` where it is far or on the same road."""
    if gate.id == frame.gate.id:
        return None
    (lat1, lon1), (lat2, lon2) = gate.line
    first, second = frame.straight(lat1, lon1), frame.straight(lat2, lon2)
    half = math.dist(first, second) / 2
    middle = ((first[0] + second[0]) / 2, (first[1] + second[1]) / 2)
    name = f"gate {gate.id}"
    if other is None:
        return Alternative(name, tuple(middle[1] + lane for lane in lanes_m(half)))
    turn = turn_rad(frame.bearing_rad, other.bearing_rad)
    if abs(turn) > math.pi / 2:
        return Alternative(name, (middle[1],), is_opposite=True)
    if len(gate.carriageway) > 1:
        way = Way.through(way_in(frame, gate.carriageway))
        return None if way is None else _line(name, way)
    ahead, aside = middle[0], _nearer(middle[1], other, frame)
    if abs(ahead) > _SAME_ROAD_M and abs(aside) < max(half, frame.half_width_m):
        return None
    if abs(turn) < _ALIKE_RAD:
        return Alternative(name, tuple(aside + lane for lane in lanes_m(half)))
    back = (middle[0] - math.cos(turn), middle[1] - math.sin(turn))
    way = Way.through((back, middle))
    return Alternative(name, (middle[1],), way)


def _nearer(right_m: float, other: GateFrame, frame: GateFrame) -> float:
    """The offset of another gate's way, from here or seen from there, whichever is less."""
    seen = -other.straight(frame.plane.lat_deg, frame.plane.lon_deg)[1]
    if seen * right_m <= 0.0:
        return 0.0
    return min(right_m, seen, key=abs)
