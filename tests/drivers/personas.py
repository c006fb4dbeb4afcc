"""Who drives: for each persona the plan of a day, by rules of need, rota, week and weather."""

from collections.abc import Callable

from tests.drivers.life import Life, Stop

Plan = Callable[[Life, int], list[Stop]]
MOVE_DAY = 120


def is_between(day: int, *spans: tuple[int, int]) -> bool:
    return any(first <= day < end for first, end in spans)


def errands(life: Life, minute: float, suffix: str = "") -> list[Stop]:
    """What a household needs, in the order it lies on the way."""
    stops = []
    if life.needed("food" + suffix, 4.0):
        other = life.dice.chance(0.25)
        stops.append(Stop(("market" if other else "grocer") + suffix, minute, 25))
    if life.needed("fuel", 9.0):
        stops.append(Stop("fuel" + suffix if life.dice.chance(0.8) else "fuel-far", minute, 7))
    if life.needed("hair", 34.0):
        stops.append(Stop("barber" + suffix, minute, 40))
    if life.needed("pharmacy", 19.0):
        stops.append(Stop("pharmacy" + suffix, minute, 10))
    return stops


def leisure(life: Life, first: float, last: float, rho: float, most: int = 2) -> list[Stop]:
    """Up to so many places of free time, from one to the next."""
    minute = life.dice.between(first, last)
    stops = []
    for _ in range(1 + int(life.dice.unit() * most)):
        stops.append(Stop(life.free(rho), minute, life.dice.between(40, 130)))
        minute += 70
    return stops


def holiday(life: Life, day: int, spans: tuple[tuple[int, int], ...]) -> list[Stop] | None:
    """Days away from a house that is rented; None at home."""
    for number, (first, end) in enumerate(spans):
        if not first <= day < end:
            continue
        away = life.town.centre[0] + 2.0 + number, life.town.centre[1] + 1.0
        base = life.town.place(f"holiday-{number}", 3.0, away)
        around = life.town.places[base]
        minute = life.dice.between(560, 680)
        stops = [Stop(base, 500)] if day == first else []
        beach = life.town.place(f"beach-{number}", 5.0, around)
        stops.append(Stop(beach if life.dice.chance(0.5) else life.free(0.8, around), minute, 120))
        if life.dice.chance(0.5):
            stops.append(Stop(life.town.place(f"inn-{number}", 4.0, around), 1110, 80))
        return [*stops, Stop("home" if day == end - 1 else base, 1200)]
    return None


def office_day(life: Life, day: int, home: str, suffix: str) -> list[Stop]:
    week, weekday = day // 7, day % 7
    stops = []
    if week % 2 == 0 and weekday in (0, 1, 2, 4):
        stops.append(Stop("school", 440, 5, 2))
    if life.dice.chance(0.25):
        stops.append(Stop("bakery" + suffix, 445, 6))
    stops.append(Stop("work", 460, 200))
    if life.dice.chance(0.3):
        wet = life.weather.is_wet(day)
        stops += [Stop("canteen" if wet else life.free(0.5), 735, 35), Stop("work", 780, 150)]
    end = 930 if weekday == 4 else 1010
    if week % 2 == 0 and weekday == 0:
        stops.append(Stop("sports-hall", end, 60, 2))
    elif weekday in (1, 3) and life.dice.chance(0.7):
        stops.append(Stop("gym" + suffix, end, 70))
    stops += errands(life, end, suffix)
    stops.append(Stop(home, end, 45))
    if weekday == 4 and day % 28 < 14 and life.dice.chance(0.8):
        stops += [Stop("friends", 1150, 150), Stop(home, 1320)]
    elif life.dice.chance(0.2):
        stops += [*leisure(life, 1120, 1200, 0.6, 1), Stop(home, 1290)]
    return stops


def weekend(life: Life, day: int, home: str, suffix: str, rho: float = 1.0) -> list[Stop]:
    stops = []
    if day % 7 == 5:
        if life.dice.chance(0.55):
            stops.append(Stop("bakery" + suffix, 520, 8))
        stops += errands(life, 560, suffix)
        if stops:
            stops.append(Stop(home, 600, 50))
        stops += [*leisure(life, 780, 960, rho), Stop(home, 1080)]
        return stops
    if day // 7 % 2 == 1 and life.dice.chance(0.85):
        return [Stop("parents", 680, 180, 2), *leisure(life, 900, 960, rho, 1), Stop(home, 1050)]
    if life.dice.chance(0.75):
        stops = [*leisure(life, 640, 900, rho), Stop(home, 1080)]
    return stops


def commuter(life: Life, day: int) -> list[Stop]:
    away = holiday(life, day, ((95, 109), (223, 233)))
    if away is not None:
        return away
    if day % 7 > 4:
        return weekend(life, day, "home", "")
    if life.dice.chance(0.3 if day % 7 == 2 else 0.06):
        return [*errands(life, 720), Stop("home", 760)]
    return office_day(life, day, "home", "")


def mover(life: Life, day: int) -> list[Stop]:
    """A house move: another home, grocer, gym and bakery from one day on; the same work."""
    moved = day >= MOVE_DAY
    home, suffix = ("new-home", "-new") if moved else ("home", "")
    if day == MOVE_DAY:
        return [Stop("store", 560, 60), Stop(home, 640, 120), Stop("home", 800), Stop(home, 900)]
    if day % 7 > 4:
        return weekend(life, day, home, suffix)
    return office_day(life, day, home, suffix)


def shift_worker(life: Life, day: int) -> list[Stop]:
    """Two early, two late, two nights, three free: nine days that fit no week."""
    turn = day % 9
    if turn in (0, 1):
        stops = [Stop("plant", 330, 480)]
        if life.dice.chance(0.4):
            stops.append(Stop("gym", 845, 60))
        stops += [*errands(life, 850), Stop("home", 850, 60)]
        if life.dice.chance(0.5):
            stops += [*leisure(life, 1020, 1110, 1.0), Stop("home", 1200)]
        return stops
    if turn in (2, 3):
        stops = [*errands(life, 620), *([Stop("home", 660)] if life.dice.chance(0.5) else [])]
        return [*stops, Stop("plant", 800, 480), Stop("snack", 1325, 10), Stop("home", 1335)]
    if turn in (4, 5):
        stops = [Stop("bakery", 375, 6)] if life.dice.chance(0.7) else []
        stops.append(Stop("home", 380, 300))
        if life.dice.chance(0.6):
            stops += [*errands(life, 960), *leisure(life, 970, 1060, 0.9)]
        return [*stops, Stop("plant", 1285, 480)]
    stops = [Stop("home", 380, 200)]
    if turn == 7:
        stops += [Stop("allotment", 600, 150), *errands(life, 800), Stop("home", 820)]
    stops += [*leisure(life, 840, 1000, 1.0, 3), Stop("home", 1150)]
    return stops


def retiree(life: Life, day: int) -> list[Stop]:
    weekday, wet = day % 7, life.weather.is_wet(day)
    stops = []
    if life.dice.chance(0.5):
        stops.append(Stop("bakery", 490, 8))
    if weekday in (0, 3):
        stops.append(Stop("swim", 540, 70))
        if life.dice.chance(0.35):
            stops.append(Stop(life.free(1.2), 630, 40))
    elif weekday == 2:
        stops.append(Stop("market", 560, 40))
    if life.needed("doctor", 16.0):
        stops.append(Stop("doctor" if life.dice.chance(0.7) else "hospital", 620, 50))
    stops += errands(life, 660)
    if stops:
        stops.append(Stop("home", 690, 60))
    if weekday == 1:
        stops += [Stop("school", 770, 5, 1), Stop("daughter", 790, 160, 1), Stop("home", 1000)]
    elif weekday == 4 and day % 14 < 7:
        stops += [Stop("club", 860, 150), Stop("home", 1060)]
    elif not wet and life.weather.celsius(day, 840) > 9 and life.dice.chance(0.6):
        stops += [Stop("allotment", 830, 120), Stop("garden-shop" if life.dice.chance(0.2)
                  else life.free(0.9), 960, 25), Stop("home", 1000)]  # fmt: skip
    elif life.dice.chance(0.5):
        stops += [*leisure(life, 820, 900, 1.0, 3), Stop("home", 1050)]
    return stops
