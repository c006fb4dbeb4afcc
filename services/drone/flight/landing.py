"""Down onto a place that the car last said, by metres, and the last of them by itself (pure)."""

from services.drone.autopilot import Disarm, Landed, Mode, Track
from services.drone.flight import rest, steering
from services.drone.flight.cockpit import Cockpit
from services.drone.geodesy import Place
from services.drone.leaps import SeenFix

FAST_MPS, SLOW_MPS = 1.5, 0.7
"""How fast it comes down, and below `SLOW_BELOW_M`."""
SLOW_BELOW_M = 6.0
AHEAD_M = 1.0
"""The height it is told is never further below it."""
WITHIN_M = 0.3
"""So near to the place the autopilot may land."""
WITHIN_SHARE = 0.1
"""Of the height: so far beside the place it may come down."""
STILL_MPS = 0.3
PATIENCE_S = 20.0
"""So long it tries to come nearer before it lands as near as it is."""
STUCK_S = 6.0
"""It stands on something that is higher than the take-off."""
DISARM_S = 10.0
DISARM_AGAIN_S = 2.0
TOUCHES_M = 0.3
"""Lower than this it touches down whatever the car does."""


def turn(cockpit: Cockpit) -> None:
    """Come down onto the car; up again when it drives on."""
    car, place = cockpit.view.car, cockpit.car_place
    is_touching = cockpit.drone.landed == Landed.ON_GROUND or cockpit.here.height_m < TOUCHES_M
    if cockpit.memory.mode == Mode.LAND and (is_touching or car is None):
        down(cockpit)
    elif car is None or place is None or _has_moved(cockpit, car, place):
        cockpit.enter("rendezvous", "the car moved")
    elif cockpit.memory.mode == Mode.LAND:
        down(cockpit)
    else:
        come_down(cockpit, place)


def _has_moved(cockpit: Cockpit, car: SeenFix, place: Place) -> bool:
    if cockpit.landing_on is None:
        cockpit.landing_on = place
    return rest.is_away(cockpit, cockpit.landing_on, car)


def come_down(cockpit: Cockpit, place: Place) -> None:
    """Descend above a place in GUIDED, then let the autopilot land."""
    if not steering.is_turn(cockpit) or not cockpit.mode(Mode.GUIDED):
        return
    here, apart = cockpit.here, cockpit.apart_m(place)
    floor_m = cockpit.settings.land_below_m
    if cockpit.descent_m is None:
        cockpit.descent_m = here.height_m
    is_low = here.height_m <= floor_m + 0.2
    if (is_low and _is_above(cockpit, apart)) or _is_stuck(cockpit):
        down(cockpit)
        return
    rate = FAST_MPS if here.height_m > SLOW_BELOW_M else SLOW_MPS
    may_descend = apart <= max(WITHIN_M, WITHIN_SHARE * here.height_m)
    if may_descend and cockpit.descent_m > floor_m:
        lowest = max(floor_m, here.height_m - AHEAD_M)
        cockpit.descent_m = max(cockpit.descent_m - rate * steering.EVERY_S, lowest)
    is_descending = may_descend and here.height_m > floor_m + 0.2
    cockpit.perform(Track(place, cockpit.descent_m, (0.0, 0.0, -rate if is_descending else 0.0)))


def _is_above(cockpit: Cockpit, apart_m: float) -> bool:
    here = cockpit.here
    is_still = abs(here.north_mps) + abs(here.east_mps) <= STILL_MPS
    if apart_m <= WITHIN_M and is_still:
        return True
    return cockpit.stage.since("low", cockpit.now) > PATIENCE_S


def _is_stuck(cockpit: Cockpit) -> bool:
    """Whether it is told to come down and does not, as on a roof above the take-off's height."""
    here, told = cockpit.here, cockpit.descent_m
    assert told is not None
    if cockpit.drone.landed == Landed.ON_GROUND:
        return True
    if here.height_m - told < AHEAD_M / 2 or abs(here.up_mps) > 0.1:
        cockpit.stage.last.pop("stuck", None)
        return False
    return cockpit.stage.since("stuck", cockpit.now) > STUCK_S


def down(cockpit: Cockpit) -> None:
    """The autopilot lands by itself; if it forgets to disarm it is asked to."""
    cockpit.mode(Mode.LAND)
    if cockpit.drone.landed != Landed.ON_GROUND:
        cockpit.stage.last.pop("on ground", None)
        return
    is_late = cockpit.stage.since("on ground", cockpit.now) > DISARM_S
    if is_late and cockpit.stage.is_due("disarm", DISARM_AGAIN_S, cockpit.now):
        cockpit.perform(Disarm())
