"""Launches that must not be: each interlock violated, beyond its limit, absent, too old."""

import json
import math
import random
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from internetcar.contract.drone import DroneReply, DroneRequest
from services.drone.geodesy import Offset, moved
from services.drone.interlocks.check import IDS
from services.drone.settings import DroneSettings
from tests.bench.drone_runs import FAST_S, Campaign, Row, folder, world
from tests.bench.report import Figure
from tests.drone_car import START, CarAt, Parked
from tests.drone_life import settings
from tests.drone_talk import RAIN, SPEED, TEMPERATURE
from tests.drone_world import World

Violation = Callable[[World], object]


def _leaf(path: str, value: object) -> Violation:
    def violate(here: World) -> None:
        here.says[path] = value
        here.say_surroundings()
        if value is None:
            here.run(66.0)

    return violate


def _moves(kmh: float) -> Violation:
    def violate(here: World) -> None:
        here.driver = Parked(CarAt(speed_mps=kmh / 3.6))

    return violate


def _position(**changed: object) -> Violation:
    def violate(here: World) -> None:
        here.change_position = lambda told: told.model_copy(update=changed)

    return violate


def _old_position(late_s: float) -> Violation:
    def violate(here: World) -> None:
        here.change_position = lambda told: told.model_copy(
            update={"at": told.at - timedelta(seconds=late_s)}
        )

    return violate


def _jump(here: World) -> None:
    places = [START, moved(START, Offset(8.0, 0.0))]

    def change(told):  # type: ignore[no-untyped-def]
        places.reverse()
        return told.model_copy(update={"latitude": places[0].lat_deg})

    here.change_position = change


def _weather(**changed: object) -> Violation:
    def violate(here: World) -> None:
        here.change_weather = lambda told: told.model_copy(update=changed)
        here.say_surroundings()

    return violate


def _no_weather(here: World) -> None:
    here.change_weather = lambda told: None
    here.run(601.0)


def _presence(**changed: object) -> Violation:
    def violate(here: World) -> None:
        here.presence = changed
        here.say_surroundings()

    return violate


def _twin(here: World) -> None:
    assert here.conductor is not None
    here.conductor.twin(here.now, is_heard=True)


def _silent(here: World) -> None:
    here.change_position = lambda told: None
    here.run(1.2)


def _lossy(here: World) -> None:
    here.down.loss = 0.45
    here.run(12.0)


def _cut(here: World) -> None:
    here.down.is_cut = True
    here.run(3.5)


def _no_gnss(here: World) -> None:
    here.copter.lose_gnss()
    here.run(8.0)


def _away(here: World) -> None:
    here.change_position = lambda told: told.model_copy(
        update={"latitude": moved(START, Offset(130.0, 0.0)).lat_deg}
    )
    here.run(4.0)


def _night(here: World) -> None:
    here.now = here.now._replace(utc_ms=here.now.utc_ms + 12 * 3_600_000)
    here.say_surroundings()


def _weak(left_pct: float) -> Violation:
    def violate(here: World) -> None:
        here.copter.drain(left_pct)

    return violate


def _not_ready(here: World) -> None:
    here.copter.state.prearm_bit_s = math.inf


def _fails_safe(here: World) -> None:
    here.copter.state.battery_failsafe = 1


def _zones(here: World) -> None:
    """They are there from the beginning: see `GROUNDS`."""


VIOLATIONS: dict[str, Violation] = {
    "origin simulation": _presence(origin="simulation"),
    "origin recording": _presence(origin="recording"),
    "presence offline": _presence(online=False),
    "broker away": lambda here: here.broker(is_there=False),
    "twin another service": _twin,
    "clock free": _presence(clock="free"),
    "clock ahead": _old_position(-0.7),
    "car_at_rest 1.1 km/h": _moves(1.1),
    "car_at_rest 50 km/h": _moves(50.0),
    "car_at_rest no satellites' speed": _position(speed_kmh=None),
    "car_at_rest no wheels' speed": _leaf(SPEED, None),
    "car_at_rest wheels 3 km/h": _leaf(SPEED, 3.0),
    "car_gnss_fresh 1.2 s": _old_position(1.2),
    "car_gnss_fresh silent": _silent,
    "car_gnss_accurate 3.1 m": _position(accuracy_m=3.1),
    "car_gnss_accurate absent": _position(accuracy_m=None),
    "car_gnss_steady jumps": _jump,
    "drone_link lossy": _lossy,
    "drone_link cut": _cut,
    "drone_position no GNSS": _no_gnss,
    "wind 8.1": _weather(wind_speed=8.1),
    "wind gust 11.1": _weather(wind_gust=11.1),
    "wind absent": _weather(wind_speed=None),
    "wind too old": _no_weather,
    "rain 6 %": _leaf(RAIN, 6.0),
    "rain absent": _leaf(RAIN, None),
    "temperature -10.5": _leaf(TEMPERATURE, -10.5),
    "temperature 40.5": _leaf(TEMPERATURE, 40.5),
    "temperature absent": _leaf(TEMPERATURE, None),
    "daylight night": _night,
    "battery 22 %": _weak(22.0),
    "drone_at_car 130 m": _away,
    "drone_prearm not ready": _not_ready,
    "autopilot failsafe": _fails_safe,
    "zone around the car": _zones,
    "zone 15 m beside the car": _zones,
    "covered by a roof": _zones,
}
"""Each begins something that trips an interlock and goes on."""

ASKED: dict[str, Callable[[World], DroneRequest]] = {
    "expired": lambda here: here.request("takeoff_to_point", timestamp=here.now.utc_ms - 10_100),
    "future": lambda here: here.request("takeoff_to_point", timestamp=here.now.utc_ms + 5_100),
    "stranger": lambda here: here.request("takeoff_to_point", requester="stranger"),
    "dry_run": lambda here: here.request("takeoff_to_point", dry_run=True),
    "ceiling": lambda here: here.request("takeoff_to_point", data={"target_height": 121.0}),
    "too far": lambda here: here.request("takeoff_to_point", data={
        "target_latitude": START.lat_deg + 0.2, "target_longitude": START.lon_deg}),
    "retained": lambda here: here.request("takeoff_to_point"),
    "replayed": lambda here: here.request("takeoff_to_point", "old"),
}  # fmt: skip
"""Launches that are none, while all is well."""
GROUNDS: dict[str, tuple[float, float, str]] = {
    "zone around the car": (0.0, 30.0, "PROHIBITED"),
    "zone 15 m beside the car": (45.0, 30.0, "PROHIBITED"),
    "covered by a roof": (0.0, 10.0, "COVERED"),
}
"""A square zone: its middle so far north of the car, half as wide, and what it is."""


def _ground(name: str, path: Path) -> DroneSettings:
    if name not in GROUNDS:
        return settings()
    north, half, kind = GROUNDS[name]
    corners = [(-1, -1), (-1, 1), (1, 1), (1, -1), (-1, -1)]
    ring = [moved(START, Offset(north + a * half, b * half)) for a, b in corners]
    places = [[place.lon_deg, place.lat_deg] for place in ring]
    feature = {
        "type": "Feature", "geometry": {"type": "Polygon", "coordinates": [places]},
        "properties": {"identifier": "Z", "type": "PROHIBITED", "covered": kind == "COVERED"},
    }  # fmt: skip
    file = path / "zones.json"
    file.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    return settings(zones=[str(file)])


SUDDEN = [
    name
    for name in VIOLATIONS
    if not any(
        word in name
        for word in ("absent", "too old", "no wheels", "lossy", "no GNSS", "zone", "covered")
    )
]
"""What trips its interlock before the lift-off when it begins in preflight."""
KINDS = ("before", "in_preflight", "asked")


def size(runs: int) -> int:
    """Each of them once, if there are so many runs."""
    return min(runs, len(KINDS) * len(VIOLATIONS))


def run(seed: int) -> Row:
    """One launch that must not be."""
    kind = KINDS[seed % len(KINDS)]
    chance, row = random.Random(f"interlocks {seed}"), Row(seed, kind)
    names = {"asked": list(ASKED), "before": list(VIOLATIONS), "in_preflight": SUDDEN}[kind]
    name = names[(seed // len(KINDS)) % len(names)]
    row.kind = f"{kind}: {name}"
    with folder() as path, world(seed, row, step_s=FAST_S, config=_ground(name, path)) as here:
        here.ready()
        if kind == "asked":
            _ask(here, name)
        else:
            _violate(here, chance, name, is_late=kind == "in_preflight")
        here.run(30.0)
        row.figures["take_offs"] = here.truth.take_offs
        if kind == "before" and name.split()[0] not in (trips := _trips(here)) and trips:
            row.faults.append(f"refused, but for {trips}")
        if here.truth.take_offs:
            row.faults.append(f"took off: {' '.join(here.states())}")
    return row


def _trips(here: World) -> list[str]:
    """What the answer says is tripped; nothing where nobody could answer."""
    replies = [each for each in here.heard if isinstance(each, DroneReply) and each.tid == "wish"]
    return [
        each.id for reply in replies for each in reply.data.output.interlocks
        if each.result == "tripped"
    ]  # fmt: skip


def _ask(here: World, name: str) -> None:
    request = ASKED[name](here)
    if name == "replayed":
        # It was answered once, refused for the broker's sake, before the service was made anew.
        here.presence = {"online": False}
        here.say_surroundings()
        here.run(0.5)
        here.deliver(request)
        here.step()
        here.presence = {}
        here.say_surroundings()
        here.restart()
        here.run(8.0)
        for _ in range(5):
            here.deliver(request)
            here.run(0.5)
    here.deliver(request, retained=name == "retained")
    if name == "retained":
        here.retained_requests.append((request.topic, request.encode()))
        here.run(1.0)
        here.restart()


def _violate(here: World, chance: random.Random, name: str, *, is_late: bool) -> None:
    if not is_late:
        VIOLATIONS[name](here)
        here.run(1.0)
        here.deliver(here.request("takeoff_to_point", "wish"))
        return
    reply = here.ask("takeoff_to_point")
    assert reply.data.result == 0, reply
    here.run(chance.uniform(0.0, 3.5))
    VIOLATIONS[name](here)


def figures(campaign: Campaign) -> list[Figure]:
    """All that took off."""
    count = sum(campaign.all("take_offs"))
    words = f"take-offs of {len(campaign.rows)} launches that must not be, {len(IDS)} interlocks"
    return [Figure("launches_violating", count, words, "0", count == 0)]
