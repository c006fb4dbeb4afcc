"""The trip that is on: what was asked when it began, its way so far, and what was said (pure)."""

from zoneinfo import ZoneInfo

from pydantic import BaseModel

from internetcar.contract.message import instant
from internetcar.contract.trips import (
    MOST_SETTINGS,
    Place,
    SettingValue,
    TripProgress,
    TripStarted,
)
from services.recommendations.destination.ground import METRES_PER_DEGREE
from services.recommendations.destination.moment import Moment, day_of
from services.recommendations.destination.places import Places

MOST_POINTS = 400
_STEP_DEG = 100.0 / METRES_PER_DEGREE
"""A point of the way that is nearer to the last one than this is none."""
_STOOD_M, _WALK_KMH = 50.0, 5.0
"""Who has gone further, or faster, drives."""
_LONGEST_STAY_MIN = 60.0 * 24 * 60
_DIGITS = 6

FIRST_MS, LAST_MS = 946_684_800_000, 4_102_444_800_000
"""2000 and 2100: a clock that was never set shows 1970, and no car drives in the other."""


class Previous(BaseModel):
    """The driver's trip before: its places, empty where they are not known, and its end, UTC ms."""

    place_id: str
    origin_id: str
    ended_ms: int


class Journey(BaseModel):
    """A trip that is on.

    Attributes:
        trip_id: Its id.
        driver: Who drives.
        started_ms: UTC ms.
        at_ms: Up to when it is known, UTC ms by its own clock.
        heard_ms: When it was last heard of, UTC ms by ours; kept each minute where nothing is news.
        day: Of the question; this and what follows are those of `Moment`.
        origin_id: The place it began at.
        before_id: The place before that.
        stayed_min: How long the car had stood there.
        path: Latitude and longitude of its way, thinned.
        first: The place that was said to be the likeliest; empty: nothing was said.
        band: How many thresholds its probability was above.
        said: What was said of it last, as it was encoded; `None`: nothing, or it was taken back.
        has_offered: An offer was made, to whomever.
        settings: How things stand: value, and when it was last changed, UTC ms; 0: before.
        outside_c: °C, now.
        level_pct: Of battery or fuel, now.
        range_m: What the car says it can still go.
        has_driven: It has left where it stood, or was faster than a walk.
        advised: What each kind of advice said last, as it was encoded.
        offered: The kinds that have made an offer, to whomever.
    """

    trip_id: str
    driver: str
    started_ms: int
    at_ms: int
    day: float
    origin_id: str = ""
    before_id: str = ""
    stayed_min: float = 0.0
    path: list[tuple[float, float]] = []
    first: str = ""
    band: int = 0
    said: str | None = None
    has_offered: bool = False
    settings: dict[str, tuple[SettingValue, int]] = {}
    outside_c: float | None = None
    level_pct: float | None = None
    range_m: float | None = None
    has_driven: bool = False
    advised: dict[str, str] = {}
    offered: list[str] = []
    heard_ms: int = 0

    @property
    def moment(self) -> Moment:
        """What is asked."""
        return Moment(self.day, self.origin_id, self.before_id, self.stayed_min)

    def take_back(self) -> None:
        """Nothing is said of where it leads any more."""
        self.first, self.band, self.said = "", 0, None
        self.advised = {}

    def go_on(self, at_ms: int, position: Place | None) -> bool:
        """Where the car is now; whether its way has grown by it."""
        self.at_ms = max(self.at_ms, at_ms)
        if position is None:
            return False
        point = _point(position)
        if self.path:
            lat, lon = self.path[-1]
            if abs(point[0] - lat) + abs(point[1] - lon) < _STEP_DEG:
                return False
            self.has_driven = True
        self.path.append(point)
        if len(self.path) > MOST_POINTS:
            half = len(self.path) // 2
            self.path = self.path[:half:2] + self.path[half:]
        return True

    def note(self, message: TripStarted | TripProgress) -> bool:
        """What a message says of the car beside where it is; whether any of it is news."""
        before = self._car(), dict(self.settings)
        for name in ("outside_c", "level_pct", "range_m"):
            told = getattr(message, name)
            if told is not None:
                setattr(self, name, told)
        if isinstance(message, TripStarted):
            for each in message.settings:
                self.settings.setdefault(each.path, (each.value, 0))
        else:
            for each in message.changed[::-1]:
                changed_ms = self.started_ms + round(each.offset_s * 1_000)
                if each.path in self.settings or len(self.settings) < MOST_SETTINGS:
                    self.settings[each.path] = each.value, changed_ms
            is_fast = message.speed_kmh is not None and message.speed_kmh > _WALK_KMH
            self.has_driven = self.has_driven or is_fast or message.distance_m > _STOOD_M
        return before != (self._car(), self.settings)

    def _car(self) -> tuple[float | None, ...]:
        return self.outside_c, self.level_pct, self.range_m, self.has_driven


def is_sane(at_ms: int) -> bool:
    """Whether a clock that shows this may be right."""
    return FIRST_MS <= at_ms < LAST_MS


def moment_of(
    started_ms: int, start: Place | None, previous: Previous | None, places: Places, zone: ZoneInfo
) -> Moment:
    """What is asked when a trip begins.

    Args:
        started_ms: UTC ms.
        start: Where; without a fix it is where the trip before ended.
        previous: The driver's trip before, if any.
        places: The driver's.
        zone: The driver's wall clock.
    """
    day = day_of(instant(started_ms).astimezone(zone))
    last = previous.place_id if previous else ""
    origin = places.find(start.latitude, start.longitude) if start is not None else last
    before, stayed_min = last, 0.0
    if previous is not None and origin and origin == last:
        before = previous.origin_id
        stood_min = (started_ms - previous.ended_ms) / 60_000
        stayed_min = min(max(0.0, stood_min), _LONGEST_STAY_MIN)
    return Moment(day, origin, before, stayed_min)


def begun(
    trip_id: str, driver: str, started_ms: int, moment: Moment, start: Place | None
) -> Journey:
    """A trip that has just begun."""
    return Journey(
        trip_id=trip_id,
        driver=driver,
        started_ms=started_ms,
        at_ms=started_ms,
        day=moment.day,
        origin_id=moment.origin,
        before_id=moment.before,
        stayed_min=moment.stayed_min,
        path=[] if start is None else [_point(start)],
    )


def _point(place: Place) -> tuple[float, float]:
    return round(place.latitude, _DIGITS), round(place.longitude, _DIGITS)
