"""Random missions over random zones: breaches by the copter's true place, without any margin."""

import json
import math
import random
from typing import Any

from shapely.geometry import Point as Dot
from shapely.geometry import Polygon

from services.drone.geodesy import Place, distance_m, moved, offset, towards
from tests.bench.drone_runs import FAST_S, Campaign, Row, folder, world
from tests.bench.report import Figure
from tests.drone_car import START, Goes
from tests.drone_life import settings
from tests.drone_talk import Sky
from tests.drone_world import World, point

KINDS = ("scout", "point_and_on", "point_and_on", "moved_car")
AROUND_M = 400.0
Ring = list[tuple[float, float]]


def run(seed: int) -> Row:
    """One mission."""
    kind = KINDS[seed % len(KINDS)]
    chance, row = random.Random(f"zones {seed}"), Row(seed, kind)
    rings = _rings(chance)
    with folder() as path:
        file = path / "zones.json"
        file.write_text(json.dumps(_collection(rings, chance)), encoding="utf-8")
        sky = Sky(chance.uniform(0.0, 7.0), chance.uniform(0.0, 360.0))
        driver = Goes(chance.uniform(0.0, 360.0))
        with world(
            seed, row, config=settings(zones=[str(file)]), sky=sky, driver=driver, step_s=FAST_S
        ) as here:
            inside = _watch(here, rings)
            here.ready()
            _fly(here, row, chance, driver)
            _judge(here, row, inside)
    return row


def _rings(chance: random.Random) -> list[Ring]:
    """Polygons of three to eight corners, in metres; none so near that the car stands in it."""
    rings: list[Ring] = []
    while len(rings) < chance.randint(3, 9):
        away, bearing = chance.uniform(60.0, AROUND_M), chance.uniform(0.0, math.tau)
        size = chance.uniform(15.0, 90.0)
        if away - size < 35.0:
            continue
        north, east = away * math.cos(bearing), away * math.sin(bearing)
        count = chance.randint(3, 8)
        angles = sorted(chance.uniform(0.0, math.tau) for _ in range(count))
        ring = [
            (north + r * math.cos(a), east + r * math.sin(a))
            for a, r in ((a, size * chance.uniform(0.4, 1.0)) for a in angles)
        ]
        if Polygon(ring).is_valid and Polygon(ring).area > 50.0:
            rings.append(ring)
    return rings


def _collection(rings: list[Ring], chance: random.Random) -> dict[str, Any]:
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
    polygons = [Polygon(ring) for ring in rings]
    found = {"breaches": 0.0, "nearest": math.inf}
    was_inside = [False] * len(polygons)

    def look() -> None:
        if here.truth.is_on_ground:
            return
        way = offset(START, here.drone_true)
        dot = Dot(way.north_m, way.east_m)
        for number, polygon in enumerate(polygons):
            apart = polygon.distance(dot)
            found["nearest"] = min(found["nearest"], apart)
            is_inside = apart == 0.0
            if is_inside and not was_inside[number]:
                found["breaches"] += 1
            was_inside[number] = is_inside

    here.each_step.append(look)
    return found


def _fly(here: World, row: Row, chance: random.Random, driver: Goes) -> None:
    accepted = False
    for _ in range(10):
        count = chance.randint(1, 4)
        places = [_anywhere(chance) for _ in range(count)]
        if row.kind == "scout":
            reply = here.ask(
                "flighttask_execute", data={"task": "scout", "points": [point(p) for p in places]}
            )
        else:
            there = point(places[0])
            data = {"target_latitude": there["latitude"], "target_longitude": there["longitude"]}
            reply = here.ask("takeoff_to_point", data=data)
        if reply.data.result == 0:
            accepted = True
            break
    row.figures["flown"] = float(accepted)
    if not accepted or not here.until(lambda: here.truth.take_offs, 60.0):
        return
    if row.kind != "scout":
        for _ in range(chance.randint(0, 3)):
            here.run(chance.uniform(2.0, 30.0))
            if not here.conductor:
                break
            points = [point(_anywhere(chance)) for _ in range(chance.randint(1, 3))]
            here.ask("fly_to_point", data={"points": points})
        here.run(chance.uniform(2.0, 40.0))
        here.ask("return_home")
    if row.kind == "moved_car":
        driver.go(chance.uniform(20.0, 120.0), chance.uniform(1.0, 8.0))
    if not here.until_down(900.0):
        row.faults.append(f"not down: {here.state} {here.detail}; {' '.join(here.states())}")


def _anywhere(chance: random.Random) -> Place:
    return moved(START, towards(chance.uniform(0.0, 360.0), AROUND_M * math.sqrt(chance.random())))


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
        Figure("zone_fence_breaches", fence, "the same, as the autopilot's own fence counts"),
        Figure("zone_nearest_m", nearest, "m, the nearest that any came to a zone; margin 20 m"),
    ]
