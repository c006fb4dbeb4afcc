"""What drivers who do not exist hear first and next, against simpler ways to guess it.

Run `python -m tests.bench.recommendation_media`; the same seeds are the same drivers in every run,
and none of them is one that anything was tuned on.
"""

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC
from itertools import pairwise

from internetcar.contract.message import milliseconds
from internetcar.contract.trips import TripEnded
from services.recommendations.advising import Evidence
from services.recommendations.destination.moment import Moment, day_of
from services.recommendations.destination.predictor import Predictor
from services.recommendations.media.adviser import Media, quarters
from services.recommendations.media.choosing import Choice, Situation, first, following
from services.recommendations.media.items import heard_on, passengers_on
from services.recommendations.media.library import Library
from services.recommendations.speaking import LEAST_TRIPS, OFFERED_AT
from tests.bench.report import Figure, main, progress
from tests.drivers.generate import DAYS, life
from tests.drivers.life import Trip
from tests.drivers.more_personas import PERSONAS

TITLE = "Recommendations: what drivers who do not exist hear first and next"
SEEDS = range(101, 103)
"""Nothing was tuned on the drivers from here on."""
OURS, FREQUENT, LATEST, SUCCESSOR = "ours", "most frequent", "last heard", "what came after it last"
_URI = "Vehicle.Cabin.Infotainment.Media.Played.URI"
_SEATS = ("Row1.PassengerSide", "Row2.DriverSide", "Row2.Middle", "Row2.PassengerSide")
_AMONG = 3


@dataclass
class Score:
    """How often an item was the first, or among three, of what was guessed."""

    asked: int = 0
    at_1: Counter[str] = field(default_factory=Counter)
    at_3: Counter[str] = field(default_factory=Counter)
    said: float = 0.0
    """Sum of what was said to be the probability of the first."""
    sure: int = 0
    sure_right: int = 0

    def count(self, item: str, choices: Sequence[Choice], ways: Mapping[str, list[str]]) -> None:
        self.asked += 1
        guessed = {OURS: [each.item for each in choices], **ways}
        for way, names in guessed.items():
            self.at_1[way] += names[:1] == [item]
            self.at_3[way] += item in names[:_AMONG]
        if choices:
            self.said += choices[0].probability
            if choices[0].probability >= OFFERED_AT:
                self.sure += 1
                self.sure_right += choices[0].item == item

    def include(self, other: "Score") -> None:
        self.asked += other.asked
        self.at_1 += other.at_1
        self.at_3 += other.at_3
        self.said += other.said
        self.sure += other.sure
        self.sure_right += other.sure_right

    def rate_1(self, way: str) -> float:
        return self.at_1[way] / self.asked

    def rate_3(self, way: str) -> float:
        return self.at_3[way] / self.asked


@dataclass
class Driver:
    """What is known of one driver, by us and by the simpler ways."""

    library: Library = field(default_factory=Library)
    places: Predictor = field(default_factory=Predictor)
    before: str = ""
    firsts: list[str] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)
    after: dict[str, list[str]] = field(default_factory=dict)

    def guesses_first(self) -> dict[str, list[str]]:
        return {FREQUENT: _often(self.firsts), LATEST: _newest(self.firsts)}

    def guesses_next(self, on: str) -> dict[str, list[str]]:
        others = [item for item in self.heard if item != on]
        latest = _newest(others)
        return {FREQUENT: _often(others), LATEST: latest,
                SUCCESSOR: _newest(self.after.get(on, []))}  # fmt: skip

    def hear(self, wanted: Sequence[str]) -> None:
        self.firsts += wanted[:1]
        self.heard += wanted
        for on, item in pairwise(wanted):
            self.after.setdefault(on, []).append(item)


def _often(items: Sequence[str]) -> list[str]:
    return [item for item, _ in Counter(items).most_common(_AMONG)]


def _newest(items: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(reversed(items)))[:_AMONG]


def as_ended(trip: Trip, number: int) -> TripEnded:
    """A trip as the service hears of it."""
    changes: list[dict[str, object]] = [
        {
            "path": f"Vehicle.Cabin.Seat.{seat}.IsBelted",
            "offset_s": 0,
            "value": at < trip.passengers,
        }
        for at, seat in enumerate(_SEATS)
    ]
    offset_s = 0
    for played in trip.media:
        changes.append({"path": _URI, "offset_s": offset_s, "value": played.item})
        offset_s += played.heard_s
    changes.append({"path": _URI, "offset_s": offset_s, "value": ""})
    return TripEnded.model_validate(
        {
            "vehicle_id": "car", "trip_id": f"trip-{number}", "driver": trip.driver, "revision": 1,
            "started_at": trip.departs_at.replace(tzinfo=UTC),
            "ended_at": trip.arrives_at.replace(tzinfo=UTC), "distance_m": 9_000,
            "settings": changes, "why": "power_off", "origin": "simulation",
            "clock": "synchronized",
        }
    )  # fmt: skip


def measured(trips: Iterable[Trip], *, with_places: bool) -> tuple[Score, Score]:
    """Every trip is asked about, then learned: what comes first, and what comes next.

    Args:
        trips: Of one car, in order; those that telemetry lost are left out.
        with_places: Where a trip may lead is foreseen, too.
    """
    scores = Score(), Score()
    drivers: dict[str, Driver] = {}
    adviser = Media()
    told = [trip for trip in trips if not trip.is_lost]
    for number, trip in enumerate(told):
        driver = drivers.setdefault(trip.driver, Driver())
        ended, day = as_ended(trip, number), day_of(trip.departs_at)
        places = _foreseen(driver, trip, day) if with_places else {}
        wanted = [each.item for each in heard_on(ended) if not each.is_skipped]
        if len(driver.library.trips) >= LEAST_TRIPS and wanted:
            at_ms = milliseconds(ended.started_at)
            asked = Situation(day, at_ms, places, passengers_on(ended))
            _ask(driver, asked, wanted, scores)
        driver.hear(wanted)
        body = adviser.kept(ended, day, trip.place)
        if body is not None:
            started_ms = milliseconds(ended.started_at)
            driver.library.add(
                Evidence(ended.trip_id, trip.driver, started_ms, day, trip.place, body)
            )
    return scores


def _ask(
    driver: Driver, asked: Situation, wanted: Sequence[str], scores: tuple[Score, Score]
) -> None:
    library = driver.library
    scores[0].count(wanted[0], first(library, asked, {}), driver.guesses_first())
    for on, item in pairwise(wanted):
        scores[1].count(item, following(library, asked, on), driver.guesses_next(on))


def _foreseen(driver: Driver, trip: Trip, day: float) -> Mapping[str, float]:
    moment = Moment(day, trip.origin, driver.before)
    forecast = driver.places.predict(moment)
    driver.places.learn(moment, trip.place)
    driver.before = trip.origin
    return quarters(forecast)


def _of(case: tuple[str, int]) -> tuple[str, tuple[Score, Score]]:
    persona, seed = case
    return persona, measured(life(persona, seed, DAYS), with_places=True)


def _all() -> Iterator[tuple[str, tuple[Score, Score]]]:
    cases = [(persona, seed) for persona in PERSONAS for seed in SEEDS]
    with ProcessPoolExecutor(min(2, os.cpu_count() or 1)) as pool:
        for done, found in enumerate(pool.map(_of, cases), start=1):
            progress(f"{done} of {len(cases)} lives …")
            yield found


def figures() -> list[Figure]:
    """Pooled over all drivers, and the worst persona."""
    whole = Score(), Score()
    personas: dict[str, tuple[Score, Score]] = {}
    for persona, found in _all():
        for at in (0, 1):
            whole[at].include(found[at])
            personas.setdefault(persona, (Score(), Score()))[at].include(found[at])
    rows = []
    for at, what in enumerate(("first", "next")):
        rows += _rows(f"media_{what}", whole[at])
        gain = min(_gain(found[at]) for found in personas.values())
        meaning = "points over the better of the simple two, the worst persona"
        rows.append(Figure(f"media_{what}_least_gain", gain, meaning, "> 0", gain > 0))
    return rows


def _rows(name: str, score: Score) -> list[Figure]:
    rows = []
    for way in score.at_1:
        short = f"{name}_{way.replace(' ', '_')}"
        rows.append(Figure(f"{short}_1", 100 * score.rate_1(way), f"percent of {score.asked}"))
        rows.append(Figure(f"{short}_3", 100 * score.rate_3(way), "among three"))
    right = score.sure_right / max(1, score.sure)
    return [
        *rows,
        Figure(f"{name}_said", 100 * score.said / score.asked, "mean(p), in percent"),
        Figure(f"{name}_sure", 100 * score.sure / score.asked, "percent said with p ≥ 0.7"),
        Figure(f"{name}_sure_right", right, "of these right", "≥ 0.75", right >= 0.75),
    ]


def _gain(score: Score) -> float:
    return 100 * (score.rate_1(OURS) - max(score.rate_1(FREQUENT), score.rate_1(LATEST)))


if __name__ == "__main__":
    main(figures, TITLE)
