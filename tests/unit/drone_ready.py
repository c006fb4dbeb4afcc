"""A car and a drone with which all is well, and zones around them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from internetcar.contract.drone import Interlock
from internetcar.contract.message import milliseconds
from services.drone.airspace.airspace import Airspace
from services.drone.airspace.zones import read_zones
from services.drone.autopilot import DronePosition, DroneStatus, Home, Landed, Mode
from services.drone.events import CarFix, CarPresence, WeatherReport
from services.drone.geodesy import Offset, Place, moved
from services.drone.interlocks.check import check, tripped
from services.drone.interlocks.limits import Airframe, Assumptions, Limits
from services.drone.interlocks.situation import Phase, Remainder, Situation
from services.drone.interlocks.steady import Steady
from services.drone.leaps import SeenFix
from services.drone.moment import Moment
from services.drone.tasks.task import Leg
from services.drone.view import SeenSignal, SeenWeather, View

HERE = Place(52.52, 13.40)
NOON = Moment(1000.0, milliseconds(datetime.fromisoformat("2026-06-01T10:00:00Z")))
SPEED = "Vehicle.Speed"
RAIN = "Vehicle.Body.Raindetection.Intensity"
TEMPERATURE = "Vehicle.Exterior.AirTemperature"


def off(north_m: float, east_m: float, start: Place = HERE) -> Place:
    return moved(start, Offset(north_m, east_m))


def fix(
    at_s: float = NOON.s - 0.1,
    place: Place = HERE,
    *,
    accuracy_m: float | None = 1.0,
    heading_deg: float | None = 0.0,
    speed_kmh: float | None = 0.0,
    age_s: float = 0.05,
) -> SeenFix:
    return SeenFix(CarFix(place, accuracy_m, heading_deg, speed_kmh, age_s), at_s)


def signal(value: Any, at_s: float = NOON.s - 1.0, quality: Any = "valid") -> SeenSignal:
    return SeenSignal(value, quality, at_s)


def weather(at_s: float = NOON.s - 60.0, **known: float) -> SeenWeather:
    names = ("wind_mps", "gust_mps", "from_deg", "rain_pct", "temperature_c")
    return SeenWeather(WeatherReport(**{name: known.get(name) for name in names}, age_s=0.0), at_s)


SIGNALS: Mapping[str, SeenSignal] = {
    SPEED: signal(0.0),
    RAIN: signal(0),
    TEMPERATURE: signal(15.0),
}

DOCKED = DroneStatus(
    heard_s=NOON.s - 0.5,
    firmware="ArduCopter 4.6.1",
    mode=Mode.OTHER,
    mode_name="STABILIZE",
    landed=Landed.ON_GROUND,
    position=DronePosition(HERE, 40.0, 0.0, 0.0, 0.0, 0.0, 0.0, NOON.s - 0.2),
    home=Home(HERE, 40.0),
    satellites=14,
    has_fix=True,
    is_position_good=True,
    is_prearm_good=True,
    battery_pct=100.0,
)
WELL = View(
    fixes=(fix(NOON.s - 0.2), fix()),
    signals=SIGNALS,
    presence=CarPresence(is_online=True, origin="live", clock="synchronized"),
    weather=weather(wind_mps=3.0),
    is_broker_connected=True,
    drone=DOCKED,
)
GOOD = Steady(looked_s=NOON.s, position_s=NOON.s - 60, prearm_s=NOON.s - 60)


def flying(view: View = WELL, place: Place | None = None, height_m: float = 40.0) -> View:
    where = off(200, 0) if place is None else place
    position = DronePosition(where, 40 + height_m, height_m, 0, 0, 0, 0, NOON.s - 0.2)
    drone = replace(
        view.drone, position=position, mode=Mode.GUIDED, mode_name="GUIDED", is_armed=True
    )
    return replace(view, drone=drone)


ROUND = Remainder((Leg(HERE, off(300, 0), 40.0),), 40.0)


@dataclass(frozen=True)
class Case:
    """What `check` is asked; all is well by default."""

    view: View = WELL
    limits: Limits = field(default_factory=Limits)
    assumed: Assumptions = field(default_factory=Assumptions)
    airframe: Airframe = field(default_factory=Airframe)
    airspace: Airspace = field(default_factory=Airspace)
    remainder: Remainder = ROUND
    steady: Steady = GOOD
    phase: Phase = Phase.LAUNCH
    now: Moment = NOON

    def drone(self, **changes: Any) -> "Case":
        return replace(self, view=replace(self.view, drone=replace(self.view.drone, **changes)))

    def car(self, **changes: Any) -> "Case":
        return replace(self, view=replace(self.view, **changes))

    def says(self, path: str, seen: SeenSignal | None) -> "Case":
        signals = {name: each for name, each in self.view.signals.items() if name != path}
        return self.car(signals=signals if seen is None else {**signals, path: seen})

    @property
    def situation(self) -> Situation:
        return Situation(
            self.view, self.limits, self.assumed, self.airframe, self.airspace,
            self.remainder, self.steady, self.phase, self.now,
        )  # fmt: skip

    def all(self) -> tuple[Interlock, ...]:
        return check(
            self.view, self.limits, self.assumed, self.airframe, self.airspace,
            self.remainder, self.steady, self.phase, self.now,
        )  # fmt: skip

    def tripped(self) -> set[str]:
        return {each.id for each in tripped(self.all())}

    def one(self, name: str) -> Interlock:
        return next(each for each in self.all() if each.id == name)


def polygon(corners: list[Place], *holes: list[Place]) -> dict[str, Any]:
    rings = [[[place.lon_deg, place.lat_deg] for place in ring] for ring in (corners, *holes)]
    return {"type": "Polygon", "coordinates": [[*ring, ring[0]] for ring in rings]}


def square(north_m: float, east_m: float, half_m: float, start: Place = HERE) -> list[Place]:
    ways = ((-1, -1), (-1, 1), (1, 1), (1, -1))
    return [off(north_m + a * half_m, east_m + b * half_m, start) for a, b in ways]


def box(
    name: str, north_m: float, east_m: float, half_m: float, start: Place = HERE, **properties: Any
) -> dict[str, Any]:
    return feature(name, polygon(square(north_m, east_m, half_m, start)), **properties)


def feature(name: str, geometry: Any, **properties: Any) -> dict[str, Any]:
    described = {"identifier": name, "type": "PROHIBITED", **properties}
    return {"type": "Feature", "geometry": geometry, "properties": described}


def read_airspace(text: str, permitted: frozenset[str] = frozenset()) -> Airspace:
    return Airspace(read_zones(text), permitted)


def is_inside(
    airspace: Airspace,
    place: Place = HERE,
    height_m: float = 30.0,
    now: Moment = NOON,
    *,
    ground_m: float | None = None,
    ahead_s: float = 0.0,
) -> bool:
    """Whether a zone is entered here and now; no margin to the side."""
    here = Leg(place, place, height_m)
    return bool(airspace.trouble((here,), now, margin_m=0.0, ground_m=ground_m, ahead_s=ahead_s))


def file_of(*features: Any) -> str:
    return json.dumps({"type": "FeatureCollection", "features": list(features)})
