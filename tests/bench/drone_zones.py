"""Random missions over random zones: breaches by the copter's true place, without any margin."""

import json
import math
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import shapely
from shapely import LineString, Polygon

from services.drone.geodesy import Place, distance_m, moved, offset, towards
from tests.bench.drone_runs import FAST_S, Campaign, Row, folder, world
from tests.bench.report import Figure
from tests.drone_car import START, Goes
from tests.drone_life import settings
from tests.drone_talk import Sky
from tests.drone_world import World, point

KINDS = ("scout", "point_and_on", "point_and_on", "moved_car")
AROUND_M, NEAR_M = 400.0, 300.0
"""How far zones and ways go: in the campaign, and where time is dear."""
Ring = list[tuple[float, float]]


def run(seed: int, around_m: float = AROUND_M) -> Row:
    """One mission among zones as far as `around_m` from the car, which is as far as it flies."""
    kind = KINDS[seed % len(KINDS)]
    chance, row = random.Random(f"zones {seed}"), Row(seed, kind)
    rings = _rings(chance, around_m)
    with folder() as path:
        file = path / "zones.json"
        file.write_text(json.dumps(_collection(rings)), encoding="utf-8")
        sky = Sky(chance.uniform(0.0, 7.0), chance.uniform(0.0, 360.0))
        driver = Goes(_free_heading(chance, rings))
        with world(
            seed, row, config=settings(zones=[str(file)]), sky=sky, driver=driver, step_s=FAST_S
        ) as here:
            inside = _watch(here, rings)
            here.ready()
            _fly(here, row, lambda: _anywhere(chance, around_m), chance, driver, rings)
            _judge(here, row, inside)
    return row


def _rings(chance: random.Random, around_m: float) -> list[Ring]:
    """Polygons of three to eight corners, in metres; none so near that the car stands in it."""
    rings: list[Ring] = []
    count = chance.randint(6, 18)
    while len(rings) < count:
        size = chance.uniform(12.0, 80.0)
        away, bearing = chance.uniform(size + 28.0, around_m), chance.uniform(0.0, math.tau)
        north, east = away * math.cos(bearing), away * math.sin(bearing)
        angles = sorted(chance.uniform(0.0, math.tau) for _ in range(chance.randint(3, 8)))
        radii = [size * chance.uniform(0.4, 1.0) for _ in angles]
        ring = [
            (north + r * math.cos(a), east + r * math.sin(a))
            for a, r in zip(angles, radii, strict=True)
        ]
        if Polygon(ring).is_valid and Polygon(ring).area > 50.0:
            rings.append(ring)
    return rings


def _free_heading(chance: random.Random, rings: list[Ring]) -> float:
    """Where the car drives to: nine times in ten out of the zones' way."""
    heading = chance.uniform(0.0, 360.0)
    for _ in range(0 if chance.random() < 0.1 else 20):
        end = towards(heading, 125.0)
        line = LineString([(0.0, 0.0), (end.north_m, end.east_m)])
        if all(Polygon(ring).distance(line) > 27.0 for ring in rings):
            break
        heading = chance.uniform(0.0, 360.0)
    return heading


def _collection(rings: list[Ring]) -> dict[str, Any]:
    features = []
    for number, ring in enumerate(rings):
        places = [moved(START, _way(corner)) for corner in [*ring, ring[0]]]
        features.append(
            {
                "type": "Feature",
                "geometry": {
                    "type": "Polygon",
                    "coordinates": [[[place.lon_deg, place.lat_deg] for place in places]],
                },
                "properties": {"identifier": f"Z{number}", "type": "PROHIBITED"},
            }
        )
    return {"type": "FeatureCollection", "features": features}


def _way(corner: tuple[float, float]) -> Any:
    bearing = math.degrees(math.atan2(corner[1], corner[0]))
    return towards(bearing, math.hypot(*corner))


def _watch(here: World, rings: list[Ring]) -> dict[str, float]:
    """Counts each entry of a zone by the true place; and how near it came."""
    polygons = np.array([Polygon(ring) for ring in rings])
    shapely.prepare(polygons)
    found = {"breaches": 0.0, "nearest": math.inf}
    was_inside = [False] * len(polygons)

    def look() -> None:
        if here.truth.is_on_ground:
            return
        way = offset(START, here.drone_true)
        dot = shapely.points((way.north_m, way.east_m))
        for number, apart in enumerate(shapely.distance(polygons, dot).tolist()):
            found["nearest"] = min(found["nearest"], apart)
            is_inside = apart == 0.0
            if is_inside and not was_inside[number]:
                found["breaches"] += 1
            was_inside[number] = is_inside

    here.each_step.append(look)
    return found


def _fly(
    here: World,
    row: Row,
    anywhere: Callable[[], Place],
    chance: random.Random,
    driver: Goes,
    rings: list[Ring],
) -> None:
    places = _launched(here, row, anywhere, chance)
    row.figures["flown"] = float(bool(places))
    if not places or not here.until(lambda: here.truth.take_offs, 60.0):
        return
    way = [START, *places]
    if row.kind != "scout":
        for _ in range(chance.randint(0, 3)):
            _wait(here, chance)
            more = [anywhere() for _ in range(chance.randint(1, 3))]
            reply = here.ask("fly_to_point", data={"points": [point(each) for each in more]})
            way += more if reply.data.result == 0 else []
        _wait(here, chance)
        here.ask("return_home")
    if row.kind == "moved_car":
        driver.go(chance.uniform(20.0, 120.0), chance.uniform(1.0, 8.0))
    row.figures["straight"] = float(_crosses([*way, START], rings))
    if not here.until_down(900.0):
        row.faults.append(f"not down: {here.state} {here.detail}; {' '.join(here.states())}")


def _launched(
    here: World, row: Row, anywhere: Callable[[], Place], chance: random.Random
) -> list[Place]:
    """Where a launch that was accepted leads; nothing: ten were refused."""
    for _ in range(10):
        places = [anywhere() for _ in range(chance.randint(1, 4))]
        if row.kind == "scout":
            data: dict[str, Any] = {"task": "scout", "points": [point(each) for each in places]}
            reply = here.ask("flighttask_execute", data=data)
        else:
            places, there = places[:1], point(places[0])
            data = {"target_latitude": there["latitude"], "target_longitude": there["longitude"]}
            reply = here.ask("takeoff_to_point", data=data)
        if reply.data.result == 0:
            return places
    return []


def _wait(here: World, chance: random.Random) -> None:
    """Until it is there, or has only just begun."""
    if chance.random() < 0.7:
        here.until_state("on_task", "docked", seconds=90.0)
    here.run(chance.uniform(0.5, 12.0))


def _crosses(way: list[Place], rings: list[Ring]) -> bool:
    """The peer: whether straight legs between the same places enter a zone."""
    corners = [offset(START, place) for place in way]
    line = LineString([(each.north_m, each.east_m) for each in corners])
    return any(Polygon(ring).intersects(line) for ring in rings)


def _anywhere(chance: random.Random, around_m: float) -> Place:
    return moved(START, towards(chance.uniform(0.0, 360.0), around_m * math.sqrt(chance.random())))


def _judge(here: World, row: Row, found: dict[str, float]) -> None:
    row.figures |= {"breaches": found["breaches"], "nearest": found["nearest"]}
    row.figures["fence_breaches"] = here.truth.breaches
    if found["breaches"] or here.truth.breaches:
        row.faults.append(
            f"{found['breaches']:.0f} breaches, the fence {here.truth.breaches};"
            f" {' '.join(here.states())}"
        )
    if here.truth.has_crashed:
        row.faults.append("crashed")
    if here.landings:
        row.figures["beside"] = distance_m(here.landings[-1].place, here.landings[-1].car_true)


def figures(campaign: Campaign) -> list[Figure]:
    """The sum over all missions."""
    breaches = sum(campaign.all("breaches"))
    flown = int(sum(campaign.all("flown")))
    nearest = min(campaign.all("nearest"), default=float("nan"))
    fence = sum(campaign.all("fence_breaches"))
    return [
        Figure(
            "zone_breaches", breaches, f"of {flown} random missions that flew", "0", breaches == 0
        ),
        Figure(
            "zone_straight",
            sum(campaign.all("straight")),
            "peer: missions whose straight legs breach",
        ),
        Figure("zone_fence_breaches", fence, "the same, as the autopilot's own fence counts"),
        Figure("zone_nearest_m", nearest, "m, the nearest that any came to a zone; margin 20 m"),
    ]
