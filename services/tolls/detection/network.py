"""The gates of a context, each with its own frame, and which of them are near."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from shapely import STRtree
from shapely.geometry import LineString, Point

from services.tolls.detection.paths import Way
from services.tolls.detection.plane import Place, Plane, mercator, stretch, turn_rad
from services.tolls.objects import Gate, LatLon

MOST_SKEW_RAD = math.radians(70.0)
"""A line along the direction of travel is crossed nowhere in particular."""
NEAR_M = 250.0
"""Nearer than this to a gate each fix is held against it."""


@dataclass(frozen=True, slots=True)
class GateFrame:
    """A gate as the detector sees it: how far before or behind it, and how far to its right.

    Attributes:
        gate: As in the context.
        plane: Touches the ellipsoid at the middle of the line.
        bearing_rad: Of the way through it: normal to its line, on the side of `bearing_deg`.
        half_width_m: Half the length of the line.
        way: Of the context's carriageway in the frame; `None`: straight.
        sine: Of the bearing.
        cosine: Of the bearing.
    """

    gate: Gate
    plane: Plane
    bearing_rad: float
    half_width_m: float
    way: Way | None
    sine: float
    cosine: float

    def straight(self, lat_deg: float, lon_deg: float) -> Place:
        """Along the bearing and to the right of it, in m."""
        east, north = self.plane.metres(lat_deg, lon_deg)
        return east * self.sine + north * self.cosine, east * self.cosine - north * self.sine

    def place(self, lat_deg: float, lon_deg: float) -> Place:
        """Along the gate's way and to the right of it, in m; 0 along is the gate."""
        place = self.straight(lat_deg, lon_deg)
        return self.way.place(*place)[:2] if self.way else place


def frame_of(gate: Gate) -> GateFrame | None:
    """The frame of a gate; `None` where its direction is unknown or along its own line."""
    if gate.bearing_deg is None:
        return None
    (lat1, lon1), (lat2, lon2) = gate.line
    plane = Plane.at((lat1 + lat2) / 2, lon1 + math.remainder(lon2 - lon1, 360.0) / 2)
    (east1, north1), (east2, north2) = plane.metres(lat1, lon1), plane.metres(lat2, lon2)
    width = math.hypot(east2 - east1, north2 - north1)
    if width == 0.0:
        return None
    normal = math.atan2(east2 - east1, north2 - north1) + math.pi / 2
    wanted = math.radians(gate.bearing_deg)
    if abs(turn_rad(normal, wanted)) > math.pi / 2:
        normal += math.pi
    if abs(turn_rad(normal, wanted)) > MOST_SKEW_RAD:
        return None
    normal %= math.tau
    bare = GateFrame(gate, plane, normal, width / 2, None, math.sin(normal), math.cos(normal))
    if len(gate.carriageway) < 2:
        return bare
    return replace(bare, way=Way.through(way_in(bare, gate.carriageway)))


def way_in(frame: GateFrame, line: Sequence[LatLon]) -> list[Place]:
    """A line of the context in a gate's straight frame."""
    return [frame.straight(lat, lon) for lat, lon in line]


class Network:
    """Which gates are near a place or a chord."""

    def __init__(self, gates: Sequence[Gate]) -> None:
        self.frames = [frame for gate in gates if (frame := frame_of(gate)) is not None]
        self._tree = STRtree(
            [
                LineString([mercator(lat, lon) for lat, lon in frame.gate.line])
                for frame in self.frames
            ]
        )

    def near(self, lat_deg: float, lon_deg: float) -> tuple[list[int], float]:
        """The gates within reach, and how far one may go before others could be, in m."""
        if not self.frames:
            return [], math.inf
        point = Point(mercator(lat_deg, lon_deg))
        scale = stretch(lat_deg)
        found = self._tree.query(point, predicate="dwithin", distance=2 * NEAR_M * scale)
        if len(found):
            return sorted(int(index) for index in found), NEAR_M
        _, distances = self._tree.query_nearest(point, return_distance=True, all_matches=False)
        return [], max(NEAR_M, 0.9 * float(distances[0]) / scale - NEAR_M)

    def along(self, start: Place, end: Place, reach_m: float) -> list[int]:
        """The gates within reach of a chord between two places in degrees of lat and lon."""
        if not self.frames:
            return []
        chord = LineString([mercator(*start), mercator(*end)])
        distance = reach_m * max(stretch(start[0]), stretch(end[0]))
        return sorted(
            int(i) for i in self._tree.query(chord, predicate="dwithin", distance=distance)
        )
