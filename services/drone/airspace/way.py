"""The shortest way around obstacles (pure): A* over what can be seen from where."""

import heapq

import numpy as np
import shapely
from shapely.ops import nearest_points

from services.drone.airspace.obstacles import Corners, Obstacles

Point = tuple[float, float]
"""East and north in metres."""

_STEP_OUT_M = 0.3
_EXITS = 30
"""So many corners are tried as a way out of a margin."""


def way_around(start: Point, end: Point, obstacles: Obstacles) -> tuple[Point, ...] | None:
    """Start, corners and end; `None` where there is no way, or the end lies too near to a zone.

    Only obstacles that a way meets are looked at, then those that the way around them meets, and
    so on: each way is the shortest around some of them, so the first that meets no more is the
    shortest around all.
    """
    if shapely.intersects_xy(obstacles.solid, *end):
        return None
    if shapely.intersects_xy(obstacles.solid, *start):
        out = _way_out(start, obstacles)
        rest = None if out is None else _around(out, end, obstacles)
        return None if rest is None else (start, *rest)
    return _around(start, end, obstacles)


def _around(start: Point, end: Point, obstacles: Obstacles) -> tuple[Point, ...] | None:
    way: tuple[Point, ...] | None = (start, end)
    met: set[int] = set()
    while way is not None:
        line = shapely.linestrings(np.asarray(way if start != end else (*way, end)))
        if not shapely.intersects(obstacles.solid, line):
            return way
        touched = np.flatnonzero(shapely.intersects(obstacles.parts, line)).tolist()
        met.update(touched)
        chosen = sorted(met)
        solid = shapely.multipolygons([obstacles.parts[index] for index in chosen])
        shapely.prepare(solid)
        corners = [obstacles.corners[index] for index in chosen]
        way = _shortest(np.concatenate([[start], [end], *corners]), solid)
    return None


def _shortest(nodes: Corners, solid: object) -> tuple[Point, ...] | None:
    """From node 0 to node 1; ties are broken by the order of the nodes."""
    left = np.hypot(*(nodes - nodes[1]).T)
    best = np.full(len(nodes), np.inf)
    best[0] = 0.0
    before = np.full(len(nodes), -1)
    is_done = np.zeros(len(nodes), dtype=bool)
    queue = [(float(left[0]), 0)]
    while queue:
        _, here = heapq.heappop(queue)
        if here == 1:
            return _traced(nodes, before)
        if is_done[here]:
            continue
        is_done[here] = True
        length = best[here] + np.hypot(*(nodes - nodes[here]).T)
        shorter = np.flatnonzero(~is_done & (length < best))
        lines = shapely.linestrings(
            np.stack([np.broadcast_to(nodes[here], (len(shorter), 2)), nodes[shorter]], axis=1)
        )
        for there in shorter[~shapely.intersects(solid, lines)].tolist():
            best[there], before[there] = length[there], here
            heapq.heappush(queue, (float(length[there] + left[there]), there))
    return None


def _traced(
    nodes: Corners, before: np.ndarray[tuple[int], np.dtype[np.int64]]
) -> tuple[Point, ...]:
    indices = [1]
    while indices[-1] != 0:
        indices.append(int(before[indices[-1]]))
    return tuple((float(nodes[i, 0]), float(nodes[i, 1])) for i in reversed(indices))


def _way_out(start: Point, obstacles: Obstacles) -> Point | None:
    """Where the margin is left soonest, through no zone that it is not in already."""
    point = shapely.Point(start)
    edge = nearest_points(obstacles.solid.boundary, point)[0]
    east, north = edge.x - start[0], edge.y - start[1]
    stretched = 1.0 + _STEP_OUT_M / max(float(np.hypot(east, north)), 1e-6)
    exits = [(start[0] + east * stretched, start[1] + north * stretched)]
    corners = np.concatenate(obstacles.corners)
    nearest = np.argsort(np.hypot(*(corners - start).T), kind="stable")[:_EXITS]
    exits += [(float(corners[i, 0]), float(corners[i, 1])) for i in nearest]
    is_in_zone = shapely.intersects_xy(obstacles.hard, *start)
    for out in exits:
        leaves = not shapely.intersects_xy(obstacles.solid, *out)
        line = shapely.linestrings([start, out])
        if leaves and (is_in_zone or not shapely.intersects(obstacles.hard, line)):
            return out
    return None
