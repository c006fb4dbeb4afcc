"""A life from day to day: needs that grow, places that are found, and the trips of a plan."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from tests.drivers.cabin import Setting, Taste
from tests.drivers.dice import Dice
from tests.drivers.music import Ear, Played
from tests.drivers.town import Point, Town
from tests.drivers.weather import Weather

FIRST_DAY = datetime(2024, 1, 8)  # noqa: DTZ001 - a Monday on the driver's own clock


@dataclass(frozen=True)
class Stop:
    """What a plan holds: where to, not before when, and for how long at least."""

    place: str
    at_minute: float
    stay_minutes: float = 20.0
    passengers: int = 0


@dataclass(frozen=True)
class Trip:
    """One trip as it was, on the driver's own clock; `is_lost` where telemetry has it not."""

    driver: str
    origin: str
    place: str
    departs_at: datetime
    arrives_at: datetime
    leaves_at: datetime
    start: Point
    end: Point
    route: tuple[Point, ...]
    outside_c: float
    passengers: int
    climate: tuple[Setting, ...]
    media: tuple[Played, ...]
    is_lost: bool


@dataclass
class Life:
    """One car and whoever drives it; a persona plans, this drives."""

    name: str
    dice: Dice
    town: Town
    weather: Weather
    days: int
    trips: list[Trip] = field(default_factory=list)
    driver: str = "first"
    here: str = "home"
    clock: float = 0.0
    """Minutes since the first midnight at which the last stop may be left."""
    needs: dict[str, float] = field(default_factory=dict)
    visits: dict[str, int] = field(default_factory=dict)
    """How often free time was spent where."""
    people: dict[str, tuple[Taste, Ear]] = field(default_factory=dict)

    def needed(self, what: str, days: float) -> bool:
        """Whether a need, renewed every so many days by its own draw, is due; then it is met."""
        day = self.clock / 1440
        due = self.needs.get(what)
        if due is None:
            due = self.needs[what] = day + self.dice.between(0.0, days)
        if day < due:
            return False
        self.needs[what] = day + max(0.7 * days, self.dice.normal(days, 0.2 * days))
        return True

    def free(self, rho: float, around: Point | None = None) -> str:
        """Where free time goes: a new place, ever rarer, or an old one by how often it was seen.

        Exploration and preferential return (Song et al. 2010): the chance of a new one is
        rho S^-0.21 with S places known.
        """
        known = len(self.visits)
        if not known or self.dice.chance(rho * float(known) ** -0.21):
            place = self.town.place(f"free-{known}", 9.0, around)
        else:
            place = self.dice.weighted(list(self.visits), [float(n) for n in self.visits.values()])
        self.visits[place] = self.visits.get(place, 0) + 1
        return place

    def drive(self, day: int, stops: list[Stop]) -> None:
        """Make the trips of one day's plan; who is there already stays."""
        for stop in stops:
            if stop.place == self.here:
                self.clock = max(self.clock, day * 1440 + stop.at_minute)
                continue
            self._make(day, stop)

    def _make(self, day: int, stop: Stop) -> None:
        self.town.place(stop.place)
        planned = day * 1440 + stop.at_minute + self.dice.late(6.0) + self.dice.normal(0.0, 5.0)
        departs = max(self.clock, planned)
        way_m = self.town.way_m(self.here, stop.place)
        minutes = 2.0 + way_m / 1000 / self.dice.between(0.42, 0.75)
        arrives = departs + minutes
        self._close(departs)
        minute, trip_s = departs % 1440, int(minutes * 60)
        outside_c = self.weather.celsius(int(departs // 1440), minute)
        taste, ear = self._person()
        heard = ear.heard(int(departs // 1440), minute, stop.place, stop.passengers, trip_s,
                          self.dice)  # fmt: skip
        self.trips.append(
            Trip(
                self.driver, self.here, stop.place, _instant(departs), _instant(arrives),
                _instant(arrives + stop.stay_minutes), self.town.parked(self.here, self.dice),
                self.town.parked(stop.place, self.dice),
                self.town.route(self.here, stop.place, self.dice), outside_c, stop.passengers,
                tuple(taste.settings(outside_c, minute, trip_s, self.dice)), tuple(heard),
                self.dice.chance(0.03),
            )
        )  # fmt: skip
        self.here = stop.place
        self.clock = arrives + stop.stay_minutes * self.dice.between(0.7, 1.3)

    def _close(self, departs: float) -> None:
        """The last stop lasted until this departure."""
        if self.trips:
            self.trips[-1] = replace(self.trips[-1], leaves_at=_instant(departs))

    def _person(self) -> tuple[Taste, Ear]:
        if self.driver not in self.people:
            dice = Dice(self.name, self.driver, "person")
            self.people[self.driver] = (Taste(dice), Ear(dice))
        return self.people[self.driver]


def _instant(minutes: float) -> datetime:
    return FIRST_DAY + timedelta(seconds=round(minutes * 60))
