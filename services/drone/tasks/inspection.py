"""Inspect: one orbit around the parked car, with pictures (pure)."""

from collections.abc import Mapping
from typing import Any

from internetcar.contract.drone_methods import MethodData
from services.drone.autopilot import TakePicture
from services.drone.geodesy import Place, distance_m
from services.drone.moment import Moment
from services.drone.tasks.car_motion import where
from services.drone.tasks.memory import clocked, place
from services.drone.tasks.orbit import Orbit, entry, orbit_legs, turn
from services.drone.tasks.settings import InspectSettings, TaskSettings
from services.drone.tasks.task import Plan, Step
from services.drone.tasks.way import Stop, asked_duration_s, begin, go, is_at
from services.drone.view import View


def plan(data: MethodData, view: View, now: Moment, settings: TaskSettings) -> Plan:
    """The circle around the car."""
    mine, start = settings.inspect, begin(view, now)
    if start.car is None or start.place is None:
        return Plan((), mine.height_m, "the car does not say where it is")
    return Plan(orbit_legs(_orbit(start.car.place, mine), start.place), mine.height_m)


def step(
    data: MethodData, memory: Mapping[str, Any], view: View, now: Moment, settings: TaskSettings
) -> Step:
    """One step of it; it is over after one orbit, or when the car leaves."""
    mine, drone = settings.inspect, view.drone.position
    elapsed_s, passed_s, clock = clocked(memory, now)
    car = where(view.fixes, now.s)
    centre = place(memory.get("centre")) or (car.place if car is not None else None)
    kept = {**memory, **clock}
    is_late = elapsed_s >= asked_duration_s(data, mine.duration_s)
    if drone is None or centre is None:
        return Step(None, kept, is_done=is_late, words="does not know where car or drone is")
    kept["centre"] = list(centre)
    if is_late:
        return Step(None, kept, is_done=True, words="the time for the inspection is over")
    if car is not None and distance_m(car.place, centre) > mine.moved_m:
        return Step(None, kept, is_done=True, words="the car has left")
    orbit = _orbit(centre, mine)
    gate = Stop(place(kept.get("entry")) or entry(orbit, drone.place).place, orbit.height_m)
    kept["entry"] = list(gate.place)
    if "orbit_deg" not in kept and not is_at(drone, gate):
        return Step(go(gate, mine.speed_mps), kept, words="flies to where it orbits")
    turned = turn(orbit, kept, drone, passed_s)
    picture = TakePicture() if turned.takes_picture else None
    return Step(
        turned.guidance,
        {**kept, **turned.memory},
        is_there=True,
        is_done=turned.is_done,
        picture=picture,
        words="has seen the car from all sides" if turned.is_done else "orbits the car",
    )


def _orbit(centre: Place, mine: InspectSettings) -> Orbit:
    return Orbit(centre, mine.radius_m, mine.height_m, mine.speed_mps, mine.pictures)
