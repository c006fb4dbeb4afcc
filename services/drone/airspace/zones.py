"""Zones from the text of a file like ED-318's GeoJSON, or ED-269's (pure).

A feature's own words are read: `identifier`; `type` (ED-318) or `restriction` (ED-269); the
vertical limits in `geometry.layer`, in the ED-269 geometry or among the properties; circles as a
point with `extent.radius` or `radius`; `limitedApplicability` or `applicability`. Ours is
`covered: true` for a tunnel or a roof. Unknown keys are ignored.
"""

from collections.abc import Iterator
from typing import Any

import orjson

from services.drone.airspace.shapes import ZoneFileError, area_of, number
from services.drone.airspace.windows import windows_of
from services.drone.airspace.zone import Height, Restriction, Zone
from services.drone.words import printable

MOST_BYTES = 16 << 20
MOST_ZONES = 5_000
_MOST_ID = 64
_FOOT_M = 0.3048
_UNITS_M = {"M": 1.0, "FT": _FOOT_M}

_WORDS = {
    "REQ_AUTHORIZATION": Restriction.AUTHORISATION,
    **{each.value: each for each in Restriction},
}


def read_zones(text: str) -> tuple[Zone, ...]:
    """The zones of a file's text, in its order.

    Raises:
        ZoneFileError: It cannot be used; the text names the zone and what to do.
    """
    if len(text) > MOST_BYTES:
        raise ZoneFileError(f"the zones have more than {MOST_BYTES >> 20} MiB; cut out your region")
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise ZoneFileError(f"the zones are no JSON: {error}") from error
    features = document.get("features") if isinstance(document, dict) else None
    if not isinstance(features, list):
        raise ZoneFileError("the zones have no list `features`; give a GeoJSON FeatureCollection")
    zones: list[Zone] = []
    for index, feature in enumerate(features):
        zones += _named(index, feature)
        if len(zones) > MOST_ZONES:
            raise ZoneFileError(f"more than {MOST_ZONES} zones; cut out your region")
    return tuple(zones)


def _named(index: int, feature: Any) -> list[Zone]:
    if not isinstance(feature, dict):
        raise ZoneFileError(f"zone number {index + 1} is no object")
    found = feature.get("properties")
    properties = found if isinstance(found, dict) else feature
    name = _id(properties.get("identifier", feature.get("id")), f"zone-{index + 1}")
    try:
        return list(_zones(name, feature.get("geometry"), properties))
    except ZoneFileError as error:
        raise ZoneFileError(f"zone {name} {error}") from error


def _id(value: Any, default: str) -> str:
    text = "" if value is None else str(value)
    return printable(text[:_MOST_ID]).strip() or default


def _zones(name: str, geometry: Any, properties: dict[str, Any]) -> Iterator[Zone]:
    windows = windows_of(properties)
    is_covered = properties.get("covered") is True
    restriction = _restriction(properties)
    for each in _geometries(geometry):
        layer, circle, radius = _layer(each, properties), each, properties.get("radius")
        if isinstance(each, dict):
            circle = each.get("horizontalProjection", each)
            extent = each.get("extent")
            radius = extent.get("radius") if isinstance(extent, dict) else radius
            radius = each.get("radius", radius)
        unit = _unit(layer)
        yield Zone(
            id=name,
            restriction=restriction,
            shape=area_of(circle, radius),
            lower=_height(layer, "lower", unit),
            upper=_height(layer, "upper", unit),
            windows=windows,
            is_covered=is_covered,
        )


def _restriction(properties: dict[str, Any]) -> Restriction:
    """An unknown word is a prohibition: the safe side."""
    for key in ("restriction", "type"):
        word = properties.get(key)
        if isinstance(word, str) and word.upper() in _WORDS:
            return _WORDS[word.upper()]
    return Restriction.PROHIBITED


def _geometries(geometry: Any) -> list[Any]:
    """An ED-269 feature has a list of them, a GeoJSON one a collection."""
    if isinstance(geometry, dict) and geometry.get("type") == "GeometryCollection":
        geometry = geometry.get("geometries")
    found = geometry if isinstance(geometry, list) else [geometry]
    if not found:
        raise ZoneFileError("has no geometry; give it a Polygon, a MultiPolygon or a Point")
    return found


def _layer(geometry: Any, properties: dict[str, Any]) -> dict[str, Any]:
    """Where the vertical limits stand, in ED-318's words."""
    if not isinstance(geometry, dict):
        return {}
    if "horizontalProjection" in geometry:
        return {
            "lower": geometry.get("lowerLimit"),
            "upper": geometry.get("upperLimit"),
            "lowerReference": geometry.get("lowerVerticalReference"),
            "upperReference": geometry.get("upperVerticalReference"),
            "uom": geometry.get("uomDimensions"),
        }
    layer = geometry.get("layer", properties)
    if not isinstance(layer, dict):
        raise ZoneFileError("has a layer that is no object; give lower, upper, uom")
    return layer


def _unit(layer: dict[str, Any]) -> float:
    uom = layer.get("uom")
    if uom is None:
        return 1.0
    if str(uom).upper() not in _UNITS_M:
        raise ZoneFileError(f"has {str(uom)[:40]!r} as unit of its heights; use M or FT")
    return _UNITS_M[str(uom).upper()]


def _height(layer: dict[str, Any], side: str, unit_m: float) -> Height | None:
    """A limit with an unknown reference is none: the zone then reaches farther, the safe side."""
    value = layer.get(side)
    if value is None:
        return None
    metres = number(value, f"its {side} limit") * unit_m
    reference = str(layer.get(f"{side}Reference", "AGL")).upper()
    if reference not in ("AGL", "AMSL"):
        return None
    return Height(metres, reference == "AMSL")
