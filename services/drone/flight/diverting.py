"""Where it lands when it cannot land on the car (pure)."""

from collections.abc import Iterator

from services.drone.autopilot import Mode
from services.drone.flight import landing, steering
from services.drone.flight.answers import settle, settle_flight
from services.drone.flight.cockpit import Cockpit
from services.drone.flight.memory import Target
from services.drone.flight.states import STEERED
from services.drone.geodesy import Place

BLIND_S = 5.0
BLIND = "the drone does not say where it is"
BACK_S = 3.0
THERE_M = 3.0
"""So near it begins to come down."""


def start(cockpit: Cockpit, why: str, *, is_here: bool = False, is_for_car: bool = False) -> None:
    """Give up the car: land at the nearest legal alternate, else at the car's last place."""
    memory = cockpit.memory
    target = _here(cockpit) if is_here else best(cockpit)
    target.is_for_car = is_for_car
    settle_flight(cockpit, "failed", "interlock", why)
    for wish in list(memory.wishes):
        if wish.method == "return_home":
            settle(cockpit, wish, "failed", "interlock", why)
    memory.hold, memory.target = None, target
    cockpit.enter("divert_landing", f"{why}: lands {target.words}")


def blind(cockpit: Cockpit) -> None:
    """Nobody knows where it is: after a while it lands there."""
    memory = cockpit.memory
    if memory.state not in STEERED or cockpit.beat.since("blind", cockpit.now) <= BLIND_S:
        return
    settle_flight(cockpit, "failed", "interlock", BLIND)
    memory.hold = memory.target = None
    cockpit.enter("divert_landing", f"{BLIND}: lands where it is")
    landing.down(cockpit)


def best(cockpit: Cockpit) -> Target:
    """The nearest place with a legal way to it."""
    found = sorted(_legal(cockpit), key=lambda each: cockpit.apart_m(each.place))
    if found:
        return found[0]
    words = "where the car was last seen, no other landing place can be reached"
    for place in _last_seen(cockpit):
        if _way(cockpit, place) is not None:
            return Target(lat_deg=place.lat_deg, lon_deg=place.lon_deg, words=words)
    return _here(cockpit)


def _last_seen(cockpit: Cockpit) -> Iterator[Place]:
    """Where the car last said it was; else the autopilot's home, which went with it."""
    if cockpit.view.car is not None:
        yield cockpit.view.car.fix.place
    elif cockpit.drone.home is not None:
        yield cockpit.drone.home.place


def _here(cockpit: Cockpit) -> Target:
    place = cockpit.here.place
    return Target(lat_deg=place.lat_deg, lon_deg=place.lon_deg, words="where it is", is_here=True)


def _legal(cockpit: Cockpit) -> Iterator[Target]:
    for alternate in cockpit.settings.alternates:
        place = alternate.place
        if _way(cockpit, place) is not None:
            yield Target(lat_deg=place.lat_deg, lon_deg=place.lon_deg, words=f"at {alternate.name}")


def _way(cockpit: Cockpit, place: Place) -> tuple[Place, ...] | None:
    height_m = cockpit.settings.return_height_m
    return cockpit.rooms.airspace.way(cockpit.here.place, place, height_m, cockpit.now)


def predicted_pct(cockpit: Cockpit, target: Target) -> float | None:
    """What would be left of the battery there."""
    way = _way(cockpit, target.place) or (cockpit.here.place, target.place)
    height_m = cockpit.settings.return_height_m
    return cockpit.rooms.checks.predicted_pct(cockpit.view, way, height_m, cockpit.now)


def is_better(cockpit: Cockpit, left_pct: float) -> bool:
    """Whether more would be left at an alternate."""
    other = predicted_pct(cockpit, best(cockpit))
    return other is not None and other > left_pct


def may_wait(cockpit: Cockpit, waited_s: float) -> bool:
    """Whether the battery lets it wait and still land elsewhere; unknown, only for a while."""
    left = predicted_pct(cockpit, best(cockpit))
    if left is None:
        return waited_s <= cockpit.settings.wait_limit_s
    return left >= cockpit.settings.divert_pct


def is_car_back(cockpit: Cockpit) -> bool:
    """Whether the car that was not heard is heard again for a while, and it can still fly there."""
    target, left = cockpit.memory.target, cockpit.predicted_pct
    if target is None or not target.is_for_car or not cockpit.is_car_fresh or target.is_here:
        cockpit.stage.last.pop("car back", None)
        return False
    is_high = cockpit.here.height_m > cockpit.settings.rendezvous_height_m / 2
    can_reach = left is not None and left >= cockpit.settings.divert_pct
    return is_high and can_reach and cockpit.stage.since("car back", cockpit.now) >= BACK_S


def turn(cockpit: Cockpit) -> None:
    """Fly there, then down."""
    memory = cockpit.memory
    target = memory.target
    if memory.mode == Mode.LAND or (target is not None and target.is_here):
        landing.down(cockpit)
    elif target is None:
        start(cockpit, "its target is lost")
    elif cockpit.apart_m(target.place) <= THERE_M or cockpit.is_descending:
        cockpit.is_descending = True
        landing.come_down(cockpit, target.place)
    elif (
        steering.is_turn(cockpit)
        and cockpit.mode(Mode.GUIDED)
        and not steering.fly_to(cockpit, target.place, cockpit.settings.return_height_m)
    ):
        memory.target = _here(cockpit)
