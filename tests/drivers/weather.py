"""Outside temperature: a year's wave, a day's wave, and weather that lasts some days."""

import math

from tests.drivers.dice import Dice


class Weather:
    """Of one town; `celsius` may be asked in any order."""

    def __init__(self, dice: Dice, days: int, first_day_of_year: int) -> None:
        self._first = first_day_of_year
        self._spell = [0.0]
        self._wet: list[bool] = []
        for _ in range(days + 1):
            self._spell.append(0.75 * self._spell[-1] + dice.normal(0.0, 2.2))
            self._wet.append(dice.chance(0.3))

    def celsius(self, day: int, minute: float) -> float:
        year = math.cos((self._first + day - 20) / 365.25 * math.tau)
        hour = math.cos((minute - 900) / 1440 * math.tau)
        return round(10.5 - 9.5 * year + 4.0 * hour + self._spell[min(day, len(self._wet))], 1)

    def is_wet(self, day: int) -> bool:
        return self._wet[min(day, len(self._wet) - 1)]
