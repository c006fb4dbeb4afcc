"""Zones as areas that the autopilot itself does not enter (pure)."""

from typing import Any

import shapely
from shapely import Polygon

from services.drone.airspace.local import Local
from services.drone.autopilot import FenceArea
from services.drone.geodesy import Place

MOST_POINTS = 60
"""In all areas together. ArduCopter's smallest usual store holds 560 bytes, 8 for a corner."""

MOST_AREAS = 16

LARGER_M = 8.0
"""No area reaches farther beyond its zone, so that a way at half the usual margin is outside."""

_COARSENESS_M = (1.0, 4.0, 12.0, 40.0)
"""From 8 m on parts of a zone may be left out of its area, for want of room."""

_MOST_OF_ONE = 20
_SMALLEST_M2 = 1.0


def fence_of(
    local: Local, shapes: list[Any], near: Place, radius_m: float
) -> tuple[FenceArea, ...]:
    """Areas without holes for the zones within a radius, nearest first, as many as fit."""
    east, north = local.metres(near)
    here = shapely.Point(east, north)
    frame = shapely.box(east - radius_m, north - radius_m, east + radius_m, north + radius_m)
    pieces: list[Polygon] = []
    for shape in shapes:
        for part in _polygons(_coarse(shape.intersection(frame))):
            pieces += _without_holes(part)
    pieces.sort(key=lambda piece: (piece.distance(here), piece.bounds))
    areas: list[FenceArea] = []
    left = MOST_POINTS
    for piece in pieces:
        corners = tuple(local.place(x, y) for x, y in piece.exterior.coords[:-1])
        if len(corners) <= left and len(areas) < MOST_AREAS:
            areas.append(FenceArea(corners))
            left -= len(corners)
    return tuple(areas)


def _coarse(shape: Any) -> Any:
    """With few corners; nowhere more than `LARGER_M` outside, and inside only where it must."""
    found = shape
    for coarseness_m in _COARSENESS_M:
        grown = shape.buffer(LARGER_M - coarseness_m, quad_segs=2).simplify(coarseness_m)
        if grown.is_empty:
            break
        found = grown
        if all(_count(part) <= _MOST_OF_ONE for part in _polygons(found)):
            break
    return found


def _count(part: Polygon) -> int:
    return sum(len(ring.coords) - 1 for ring in (part.exterior, *part.interiors))


def _polygons(shape: Any) -> list[Polygon]:
    parts = getattr(shape, "geoms", (shape,))
    return [part for part in parts if part.geom_type == "Polygon" and part.area > _SMALLEST_M2]


def _without_holes(part: Polygon) -> list[Polygon]:
    """Cut through its holes: an area of the autopilot has none, and the car may be in one."""
    if not part.interiors:
        return [part]
    west, south, east, north = part.bounds
    middle = Polygon(part.interiors[0]).representative_point().x
    halves = (shapely.box(west, south, middle, north), shapely.box(middle, south, east, north))
    return [
        piece
        for half in halves
        for each in _polygons(part.intersection(half))
        for piece in _without_holes(each)
    ]
