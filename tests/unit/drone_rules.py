"""A car that says things, second by second, to a book of rules that goes through JSON."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import orjson
from pydantic import TypeAdapter

from internetcar.contract.message import Value
from services.drone.events import BrokerLink, CarPresence, CarSignal, Event
from services.drone.moment import Moment
from services.drone.rules.book import Due, RuleBook
from services.drone.rules.settings import RuleSettings, RuleTable
from services.drone.view import View, seen

UTC_MS = 1_750_000_000_000
SPEED = "Vehicle.Speed"
GEAR = "Vehicle.Powertrain.Transmission.SelectedGear"
BRAKE = "Vehicle.Chassis.ParkingBrake.IsEngaged"
HAZARD = "Vehicle.Body.Lights.Hazard.IsSignaling"
MIL = "Vehicle.OBD.Status.IsMILOn"
ONLINE = CarPresence(True, "live", "synchronized")


_TABLE: TypeAdapter[dict[str, RuleSettings]] = TypeAdapter(RuleTable)


def rule_table(rules: Any = None) -> dict[str, RuleSettings]:
    """The shipped rules, and what stands above them."""
    return _TABLE.validate_python(rules or {})


def only(**rules: Any) -> dict[str, Any]:
    """These rules, and the shipped ones switched off."""
    off = {name: {"enabled": False} for name in rule_table()}
    return {**off, **rules}


@dataclass
class Car:
    """Turns of a book, a second apart or as told, and what became due in them."""

    rules: Mapping[str, Any]
    at_s: float = 1_000.0
    utc_ms: int = UTC_MS
    view: View = field(default_factory=View)
    due: list[Due] = field(default_factory=list)
    memory: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.book = RuleBook(rule_table(self.rules), self.memory)
        self.hear(ONLINE, BrokerLink(True))

    @property
    def now(self) -> Moment:
        return Moment(self.at_s, self.utc_ms)

    def hear(self, *events: Event) -> None:
        for event in events:
            self.view = seen(self.view, event, self.now)

    def say(self, path: str, value: Value, quality: Any = "valid", age_s: float = 0.0) -> None:
        self.hear(CarSignal(path, value, quality, age_s))

    def turn(self, seconds: float = 1.0) -> list[Due]:
        self.at_s += seconds
        self.utc_ms += round(seconds * 1000)
        found = self.book.turn(self.view, self.now)
        self.memory = orjson.loads(orjson.dumps(self.book.memory))
        self.due += found
        return found

    def drive(self, kmh: float, seconds: int, **leaves: Value) -> None:
        """A steady speed; the leaves are said again each second."""
        for _ in range(seconds):
            self.say(SPEED, kmh)
            for name, value in leaves.items():
                self.say(PATHS[name], value)
            self.turn()

    def restart(self, away_s: float = 5.0) -> None:
        """The service dies and comes back: another monotonic clock, and nothing heard yet."""
        self.utc_ms += round(away_s * 1000)
        self.at_s = 7.0
        self.view = View()
        self.book = RuleBook(rule_table(self.rules), self.memory)
        self.hear(ONLINE, BrokerLink(True))

    def offline(self) -> None:
        self.hear(replace(ONLINE, is_online=False))


PATHS = {"gear": GEAR, "brake": BRAKE, "hazard": HAZARD, "mil": MIL}


def fired(cars: Iterable[Due]) -> list[str]:
    return [due.rule for due in cars]
