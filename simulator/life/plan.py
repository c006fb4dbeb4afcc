"""What a day holds: work, gym, market, friends; each day from itself alone (pure)."""

from typing import NamedTuple

from simulator.chance import Chance, Draws
from simulator.life.town import HOME, NEW, WORK

MINUTES = 1_440.0


class Errand(NamedTuple):
    """To be driven to, from wherever the day is: not before a minute of it, with so many seats."""

    place: str
    minute: float
    has_passenger: bool = False


def plan(draws: Draws, day: int) -> list[Errand]:
    """The errands of a day, which begins and ends at home.

    Args:
        draws: Of the driver's days.
        day: Days since 1970 on the wall clock; a day's errands depend on no other day.
    """
    chance = draws(f"day {day}")
    weekday = weekday_of(day)
    if weekday == 5:
        return _saturday(chance, day)
    return _sunday(chance) if weekday == 6 else _workday(chance, weekday)


def weekday_of(day: int) -> int:
    """0 is Monday; 1970 began on a Thursday."""
    return (day + 3) % 7


def _workday(chance: Chance, weekday: int) -> list[Errand]:
    if weekday == 2 and chance.random() < 0.3:  # from home
        at = chance.gauss(620.0, 15.0)
        return [Errand("market", at), Errand(HOME, at + 55.0)]
    errands = [Errand(WORK, chance.gauss(475.0, 7.0))]
    if chance.random() < 0.2:
        errands += [Errand("canteen", chance.gauss(740.0, 6.0)), Errand(WORK, 795.0)]
    leaves = chance.gauss(1_085.0, 9.0)
    if weekday in (1, 3):
        errands += [Errand("gym", leaves), Errand(HOME, leaves + chance.gauss(95.0, 6.0))]
    elif chance.random() < (0.55 if weekday in (0, 4) else 0.15):
        errands += [Errand("market", leaves), Errand(HOME, leaves + chance.gauss(55.0, 5.0))]
    else:
        errands.append(Errand(HOME, leaves))
    if weekday == 4 and chance.random() < 0.7:
        out = chance.gauss(1_215.0, 8.0)
        errands += [Errand("friend", out), Errand(HOME, out + chance.gauss(120.0, 8.0))]
    return errands


def _saturday(chance: Chance, day: int) -> list[Errand]:
    at = chance.gauss(570.0, 12.0)
    errands = [Errand("market", at), Errand(HOME, at + chance.gauss(70.0, 8.0))]
    out = chance.gauss(900.0, 20.0)
    is_new = chance.random() < 0.5
    place = f"{NEW}{day}" if is_new else "park" if chance.random() < 0.5 else "friend"
    return [*errands, Errand(place, out, True), Errand(HOME, out + chance.gauss(150.0, 15.0), True)]


def _sunday(chance: Chance) -> list[Errand]:
    at = chance.gauss(545.0, 10.0)
    errands = [Errand("gym", at), Errand(HOME, at + chance.gauss(100.0, 8.0))]
    if chance.random() < 0.5:
        out = chance.gauss(960.0, 15.0)
        errands += [Errand("park", out, True), Errand(HOME, out + chance.gauss(110.0, 10.0), True)]
    return errands
