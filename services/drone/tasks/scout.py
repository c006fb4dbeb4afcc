"""Scout: fly the way ahead, orbit at its end, and report (pure)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from internetcar.contract.drone_methods import MethodData
from services.drone.autopilot import DronePosition, TakePicture
from services.drone.geodesy import Place, distance_m, moved, towards
from services.drone.moment import Moment
from services.drone.tasks.memory import clocked, number, place
from services.drone.tasks.orbit import Orbit, entry, orbit_legs, turn
from services.drone.tasks.settings import ScoutSettings, TaskSettings
from services.drone.tasks.task import Plan, Step
from services.drone.tasks.way import (
    Begin,
    Stop,
    asked_duration_s,
    asked_points,
    begin,
    go,
    is_at,
    legs,
    stops,
)
from services.drone.view import View

ANCHOR_M = 2.0
"""The way flown is summed in pieces of at least this length: a hovering copter flies nowhere."""
NO_WAY = "the car does not say where its front points, and no points were given"


def plan(data: MethodData, view: View, now: Moment, settings: TaskSettings) -> Plan:
    """The way ahead, and the orbit at its end."""
    mine, start = settings.scout, begin(view, now)
    way = _way(data, start, mine)
    if not way or start.place is None:
        return Plan(
            (), mine.height_m, NO_WAY if start.place else "the car does not say where it is"
        )
    ahead = legs(start.place, way, mine.height_m)
    return Plan(ahead + orbit_legs(_orbit(way, mine), way[-1].place), mine.height_m)


def step(
    data: MethodData, memory: Mapping[str, Any], view: View, now: Moment, settings: TaskSettings
) -> Step:
    """One step of it: point by point, then around the last one, then the report."""
    mine, drone = settings.scout, view.drone.position
    elapsed_s, passed_s, clock = clocked(memory, now)
    is_late = elapsed_s >= asked_duration_s(data, mine.duration_s)
    if drone is None:
        words = "the drone does not say where it is"
        return Step(None, {**memory, **clock}, is_done=is_late, words=words)
    way = _kept(memory) or _way(data, begin(view, now), mine)
    if not way:
        return Step(None, {**memory, **clock}, is_done=True, words=NO_WAY)
    kept = {
        **memory,
        **clock,
        **_flown(memory, drone),
        "way": [[*s.place, s.height_m] for s in way],
    }
    index = min(max(int(number(memory, "index")), 0), len(way) + 1)
    if is_late:
        return _reported(way, index, kept, view, "its time is over")
    if index < len(way):
        return _on_the_way(way, index, kept, drone, mine)
    return _around(way, kept, view, drone, passed_s, mine)


def _on_the_way(
    way: Sequence[Stop], index: int, kept: dict[str, Any], drone: DronePosition, mine: ScoutSettings
) -> Step:
    reached = is_at(drone, way[index])
    pictures = int(number(kept, "pictures")) + reached
    memory = {**kept, "index": index + reached, "pictures": pictures}
    return Step(
        go(way[index], mine.speed_mps),
        memory,
        picture=TakePicture() if reached else None,
        words=f"flies to point {index + 1} of {len(way)}",
    )


def _around(
    way: Sequence[Stop],
    kept: dict[str, Any],
    view: View,
    drone: DronePosition,
    passed_s: float,
    mine: ScoutSettings,
) -> Step:
    orbit = _orbit(way, mine)
    gate = place(kept.get("entry")) or entry(orbit, drone.place).place
    kept["entry"] = list(gate)
    if "orbit_deg" not in kept and not is_at(drone, Stop(gate, orbit.height_m)):
        stop = Stop(gate, orbit.height_m)
        return Step(go(stop, mine.speed_mps), kept, words="flies to where it orbits", is_there=True)
    turned = turn(orbit, kept, drone, passed_s)
    pictures = int(number(kept, "pictures")) + turned.takes_picture
    memory = {**kept, **turned.memory, "pictures": pictures}
    picture = TakePicture() if turned.takes_picture else None
    if turned.is_done:
        done = _reported(way, len(way), memory, view, "has seen the way ahead")
        return replace(done, picture=picture)
    return Step(turned.guidance, memory, is_there=True, picture=picture, words="orbits")


def _reported(
    way: Sequence[Stop], index: int, memory: dict[str, Any], view: View, words: str
) -> Step:
    wind, weather = view.drone.wind, view.weather
    heard = weather.report.wind_mps if weather is not None else None
    speed = wind.speed_mps if wind is not None else heard
    report = {
        "points": [
            {"latitude": s.place.lat_deg, "longitude": s.place.lon_deg, "height": s.height_m}
            for s in way[:index]
        ],
        "length_m": round(number(memory, "length_m"), 1),
        "duration_s": round(number(memory, "elapsed_s"), 1),
        "wind_mps": round(speed, 1) if speed is not None else None,
        "pictures": int(number(memory, "pictures")),
    }
    return Step(None, memory, is_there=True, is_done=True, report=report, words=words)


def _way(data: MethodData, start: Begin, mine: ScoutSettings) -> list[Stop]:
    """The points that were asked for; else straight on along the car's heading."""
    asked = stops(asked_points(data), mine.height_m)
    if asked or start.car is None or start.car.heading_deg is None:
        return asked
    count = max(1, round(mine.ahead_m / mine.every_m))
    each_m = mine.ahead_m / count
    return [
        Stop(moved(start.car.place, towards(start.car.heading_deg, each_m * number)), mine.height_m)
        for number in range(1, count + 1)
    ]


def _kept(memory: Mapping[str, Any]) -> list[Stop]:
    """The way of the step before, so that a car that creeps on does not shift it."""
    rows = memory.get("way")
    if not isinstance(rows, list):
        return []
    found = []
    for row in rows:
        known = place(row)
        if known is None or len(row) != 3 or not isinstance(row[2], int | float):
            return []
        found.append(Stop(known, float(row[2])))
    return found


def _orbit(way: Sequence[Stop], mine: ScoutSettings) -> Orbit:
    end = way[-1]
    return Orbit(end.place, mine.radius_m, end.height_m, mine.speed_mps, mine.pictures)


def _flown(memory: Mapping[str, Any], drone: DronePosition) -> dict[str, Any]:
    before: Place | None = place(memory.get("last"))
    length_m = number(memory, "length_m")
    if before is None:
        return {"last": list(drone.place), "length_m": length_m}
    piece_m = distance_m(before, drone.place)
    if piece_m < ANCHOR_M:
        return {}
    return {"last": list(drone.place), "length_m": length_m + piece_m}
