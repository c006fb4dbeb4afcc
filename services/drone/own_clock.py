"""Our own clock that is set while the drone is in the air (pure).

Ages come from the car's stamps and our UTC. The steady clock tells when our UTC was set: from then
on ages are taken as if it had not been, until the drone is disarmed. The stamps count as before,
so what is old stays old.
"""

from dataclasses import dataclass, replace

from services.drone.events import CarFix, CarSignal, Event, WeatherReport
from services.drone.moment import Moment

SET_S = 0.5
"""A smaller change is drift, or the clock's own correction."""
ON_TIME_S = 1.5
"""A position that is not older shows that our clock and the car's agree."""


@dataclass(frozen=True, slots=True)
class OwnClock:
    """When our clock and the car's agreed, and how far ours was set since."""

    offset_s: float | None = None
    """UTC less the steady clock, then; `None`: they never did."""
    set_s: float = 0.0
    """How far it was set forward since; 0 on the ground, where it is what it is."""


def watched(clock: OwnClock, event: Event, now: Moment, *, is_armed: bool) -> OwnClock:
    """What is known of our clock after an event."""
    offset_s = now.utc_ms / 1000 - now.s
    moved_s = 0.0 if clock.offset_s is None else offset_s - clock.offset_s
    if is_armed and abs(moved_s) > SET_S:
        return clock if clock.set_s == moved_s else replace(clock, set_s=moved_s)
    if isinstance(event, CarFix) and -SET_S <= event.age_s <= ON_TIME_S:
        return OwnClock(offset_s)
    return replace(clock, set_s=0.0) if clock.set_s else clock


def true(clock: OwnClock, event: Event) -> Event:
    """The event with the age that it would have if our clock had not been set."""
    if clock.set_s and isinstance(event, CarFix | CarSignal | WeatherReport):
        return replace(event, age_s=event.age_s - clock.set_s)
    return event
