"""All that an interlock looks at (pure)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from internetcar.contract.drone import Interlock
from internetcar.contract.message import Scalar
from services.drone.airspace.airspace import Airspace
from services.drone.autopilot import DronePosition
from services.drone.geodesy import Place
from services.drone.interlocks.limits import Airframe, Assumptions, Limits
from services.drone.interlocks.steady import Steady
from services.drone.moment import Moment
from services.drone.tasks.task import Leg
from services.drone.view import View
from services.drone.words import printable

_MOST_WORDS = 400
_MOST_NUMBER = 1e300


class Phase(StrEnum):
    """Which interlocks apply."""

    LAUNCH = "launch"
    """On the ground, before it is armed."""
    FLIGHT = "flight"
    """From then on until it has landed."""


@dataclass(frozen=True, slots=True)
class Remainder:
    """What is still to be flown: at launch the whole task, in flight what is left of it.

    Attributes:
        legs: One after another, without the return to the car; in flight the first may begin
            where the drone is.
        return_height_m: Above the take-off; `None`: that of the last leg, or the drone's own.
        back: The way back as it is planned; checked for zones, not for energy.
    """

    legs: tuple[Leg, ...] = ()
    return_height_m: float | None = None
    back: tuple[Leg, ...] = ()

    @property
    def highest_m(self) -> float:
        """Above the take-off."""
        heights = [leg.height_m for leg in (*self.legs, *self.back)]
        return max([*heights, self.return_height_m or 0.0])


@dataclass(frozen=True, slots=True)
class Situation:
    """One moment, as every interlock sees it."""

    view: View
    limits: Limits
    assumed: Assumptions
    airframe: Airframe
    airspace: Airspace
    remainder: Remainder
    steady: Steady
    phase: Phase
    now: Moment

    @property
    def is_flight(self) -> bool:
        """In the air."""
        return self.phase is Phase.FLIGHT

    @property
    def is_heard(self) -> bool:
        """The autopilot's last heartbeat is fresh: what it said holds."""
        heard_s = self.view.drone.heard_s
        return heard_s is not None and self.now.s - heard_s <= self.limits.heartbeat_s

    @property
    def place(self) -> Place | None:
        """Where the drone is: on the car before the launch; `None`: that is not known."""
        if not self.is_flight:
            return self.view.car.fix.place if self.view.car else None
        return self.position.place if self.position else None

    @property
    def position(self) -> DronePosition | None:
        """The drone's own; `None` also where it is no number."""
        found = self.view.drone.position
        if found is None or not all(map(math.isfinite, _numbers(found))):
            return None
        return found

    @property
    def height_m(self) -> float:
        """The drone's, above the take-off."""
        return self.position.height_m if self.is_flight and self.position else 0.0

    @property
    def ground_m(self) -> float | None:
        """The take-off's height above mean sea level."""
        position = self.position
        return position.altitude_m - position.height_m if position else None

    def signal(self, path: str) -> float | None:
        """A number that the car says now; `None`: absent, too old or not valid."""
        seen = self.view.signals.get(path)
        if seen is None or seen.quality != "valid":
            return None
        if not self.is_fresh(seen.at_s, self.limits.signal_s):
            return None
        return finite(seen.value)

    def is_fresh(self, at_s: float, most_s: float) -> bool:
        """Not older than that, and not from the future."""
        return -self.limits.car_clock_s <= self.now.s - at_s <= most_s


def _numbers(position: DronePosition) -> tuple[float, ...]:
    return (*position.place, position.altitude_m, position.height_m)


def finite(value: object) -> float | None:
    """A finite number; `None` for all else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) < _MOST_NUMBER else None


def told(
    name: str,
    words: str,
    *,
    is_good: bool,
    value: Scalar | None = None,
    limit: Scalar | None = None,
    is_assumed: bool = False,
) -> Interlock:
    """An interlock in words; a float is rounded to two decimals, and none that is no number."""
    if isinstance(value, float):
        value = round(value, 2) if math.isfinite(value) else None
    return Interlock(
        id=name,
        value=value,
        limit=limit,
        result="ok" if is_good else "tripped",
        assumed=is_assumed,
        words=(printable(words) + (", assumed" if is_assumed else ""))[:_MOST_WORDS],
    )


def shown(value: float, limit: float) -> str:
    """A number with as few decimals as tell it from its limit: 8.01, not 8, beside 8."""
    for digits in (0, 1):
        text = f"{value:.{digits}f}"
        if value == limit or float(text) != limit:
            return text
    return f"{value:.2f}"


def worst(readings: Sequence[float | None]) -> float | None:
    """The largest of those that are known."""
    return max((each for each in readings if each is not None), default=None)
