"""Signals as a decoder defines them, for tests that need no database."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class FakeSignal:
    signal: str
    message: str = "MESSAGE"
    bus: int = 0
    unit: str | None = None
    minimum: float | None = None
    maximum: float | None = None
    choices: Mapping[int, str] | None = None
    scale: float = 1
    offset: float = 0
    bits: int = 8
    is_float: bool = False
