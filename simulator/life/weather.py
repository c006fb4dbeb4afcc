"""How warm it is outside in Singapore, day by day and hour by hour (pure)."""

from itertools import pairwise

from simulator.chance import Draws

_HOURS = (
    (0.0, 26.3), (6.5, 25.5), (8.0, 26.6), (10.0, 29.0), (13.5, 31.8), (17.0, 30.6), (20.0, 28.0),
    (24.0, 26.3),
)  # fmt: skip
"""Mean air temperature at Changi over the year by hour of the day, °C, within about a degree."""
_SHARE_OF_SHOWERS = 0.35
_COOLS_BY_C = 2.0
_LEAST_C, _MOST_C = 24.5, 33.5


def outside_c(draws: Draws, day: int, minute: float) -> float:
    """Air temperature outside, °C.

    Args:
        draws: Of the weather.
        day: Days since 1970 on the wall clock.
        minute: Of that day.
    """
    chance = draws(f"weather {day}")
    offset_c = max(-1.2, min(1.2, chance.gauss(0.0, 0.6)))
    rains, rain_minute = chance.random() < _SHARE_OF_SHOWERS, chance.uniform(820.0, 1_020.0)
    cooled_c = _COOLS_BY_C if rains and rain_minute <= minute < rain_minute + 150.0 else 0.0
    return max(_LEAST_C, min(_MOST_C, _mean_c(minute / 60) + offset_c - cooled_c))


def _mean_c(hour: float) -> float:
    for (from_h, from_c), (to_h, to_c) in pairwise(_HOURS):
        if hour <= to_h:
            return from_c + (to_c - from_c) * (hour - from_h) / (to_h - from_h)
    return _HOURS[-1][1]
