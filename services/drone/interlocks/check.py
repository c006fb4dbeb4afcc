"""Every interlock at once, and what is done about each in flight (pure)."""

from collections.abc import Callable, Iterable, Mapping
from typing import Literal

from internetcar.contract.drone import Interlock
from services.drone.airspace.airspace import Airspace
from services.drone.interlocks import car, drone, reach, weather
from services.drone.interlocks.limits import Airframe, Assumptions, Limits
from services.drone.interlocks.situation import Phase, Remainder, Situation
from services.drone.interlocks.steady import Steady
from services.drone.moment import Moment
from services.drone.view import View

Reaction = Literal["none", "return", "hold", "alternate", "land"]
"""What is done in flight about a trip. `none`: it is shown, and the flight goes on."""

STRENGTH: tuple[Reaction, ...] = ("none", "hold", "return", "alternate", "land")
"""The mildest first. A return goes before a hold: it ends, and it holds on its own account when
the car's position is not known."""

_CHECKS: Mapping[str, Callable[[Situation], Interlock]] = {
    "origin": car.origin,
    "presence": car.presence,
    "broker": car.broker,
    "twin": car.twin,
    "clock": car.clock,
    "car_at_rest": car.at_rest,
    "car_gnss_fresh": car.gnss_fresh,
    "car_gnss_accurate": car.gnss_accurate,
    "car_gnss_steady": car.gnss_steady,
    "covered": car.covered,
    "drone_link": drone.link,
    "drone_position": drone.position,
    "drone_prearm": drone.prearm,
    "autopilot": drone.autopilot,
    "wind": weather.wind,
    "rain": weather.rain,
    "temperature": weather.temperature,
    "daylight": weather.daylight,
    "zone": reach.zone,
    "ceiling": reach.ceiling,
    "battery": reach.battery,
}

IDS: tuple[str, ...] = tuple(_CHECKS)
"""Of all interlocks, in the order of every answer."""

REACTIONS: Mapping[str, Reaction] = {
    "origin": "alternate",  # the car's position is not the car's: there is no way back to it
    "presence": "return",
    "broker": "return",
    "clock": "return",
    "car_gnss_fresh": "hold",  # then, if it stays away, the alternate: the flight knows how long
    "car_gnss_accurate": "hold",
    "car_gnss_steady": "hold",
    "covered": "hold",
    "drone_link": "return",
    "drone_position": "land",
    "autopilot": "none",  # who flies it is followed, never fought
    "wind": "return",
    "rain": "return",
    "temperature": "return",
    "daylight": "return",
    "zone": "return",
    "ceiling": "return",
    "battery": "return",
}
"""In flight. What is missing here applies only at launch."""


def check(
    view: View,
    limits: Limits,
    assumed: Assumptions,
    airframe: Airframe,
    airspace: Airspace,
    remainder: Remainder,
    steady: Steady,
    phase: Phase,
    now: Moment,
) -> tuple[Interlock, ...]:
    """All interlocks that apply, each as it is now, in the order of `IDS`."""
    here = Situation(view, limits, assumed, airframe, airspace, remainder, steady, phase, now)
    return tuple(
        one(here) for name, one in _CHECKS.items() if phase is Phase.LAUNCH or name in REACTIONS
    )


def tripped(interlocks: Iterable[Interlock]) -> tuple[Interlock, ...]:
    """Those that do not hold; none: it may fly."""
    return tuple(each for each in interlocks if each.result == "tripped")


def reaction_to(interlock: Interlock) -> Reaction:
    """What a trip of this interlock asks for in flight.

    While nothing is heard of the drone its position is not lost, only not known (its value is
    `None`): then it is for the autopilot, which knows better, and no landing is sent blindly.
    """
    is_unheard = interlock.id == "drone_position" and interlock.value is None
    return "none" if is_unheard else REACTIONS.get(interlock.id, "none")
