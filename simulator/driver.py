"""The scripted driver: gets in, drives the loop with its lights and jams, parks, begins again."""

import math
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence

from simulator.body import DOORS, Body
from simulator.chance import Chance
from simulator.route import Place, Route
from simulator.standstill import Standstill

CALM_BRAKING_MPS2 = 1.5
ACCELERATION_MPS2 = 1.7
HARDEST_BRAKING_MPS2 = 3.5
REACTION_S = 1.2
CRAWL_MPS = 0.8
SEES_LIGHT_M = 150.0
SEES_QUEUE_M = 400.0
"""Enough to stop calmly from any speed of the road."""
STOPS_BEFORE_M = 3.0
RED_SHARE = 0.6
RED_S = (8.0, 30.0)
PARKED_S = 200.0
LOCKS_ABOVE_MPS = 4.0
INDICATES_ABOVE = 1 / 250.0
"""Curvature in 1/m of a bend that is a turn."""

Script = tuple[tuple[float, Mapping[str, float]], ...]
"""Seconds to wait, then what changes."""


def _locks(value: float) -> dict[str, float]:
    return {f"Door_{door}_Lock": value for door in DOORS}


def _enter(identifier: int, passenger: bool) -> Script:
    return (
        (1.0, {**_locks(0), "Charging_Cable": 0, "Charging_Flap": 0, "Charging_State": 0}),
        (1.0, {"Door_FrontDriver_Open": 1, "Door_FrontPassenger_Open": float(passenger)}),
        (2.0, {"Occupied_Driver": 1, "Occupied_Passenger": float(passenger)}),
        (1.0, {"Door_FrontDriver_Open": 0, "Door_FrontPassenger_Open": 0}),
        (0.5, {"Occupant_Identifier_Driver": identifier, "Power_Mode": 3, "Media_Playing": 1}),
        (1.0, {"Belt_Driver": 1, "Belt_Passenger": float(passenger)}),
        (0.5, {"Power_Mode": 4, "HVAC_AC": 1, "HVAC_Fan_Driver": 60, "HVAC_Fan_Passenger": 60}),
        (1.0, {"Gear_Selected": 3, "Parking_Brake": 0}),
        (1.0, {}),
    )


LEAVE: Script = (
    (1.0, {"Gear_Selected": 0, "Parking_Brake": 1, "Light_Left": 0, "Light_Right": 0}),
    (1.5, {"Power_Mode": 2, "HVAC_Fan_Driver": 0, "HVAC_Fan_Passenger": 0, "Media_Playing": 0}),
    (1.0, {"Belt_Driver": 0, "Belt_Passenger": 0, **_locks(0)}),
    (1.0, {"Door_FrontDriver_Open": 1}),
    (2.0, {"Occupied_Driver": 0, "Occupied_Passenger": 0, "Occupant_Identifier_Driver": 0}),
    (1.0, {"Door_FrontDriver_Open": 0}),
    (1.0, {**_locks(1), "Power_Mode": 1}),
    (4.0, {"Charging_Flap": 1, "Charging_Cable": 1, "Charging_State": 1}),
    (PARKED_S, {}),
)


class Driver:
    """Who sits behind the wheel; one loop of the route is one trip."""

    def __init__(self, route: Route, random: Chance, start_m: float):
        self._route = route
        self._random = random
        self._identifier = random.randint(1, 4)
        self._passenger = random.random() < 0.4
        self._phase = random.uniform(0, 2 * math.pi)
        self._home_m = self._next_home(start_m)
        self._red_until_s = 0.0
        self._light_m: float | None = None
        self._standstill: Standstill | None = None
        self._script = iter(_enter(self._identifier, self._passenger))
        self._wait_s = 0.0
        self._changes: Mapping[str, float] = {}
        self._take_next()
        self.is_driving = False

    @property
    def identifier(self) -> int:
        """Who it is, as the car counts the drivers it knows."""
        return self._identifier

    def advance(
        self,
        at_s: float,
        dt_s: float,
        distance_m: float,
        speed_mps: float,
        here: Place,
        body: Body,
    ) -> float:
        """The acceleration the driver wants, in m/s²; acts on doors, gear and belts as well."""
        if not self.is_driving:
            self._follow_script(dt_s, body)
            return -1.0
        ahead = self._route.at(distance_m + speed_mps * REACTION_S)
        self._indicate(ahead, body)
        if speed_mps > LOCKS_ABOVE_MPS:
            body.automatic(_locks(1))
        room = self._room_m(at_s, distance_m)
        queue = self._queue(distance_m)
        if queue is not None:
            room = min(room, queue.room_m(at_s, distance_m, speed_mps))
        if room < STOPS_BEFORE_M and speed_mps < 0.1 and distance_m > self._home_m - SEES_LIGHT_M:
            self._arrive()
        cruise = min(here.speed_mps, ahead.speed_mps) * self._attention(at_s)
        target = min(cruise, _approach_mps(room, speed_mps))
        if queue is not None:
            target = min(target, queue.limit_mps)
        if ahead.jam:
            target = min(target, max(0.0, 6.0 + 8.0 * math.sin(at_s / 9.0 + self._phase)))
        wish = (target - speed_mps) / REACTION_S
        return max(-HARDEST_BRAKING_MPS2, min(ACCELERATION_MPS2, wish))

    def _attention(self, at_s: float) -> float:
        """Nobody holds a speed exactly: a share of it, 0.95…1."""
        return 0.975 + 0.025 * math.sin(at_s / 11.0 + self._phase)

    def _room_m(self, at_s: float, distance_m: float) -> float:
        """Metres to where the car must stand: a red light, or home."""
        room = self._home_m - distance_m
        light = self._next_light(distance_m)
        if light is None or light - distance_m > SEES_LIGHT_M:
            return room
        if light != self._light_m:  # seen for the first time: is it red, and how long?
            self._light_m = light
            is_red = self._random.random() < RED_SHARE
            self._red_until_s = at_s + 8.0 + self._random.uniform(*RED_S) if is_red else at_s
        return min(room, light - distance_m) if at_s < self._red_until_s else room

    def _queue(self, distance_m: float) -> Standstill | None:
        """The traffic that stands ahead, as far as it can be seen, or around the car."""
        queue = self._standstill
        if queue is not None and not queue.is_over:
            return queue
        ahead = self._next(self._route.standstills_m, distance_m)
        if ahead is None or ahead - distance_m > SEES_QUEUE_M or (queue and queue.at_m == ahead):
            return None
        self._standstill = Standstill(ahead)
        return self._standstill

    def _next_light(self, distance_m: float) -> float | None:
        return self._next(self._route.lights_m, distance_m)

    def _next(self, marks_m: Sequence[float], distance_m: float) -> float | None:
        """The next of the route's marks on the driver's way, laps included."""
        if not marks_m:
            return None
        lap, within = divmod(distance_m, self._route.length_m)
        i = bisect_right(marks_m, within)
        if i == len(marks_m):
            lap, i = lap + 1, 0
        return lap * self._route.length_m + marks_m[i]

    def _next_home(self, distance_m: float) -> float:
        return (distance_m // self._route.length_m + 1) * self._route.length_m

    def _indicate(self, ahead: Place, body: Body) -> None:
        body.set(
            {
                "Light_Left": float(ahead.curvature_per_m > INDICATES_ABOVE),
                "Light_Right": float(ahead.curvature_per_m < -INDICATES_ABOVE),
            }
        )

    def _follow_script(self, dt_s: float, body: Body) -> None:
        self._wait_s -= dt_s
        while self._wait_s <= 0 and not self.is_driving:
            body.set(self._changes)
            self._take_next()
            if self._script_ended:
                self._begin_next(body)

    def _take_next(self) -> None:
        step = next(self._script, None)
        self._script_ended = step is None
        if step is not None:
            wait_s, self._changes = step
            self._wait_s += wait_s

    def _begin_next(self, body: Body) -> None:
        if body.signals["Gear_Selected"] == 3:
            self.is_driving = True
            return
        self._home_m += self._route.length_m
        self._start(iter(_enter(self._identifier, self._passenger)))

    def _arrive(self) -> None:
        self.is_driving = False
        self._start(iter(LEAVE))

    def _start(self, script: Iterator[tuple[float, Mapping[str, float]]]) -> None:
        self._script = script
        self._wait_s = 0.0
        self._take_next()


def _approach_mps(room_m: float, speed_mps: float) -> float:
    """The speed from which the car comes to stand where the room ends, a short walk before it."""
    usable = room_m - STOPS_BEFORE_M / 2 - speed_mps * REACTION_S
    crawl = CRAWL_MPS if room_m > STOPS_BEFORE_M - 1.0 else 0.0
    return max(crawl, math.sqrt(2 * CALM_BRAKING_MPS2 * max(0.0, usable)))
