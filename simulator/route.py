"""The road: a closed line through way points, with its limits, tunnels and lights.

Between way points runs a centripetal Catmull-Rom spline (Barry and Goldman 1988), so the line is
smooth and passes through every way point. Hills are invented: two sine waves that close with it.
"""

import json
import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from internetcar.contract.message import InputError

METRES_PER_DEGREE = 111_195.0
"""One degree of latitude on a sphere of 6,371 km radius."""
SPACING_M = 10.0
LATERAL_ACCELERATION_MPS2 = 2.0
"""What a calm driver accepts in a bend."""
BRAKING_MPS2 = 1.5
MARKS = ("tunnel", "light", "jam", "standstill")
"""What a way point may carry, in the order of `Waypoint`."""
HILLS = ((6.0, 7), (3.0, 23))
"""Amplitude in metres and waves per loop."""


class RouteError(InputError):
    """A route file that cannot be driven."""


@dataclass(frozen=True, slots=True)
class Waypoint:
    """A point the road passes through; its limit and tunnel hold until the next one.

    `light` marks traffic lights at the point, `jam` stop-and-go traffic until the next point,
    `standstill` the end of a queue that stands for minutes.
    """

    lat_deg: float
    lon_deg: float
    limit_kmh: float
    tunnel: bool = False
    light: bool = False
    jam: bool = False
    standstill: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """Where a distance along the road is, and what the road is like there.

    Heading 0 is north, clockwise; curvature in 1/m is positive to the left; gradient is rise over
    run; `speed_mps` is what a calm driver reaches there, bends and braking ahead included.
    """

    lat_deg: float
    lon_deg: float
    altitude_m: float
    heading_deg: float
    curvature_per_m: float
    gradient: float
    speed_mps: float
    limit_mps: float
    tunnel: bool
    jam: bool


@dataclass(frozen=True, slots=True)
class Gantry:
    """A toll line of the route: its ends in degrees, and the direction that is charged."""

    number: str
    group: str
    label: str
    direction_deg: float
    line: tuple[tuple[float, float], tuple[float, float]]


class Route:
    """A closed road; distances are metres from the first way point and wrap around.

    Attributes:
        gantries: The toll lines it crosses.
        lights_m: Distances of its traffic lights.
        standstills_m: Distances where traffic stands.
        starts_at_ms: When the drive is meant to start, UTC in milliseconds since 1970.
    """

    def __init__(
        self,
        title: str,
        waypoints: Sequence[Waypoint],
        gantries: Sequence[Gantry],
        starts_at_ms: int = 0,
    ):
        if len(waypoints) < 4:
            raise RouteError(f"{title}: a closed road needs four way points, not {len(waypoints)}")
        self.title = title
        self.starts_at_ms = starts_at_ms
        self.gantries = tuple(gantries)
        self._scale = METRES_PER_DEGREE * math.cos(math.radians(waypoints[0].lat_deg))
        self._origin = (waypoints[0].lat_deg, waypoints[0].lon_deg)
        corners = [self._plane(w.lat_deg, w.lon_deg) for w in waypoints]
        points, owners = _spline(corners)
        self._points = points
        self._waypoints = [waypoints[i] for i in owners]
        self._distance_m = _distances(points)
        self.length_m = self._distance_m[-1]
        self._curvature = _curvatures(points)
        self._speed = _speed_profile(self._curvature, self._waypoints, self._distance_m)
        starts = [owners.index(i) for i in range(len(waypoints))]
        marked = [(self._distance_m[i], w) for i, w in zip(starts, waypoints, strict=True)]
        self.lights_m = tuple(at_m for at_m, waypoint in marked if waypoint.light)
        self.standstills_m = tuple(at_m for at_m, waypoint in marked if waypoint.standstill)

    def _plane(self, lat_deg: float, lon_deg: float) -> tuple[float, float]:
        return (
            (lon_deg - self._origin[1]) * self._scale,
            (lat_deg - self._origin[0]) * METRES_PER_DEGREE,
        )

    def degrees(self, east_m: float, north_m: float) -> tuple[float, float]:
        """Latitude and longitude of an offset, in metres, from the first way point."""
        return (
            self._origin[0] + north_m / METRES_PER_DEGREE,
            self._origin[1] + east_m / self._scale,
        )

    def at(self, distance_m: float) -> Place:
        """The place at a distance along the road, in metres; any number of laps."""
        distance = distance_m % self.length_m
        i = min(bisect_right(self._distance_m, distance), len(self._points) - 1) - 1
        (x0, y0), (x1, y1) = self._points[i], self._points[i + 1]
        step = self._distance_m[i + 1] - self._distance_m[i]
        part = (distance - self._distance_m[i]) / step
        lat, lon = self.degrees(x0 + (x1 - x0) * part, y0 + (y1 - y0) * part)
        altitude, gradient = _hills(distance, self.length_m)
        waypoint = self._waypoints[i]
        return Place(
            lat,
            lon,
            altitude,
            math.degrees(math.atan2(x1 - x0, y1 - y0)) % 360,
            self._curvature[i] + (self._curvature[i + 1] - self._curvature[i]) * part,
            gradient,
            self._speed[i] + (self._speed[i + 1] - self._speed[i]) * part,
            waypoint.limit_kmh / 3.6,
            waypoint.tunnel,
            waypoint.jam,
        )


def parse_route(text: str, name: str) -> Route:
    """The route a JSON file describes; `name` is for messages.

    Raises:
        RouteError: What is not as it should be, and where.
    """
    try:
        facts = json.loads(text)
        waypoints = [_waypoint(entry) for entry in facts["waypoints"]]
        gantries = [_gantry(entry) for entry in facts.get("gantries", [])]
        title = str(facts["title"])
        starts_at = datetime.fromisoformat(facts["starts_at"])
    except (ValueError, KeyError, TypeError) as error:
        raise RouteError(f"{name}: not a route ({error!r})") from error
    return Route(title, waypoints, gantries, round(starts_at.timestamp() * 1_000))


def _waypoint(entry: dict[str, Any]) -> Waypoint:
    marks = set(entry.get("marks", ()))
    unknown = marks - set(MARKS)
    if unknown:
        raise ValueError(f"unknown mark {unknown.pop()!r}; known: {', '.join(MARKS)}")
    lat, lon = entry["at"]
    limit = float(entry["limit_kmh"])
    if not (-90 <= lat <= 90 and -180 <= lon <= 180 and limit > 0):
        raise ValueError(f"way point out of range: {entry}")
    return Waypoint(lat, lon, limit, *(mark in marks for mark in MARKS))


def _gantry(entry: dict[str, Any]) -> Gantry:
    (lat0, lon0), (lat1, lon1) = entry["line"]
    return Gantry(
        entry["number"],
        entry["group"],
        entry["label"],
        float(entry["direction_deg"]),
        ((lat0, lon0), (lat1, lon1)),
    )


Point = tuple[float, float]


def _spline(corners: Sequence[Point]) -> tuple[list[Point], list[int]]:
    """Points about every ten metres, the first repeated at the end, and each one's way point."""
    points: list[Point] = []
    owners: list[int] = []
    count = len(corners)
    for i in range(count):
        window = [corners[(i + k) % count] for k in (-1, 0, 1, 2)]
        steps = max(1, round(math.dist(window[1], window[2]) / SPACING_M))
        for step in range(steps):
            points.append(_between(window, step / steps))
            owners.append(i)
    points.append(points[0])
    owners.append(owners[-1])
    return points, owners


def _between(window: Sequence[Point], part: float) -> Point:
    knots = [0.0]
    for a, b in pairwise(window):
        knots.append(knots[-1] + max(math.sqrt(math.dist(a, b)), 1e-6))
    t = knots[1] + (knots[2] - knots[1]) * part
    first, second, third = (
        _mix(window[i], window[i + 1], knots[i], knots[i + 1], t) for i in range(3)
    )
    left = _mix(first, second, knots[0], knots[2], t)
    right = _mix(second, third, knots[1], knots[3], t)
    return _mix(left, right, knots[1], knots[2], t)


def _mix(a: Point, b: Point, t0: float, t1: float, t: float) -> Point:
    part = (t - t0) / (t1 - t0)
    return a[0] + (b[0] - a[0]) * part, a[1] + (b[1] - a[1]) * part


def _distances(points: Sequence[Point]) -> list[float]:
    distances = [0.0]
    for a, b in pairwise(points):
        distances.append(distances[-1] + math.dist(a, b))
    return distances


def _curvatures(points: Sequence[Point]) -> list[float]:
    """Menger curvature at each point, positive to the left, over neighbours some 30 m away."""
    count = len(points) - 1
    result = []
    for i in range(count):
        (ax, ay), (bx, by), (cx, cy) = points[i - 3], points[i], points[(i + 3) % count]
        sides = math.dist((ax, ay), (bx, by)) * math.dist((bx, by), (cx, cy))
        sides *= math.dist((ax, ay), (cx, cy))
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        result.append(2 * area / sides if sides else 0.0)
    return [*result, result[0]]


def _speed_profile(
    curvature: Sequence[float], waypoints: Sequence[Waypoint], distance_m: Sequence[float]
) -> list[float]:
    """Highest calm speed at each point: limit, bends, and braking for what comes."""
    speed = [
        min(w.limit_kmh / 3.6, math.sqrt(LATERAL_ACCELERATION_MPS2 / max(abs(k), 1e-6)))
        for w, k in zip(waypoints, curvature, strict=True)
    ]
    for i in range(len(speed) - 2, -1, -1):
        room = distance_m[i + 1] - distance_m[i]
        speed[i] = min(speed[i], math.sqrt(speed[i + 1] ** 2 + 2 * BRAKING_MPS2 * room))
    return speed


def _hills(distance_m: float, length_m: float) -> tuple[float, float]:
    altitude, gradient = 15.0, 0.0
    for amplitude, waves in HILLS:
        k = 2 * math.pi * waves / length_m
        altitude += amplitude * math.sin(k * distance_m)
        gradient += amplitude * k * math.cos(k * distance_m)
    return altitude, gradient
