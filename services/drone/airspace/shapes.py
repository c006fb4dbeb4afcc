"""Geometries of a zones file, made valid whatever is in them (pure)."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import shapely
from shapely import MultiPolygon, Polygon

from internetcar.contract.message import InputError
from services.drone.geodesy import Place, moved, towards

MOST_CORNERS = 20_000
"""Of one ring."""

MOST_CROSSED = 300
"""A ring that crosses itself is mended up to so many corners: the work grows with their square."""

MOST_RADIUS_M = 500_000.0
_SMALLEST_DEG2 = 1e-12
"""About a hundredth of a square metre: no area but an error of rounding."""

_CIRCLE_SIDES = 32
_MOST_LAT_DEG = 89.9


class ZoneFileError(InputError):
    """A zones file cannot be used: names the zone and what to do."""


def area_of(geometry: Any, radius_m: Any = None) -> Polygon | MultiPolygon:
    """The area of a `Polygon`, a `MultiPolygon`, or a circle around a `Point`, in degrees.

    Args:
        geometry: GeoJSON, or a horizontal projection of ED-269.
        radius_m: Where it stands beside the geometry.

    Raises:
        ZoneFileError: It is none of them, or has no area; without the zone's name.
    """
    if not isinstance(geometry, dict):
        raise ZoneFileError("has no geometry; give it a Polygon, a MultiPolygon or a Point")
    coordinates = geometry.get("coordinates")
    match geometry.get("type"):
        case "Polygon":
            parts = [_polygon(coordinates)]
        case "MultiPolygon":
            parts = [_polygon(each) for each in _sequence(coordinates, "the list of polygons")]
        case "Point":
            parts = [_circle(coordinates, radius_m)]
        case "Circle":
            parts = [_circle(geometry.get("center"), geometry.get("radius", radius_m))]
        case other:
            raise ZoneFileError(
                f"has a geometry {str(other)[:40]!r}; use Polygon, MultiPolygon or Point"
            )
    areas = [area for part in parts for area in polygons(part)]
    if not areas:
        raise ZoneFileError("has no area; check its corners")
    return areas[0] if len(areas) == 1 else MultiPolygon(areas)


def polygons(shape: Any) -> Iterator[Polygon]:
    """What has an area in a shape."""
    for part in getattr(shape, "geoms", (shape,)):
        if part.geom_type == "Polygon" and part.area > _SMALLEST_DEG2:
            yield part


def number(value: Any, name: str) -> float:
    """A finite number.

    Raises:
        ZoneFileError: It is none.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ZoneFileError(f"has {str(value)[:40]!r} as {name}; give a number")
    return float(value)


def _sequence(value: Any, name: str) -> Sequence[Any]:
    if not isinstance(value, list) or not value:
        raise ZoneFileError(f"lacks {name}")
    return value


def _polygon(rings: Any) -> Any:
    shell, *holes = [_ring(ring) for ring in _sequence(rings, "the rings of a polygon")]
    first = shell[0][0]
    turned = [[(lon + _turns(hole[0][0], first), lat) for lon, lat in hole] for hole in holes]
    whole = Polygon(shell, turned)
    if whole.is_valid:
        return whole
    if len(shell) > MOST_CROSSED:
        raise ZoneFileError(
            f"has a ring that crosses itself and more than {MOST_CROSSED} corners; mend it"
        )
    filled = _filled(shell)
    for hole in turned:
        ring = Polygon(hole)
        if ring.is_valid:
            filled = filled.difference(ring)
    return filled


def _filled(shell: list[tuple[float, float]]) -> Any:
    """All that a ring encloses: too large is the safe side.

    `shapely.make_valid` would leave out what a ring goes around twice.
    """
    lines = shapely.union_all(shapely.linestrings(shell))
    return shapely.union_all(list(shapely.polygonize([lines]).geoms))


def _turns(lon_deg: float, near_deg: float) -> float:
    return round((near_deg - lon_deg) / 360.0) * 360.0


def _ring(points: Any) -> list[tuple[float, float]]:
    """Closed; longitudes run on across the date line."""
    if len(_sequence(points, "the corners of a ring")) > MOST_CORNERS:
        raise ZoneFileError(f"has a ring of more than {MOST_CORNERS} corners; make it simpler")
    ring: list[tuple[float, float]] = []
    for point in points:
        lat, lon = _place(point)
        if ring:
            lon += _turns(lon, ring[-1][0])
        if not ring or ring[-1] != (lon, lat):
            ring.append((lon, lat))
    if abs(ring[-1][0] - ring[0][0]) > 180.0:
        raise ZoneFileError("goes around a pole; cut it along a meridian")
    if ring[0] != ring[-1]:
        ring.append(ring[0])
    if len(ring) < 4:
        raise ZoneFileError("has a ring of fewer than three corners; add the missing ones")
    return ring


def _place(point: Any) -> Place:
    if not isinstance(point, list) or len(point) < 2:
        raise ZoneFileError("has a corner that is no [longitude, latitude]")
    lon, lat = number(point[0], "a longitude"), number(point[1], "a latitude")
    if not (-180.0 <= lon <= 180.0 and -90.0 <= lat <= 90.0):
        raise ZoneFileError(f"has a corner at longitude {lon:g}, latitude {lat:g}; longitude first")
    return Place(lat, lon)


def _circle(center: Any, radius_m: Any) -> Polygon:
    """The polygon around a circle, not within it."""
    middle = _place(center)
    radius = number(radius_m, "the radius in metres of its point")
    if not 0.0 < radius <= MOST_RADIUS_M:
        raise ZoneFileError(f"has a radius of {radius:g} m; it is above 0 and at most 500 km")
    if abs(middle.lat_deg) + radius / 111_000.0 > _MOST_LAT_DEG:
        raise ZoneFileError("is a circle over a pole; leave it out, nothing is flown there")
    outer = radius / math.cos(math.pi / _CIRCLE_SIDES) * 1.001
    around = [
        moved(middle, towards(360.0 * side / _CIRCLE_SIDES, outer)) for side in range(_CIRCLE_SIDES)
    ]
    lons = [place.lon_deg + _turns(place.lon_deg, middle.lon_deg) for place in around]
    return Polygon([(lon, place.lat_deg) for lon, place in zip(lons, around, strict=True)])
