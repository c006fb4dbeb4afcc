"""Missions, fences and rally points as they are stored (pure)."""

import math
from dataclasses import dataclass, field
from typing import NamedTuple

from simulator.copter.plane import Plane

WAYPOINT, LOITER, RETURN, LAND, TAKE_OFF, CHANGE_SPEED = 16, 17, 20, 21, 22, 178
FENCE_INCLUSION = 5001
FENCE_CIRCLE_INCLUSION, FENCE_CIRCLE_EXCLUSION = 5003, 5004
FENCE_RETURN_POINT = 5000
RALLY_POINT = 5100

ABSOLUTE_FRAMES = frozenset({0, 5})
RELATIVE_FRAMES = frozenset({3, 6})
TERRAIN_FRAMES = frozenset({10, 11})
GLOBAL_FRAMES = ABSOLUTE_FRAMES | RELATIVE_FRAMES | TERRAIN_FRAMES
"""Of MAV_FRAME: those with a latitude and a longitude."""


class Item(NamedTuple):
    """One item of a list, in the words of MISSION_ITEM_INT."""

    frame: int
    command: int
    parameters: tuple[float, float, float, float]
    lat_e7: int
    lon_e7: int
    altitude_m: float

    @property
    def place(self) -> tuple[float, float]:
        """Latitude and longitude in degrees."""
        return self.lat_e7 * 1e-7, self.lon_e7 * 1e-7

    @property
    def is_sane(self) -> bool:
        """A point on the earth, and numbers that are finite where they are used."""
        return (
            abs(self.lat_e7) <= 900_000_000
            and abs(self.lon_e7) <= 1_800_000_000
            and math.isfinite(self.altitude_m)
        )


_BOX_M = 1.0
"""So much larger than a polygon its box is: no rounding matters."""


@dataclass(frozen=True, slots=True)
class Zone:
    """A polygon (corners), or a circle (one corner, a radius), on the plane."""

    is_inclusion: bool
    corners: tuple[tuple[float, float], ...]
    radius_m: float | None = None
    box: tuple[float, float, float, float] = field(init=False)
    """South, north, west and east of all that can be inside."""

    def __post_init__(self) -> None:
        north_m, east_m = zip(*self.corners, strict=True)
        around_m = _BOX_M if self.radius_m is None else self.radius_m + _BOX_M
        box = (
            min(north_m) - around_m, max(north_m) + around_m,
            min(east_m) - around_m, max(east_m) + around_m,
        )  # fmt: skip
        object.__setattr__(self, "box", box)

    def contains(self, north_m: float, east_m: float) -> bool:
        """Whether a point is inside; for a polygon by counting crossings."""
        south_m, most_north_m, west_m, most_east_m = self.box
        if not (south_m <= north_m <= most_north_m and west_m <= east_m <= most_east_m):
            return False
        if self.radius_m is not None:
            north0_m, east0_m = self.corners[0]
            return math.hypot(north_m - north0_m, east_m - east0_m) < self.radius_m
        is_inside = False
        last_north_m, last_east_m = self.corners[-1]
        for corner_north_m, corner_east_m in self.corners:
            if (corner_east_m > east_m) != (last_east_m > east_m):
                share = (east_m - corner_east_m) / (last_east_m - corner_east_m)
                if north_m < corner_north_m + share * (last_north_m - corner_north_m):
                    is_inside = not is_inside
            last_north_m, last_east_m = corner_north_m, corner_east_m
        return is_inside


class FenceItemsError(ValueError):
    """Fence items that do not make a fence."""


def zones(items: tuple[Item, ...], plane: Plane) -> tuple[Zone, ...]:
    """The fence that items make; each polygon names its number of corners in every corner.

    Raises:
        FenceItemsError: A polygon is not complete, or a circle has no radius.
    """
    made = []
    index = 0
    while index < len(items):
        item = items[index]
        first = item.parameters[0]
        if item.command == FENCE_RETURN_POINT:
            index += 1
        elif item.command in (FENCE_CIRCLE_INCLUSION, FENCE_CIRCLE_EXCLUSION):
            if not first > 0.0:
                raise FenceItemsError(f"item {index}: a circle of radius {first}")
            is_inclusion = item.command == FENCE_CIRCLE_INCLUSION
            made.append(Zone(is_inclusion, (plane.north_east(*item.place),), first))
            index += 1
        else:
            count = round(first) if math.isfinite(first) else 0
            corners = items[index : index + count]
            if count < 3 or len(corners) < count:
                raise FenceItemsError(f"item {index}: a polygon of {first} corners")
            if any(c.command != item.command or c.parameters[0] != first for c in corners):
                raise FenceItemsError(f"item {index}: a polygon that is not complete")
            made.append(
                Zone(
                    item.command == FENCE_INCLUSION,
                    tuple(plane.north_east(*corner.place) for corner in corners),
                )
            )
            index += count
    return tuple(made)


def is_breached(fence: tuple[Zone, ...], north_m: float, east_m: float) -> bool:
    """Whether a point is outside any inclusion, or inside any exclusion."""
    return any(zone.contains(north_m, east_m) != zone.is_inclusion for zone in fence)
