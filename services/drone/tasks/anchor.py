"""Hovering at a place that hangs on the car (pure)."""

from collections.abc import Mapping
from typing import Any

from services.drone.geodesy import Place, distance_m, moved, towards
from services.drone.tasks.car_motion import CarNow
from services.drone.tasks.memory import place


def beside(car: CarNow, behind_m: float) -> Place:
    """The place behind the car; above it while its heading is not known."""
    if car.heading_deg is None:
        return car.place
    return moved(car.place, towards(car.heading_deg + 180.0, behind_m))


def anchored(
    memory: Mapping[str, Any], car: CarNow | None, behind_m: float, pushed_m: float
) -> Place | None:
    """Where to hover: the place of the step before until the car's own is `pushed_m` away.

    `None`: there is neither.
    """
    kept = place(memory.get("anchor"))
    if car is None:
        return kept
    wanted = beside(car, behind_m)
    return wanted if kept is None or distance_m(kept, wanted) > pushed_m else kept
