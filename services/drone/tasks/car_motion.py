"""The car now and soon, from its last positions (pure).

Constant turn rate and velocity, the CTRV model of target tracking, as far as the age of the last
position asks for it. Curves are followed by the turn rate of the last moments, and by the yaw
rate and the steering wheel where the car tells them: they may come when a position does not.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from services.drone.geodesy import KMH_PER_MPS, Offset, Place, moved, offset, towards
from services.drone.leaps import SeenFix
from services.drone.tasks.turning import Turn, Turning, between

SLOW_MPS = 0.7
"""Below it a course over ground is noise: the heading that was known is kept."""
FURTHEST_S = 3.0
"""A position is carried on for so long at most; then the car is taken to stay."""
LONGEST_TURN_S = 1.0
"""A turn is carried on for so long at most; then the car is taken to go straight on."""
FASTEST_TURN_DPS = 70.0
HARDEST_TURN_MPS2 = 8.0
"""No road car turns harder: what seems to is noise."""
TURN_WINDOW_S = 0.25
SMALLEST_TURN_DPS = 2.0
"""A slower turn is a straight line with noise."""
FASTEST_MPS = 100.0
"""No car is faster: what seems to is noise."""


@dataclass(frozen=True, slots=True)
class CarNow:
    """Where the car is now, as far as its last position tells."""

    place: Place
    north_mps: float
    east_mps: float
    heading_deg: float | None
    """Where its front points: 0 is north, clockwise; `None`: it never said, and never moved."""
    speed_mps: float
    age_s: float
    """Of the position it comes from."""
    turn_dps: float = 0.0
    """Degrees a second, clockwise."""

    @property
    def velocity(self) -> Offset:
        """Where it goes to in a second."""
        return Offset(self.north_mps, self.east_mps)


def where(
    fixes: Sequence[SeenFix],
    now_s: float,
    kept_heading_deg: float | None = None,
    turns: Sequence[Turn] = (),
) -> CarNow | None:
    """Where the car is now; `None`: it never said.

    Args:
        fixes: Its last positions, oldest first.
        now_s: `Moment.s`.
        kept_heading_deg: The heading it had while it moved, if somebody remembers it: it holds
            as long as the car stands.
        turns: How it turned lately, by what it says beside its positions.
    """
    if not fixes:
        return None
    last = fixes[-1]
    speed = _speed(fixes)
    heading = _heading(fixes, speed, kept_heading_deg)
    age_s = now_s - last.at_s
    turn = _turn(fixes, speed) if heading is not None else 0.0
    if heading is None:
        speed = 0.0
    start = _straight(last.fix.place, heading or 0.0, speed, age_s)
    car = replace(start, heading_deg=heading, turn_dps=turn)
    carried_s = min(max(age_s, 0.0), FURTHEST_S)
    if turns and heading is not None and speed >= SLOW_MPS:
        return _turned(car, between(turns, last.at_s, last.at_s + carried_s), turns[-1], now_s)
    return advanced(car, carried_s)


def _turned(car: CarNow, pieces: Iterable[Turning], newest: Turn, now_s: float) -> CarNow:
    """Carried on piece by piece, with the turn rate of each; the last one is its turn now."""
    most = _hardest_dps(car.speed_mps)
    for piece in pieces:
        bent = replace(car, turn_dps=_bounded(piece.rate_dps, most))
        car = advanced(bent, piece.lasts_s)
    is_new = now_s - newest.at_s < LONGEST_TURN_S
    return replace(car, turn_dps=_bounded(newest.rate_dps, most) if is_new else 0.0)


def advanced(car: CarNow, by_s: float) -> CarNow:
    """The car some seconds later, if it goes on as it does; `age_s` stays that of its position."""
    if car.heading_deg is None or by_s <= 0.0:
        return car
    turning_s = min(by_s, LONGEST_TURN_S) if car.turn_dps else 0.0
    turned = math.radians(car.turn_dps * turning_s)
    half = turned / 2
    chord = car.speed_mps * turning_s * (math.sin(half) / half if half else 1.0)
    end_deg = (car.heading_deg + math.degrees(turned)) % 360.0
    arc = towards(car.heading_deg + math.degrees(half), chord)
    rest = towards(end_deg, car.speed_mps * (by_s - turning_s))
    way = Offset(arc.north_m + rest.north_m, arc.east_m + rest.east_m)
    later = _straight(moved(car.place, way), end_deg, car.speed_mps, car.age_s)
    return replace(later, turn_dps=car.turn_dps if by_s < LONGEST_TURN_S else 0.0)


def _straight(place: Place, heading_deg: float, speed_mps: float, age_s: float) -> CarNow:
    north, east = towards(heading_deg, speed_mps)
    return CarNow(place, north, east, heading_deg, speed_mps, age_s)


def _speed(fixes: Sequence[SeenFix]) -> float:
    """What the car says; else how far its last two positions are apart."""
    said = fixes[-1].fix.speed_kmh
    if said is not None:
        return min(max(said / KMH_PER_MPS, 0.0), FASTEST_MPS)
    before = _before(fixes, TURN_WINDOW_S)
    if fixes[-1].at_s - before.at_s <= 0.0:
        return 0.0
    apart = offset(before.fix.place, fixes[-1].fix.place).length_m
    return min(apart / (fixes[-1].at_s - before.at_s), FASTEST_MPS)


def _heading(fixes: Sequence[SeenFix], speed_mps: float, kept_deg: float | None) -> float | None:
    last = fixes[-1].fix
    if speed_mps >= SLOW_MPS:
        if last.heading_deg is not None:
            return last.heading_deg % 360.0
        way = offset(_before(fixes, TURN_WINDOW_S).fix.place, last.place)
        return way.bearing_deg if way.length_m > 0.0 else kept_deg
    for seen in reversed(fixes):
        if (
            seen.fix.heading_deg is not None
            and (seen.fix.speed_kmh or 0.0) / KMH_PER_MPS >= SLOW_MPS
        ):
            return seen.fix.heading_deg % 360.0
    if kept_deg is not None:
        return kept_deg
    said = [seen.fix.heading_deg for seen in fixes if seen.fix.heading_deg is not None]
    return said[0] % 360.0 if said else None


def _turn(fixes: Sequence[SeenFix], speed_mps: float) -> float:
    """The mean turn rate of the last moments, bounded by what a car can do."""
    last, before = fixes[-1], _before(fixes, TURN_WINDOW_S)
    now_deg, then_deg = last.fix.heading_deg, before.fix.heading_deg
    then_kmh = before.fix.speed_kmh
    has_moved = then_kmh is None or then_kmh / KMH_PER_MPS >= SLOW_MPS
    is_still = not has_moved or speed_mps < SLOW_MPS or last.at_s - before.at_s <= 0.0
    if is_still or now_deg is None or then_deg is None:
        return 0.0
    turned = (now_deg - then_deg + 180.0) % 360.0 - 180.0
    return _bounded(turned / (last.at_s - before.at_s), _hardest_dps(speed_mps))


def _hardest_dps(speed_mps: float) -> float:
    return min(FASTEST_TURN_DPS, math.degrees(HARDEST_TURN_MPS2 / speed_mps))


def _bounded(rate_dps: float, most_dps: float) -> float:
    """By what a car can do; a small one is none."""
    rate = max(-most_dps, min(most_dps, rate_dps))
    return rate if abs(rate) >= SMALLEST_TURN_DPS else 0.0


def _before(fixes: Sequence[SeenFix], window_s: float) -> SeenFix:
    """The oldest position of the window before the last one; at least the one before it."""
    end_s = fixes[-1].at_s
    inside = [seen for seen in fixes[:-1] if end_s - seen.at_s <= window_s]
    return inside[0] if inside else fixes[max(len(fixes) - 2, 0)]
