"""All zones, and what they mean for a flight (pure)."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.drone.airspace.fence import fence_of
from services.drone.airspace.local import Local, Query, local_at
from services.drone.airspace.way import way_around
from services.drone.airspace.zone import Zone
from services.drone.autopilot import FenceArea
from services.drone.geodesy import Place
from services.drone.moment import Moment
from services.drone.tasks.task import Leg

AHEAD_S = 1800.0
"""A zone that comes into force within half an hour, longer than a battery lasts, counts already."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """A zone that a way would enter, or that cannot be checked (`range`)."""

    zone_id: str
    words: str


@dataclass(frozen=True, slots=True)
class Airspace:
    """Zones, permissions and margins; never changed, so that what is derived may be kept.

    In all its methods heights are metres above the take-off, which stands for the ground: there
    is no model of the terrain. `ground_m` is the take-off's height above mean sea level; `None`
    makes limits above sea level reach everywhere. A zone counts that is in force at any time from
    `now` on for `ahead_s`.

    Attributes:
        zones: As read.
        permitted: Ids of zones for which an authorisation is held. It opens no prohibited one.
        margin_m: To the side.
        height_margin_m: Above and below.
        roof_margin_m: Around covered places, for the error of the car's position.
    """

    zones: tuple[Zone, ...] = ()
    permitted: frozenset[str] = frozenset()
    margin_m: float = 20.0
    height_margin_m: float = 5.0
    roof_margin_m: float = 5.0

    def trouble(
        self,
        legs: Sequence[Leg],
        now: Moment,
        *,
        margin_m: float | None = None,
        ground_m: float | None = None,
        ahead_s: float = AHEAD_S,
    ) -> tuple[Trouble, ...]:
        """Every zone that comes nearer than the margin to any of the legs, each once.

        Args:
            legs: Each flown straight, at its height.
            now: When it starts.
            margin_m: To the side; `None`: the airspace's own.
            ground_m: See the class.
            ahead_s: See the class.
        """
        margin = self.margin_m if margin_m is None else margin_m
        found: dict[str, Trouble] = {}
        for leg in legs:
            local = self._local(leg.start)
            if not (local.reaches(leg.start) and local.reaches(leg.end)):
                words = "the way is too long to be checked for zones"
                found.setdefault("range", Trouble("range", words))
                continue
            query = self._query(now, ahead_s, ground_m, leg.height_m)
            for zone in local.near_leg(leg, query, margin):
                words = f"the way comes within {margin:.0f} m of zone {zone.id}"
                found.setdefault(zone.id, Trouble(zone.id, words))
        return tuple(found.values())

    def ceiling_m(
        self,
        place: Place,
        now: Moment,
        *,
        margin_m: float | None = None,
        ground_m: float | None = None,
        ahead_s: float = AHEAD_S,
    ) -> float:
        """How high it may fly here, straight up from the ground; infinite without a zone above.

        Near a pole, where zones are not checked: 0.
        """
        local = self._local(place)
        if not local.reaches(place):
            return 0.0
        margin = self.margin_m if margin_m is None else margin_m
        query = self._query(now, ahead_s, ground_m, None)
        zones = local.near_leg(Leg(place, place, 0.0), query, margin)
        lowest = [zone.lowest_m(ground_m) - self.height_margin_m for zone in zones]
        return max(0.0, min(lowest, default=float("inf")))

    def is_covered(self, place: Place) -> bool:
        """Whether there is a roof or a tunnel here."""
        return self._local(place).is_covered(place)

    def way(
        self,
        start: Place,
        end: Place,
        height_m: float,
        now: Moment,
        *,
        margin_m: float | None = None,
    ) -> tuple[Place, ...] | None:
        """The shortest way that `trouble` has nothing against, from start to end.

        A start that is too near to a zone first leaves it on the shortest way.

        Returns:
            Start, corners and end. `None`: there is no way; for one, the end is too near to a zone.
        """
        margin = self.margin_m if margin_m is None else margin_m
        local = self._local(start)
        if not (local.reaches(start) and local.reaches(end)):
            return None
        query = self._query(now, AHEAD_S, None, height_m)
        obstacles = local.obstacles(query, margin)
        way = way_around(local.metres(start), local.metres(end), obstacles, margin)
        if way is None:
            return None
        return (start, *(local.place(*corner) for corner in way[1:-1]), end)

    def fence_areas(
        self,
        near: Place,
        radius_m: float,
        now: Moment,
        height_m: float,
    ) -> tuple[FenceArea, ...]:
        """What the autopilot itself shall not enter, nearest first, as much as it has room for.

        An autopilot's area has no height: only zones are in it that bar every height from the
        ground up to `height_m`, the ceiling. Each is at most 8 m larger than its zone, less than
        the margin. What is left out for want of room is still checked by the service.
        """
        local = self._local(near)
        query = self._query(now, AHEAD_S, None, None)
        low = self.height_margin_m
        shapes = [
            shape
            for zone, shape in local.zones_and_shapes(query)
            if zone.lowest_m(None) <= low and zone.highest_m(None) >= height_m - low
        ]
        return fence_of(local, shapes, near, radius_m)

    def _local(self, place: Place) -> Local:
        return local_at(self.zones, self.permitted, place, self.roof_margin_m)

    def _query(
        self, now: Moment, ahead_s: float, ground_m: float | None, height_m: float | None
    ) -> Query:
        until_ms = now.utc_ms + round(ahead_s * 1000)
        return Query(now.utc_ms, until_ms, ground_m, height_m, self.height_margin_m)
