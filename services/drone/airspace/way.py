"""The shortest way around obstacles (pure): A* over what can be seen from where."""

import heapq

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.ops import nearest_points

from services.drone.airspace.obstacles import Corners, Obstacles, cross

Point = tuple[float, float]
"""East and north in metres."""

_STEP_OUT_M = 0.3
_ENDS = 2
"""Nodes that are no corners: the start and the end."""

_TOUCHES_M2 = 1e-3
"""Along an edge is not across it, whatever the rounding."""

_EXITS = 30
"""So many corners are tried as a way out of a margin."""


def way_around(
    start: Point, end: Point, obstacles: Obstacles, margin_m: float
) -> tuple[Point, ...] | None:
    """Start, corners and end; `None` where there is no way, or the end lies too near to a zone.

    Only obstacles that a way meets are looked at, then those that the way around them meets, and
    so on: each way is the shortest around some of them, so the first that meets no more is the
    shortest around all. Obstacles are a little larger than the margin: an end in between is
    approached from the nearest place outside.
    """
    if not obstacles.is_near(start, end, margin_m):
        return (start, end)
    if obstacles.is_near(end, end, margin_m):
        return None
    keep_m = 0.0 if obstacles.is_near(start, start, margin_m) else margin_m
    out, door = _way_out(start, obstacles, keep_m), _way_out(end, obstacles, margin_m)
    if out is None or door is None:
        return None
    way = _around(out, door, obstacles)
    if way is None:
        return None
    return (*(() if out == start else (start,)), *way, *(() if door == end else (end,)))


def _around(start: Point, end: Point, obstacles: Obstacles) -> tuple[Point, ...] | None:
    way: tuple[Point, ...] | None = (start, end)
    met: set[int] = set()
    while way is not None:
        line = shapely.linestrings(np.asarray(way if start != end else (*way, end)))
        touched = set(np.flatnonzero(shapely.intersects(obstacles.parts, line)).tolist())
        if touched <= met:
            return way
        met |= touched
        chosen = sorted(met)
        solid = shapely.multipolygons([obstacles.parts[index] for index in chosen])
        shapely.prepare(solid)
        corners = [obstacles.corners[index] for index in chosen]
        ends = np.asarray([[start] * 3, [end] * 3])
        way = _shortest(np.concatenate([ends, *corners]), solid)
    return None


def _shortest(corners: Corners, solid: object) -> tuple[Point, ...] | None:
    """From node 0 to node 1; ties are broken by the order of the nodes."""
    nodes = corners[:, 0]
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
        ways = nodes - nodes[here]
        length = best[here] + np.hypot(ways[:, 0], ways[:, 1])
        shorter = np.flatnonzero(~is_done & (length < best) & _is_worth(corners, here, ways))
        pairs = np.empty((len(shorter), 2, 2))
        pairs[:, 0], pairs[:, 1] = nodes[here], nodes[shorter]
        for there in shorter[~shapely.intersects(solid, shapely.linestrings(pairs))].tolist():
            best[there], before[there] = length[there], here
            heapq.heappush(queue, (float(length[there] + left[there]), there))
    return None


def _is_worth(corners: Corners, here: int, ways: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether a way from here could be part of a shortest one, before it is known to be free.

    From corner to corner only a way that touches at both: it leaves the corners before and after
    each on one side. The start and the end are no corners.
    """
    if here < _ENDS:
        return np.ones(len(corners), dtype=bool)
    there = _sides(ways, corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    from_here = corners[here] - corners[here, 0]
    worth = there & _sides(ways, from_here[1], from_here[2])
    worth[:_ENDS] = True
    return worth


def _sides(
    ways: NDArray[np.float64], before: NDArray[np.float64], after: NDArray[np.float64]
) -> NDArray[np.bool_]:
    first, second = cross(ways, before), cross(ways, after)
    is_left = (first > -_TOUCHES_M2) & (second > -_TOUCHES_M2)
    return is_left | ((first < _TOUCHES_M2) & (second < _TOUCHES_M2))


def _traced(nodes: NDArray[np.float64], before: NDArray[np.int64]) -> tuple[Point, ...]:
    indices = [1]
    while indices[-1] != 0:
        indices.append(int(before[indices[-1]]))
    return tuple((float(nodes[i, 0]), float(nodes[i, 1])) for i in reversed(indices))


def _way_out(start: Point, obstacles: Obstacles, keep_m: float) -> Point | None:
    """Where the obstacles are left soonest; the start itself where it is not in them.

    No zone comes nearer than `keep_m` on the way, but for one that it is in already.
    """
    if not shapely.intersects_xy(obstacles.solid, *start):
        return start
    edge = nearest_points(obstacles.solid.boundary, shapely.Point(start))[0]
    east, north = edge.x - start[0], edge.y - start[1]
    stretched = 1.0 + _STEP_OUT_M / max(float(np.hypot(east, north)), 1e-6)
    exits = [(start[0] + east * stretched, start[1] + north * stretched)]
    corners = np.concatenate(obstacles.corners)[:, 0]
    nearest = np.argsort(np.hypot(*(corners - start).T), kind="stable")[:_EXITS]
    exits += [(float(corners[i, 0]), float(corners[i, 1])) for i in nearest]
    is_in_zone = obstacles.is_near(start, start, 0.0)
    for out in exits:
        leaves = not shapely.intersects_xy(obstacles.solid, *out)
        if leaves and (is_in_zone or not obstacles.is_near(start, out, keep_m)):
            return out
    return None
