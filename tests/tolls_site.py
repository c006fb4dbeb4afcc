"""The ground a simulated drive goes over: a road through a gate, and what it crosses.

Nothing here is shared with the detector: the plane, the roads and the crossings are this module's.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from services.tolls.objects import Gate

Floats = NDArray[np.float64]

STEP_M = 2.0
REACH_M = 6000.0
STRAIGHT_M = 100.0
"""On either side of a gate the road is straight, as where a gantry is built."""
LANE_EDGE_M = 1.5
"""A car's middle keeps this far from the ends of the gate's line."""


@dataclass(frozen=True)
class Plane:
    """East and north in m of an origin; exact enough for 10 km (WGS 84's radii of curvature)."""

    lat_deg: float
    lon_deg: float

    @cached_property
    def _scales(self) -> tuple[float, float]:
        lat = math.radians(self.lat_deg)
        part = 1.0 - 6.69437999014e-3 * math.sin(lat) ** 2
        east = 6378137.0 / math.sqrt(part) * math.cos(lat)
        north = 6378137.0 * (1.0 - 6.69437999014e-3) / part**1.5
        return math.radians(east), math.radians(north)

    def metres(self, points: object) -> Floats:
        """Shape (n, 2), east and north, of points given as latitude and longitude in degrees."""
        given = np.array(points, dtype=np.float64).reshape(-1, 2)
        east, north = self._scales
        return np.column_stack(
            ((given[:, 1] - self.lon_deg) * east, (given[:, 0] - self.lat_deg) * north)
        )

    def degrees(self, metres: Floats) -> Floats:
        """Shape (n, 2), latitude and longitude."""
        east, north = self._scales
        return np.column_stack(
            (metres[:, 1] / north + self.lat_deg, metres[:, 0] / east + self.lon_deg)
        )


@dataclass(frozen=True)
class Path:
    """A centreline: `along_m` from the gate, its points, and the heading in radians at each."""

    along_m: Floats
    points: Floats
    heading_rad: Floats

    def place(self, along_m: Floats, right_m: Floats) -> tuple[Floats, Floats]:
        """Points and headings at distances along it, so far to the right of it."""
        heading = np.interp(along_m, self.along_m, self.heading_rad)
        east = np.interp(along_m, self.along_m, self.points[:, 0]) + right_m * np.cos(heading)
        north = np.interp(along_m, self.along_m, self.points[:, 1]) - right_m * np.sin(heading)
        return np.column_stack((east, north)), heading


class Site:
    """A gate with a direction and the road through it.

    Args:
        gate: Its bearing is known.
    """

    def __init__(self, gate: Gate) -> None:
        assert gate.bearing_deg is not None, f"gate {gate.id} has no direction"
        ends = np.array(gate.line)
        self.gate = gate
        self.plane = Plane(*(float(value) for value in ends.mean(axis=0)))
        self.line = self.plane.metres(gate.line)
        self.bearing_rad = math.radians(gate.bearing_deg)
        self.centre = self._centreline()
        right = np.array([math.cos(self.bearing_rad), -math.sin(self.bearing_rad)])
        spans = sorted(float(value) for value in self.line @ right)
        edge = min(LANE_EDGE_M, (spans[1] - spans[0]) / 2)
        self.lanes_m = (spans[0] + edge, spans[1] - edge)

    def _centreline(self) -> Path:
        if len(self.gate.carriageway) < 2:
            return self.bent(np.zeros(0))
        points = self.plane.metres(self.gate.carriageway)
        lengths = np.hypot(*np.diff(points, axis=0).T)
        kept = points[np.concatenate(([True], lengths > 0.01))]
        first, last = kept[1] - kept[0], kept[-1] - kept[-2]
        reach = 2 * REACH_M
        ends = (
            kept[0] - first / np.hypot(*first) * reach,
            kept[-1] + last / np.hypot(*last) * reach,
        )
        whole = np.vstack((ends[0], kept, ends[1]))
        run = np.concatenate(([0.0], np.cumsum(np.hypot(*np.diff(whole, axis=0).T))))
        dense = np.arange(0.0, run[-1], STEP_M)
        line = np.column_stack(
            (np.interp(dense, run, whole[:, 0]), np.interp(dense, run, whole[:, 1]))
        )
        zero = int(np.argmin(np.hypot(line[:, 0], line[:, 1])))
        near = slice(max(0, zero - int(REACH_M / STEP_M)), zero + int(REACH_M / STEP_M))
        chord = np.gradient(line[near], axis=0)
        heading = np.unwrap(np.arctan2(chord[:, 0], chord[:, 1]))
        return Path(dense[near] - dense[zero], line[near], heading)

    def bent(self, curvatures: Floats, stretch_m: float = 300.0) -> Path:
        """The straight road through the gate, bent beyond 100 m.

        Args:
            curvatures: 1/m, to the right, of the stretches from the middle outwards: the even ones
                of the run-out, the odd ones of the approach; straight beyond.
            stretch_m: How long each is.
        """
        along = np.arange(-REACH_M, REACH_M + STEP_M, STEP_M)
        curvature = np.zeros_like(along)
        for index, value in enumerate(curvatures):
            begins = STRAIGHT_M + (index // 2) * stretch_m
            distance = along if index % 2 == 0 else -along
            curvature[(distance >= begins) & (distance < begins + stretch_m)] = value
        turned = np.cumsum(curvature) * STEP_M
        zero = len(along) // 2
        heading = self.bearing_rad + turned - turned[zero]
        steps = np.column_stack((np.sin(heading), np.cos(heading))) * STEP_M
        points = np.cumsum(steps, axis=0)
        return Path(along, points - points[zero], heading)


def crossings(points: Floats, line: Floats) -> list[tuple[int, float, bool]]:
    """Where a track crosses a line: index of the chord, part of it, and from its left to right.

    `True` is from the left to the right of the line as seen from its first end to its second.
    """
    along = line[1] - line[0]
    offset = points - line[0]
    side = along[0] * offset[:, 1] - along[1] * offset[:, 0]
    found = []
    for index in np.flatnonzero((side[:-1] > 0) != (side[1:] > 0)).tolist():
        part = float(side[index] / (side[index] - side[index + 1]))
        where = offset[index] + part * (offset[index + 1] - offset[index])
        if 0.0 <= float(where @ along) <= float(along @ along):
            found.append((index, part, bool(side[index] > 0)))
    return found
