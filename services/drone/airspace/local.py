"""The zones around a place, in metres, ready for many questions (pure)."""

import math
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

import shapely
from shapely import MultiPolygon, Polygon, STRtree
from shapely.affinity import affine_transform

from services.drone.airspace.obstacles import Obstacles
from services.drone.airspace.zone import Restriction, Zone
from services.drone.geodesy import METRES_PER_DEGREE, Place
from services.drone.tasks.task import Leg

CELL_DEG = 0.1
"""Planes are centred on the corners of this grid, so that a moving car rarely needs a new one."""

REACH_M = 25_000.0
"""Farther from the centre nothing is checked: no battery lasts as far."""

ROOM_M = 30_000.0
"""So far zones are kept: beyond what is reached, as shapes are cut off here."""

MOST_KEPT = 8
"""Sets of obstacles: heights, margins and times of day that a flight asks about."""

_POLE_DEG = 85.0
"""Beyond it a plane is no picture of the ground."""


class Query(NamedTuple):
    """When and how high; a height of `None` is every height."""

    from_ms: int
    until_ms: int
    ground_m: float | None
    height_m: float | None
    height_margin_m: float

    def meets(self, zone: Zone) -> bool:
        """Whether the zone counts."""
        if not zone.is_in_force(self.from_ms, self.until_ms):
            return False
        if self.height_m is None:
            return True
        low = zone.lowest_m(self.ground_m) - self.height_margin_m
        high = zone.highest_m(self.ground_m) + self.height_margin_m
        return low < self.height_m < high


@dataclass(frozen=True, eq=False)
class Local:
    """A plane that touches the ground at `centre`, and the zones on it.

    East and north in metres; equirectangular, so that a zone's edges stay straight. Within reach a
    distance is wrong by less than 0.4 % up to 45° and 1 % up to 70° of latitude.
    """

    centre: Place
    zones: tuple[Zone, ...]
    shapes: tuple[Any, ...]
    roofs: tuple[Any, ...]
    tree: STRtree
    kept: dict[tuple[tuple[int, ...], float], Obstacles] = field(default_factory=dict)
    """Obstacles by zones and margin: derived values only."""

    def metres(self, place: Place) -> tuple[float, float]:
        """East and north of the centre."""
        lon = (place.lon_deg - self.centre.lon_deg + 180.0) % 360.0 - 180.0
        north = (place.lat_deg - self.centre.lat_deg) * METRES_PER_DEGREE
        return lon * METRES_PER_DEGREE * _scale(self.centre), north

    def place(self, east_m: float, north_m: float) -> Place:
        """The inverse of `metres`."""
        lon = self.centre.lon_deg + east_m / METRES_PER_DEGREE / _scale(self.centre)
        lat = self.centre.lat_deg + north_m / METRES_PER_DEGREE
        return Place(lat, (lon + 180.0) % 360.0 - 180.0)

    def reaches(self, place: Place) -> bool:
        """Whether zones are known there."""
        if not abs(place.lat_deg) <= _POLE_DEG:
            return False
        east, north = self.metres(place)
        return math.hypot(east, north) <= REACH_M

    def near_leg(self, leg: Leg, query: Query, margin_m: float) -> list[Zone]:
        """Zones that count and come as near as that, in the order of the file."""
        if not self.zones:
            return []
        ends = [self.metres(leg.start), self.metres(leg.end)]
        line = shapely.points(ends[0]) if ends[0] == ends[1] else shapely.linestrings(ends)
        found = self.tree.query(line, predicate="dwithin", distance=margin_m)
        zones = [self.zones[index] for index in sorted(found.tolist())]
        return [zone for zone in zones if query.meets(zone)]

    def is_covered(self, place: Place) -> bool:
        """Whether a roof is over it."""
        if not self.roofs:
            return False
        point = shapely.points(self.metres(place))
        return any(shapely.intersects(roof, point) for roof in self.roofs)

    def zones_and_shapes(self, query: Query) -> list[tuple[Zone, Any]]:
        """Zones that count, with their shapes."""
        pairs = zip(self.zones, self.shapes, strict=True)
        return [(zone, shape) for zone, shape in pairs if query.meets(zone)]

    def obstacles(self, query: Query, margin_m: float) -> Obstacles:
        """What must be flown around; kept for the next question."""
        active = tuple(index for index, zone in enumerate(self.zones) if query.meets(zone))
        key = (active, margin_m)
        if key not in self.kept:
            if len(self.kept) >= MOST_KEPT:
                self.kept.clear()
            shapes = [self.shapes[index] for index in active]
            self.kept[key] = Obstacles.around(shapes, margin_m, REACH_M)
        return self.kept[key]


def _scale(centre: Place) -> float:
    return math.cos(math.radians(centre.lat_deg))


def local_at(
    zones: tuple[Zone, ...], permitted: frozenset[str], place: Place, roof_margin_m: float
) -> Local:
    """The plane for a place; the same for all places of a cell."""
    lat = max(-_POLE_DEG, min(_POLE_DEG, place.lat_deg))
    if not (math.isfinite(lat) and math.isfinite(place.lon_deg)):
        return _local(_Identity(()), permitted, Place(0.0, 0.0), roof_margin_m)
    centre = Place(round(lat / CELL_DEG) * CELL_DEG, round(place.lon_deg / CELL_DEG) * CELL_DEG)
    return _local(_Identity(zones), permitted, centre, roof_margin_m)


class _Identity:
    """Zones by identity, as comparing thousands of shapes would take longer than the question."""

    def __init__(self, zones: tuple[Zone, ...]) -> None:
        self.zones = zones

    def __hash__(self) -> int:
        return id(self.zones)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Identity) and self.zones is other.zones


@lru_cache(maxsize=8)
def _local(
    known: _Identity, permitted: frozenset[str], centre: Place, roof_margin_m: float
) -> Local:
    zones: list[Zone] = []
    shapes: list[Any] = []
    roofs: list[Any] = []
    for zone in known.zones:
        shape = _on_plane(zone.shape, centre)
        if shape is None:
            continue
        if zone.is_covered:
            roofs.append(shape.buffer(roof_margin_m))
        elif not _is_open(zone, permitted):
            shapely.prepare(shape)
            zones.append(zone)
            shapes.append(shape)
    return Local(centre, tuple(zones), tuple(shapes), tuple(roofs), STRtree(shapes))


def _is_open(zone: Zone, permitted: frozenset[str]) -> bool:
    if zone.restriction is Restriction.NONE:
        return True
    return zone.restriction is not Restriction.PROHIBITED and zone.id in permitted


def _on_plane(shape: Polygon | MultiPolygon, centre: Place) -> Any:
    parts = [_part_on_plane(part, centre) for part in getattr(shape, "geoms", (shape,))]
    near = [part for part in parts if part is not None and not part.is_empty]
    return shapely.union_all(near) if near else None


def _part_on_plane(part: Polygon, centre: Place) -> Any:
    west, south, east, north = part.bounds
    turn = round(((west + east) / 2 - centre.lon_deg) / 360.0) * 360.0
    room_lat = ROOM_M / METRES_PER_DEGREE
    room_lon = room_lat / _scale(centre)
    if not (
        west - turn <= centre.lon_deg + room_lon
        and east - turn >= centre.lon_deg - room_lon
        and south <= centre.lat_deg + room_lat
        and north >= centre.lat_deg - room_lat
    ):
        return None
    across, up = METRES_PER_DEGREE * _scale(centre), METRES_PER_DEGREE
    moved = [across, 0, 0, up, -(centre.lon_deg + turn) * across, -centre.lat_deg * up]
    flat = affine_transform(part, moved)
    cut = flat.intersection(shapely.box(-ROOM_M, -ROOM_M, ROOM_M, ROOM_M))
    return shapely.union_all([each for each in getattr(cut, "geoms", (cut,)) if each.area > 0.0])
