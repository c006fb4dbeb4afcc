"""The interlocks as the pilot asks for them; what must be steady is watched all the time (pure)."""

from collections.abc import Sequence
from itertools import pairwise

from internetcar.contract.drone import Interlock
from services.drone.airspace.airspace import Airspace
from services.drone.flight.ports import Finding
from services.drone.geodesy import Offset, Place
from services.drone.interlocks.check import check, reaction_to
from services.drone.interlocks.energy import Car, Drone, predicted_pct
from services.drone.interlocks.limits import Airframe, Assumptions, Limits
from services.drone.interlocks.situation import Phase, Remainder, Situation
from services.drone.interlocks.steady import Steady, steadied
from services.drone.interlocks.weather import strongest_wind
from services.drone.moment import Moment
from services.drone.tasks.task import Leg, Plan
from services.drone.view import View

OWN = frozenset({"car_gnss_fresh", "broker"})
"""The pilot itself knows how long it flies on without them."""


class Safety:
    """What must hold for one drone."""

    def __init__(
        self,
        limits: Limits,
        assumed: Assumptions,
        airframe: Airframe,
        airspace: Airspace,
        return_height_m: float,
    ) -> None:
        """Begin; nothing has been steady yet."""
        self.limits, self.airframe = limits, airframe
        self._assumed, self._airspace, self._return_height_m = assumed, airspace, return_height_m
        self._steady = Steady()

    def look(self, view: View, now: Moment) -> None:
        """Watch what must be good for a while; at every turn."""
        self._steady = steadied(self._steady, view, self.limits, now)

    def launch(self, view: View, plan: Plan, now: Moment) -> Sequence[Interlock]:
        """Everything that must hold for a launch, tripped or not."""
        legs = plan.legs
        if not legs and view.car is not None:
            place = view.car.fix.place
            legs = (Leg(place, place, plan.take_off_m),)
        return self._check(view, Remainder(legs, self._return_height_m), Phase.LAUNCH, now)

    def flying(self, view: View, back: Sequence[Place], now: Moment) -> Sequence[Finding]:
        """Everything that must hold in the air, if it returned now on this way."""
        height_m = self._return_height_m
        legs = tuple(Leg(start, end, height_m) for start, end in pairwise(back))
        remainder = Remainder((), height_m, legs)
        return [_finding(each) for each in self._check(view, remainder, Phase.FLIGHT, now)]

    def _check(
        self, view: View, remainder: Remainder, phase: Phase, now: Moment
    ) -> tuple[Interlock, ...]:
        return check(
            view, self.limits, self._assumed, self.airframe, self._airspace, remainder,
            self._steady, phase, now,
        )  # fmt: skip

    def predicted_pct(
        self, view: View, way: Sequence[Place], height_m: float, now: Moment
    ) -> float | None:
        """The battery's charge after flying a way from here and landing; `None`: unknown."""
        charge, position = view.drone.battery_pct, view.drone.position
        if charge is None or position is None:
            return None
        here = Situation(
            view, self.limits, self._assumed, self.airframe, self._airspace, Remainder(),
            self._steady, Phase.FLIGHT, now,
        )  # fmt: skip
        wind, speed_mps = strongest_wind(here)
        return predicted_pct(
            self.airframe,
            Drone(position.place, position.height_m, charge, self._steady.burn_pct_per_s),
            Car(way[-1], Offset(0.0, 0.0)),
            wind=wind,
            wind_mps=self.limits.wind_mps if speed_mps is None else speed_mps,
            legs=[Leg(start, end, height_m) for start, end in pairwise(way[:-1])],
            height_m=max(height_m, position.height_m),
        )


def _finding(interlock: Interlock) -> Finding:
    return Finding(interlock, "none" if interlock.id in OWN else reaction_to(interlock))
