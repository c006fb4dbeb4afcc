"""Joins the rooms: what the pilot asks for, in the words of those who know it (pure)."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from internetcar.contract.drone import DroneOsd, DroneState, Interlock
from services.drone.airspace.airspace import Airspace
from services.drone.events import Effect, Event, Heard
from services.drone.flight.pilot import Pilot
from services.drone.flight.ports import Due, Finding, Reaction
from services.drone.geodesy import Offset, Place, distance_m
from services.drone.interlocks import check as interlocks
from services.drone.interlocks.energy import Car, Craft, predicted_pct
from services.drone.interlocks.limits import Airframe, Assumptions, Limits
from services.drone.interlocks.situation import Phase, Plan, Situation
from services.drone.interlocks.steady import Steady, steadied
from services.drone.interlocks.weather import strongest_wind
from services.drone.moment import Moment
from services.drone.rules.book import RuleBook
from services.drone.rules.settings import RuleSettings
from services.drone.tasks.car_motion import where
from services.drone.tasks.task import Leg
from services.drone.tasks.task import Plan as TaskPlan
from services.drone.view import View, seen

TASK_HOVER_S = 60.0
"""Counted on at a launch beside the way: an orbit, pictures, a wait. In the air it is measured."""
NEAR_CAR_M = 50.0
"""A way that ends so near to the car leads to the car, and follows it."""
DRIVEN_EVERY_MS = 30_000
"""How often it is remembered anew that the car drives: no write to disk each second."""

_REACTIONS: Mapping[interlocks.Reaction, Reaction] = {
    "none": "note", "return": "return", "hold": "hold", "alternate": "alternate", "land": "land",
}  # fmt: skip
_PILOTS_OWN = ("broker", "car_gnss_fresh")
"""How long these may last in the air is for the pilot, who counts the seconds."""


class FlightChecks:
    """All interlocks, and what they remember from turn to turn.

    Args:
        limits: Where they trip.
        assumed: What nothing measures.
        airframe: What the copter can.
        airspace: All zones.
        return_height_m: Above the take-off.
    """

    def __init__(
        self,
        limits: Limits,
        assumed: Assumptions,
        airframe: Airframe,
        airspace: Airspace,
        return_height_m: float,
    ) -> None:
        self._limits = limits
        self._assumed = assumed
        self._airframe = airframe
        self._airspace = airspace
        self._return_height_m = return_height_m
        self._steady = Steady()

    def watch(self, view: View, now: Moment) -> None:
        """Look on at every turn: some things must have been good for a time."""
        self._steady = steadied(self._steady, view, self._limits, now)

    def launch(self, view: View, plan: TaskPlan, now: Moment) -> Sequence[Interlock]:
        """Everything that must hold for a launch, tripped or not."""
        height_m = max(self._return_height_m, plan.take_off_m)
        way = Plan(plan.legs, TASK_HOVER_S, height_m)
        return self._check(view, way, Phase.LAUNCH, now)

    def flying(self, view: View, now: Moment) -> Sequence[Finding]:
        """Everything that must hold in the air, tripped or not."""
        found = self._check(view, Plan(), Phase.FLIGHT, now)
        return [Finding(each, _then(each)) for each in found]

    def predicted_pct(
        self, view: View, way: Sequence[Place], height_m: float, now: Moment
    ) -> float | None:
        """The battery's charge after flying a way from here and landing; `None`: unknown."""
        drone = view.drone
        if drone.battery_pct is None or drone.position is None or not way:
            return None
        blows, speed = strongest_wind(self._situation(view, Plan(), Phase.FLIGHT, now))
        here = drone.position
        return predicted_pct(
            self._airframe,
            Craft(here.place, here.height_m, drone.battery_pct, self._steady.burn_pct_per_s),
            _target(view, way[-1], now),
            wind=blows,
            wind_mps=self._limits.wind_mps if speed is None else speed,
            legs=[Leg(start, end, height_m) for start, end in pairwise(way[:-1])],
            height_m=height_m,
        )

    def _check(self, view: View, plan: Plan, phase: Phase, now: Moment) -> tuple[Interlock, ...]:
        return interlocks.check(
            view, self._limits, self._assumed, self._airframe, self._airspace, plan,
            self._steady, phase, now,
        )  # fmt: skip

    def _situation(self, view: View, plan: Plan, phase: Phase, now: Moment) -> Situation:
        return Situation(
            view, self._limits, self._assumed, self._airframe, self._airspace, plan,
            self._steady, phase, now,
        )  # fmt: skip


def _then(found: Interlock) -> Reaction:
    if found.id in _PILOTS_OWN:
        return "note"
    return _REACTIONS[interlocks.reaction_to([found])]


def _target(view: View, end: Place, now: Moment) -> Car:
    """Who is met at the end of a way: the car as it drives, or a place."""
    car = where(view.fixes, now.s)
    if car is None or distance_m(car.place, end) > NEAR_CAR_M:
        return Car(end, Offset(0.0, 0.0))
    return Car(end, car.velocity)


class FlightRules:
    """The rules, as the pilot asks them.

    Args:
        rules: By name.
    """

    def __init__(self, rules: Mapping[str, RuleSettings]) -> None:
        self._rules = rules
        self._book: RuleBook | None = None

    def turn(
        self, view: View, memory: Mapping[str, Any], now: Moment
    ) -> tuple[Mapping[str, Any], Sequence[Due]]:
        """Let time pass, once a second; the new memory, and what is due now."""
        if self._book is None:
            self._book = RuleBook(self._rules, memory)
        found = [
            Due(each.rule, each.tid, each.data.model_dump(mode="json"), (each.because,))
            for each in self._book.turn(view, now)
        ]
        after = self._book.memory
        return (memory if _is_worth_nothing(memory, after) else after), found


def _is_worth_nothing(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Whether all that is new is that the car drives on."""
    if before.keys() != after.keys():
        return False
    return all(_is_same_row(before[name], after[name]) for name in after)


def _is_same_row(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    driven, then = after["driven_ms"], before.get("driven_ms", {})
    if {**before, "driven_ms": driven} != after or driven.keys() != then.keys():
        return False
    return all(abs(driven[key] - then[key]) < DRIVEN_EVERY_MS for key in driven)


class Crew:
    """A pilot, and who watches the interlocks for it at every turn.

    Args:
        pilot: Decides.
        checks: Is shown every turn.
    """

    def __init__(self, pilot: Pilot, checks: FlightChecks) -> None:
        self._pilot = pilot
        self._checks = checks
        self._view = View()

    def handle(self, event: Event, now: Moment) -> list[Effect]:
        """What follows from an event."""
        self._view = seen(self._view, event, now)
        if isinstance(event, Heard):
            self._checks.watch(self._view, now)
        return self._pilot.handle(event, now)

    def remembered(self) -> str:
        """All that must survive."""
        return self._pilot.remembered()

    def osd(self, now: Moment) -> DroneOsd:
        """Where the drone is."""
        return self._pilot.osd(now)

    def state(self) -> DroneState:
        """What the drone does."""
        return self._pilot.state()
