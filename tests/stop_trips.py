"""A driver's evidence about stops, and the trip that is on, built place by place."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from internetcar.contract.trips import TripEnded
from services.recommendations.advising import Advice, Answered, Asked, Evidence
from services.recommendations.destination.ground import distances_m
from services.recommendations.destination.places import Place, Places
from services.recommendations.destination.predictor import Forecast
from services.recommendations.journey import Journey
from services.recommendations.stops.adviser import StopAdviser

DAY_MS = 86_400_000
MONDAY = 20_514
"""2026-03-02, in days since 1970."""
KM = 1.0 / 111.195
"""In degrees of latitude."""
NORTH_KM = {"home": 0, "bakery": 4, "work": 10, "mall": 20, "far": 60, "beyond": 300}
"""All on one road to the north."""
ASIDE_KM = 8.0
"""How far `aside`, 10 km to the north, lies to the east of it."""
PLACES = Places([
    *(Place(name, 50.0 + km * KM, 10.0, 30) for name, km in NORTH_KM.items()),
    Place("aside", 50.0 + 10 * KM, 10.0 + ASIDE_KM * KM / math.cos(math.radians(50.1)), 30),
])  # fmt: skip
LABELS = {"work": "Work", "mall": "Mall", "far": "Far", "bakery": "Bakery"}
ADVISER = StopAdviser()


class Life:
    """What was kept of one driver's trips; it begins at home."""

    def __init__(self, *, battery: bool = True, fuel: bool = False) -> None:
        self.kinds = {"battery": battery, "fuel": fuel}
        self.at = "home"
        self.evidence: list[Evidence] = []

    def go(
        self,
        to: str,
        day: float,
        minutes: float = 15,
        levels: Sequence[float | None] = (None, None),
        **changed: Any,
    ) -> "Life":
        """Drive to a place, beginning on a day of the wall clock (UTC)."""
        (lat, lon), here = PLACES.centres([to]), PLACES.centres([self.at])[:, 0]
        direct_m = round(float(distances_m(lat, lon, *here)[0]), -2)
        body = {
            "lasted_s": minutes * 60, "first_pct": levels[0], "last_pct": levels[1],
            "driven_m": 1.3 * direct_m, "direct_m": direct_m, **self.kinds, **changed,
        }  # fmt: skip
        trip_id = f"t{len(self.evidence)}"
        started_ms = round(day * DAY_MS)
        self.evidence.append(Evidence(trip_id, "anna", started_ms, day, to, body))
        self.at = to
        return self

    def work_and_mall(self, weeks: int = 2) -> "Life":
        """To work and back; on Fridays to the mall, where the level rises by 40 %."""
        for number in range(weeks * 7):
            day = MONDAY + number
            if number % 7 < 5:
                self.go("work", day + 8 / 24, levels=(60, 58)).go("home", day + 17 / 24,
                                                                  levels=(58, 56))  # fmt: skip
            if number % 7 == 4:
                self.go("mall", day + 18 / 24, 30, (56, 52))
                self.go("home", day + 20 / 24, 30, (92, 88))
        return self

    def bakery_before_work(self, days: int = 8, straight: int = 0) -> "Life":
        """To work by the bakery; on some of the last days straight."""
        for number in range(days):
            day = MONDAY + number + 2 * (number // 5)
            if number >= days - straight:
                self.go("work", day + 8 / 24)
            else:
                self.go("bakery", day + 8 / 24, 6).go("work", day + 8.3 / 24)
            self.go("home", day + 17 / 24)
        return self


def forecast(**shares: float) -> Forecast:
    """Where the trip may lead, the likeliest first."""
    return Forecast(tuple(shares), tuple(shares.values()), 1.0 - sum(shares.values()))


def asked(day: float = MONDAY + 14 + 8 / 24, **changed: Any) -> Asked:
    """A trip from home that has just begun."""
    started_ms = round(day * DAY_MS)
    values: dict[str, Any] = {"origin_id": "home", **changed.pop("journey", {})}
    journey = Journey(
        trip_id="now", driver="anna", started_ms=started_ms, at_ms=started_ms, day=day, **values
    )
    given: dict[str, Any] = {
        "vehicle_id": "kona", "journey": journey, "origin": "live", "trips": 20,
        "forecast": None, "places": PLACES, "labels": LABELS, "settings": {}, **changed,
    }  # fmt: skip
    return Asked(**given)


def advise(life: Life, **changed: Any) -> Advice:
    """What is advised of a trip from home."""
    return ADVISER.advise(asked(**changed), ADVISER.learn(life.evidence))


def answers(key: str, *given: tuple[float, bool]) -> list[Answered]:
    """Answers to offers of a key: on which day, and whether accepted."""
    return [Answered(key, round(day * DAY_MS), is_accepted) for day, is_accepted in given]


def at_km(km: float) -> Mapping[str, Any]:
    """Of a journey: driven from home so far."""
    steps = max(1, math.ceil(km / 0.2))
    path = [(50.0 + km * KM * step / steps, 10.0) for step in range(steps + 1)]
    return {"path": path}


def trip_ended(**changed: Any) -> TripEnded:
    """The end of a trip."""
    values: dict[str, Any] = {
        "vehicle_id": "kona", "trip_id": "t1", "driver": "anna", "revision": 1,
        "started_at": "2026-03-02T08:00:00Z", "ended_at": "2026-03-02T08:15:00Z",
        "start": {"latitude": 50.0, "longitude": 10.0},
        "end": {"latitude": 50.0 + 10 * KM, "longitude": 10.0}, "distance_m": 13_013.0,
        "energy_wh": 2_000.0, "level_start_pct": 60.0, "level_pct": 57.5, "why": "power_off",
        "origin": "live", "clock": "synchronized",
    }  # fmt: skip
    return TripEnded.model_validate({**values, **changed})
