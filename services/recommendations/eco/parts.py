"""What a usual car takes on a trip, part by part, from the sums of the trip (pure).

The model of a car is how much more or less of each part it takes than this one. The figures are
those of a middle-sized car: 1,700 kg electric, 1,500 kg with a petrol engine.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.recommendations.eco.drive import Drive, Unit

Columns = NDArray[np.float64]

NAMES = (
    "rolling", "speed2", "air", "faster", "slower", "on", "idle", "cold", "heating", "cooling",
)  # fmt: skip
DOUBT: Columns = np.array([0.4, 1.5, 0.4, 0.4, 0.5, 0.7, 0.8, 1.0, 0.7, 0.7])
"""How far a car's parts may be from the usual ones: one standard deviation, 1 being all of it."""
HEATED_BELOW_C, COOLED_ABOVE_C = 16.0, 22.0
_MILD_C = 19.0


class Usual(NamedTuple):
    """What a usual car takes, in its unit.

    Attributes:
        rolling: Per m.
        speed2: Per m²/s of ∫v².
        air: Per m³/s² of ∫v³.
        faster: Per m²/s² gained.
        slower: Per m²/s² lost; below 0, for it gives back.
        on: Per s.
        idle: Per s that it stands, besides.
        cold: Per cold start.
        heating: Per s and K.
        cooling: Per s and K.
    """

    rolling: float
    speed2: float
    air: float
    faster: float
    slower: float
    on: float
    idle: float
    cold: float
    heating: float
    cooling: float


_J = 1 / 3_600
USUAL: dict[Unit, Usual] = {
    "Wh": Usual(185 * _J, 1.4 * _J, 0.47 * _J, 1_930 * _J, -1_280 * _J, 500 * _J, 100 * _J,
                60.0, 80 * _J, 50 * _J),
    "ml": Usual(0.0141, 2.1e-4, 3.4e-5, 0.130, -0.04, 0.12, 0.10, 60.0, 0.002, 0.006),
}  # fmt: skip


def parts(drives: Sequence[Drive], unit: Unit) -> Columns:
    """What a usual car takes on each trip, a row each, in the order of `NAMES`."""
    return np.array([amounts(drive) for drive in drives]).reshape(-1, len(NAMES)) * USUAL[unit]


def amounts(drive: Drive) -> tuple[float, ...]:
    """Of what the parts go up with."""
    outside_c = _MILD_C if drive.outside_c is None else drive.outside_c
    heated, cooled = max(0.0, HEATED_BELOW_C - outside_c), max(0.0, outside_c - COOLED_ABOVE_C)
    return (
        drive.speed_m, drive.speed2, drive.speed3, drive.faster, drive.slower, drive.known_s,
        drive.idle_s, drive.cold * (1 + heated / 20), heated * drive.known_s,
        cooled * drive.known_s,
    )  # fmt: skip
