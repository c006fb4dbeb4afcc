"""What a driver hears: rules of hour, passengers and place, and lists that are worn out."""

from dataclasses import dataclass

from tests.drivers.dice import Dice

KINDS = ("rock", "jazz", "classical", "pop", "folk", "techno")


@dataclass(frozen=True)
class Played:
    """One item and how long it was heard; under 30 s it was skipped."""

    item: str
    heard_s: int


class Ear:
    """One driver's habits: news at set hours, a list for a destination, a series on Mondays."""

    def __init__(self, dice: Dice) -> None:
        kinds = list(KINDS)
        self._kinds = [kinds.pop(int(dice.unit() * len(kinds))) for _ in range(3)]
        self._news_until = dice.between(450, 560)
        self._series_day = int(dice.unit() * 5)
        self._worn_days = int(dice.between(18, 40))

    def heard(
        self, day: int, minute: float, place: str, passengers: int, trip_s: int, dice: Dice
    ) -> list[Played]:
        items = self._wanted(day, minute, place, passengers, dice)
        found, left = [], trip_s
        for item in items:
            skipped = dice.chance(0.08)
            heard_s = (
                int(dice.between(4, 28)) if skipped else min(left, int(dice.between(170, 320)))
            )
            if left <= 0:
                break
            found.append(Played(item, heard_s))
            left -= heard_s
        return found

    def _wanted(
        self, day: int, minute: float, place: str, passengers: int, dice: Dice
    ) -> list[str]:
        month = day // self._worn_days
        first, second, third = self._kinds
        if passengers >= 2:
            return [f"children/{(day + number) % 9}" for number in range(6)]
        if minute < self._news_until and day % 7 < 5:
            return ["news", *self._list(first, month, dice)]
        if day % 7 == self._series_day and minute > 900:
            return [f"series/{day // 7}", *self._list(second, month, dice)]
        if place.startswith(("gym", "swim", "club")):
            return self._list(third, 0, dice)
        return self._list(second if minute > 1080 or day % 7 > 4 else first, month, dice)

    def _list(self, kind: str, month: int, dice: Dice) -> list[str]:
        start = int(dice.unit() * 3) * 4
        return [f"{kind}/{month}/{(start + number) % 12}" for number in range(8)]
