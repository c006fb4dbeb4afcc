"""How a driver likes it: set-point, fan and seat by steps and thresholds of their own."""

from dataclasses import dataclass

from tests.drivers.dice import Dice


@dataclass(frozen=True)
class Setting:
    """What was set, so long after the start."""

    after_s: int
    set_point_c: float
    fan: int
    seat_heating: int


class Taste:
    """Bands of outside temperature with a set-point each; who feels cold starts warmer.

    Nothing here is smooth in the temperature: a band's edge is a jump, as a habit is.
    """

    def __init__(self, dice: Dice) -> None:
        base = round(dice.normal(21.0, 0.9) * 2) / 2
        self._edges = sorted(dice.between(low, low + 7) for low in (-2.0, 7.0, 16.0, 23.0))
        self._points = [base + step for step in (1.5, 1.0, 0.0, -0.5, -1.5)]
        self._seat_below = dice.between(-1.0, 9.0)
        self._boost = dice.pick((0.0, 1.0, 2.0))
        self._is_frugal = dice.chance(0.4)

    def settings(self, outside_c: float, minute: float, trip_s: int, dice: Dice) -> list[Setting]:
        band = sum(outside_c >= edge for edge in self._edges)
        wish = self._points[band] + (dice.pick((-0.5, 0.0, 0.0, 0.0, 0.5)))
        is_extreme = band in (0, 4)
        seat = 0
        if outside_c < self._seat_below:
            seat = 1 if self._is_frugal and minute > 600 else 3 if outside_c < 0 else 2
        first_fan = 4 if is_extreme else 2
        first = wish + (self._boost if band == 0 else -self._boost if band == 4 else 0.0)
        found = [Setting(0, first, first_fan, seat)]
        if trip_s > 480 and (is_extreme or seat):
            found.append(Setting(int(dice.between(300, 480)), wish, 2, max(0, seat - 1)))
        return found
