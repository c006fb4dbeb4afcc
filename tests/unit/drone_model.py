"""A car on a course of legs and round corners, and a copter that is a point with limits."""

import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from services.drone.autopilot import DronePosition, GoTo, Track
from services.drone.events import CarFix
from services.drone.geodesy import Offset, Place, moved, offset
from services.drone.leaps import SeenFix
from services.drone.view import FIXES

ORIGIN = Place(48.0, 11.0)
LEG_M, CORNER_M = 100.0, 8.0
ARC_M = CORNER_M * math.pi / 2


@dataclass(frozen=True)
class CarTruth:
    place: Place
    heading_deg: float
    speed_mps: float


def on_course(at_m: float, speed_mps: float) -> CarTruth:
    """A car on straight legs of 100 m and corners of 8 m, to the right and to the left in turn."""
    north = east = heading = 0.0
    side = 1.0
    while True:
        leg = min(at_m, LEG_M)
        north += leg * math.cos(heading)
        east += leg * math.sin(heading)
        at_m -= leg
        if at_m <= 0.0:
            break
        turned = min(at_m, ARC_M) / CORNER_M * side
        chord = 2 * CORNER_M * math.sin(abs(turned) / 2)
        north += chord * math.cos(heading + turned / 2)
        east += chord * math.sin(heading + turned / 2)
        heading += turned
        at_m -= ARC_M
        side = -side
        if at_m <= 0.0:
            break
    place = moved(ORIGIN, Offset(north, east))
    return CarTruth(place, math.degrees(heading) % 360.0, speed_mps)


@dataclass
class Copter:
    """Position and velocity control with limits on speed, acceleration and jerk."""

    place: Place
    height_m: float = 20.0
    north_mps: float = 0.0
    east_mps: float = 0.0
    up_mps: float = 0.0
    _acceleration: Offset = field(default=Offset(0.0, 0.0))

    fastest_mps = 10.0
    hardest_mps2 = 2.5
    jerk_mps3 = 5.0

    def position(self, at_s: float) -> DronePosition:
        speeds = (self.north_mps, self.east_mps, self.up_mps)
        return DronePosition(self.place, 500.0 + self.height_m, self.height_m, *speeds, 0.0, at_s)

    def fly(self, guidance: GoTo | Track | None, since_s: float, step_s: float) -> None:
        """Go on for a step; a track's place runs on with its velocity since it was said."""
        north, east, aim_height, feed = 0.0, 0.0, self.height_m, Offset(0.0, 0.0)
        if guidance is not None:
            if isinstance(guidance, Track):
                feed = Offset(*guidance.velocity[:2])
            aim = moved(guidance.place, Offset(feed.north_m * since_s, feed.east_m * since_s))
            north, east = offset(self.place, aim)
            aim_height = guidance.height_m
        pull = _root(math.hypot(north, east), 1.0, self.hardest_mps2 * 0.6)
        far = math.hypot(north, east) or 1.0
        wish = Offset(feed.north_m + north / far * pull, feed.east_m + east / far * pull)
        wish = _at_most(wish, self._limit(guidance))
        push = Offset((wish.north_m - self.north_mps) * 2.0, (wish.east_m - self.east_mps) * 2.0)
        push = _at_most(push, self.hardest_mps2)
        change = _at_most(
            Offset(push.north_m - self._acceleration[0], push.east_m - self._acceleration[1]),
            self.jerk_mps3 * step_s,
        )
        self._acceleration = Offset(
            self._acceleration[0] + change.north_m, self._acceleration[1] + change.east_m
        )
        self.north_mps += self._acceleration[0] * step_s
        self.east_mps += self._acceleration[1] * step_s
        self.up_mps = max(-1.5, min(2.5, aim_height - self.height_m))
        self.height_m += self.up_mps * step_s
        self.place = moved(self.place, Offset(self.north_mps * step_s, self.east_mps * step_s))

    def _limit(self, guidance: GoTo | Track | None) -> float:
        slower = guidance.speed_mps if isinstance(guidance, GoTo) else None
        return min(slower or self.fastest_mps, self.fastest_mps)


def _root(error: float, gain: float, limit: float) -> float:
    """ArduPilot's square root controller: linear near, and braking in time from far away."""
    linear = limit / gain**2
    return error * gain if error <= linear else math.sqrt(2 * limit * (error - linear / 2))


def _at_most(way: Offset, most: float) -> Offset:
    length = way.length_m
    return way if length <= most else Offset(way[0] * most / length, way[1] * most / length)


def heard_fixes(
    truth: Callable[[float], CarTruth], until_s: float, jitter_s: float, loss: float, seed: int
) -> Iterator[tuple[float, SeenFix]]:
    """When each position of the car, ten a second, is heard, and what it says."""
    chance = random.Random(seed)
    heard = []
    for index in range(int(until_s * 10)):
        at_s = index / 10
        car = truth(at_s)
        delay_s = 0.01 + chance.random() * jitter_s
        if chance.random() >= loss:
            fix = CarFix(car.place, 1.0, car.heading_deg, car.speed_mps * 3.6, delay_s)
            heard.append((at_s + delay_s, SeenFix(fix, at_s)))
    yield from sorted(heard, key=lambda row: row[0])


def errors_of_following(
    guide: Callable[[tuple[SeenFix, ...], float], Track | None],
    wanted: Callable[[CarTruth], Place],
    jitter_s: float = 0.0,
    loss: float = 0.0,
    seed: int = 1,
) -> list[float]:
    """How far the copter is from where it should be, ten times a second for three minutes."""

    def truth(at_s: float) -> CarTruth:
        return on_course(at_s * 20 / 3.6, 20 / 3.6)

    copter = Copter(wanted(truth(0.0)))
    waiting = list(heard_fixes(truth, 180.0, jitter_s, loss, seed))
    fixes: tuple[SeenFix, ...] = ()
    track, said_s, errors = None, 0.0, []
    for tick in range(180 * 50):
        now_s = tick / 50
        while waiting and waiting[0][0] <= now_s:
            fix = waiting.pop(0)[1]
            if not fixes or fix.at_s > fixes[-1].at_s:
                fixes = (*fixes[1 - FIXES :], fix)
        if tick % 10 == 0:
            track, said_s = guide(fixes, now_s), now_s
        copter.fly(track, now_s - said_s, 0.02)
        if tick % 5 == 0 and now_s > 10.0:
            errors.append(offset(copter.place, wanted(truth(now_s))).length_m)
    return sorted(errors)
