"""Back to a car that may have moved on, and above it until it stands (pure)."""

from collections.abc import Sequence
from typing import Any

from internetcar.contract.drone import Progress
from services.drone.autopilot import Mode, Track
from services.drone.flight import diverting, steering
from services.drone.flight.answers import settle_flight
from services.drone.flight.cockpit import Cockpit
from services.drone.geodesy import Place, distance_m
from services.drone.tasks.car_motion import CarNow
from services.drone.tasks.follow import follow
from services.drone.tasks.intercept import intercept

NEAR_M = 15.0
"""So near, and one more second of the car's way, it meets the car."""
FAR_M = 40.0
"""So far away it has lost the car again."""
PLAN_S = 1.0
ASK_S = 30.0
"""The driver is asked again after so long."""
PATIENCE_S = 10.0
"""Above a driving car so long before the driver is asked to stop."""
MOVED_ON_M = 5.0
WALKING_MPS = 0.5
"""A slower car stands."""


def start(
    cockpit: Cockpit, why: str, status: Progress = "canceled", reason: str = "recalled"
) -> None:
    """Give the task up, if it is not done, and return."""
    memory = cockpit.memory
    settle_flight(cockpit, status, reason, why)
    memory.hold = memory.target = None
    way: list[Place] = [cockpit.here.place]
    if (car := cockpit.car) is not None:
        meeting = intercept(cockpit.here.place, car, cockpit.rooms.checks.airframe.cruise_mps)
        way.append(car.place if meeting is None else meeting)
    tell_way(cockpit, way, cockpit.settings.return_height_m, why)
    cockpit.enter("returning", why)


def tell_way(cockpit: Cockpit, way: Sequence[Place], height_m: float, why: str) -> None:
    """Publish where it flies back."""
    points = [
        {"latitude": place.lat_deg, "longitude": place.lon_deg, "height": height_m} for place in way
    ]
    data: dict[str, Any] = {"planned_path_points": points, "reason": why}
    cockpit.say("return_home_info", data)


def turn(cockpit: Cockpit) -> None:
    """Fly to where the car will be."""
    if not steering.is_turn(cockpit) or not cockpit.mode(Mode.GUIDED):
        return
    car = cockpit.car
    if car is None:
        steering.stay(cockpit)
        if cockpit.stage.since("no car", cockpit.now) > cockpit.settings.broker_s:
            diverting.start(cockpit, "it is not known where the car is")
    elif cockpit.apart_m(car.place) <= NEAR_M + car.speed_mps:
        cockpit.enter("rendezvous", "above the car")
    else:
        if cockpit.stage.is_due("plan", PLAN_S, cockpit.now):
            _plan(cockpit, car)
        _fly(cockpit)


def _plan(cockpit: Cockpit, car: CarNow) -> None:
    """Decide where to meet the car, or why that cannot be: then the driver is asked."""
    settings, cockpit.meeting = cockpit.settings, None
    meeting = intercept(cockpit.here.place, car, cockpit.rooms.checks.airframe.cruise_mps)
    if meeting is None and _could_reach(cockpit, car):
        wait(cockpit, "slow", "the car is faster than the drone")
        return
    if meeting is None:
        diverting.start(cockpit, "the car is farther away than the battery lasts")
        return
    way = cockpit.rooms.airspace.way(
        cockpit.here.place, meeting, settings.return_height_m, cockpit.now
    )
    if way is None:
        wait(cockpit, "stop", "there is no legal way to the car")
        return
    left = cockpit.rooms.checks.predicted_pct(
        cockpit.view, way, settings.return_height_m, cockpit.now
    )
    if left is not None and left < settings.divert_pct:
        if car.speed_mps > WALKING_MPS and _could_reach(cockpit, car):
            wait(cockpit, "stop", f"only {left:.0f} % of the battery would be left at the car")
            return
        if diverting.is_better(cockpit, left):
            diverting.start(cockpit, f"only {left:.0f} % of the battery would be left at the car")
            return
    cockpit.meeting = meeting
    cockpit.stage.last.pop("waiting", None)


def _could_reach(cockpit: Cockpit, car: CarNow) -> bool:
    """Whether it would help if the car stopped now."""
    way, height_m = (cockpit.here.place, car.place), cockpit.settings.return_height_m
    left = cockpit.rooms.checks.predicted_pct(cockpit.view, way, height_m, cockpit.now)
    return left is not None and left > 0.0


def _fly(cockpit: Cockpit) -> None:
    if cockpit.memory.state != "returning":
        return
    meeting = cockpit.meeting
    if meeting is None:
        steering.stay(cockpit)
        return
    height_m = cockpit.settings.return_height_m
    steering.fly_to(cockpit, meeting, height_m, near_m=MOVED_ON_M)


def wait(cockpit: Cockpit, ask: str, words: str) -> None:
    """Ask the driver, and wait while the battery lets it; then land elsewhere."""
    if cockpit.beat.is_due("ask", ASK_S, cockpit.now):
        flight = cockpit.memory.flight
        cockpit.say(
            "driver_request", {"ask": ask, "detail": words}, flight.wish.tid if flight else None
        )
    cockpit.memory.detail = words
    waited_s = cockpit.stage.since("waiting", cockpit.now)
    is_due = cockpit.stage.is_due("may wait", PLAN_S, cockpit.now)
    if is_due and not diverting.may_wait(cockpit, waited_s):
        diverting.start(cockpit, words)


def rendezvous(cockpit: Cockpit) -> None:
    """Above the car, as fast as the car, until it has stood for a while."""
    if not steering.is_turn(cockpit) or not cockpit.mode(Mode.GUIDED):
        return
    car, height_m = cockpit.car, cockpit.settings.rendezvous_height_m
    if car is None or cockpit.apart_m(car.place) > FAR_M + car.speed_mps:
        cockpit.enter("returning", "the car drove on")
        return
    if cockpit.is_car_at_rest:
        if _may_land(cockpit, car):
            cockpit.enter("landing", "lands on the car")
            cockpit.landing_on = cockpit.car_place
            return
        wait(cockpit, "move", "the drone cannot land where the car stands: drive it elsewhere")
    elif cockpit.in_state_s > PATIENCE_S:
        wait(cockpit, "stop", "the drone is above the car and lands when it stands")
    if cockpit.memory.state == "rendezvous":
        target = follow(car, height_m)
        if cockpit.standing is not None:
            target = Track(cockpit.standing.place, height_m)
        steering.track(cockpit, Track(target.place, height_m, target.velocity))


def _may_land(cockpit: Cockpit, car: CarNow) -> bool:
    if not cockpit.stage.is_due("may land", PLAN_S, cockpit.now):
        return False
    here = cockpit.here.place
    if any(trip.then == "hold" for trip in cockpit.trips.values()):
        return False
    way = cockpit.rooms.airspace.way(here, car.place, cockpit.settings.land_below_m, cockpit.now)
    return way is not None and distance_m(here, car.place) < FAR_M
