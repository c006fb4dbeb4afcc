"""Personas whose days are less regular: two in one car, a courier, a salesman, a student."""

from tests.drivers.life import Life, Stop
from tests.drivers.personas import (
    Plan,
    commuter,
    errands,
    holiday,
    leisure,
    mover,
    office_day,
    retiree,
    shift_worker,
    weekend,
)

CUSTOMERS = 45


def two_drivers(life: Life, day: int) -> list[Stop]:
    """One works in an office, the other part-time in a clinic; who has the car follows a rota."""
    weekday = day % 7
    first = (weekday in (0, 1, 3)) != (life.dice.chance(0.15)) if weekday < 5 else day // 7 % 2 == 0
    life.driver = "first" if first else "second"
    if weekday > 4:
        return weekend(life, day, "home", "" if first else "-b", 1.3)
    if first:
        return office_day(life, day, "home", "")
    stops = [Stop("kindergarten", 470, 6, 2), Stop("clinic", 485, 240)]
    if weekday == 2:
        stops.append(Stop("choir", 760, 80))
    stops += [*errands(life, 800, "-b"), Stop("kindergarten", 900, 8, 0)]
    if not life.weather.is_wet(day) and life.dice.chance(0.6):
        stops.append(Stop("playground", 915, 70, 2))
    stops.append(Stop("home", 990, 60, 2))
    if life.dice.chance(0.25):
        stops += [Stop("sister", 1130, 100), Stop("home", 1250)]
    elif life.dice.chance(0.3):
        stops += [*leisure(life, 1110, 1200, 1.3, 1), Stop("home", 1290)]
    return stops


def courier(life: Life, day: int) -> list[Stop]:
    """Loops from a depot: standing orders every so many days, the rest as it comes."""
    if day % 7 == 6:
        return [*leisure(life, 700, 900, 0.5, 1), Stop("home", 1080)]
    customers = [life.town.place(f"customer-{number}", 7.0) for number in range(CUSTOMERS)]
    standing = [
        place
        for number, place in enumerate(customers)
        if number < 12 and (day + number) % (2 + number % 4) == 0
    ]
    by_size = [1.0 / (3 + number) for number in range(CUSTOMERS)]
    stops, minute = [Stop("depot", 430, 25)], 470.0
    for _ in range(3):
        for _ in range(2 + int(life.dice.unit() * 3)):
            if standing and life.dice.chance(0.75):
                place = standing.pop(0)
            elif life.dice.chance(0.3):
                place = life.town.place(f"once-{len(life.town.places)}", 8.0)
            else:
                place = life.dice.weighted(customers, by_size)
            stops.append(Stop(place, minute, 8))
            minute += 18
        stops.append(Stop("depot", minute, 25))
        minute += 40
    if life.needed("fuel", 3.0):
        stops.append(Stop("fuel", minute, 7))
    return [*stops, Stop("home", 1000, 60)]


def salesman(life: Life, day: int) -> list[Stop]:
    """Clients by a monthly round, a week at the other office, holidays in between."""
    away = holiday(life, day, ((60, 74), (150, 157), (240, 254)))
    if away is not None:
        return away
    weekday, week = day % 7, day // 7
    if weekday > 4:
        return weekend(life, day, "home", "")
    if weekday == 0 or week % 4 == 3:
        return [Stop("office", 480, 240), *errands(life, 1000), Stop("home", 1010)]
    clients = [f"client-{(week % 4) * 4 + weekday - 1 + turn}" for turn in range(2)]
    stops = [Stop("coffee", 470, 8)] if life.dice.chance(0.4) else []
    for number, client in enumerate(clients):
        place = client if life.dice.chance(0.75) else life.free(0.9)
        stops.append(Stop(place, 500 + 130 * number, 60))
    stops.append(Stop("office" if life.dice.chance(0.6) else life.free(0.4), 800, 120))
    return [*stops, *errands(life, 1010), Stop("home", 1020)]


def student(life: Life, day: int) -> list[Stop]:
    """Lectures by a term's plan that changes with the term, nights out, and many new places."""
    term, weekday = day // 90, day % 7
    stops: list[Stop] = []
    if weekday < 5 and (weekday * 3 + term) % 4 and life.dice.chance(0.8):
        hour = 480 + 120 * ((weekday + term) % 3)
        stops += [Stop("campus", hour, 100), *leisure(life, hour + 130, hour + 200, 0.5, 1)]
        if life.dice.chance(0.5):
            stops.append(Stop("library", hour + 260, 120))
    if (weekday + term) % 7 in (2, 5):
        stops.append(Stop("job", 1020, 240))
    stops += errands(life, 1000)
    if life.dice.chance(0.45):
        stops += leisure(life, 1140, 1230, 1.0, 3)
    if stops:
        stops.append(Stop("parents" if weekday == 4 and life.dice.chance(0.3) else "home", 1300))
    elif life.here == "parents":
        stops.append(Stop("home", 1100))
    return stops


PERSONAS: dict[str, Plan] = {
    "commuter": commuter,
    "shift worker": shift_worker,
    "retiree": retiree,
    "two drivers": two_drivers,
    "courier": courier,
    "house move": mover,
    "holidays": salesman,
    "student": student,
}
