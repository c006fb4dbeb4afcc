"""Chance by a seed, on the one generator whose numbers Python promises to keep."""

import math
import random
from collections.abc import Sequence
from typing import TypeVar

Thing = TypeVar("Thing")


class Dice:
    """What falls is a function of the seed alone: only `random()` of the library is used."""

    def __init__(self, *seed: object) -> None:
        self._source = random.Random("/".join(map(str, seed)))

    def unit(self) -> float:
        return self._source.random()

    def chance(self, probability: float) -> bool:
        return self.unit() < probability

    def between(self, low: float, high: float) -> float:
        return low + (high - low) * self.unit()

    def normal(self, mean: float, deviation: float) -> float:
        """Bell-shaped within 3.5 deviations (Irwin and Hall: the sum of four, made as wide)."""
        draw = self._source.random
        return mean + deviation * math.sqrt(3.0) * (draw() + draw() + draw() + draw() - 2.0)

    def late(self, mean: float) -> float:
        """Never early, mostly a little, sometimes much."""
        return -mean * math.log(1.0 - self.unit())

    def pick(self, things: Sequence[Thing]) -> Thing:
        return things[int(self.unit() * len(things))]

    def weighted(self, things: Sequence[Thing], weights: Sequence[float]) -> Thing:
        left = self.unit() * sum(weights)
        for thing, weight in zip(things, weights, strict=True):
            left -= weight
            if left < 0:
                return thing
        return things[-1]
