"""Our own clock that is set while the drone is in the air (pure).

Ages come from the car's stamps and our UTC. The steady clock tells when our UTC was set: from then
on ages are taken as if it had not been, until the drone has stood disarmed for a while. The stamps
count as before, so what is old stays old. Who begins in the air knows of no earlier clock.
"""

from dataclasses import dataclass, replace

from services.drone.events import CarFix, CarSignal, Event, WeatherReport
from services.drone.moment import Moment

SET_S = 0.5
"""A smaller change is drift, or the clock's own correction."""
ON_TIME_S = 1.5
"""A position that is not older shows that our clock and the car's agree."""


DOWN_S = 5.0
"""So long it must be said to stand disarmed: one heartbeat that cannot be is no landing."""
_LOOKS_S = 0.5
"""How often it is noted that it is still up."""


@dataclass(frozen=True, slots=True)
class OwnClock:
    """When our clock and the car's agreed, and how far ours was set since."""

    offset_s: float | None = None
    """UTC less the steady clock, then; `None`: they never did."""
    set_s: float = 0.0
    """How far it was set forward since; 0 on the ground, where it is what it is."""
    up_s: float | None = None
    """When the drone was last not known to be down; `None`: not since it was armed last."""


def watched(
    clock: OwnClock, event: Event, now: Moment, *, is_armed: bool, is_on_ground: bool
) -> OwnClock:
    """What is known of our clock after an event.

    Args:
        clock: What was known.
        event: As it came.
        now: By both our clocks.
        is_armed: Whether the drone was last said to be.
        is_on_ground: Whether it was last said to stand; else it may be anywhere.
    """
    clock = _risen(clock, now, is_armed=is_armed, is_on_ground=is_on_ground)
    offset_s = now.utc_ms / 1000 - now.s
    moved_s = 0.0 if clock.offset_s is None else offset_s - clock.offset_s
    if clock.up_s is not None and abs(moved_s) > SET_S:
        return clock if clock.set_s == moved_s else replace(clock, set_s=moved_s)
    if isinstance(event, CarFix) and -SET_S <= event.age_s <= ON_TIME_S:
        return replace(clock, offset_s=offset_s, set_s=0.0)
    return replace(clock, set_s=0.0) if clock.set_s else clock


def _risen(clock: OwnClock, now: Moment, *, is_armed: bool, is_on_ground: bool) -> OwnClock:
    up_s = clock.up_s
    if is_armed or (up_s is not None and not is_on_ground):
        is_noted = up_s is not None and now.s - up_s < _LOOKS_S
        return clock if is_noted else replace(clock, up_s=now.s)
    is_down = up_s is not None and now.s - up_s > DOWN_S
    return replace(clock, up_s=None) if is_down else clock


def true(clock: OwnClock, event: Event) -> Event:
    """The event with the age that it would have if our clock had not been set."""
    if clock.set_s and isinstance(event, CarFix | CarSignal | WeatherReport):
        return replace(event, age_s=event.age_s - clock.set_s)
    return event
