"""`car up --days`: the weeks before the simulated car starts, as trips of who drives it."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import NamedTuple

from internetcar.contract.broker_url import BrokerUrl
from internetcar.launcher.days_talk import Talk, Told
from services.database import Database, open_existing
from services.recommendations import inquiry
from services.recommendations.settings import SERVICE as RECOMMENDATIONS
from services.recommendations.tables import VERSION
from services.trips import store as trips
from services.trips.following import Followed, follow
from services.trips.leaves import SETTINGS
from services.trips.settings import SERVICE as TRIPS
from simulator.car import SEAT_MM, Car
from simulator.chance import Draws
from simulator.garage import SINGAPORE, load_route
from simulator.life.life import UTC_OFFSET_MIN, Drive, Life
from simulator.life.plan import MINUTES
from simulator.life.town import BESIDE, HOME, WORK, Town

_DAY_MS = 86_400_000
_SILENT_MS = _DAY_MS + 120_000
"""Longer than the service is silent after a rejection."""
_SAYS_EACH_S = 3.0
_AT_ONCE = 3
"""Days that are said before it is asked whether they were learned; as many again meanwhile."""
_NEAR_DEG = 0.0015


@dataclass(frozen=True, slots=True)
class Wish:
    """What `car up` is asked for.

    Attributes:
        days: So many, up to and without today.
        rejections: On so many of the last the driver rejects the climate that is offered.
        seed: Of the simulated car, and so of who drives it.
        start_m: Where on its loop it starts: at home.
    """

    days: int
    rejections: int
    seed: int
    start_m: float


@dataclass(frozen=True, slots=True)
class Scene:
    """What the days are told to, and who watches.

    Attributes:
        broker: Of our own.
        vehicle_id: The simulated car's.
        folder: Where the services have their stores.
        requester: As whom the driver answers.
        now_ms: The present, UTC ms.
        turn: Called often while something is awaited; false ends it.
        say: Takes a line about how far it is.
    """

    broker: BrokerUrl
    vehicle_id: str
    folder: Path
    requester: str
    now_ms: int
    turn: Callable[[], bool]
    say: Callable[[str], object]


def fill(scene: Scene, wish: Wish) -> str:
    """Live the days that the store does not have, let the service learn them; what came of it.

    A day on which there is a trip is there. The recommendation service must be running or start
    soon; no gateway need be there, so that nothing of the past is done to the car of today.

    Raises:
        InputError: A store cannot be used.
    """
    begun_s = time.monotonic()
    today = (scene.now_ms + UTC_OFFSET_MIN * 60_000) // _DAY_MS
    driver, life, town = _driver(wish)
    path = scene.folder / TRIPS / f"{TRIPS}.sqlite"
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with closing(trips.open_store(str(path))) as database:
        missing = _missing(database, scene.vehicle_id, range(today - wish.days, today))
        if not missing:
            return f"{wish.days} days: the history has them all; --fresh begins anew"
        with Talk(scene.broker, scene.vehicle_id, scene.requester, scene.turn) as talk:
            if not talk.is_heard():
                return "no days: the recommendation service does not answer"
            past = _Past(scene, database, talk, life)
            late = {day for day in missing if day >= today - wish.rejections}
            is_whole = past.live(missing, late)
            if is_whole:
                _name(scene, talk, driver, town)
    if not is_whole:
        return f"{past.days} of {len(missing)} days: the recommendation service fell silent"
    took_s = time.monotonic() - begun_s
    rejected = f", {past.rejected} offers rejected" if wish.rejections else ""
    return f"{past.days} days: {past.trips} trips of {driver} in {took_s:.0f} s{rejected}"


def _driver(wish: Wish) -> tuple[str, Life, Town]:
    """Who drives the simulated car, as it says; the life of that one, and where."""
    route = load_route(SINGAPORE)
    identifier = Car(route, wish.seed, wish.start_m).driver.identifier

    def draws(about: str) -> Random:
        return Random(f"{wish.seed} {about}")

    named: Draws = draws
    town = Town(route, wish.start_m, named)
    driver = f"driver-{identifier}"
    return driver, Life(town, driver, SEAT_MM[identifier], named), town


def _missing(database: Database, vehicle_id: str, days: range) -> list[int]:
    with database.read() as connection:
        starts = trips.starts_ms(connection, vehicle_id)
    lived = {int((start_ms / 60_000 + UTC_OFFSET_MIN) // MINUTES) for start_ms in starts}
    return [day for day in days if day not in lived]


class _Said(NamedTuple):
    """Trips of so many days that were said, and what was asked after them."""

    asked: str
    days: int
    told: list[Followed]


class _Past:
    """Days while they are lived: each is kept once the recommendation service has learned it."""

    def __init__(self, scene: Scene, database: Database, talk: Talk, life: Life) -> None:
        self._scene = scene
        self._database = database
        self._talk = talk
        self._life = life
        self._free_ms = 0
        self._said_s = time.monotonic()
        self.days = self.trips = self.rejected = 0

    def live(self, days: list[int], late: set[int]) -> bool:
        """Live days in their order; false where the service fell silent, or we are to end.

        Args:
            days: Days since 1970 on Singapore's wall clock.
            late: Those of them on which the climate offer is rejected.
        """
        waiting: list[_Said] = []
        for some in (days[start : start + _AT_ONCE] for start in range(0, len(days), _AT_ONCE)):
            if late.intersection(some) and not self._keep(waiting, 0):
                return False
            told = [each for day in some for each in self._day(day, is_late=day in late)]
            waiting.append(_Said(self._talk.ask(), len(some), told))
            if not self._keep(waiting, 1):
                return False
        return self._keep(waiting, 0)

    def _day(self, day: int, *, is_late: bool) -> list[Followed]:
        """Live a day, and say its trips."""
        if is_late:
            return self._reject(day)
        told = [each for drive in self._life.day(day) if (each := self._follow(drive))]
        for each in told:
            self._talk.say(each.ended)
        return told

    def _keep(self, waiting: "list[_Said]", most: int) -> bool:
        """Keep what the service has learned, until no more than so many portions wait."""
        while len(waiting) > most:
            said = waiting[0]
            if not self._talk.is_answered(said.asked):
                return False
            found: Iterator[Told] = ((each.ended, each.run) for each in said.told)
            trips.keep_all(self._database, found, self._scene.now_ms, say=False)
            self.days, self.trips = self.days + said.days, self.trips + len(said.told)
            del waiting[0]
            if time.monotonic() - self._said_s >= _SAYS_EACH_S:
                self._said_s = time.monotonic()
                self._scene.say(f"living the past: {self.days} days, {self.trips} trips")
        return True

    def _reject(self, day: int) -> list[Followed]:
        """Live a day on which the first climate offer is rejected, and all left as it is."""
        told, is_rejected = [], False
        for drive in self._life.day(day, not_before_ms=self._free_ms, is_left=True):
            each = self._follow(drive)
            if each is None:
                continue
            if not is_rejected:
                self._talk.say(each.started)
                is_rejected = self._talk.rejects_climate(each.started.trip_id)
                if is_rejected:
                    self.rejected += 1
                    self._free_ms = drive.moments[0][0] + _SILENT_MS
            self._talk.say(each.ended)
            told.append(each)
        return told

    def _follow(self, drive: Drive) -> Followed | None:
        return follow(
            self._scene.vehicle_id,
            ((at_ms, dict(told)) for at_ms, told in drive.moments),
            SETTINGS,
            "simulation",
            "synchronized",
        )


def _name(scene: Scene, talk: Talk, driver: str, town: Town) -> None:
    """Call the places what they are, where nobody has called them anything."""
    path = scene.folder / RECOMMENDATIONS / f"{RECOMMENDATIONS}.sqlite"
    with (
        closing(open_existing(str(path), RECOMMENDATIONS, version=VERSION)) as database,
        database.read() as connection,
    ):
        known = inquiry.whole(connection, scene.vehicle_id, driver)
    for name in (HOME, WORK, *BESIDE):
        spot = town.place(name)
        for each in known["places"] if known else ():
            off_deg = abs(each["latitude"] - spot.lat_deg) + abs(each["longitude"] - spot.lon_deg)
            if off_deg < _NEAR_DEG and each["label"] is None:
                talk.name(driver, each["place_id"], name)
    talk.is_answered(talk.ask())
