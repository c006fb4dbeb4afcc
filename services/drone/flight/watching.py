"""What must hold in the air: looked at once a second, said once, acted upon (pure)."""

from services.drone.flight import diverting, holding, launch, returning
from services.drone.flight.cockpit import JITTER_S, Cockpit
from services.drone.flight.ports import Finding
from services.drone.flight.states import FLYING, ON_THE_JOB
from services.drone.geodesy import Place
from services.drone.interlocks.check import STRENGTH, Reaction

EVERY_S = 1.0
FIRST_S = 10.0
"""So long after a start nothing is told or done of a trip: what was not heard yet is on its way."""

FLEETING = frozenset({"wind", "rain", "temperature", "drone_link"})
"""What may be over in a moment: it must last before it leads to anything."""


def turn(cockpit: Cockpit) -> None:
    """Look at every interlock; the gravest trip decides."""
    if not cockpit.beat.is_due("watch", EVERY_S, cockpit.now):
        return
    back = _predict(cockpit)
    found = cockpit.rooms.checks.flying(cockpit.view, back, cockpit.now)
    cockpit.found = [each.interlock for each in found]
    now = {each.interlock.id: each for each in found if each.interlock.result == "tripped"}
    trips = _lasting(cockpit, now)
    if cockpit.now.s - cockpit.started_s < FIRST_S:
        return
    cockpit.tripped = {name: trip.interlock for name, trip in now.items()}
    _tell(cockpit, [trip for name, trip in trips.items() if name not in cockpit.trips])
    cockpit.trips = trips
    if cockpit.memory.state == "failsafe":
        return
    then = _gravest(list(trips.values()))
    words = launch.words_of([t.interlock for t in trips.values() if t.then == then])
    _react(cockpit, then, words)


def _lasting(cockpit: Cockpit, now: dict[str, Finding]) -> dict[str, Finding]:
    """Those that are acted upon: one gust, or one bad moment of the link, ends no flight."""
    now_s = cockpit.now.s
    since = {name: cockpit.tripped_s.get(name, now_s) for name in now}
    cockpit.tripped_s = since
    lasts_s = cockpit.settings.trip_lasts_s - JITTER_S
    return {
        name: trip
        for name, trip in now.items()
        if name not in FLEETING or now_s - since[name] >= lasts_s
    }


def _predict(cockpit: Cockpit) -> tuple[Place, ...]:
    """The way back to where the car is now, and what would be left of the battery there."""
    car, position = cockpit.car, cockpit.drone.position
    if car is None or position is None:
        cockpit.predicted_pct = None
        return ()
    height_m = cockpit.settings.return_height_m
    airspace = cockpit.rooms.airspace
    way = airspace.way(position.place, car.place, height_m, cockpit.now)
    cockpit.predicted_pct = cockpit.rooms.checks.predicted_pct(
        cockpit.view, way or (position.place, car.place), height_m, cockpit.now
    )
    return way or ()


def _tell(cockpit: Cockpit, new: list[Finding]) -> None:
    if not new:
        return
    flight = cockpit.memory.flight
    data = {
        "interlocks": [trip.interlock.model_dump(mode="json") for trip in new],
        "then": _gravest(new),
    }
    cockpit.say("interlock_trip", data, flight.wish.tid if flight is not None else None)


def _gravest(trips: list[Finding]) -> Reaction:
    return max((trip.then for trip in trips), key=STRENGTH.index, default="none")


def _react(cockpit: Cockpit, then: Reaction, words: str) -> None:
    state = cockpit.memory.state
    is_on_ground = cockpit.memory.state not in FLYING
    if is_on_ground or state in ("divert_landing", "landing", "lost_link"):
        return
    hold = cockpit.memory.hold
    if then == "land":
        diverting.start(cockpit, words, is_here=True)
    elif then == "alternate":
        diverting.start(cockpit, words)
    elif then == "return":
        if state in ON_THE_JOB or (hold is not None and hold.why != "car_fix"):
            returning.start(cockpit, words, "failed", "interlock")
    elif then == "hold" and state in ("enroute", "on_task"):
        holding.start(cockpit, "interlock", words)
