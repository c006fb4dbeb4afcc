"""Chance as an argument: pure modules draw from what they are given and never make their own."""

from typing import Protocol


class Chance(Protocol):
    """What the simulator needs of `random.Random`; equal seeds give equal lives."""

    def random(self) -> float:
        """A number from 0 up to 1."""

    def uniform(self, a: float, b: float) -> float:
        """A number between `a` and `b`."""

    def gauss(self, mu: float, sigma: float) -> float:
        """A normally distributed number."""

    def randint(self, a: int, b: int) -> int:
        """A whole number from `a` to `b`, both possible."""


class Draws(Protocol):
    """Where chance for something comes from: the same words give the same chance."""

    def __call__(self, about: str) -> Chance:
        """Chance for what the words name."""
