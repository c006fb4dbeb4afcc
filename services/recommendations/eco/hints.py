"""What would have used less on a trip, by the car's model and the driver's own trips (pure).

Each hint asks the model what another way to drive the same trip would have taken: without standing;
as evenly, or with as gentle a foot, as on the best quarter of the driver's own similar trips. The
sums of a trip carry no more than that: not where it was fast, and not whether the brake or the
accelerator was to blame, for what is gained in speed is lost again.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from internetcar.contract.advice import EcoHint, EcoKind
from services.recommendations.eco.drive import Drive, Unit
from services.recommendations.eco.model import Model

LEAST_SHARE = 0.01
"""Of what the trip used; less is not worth a word."""
MOST_SHARE = 0.05
"""All hints of a trip together claim no more: what feedback on board is known to bring, and fades.
What standing cost is said in full, for that is a fact; the claim is cut all the same."""
SURE_ERRORS = 2.0
"""A saving is said where it is at least so many of its standard errors."""
LEAST_SIMILAR = 8
_SIMILAR_SPEED, _SIMILAR_WAY = 1.15, 1.5
_QUARTER = 0.25
_LEAST_IDLE_S = 60.0


class Saving(NamedTuple):
    """What another way to drive would have saved; of how many similar trips it was the measure."""

    kind: EcoKind
    saves: float
    similar: int


def savings(drive: Drive, own: Sequence[Drive], model: Model, used: float) -> list[Saving]:
    """What would have saved enough to say so, and is known well enough; the most first.

    Args:
        drive: The trip.
        own: The driver's trips before it.
        model: Of the car, before this trip.
        used: What the trip took, in the model's unit.
    """
    alike = [each for each in own if _is_similar(drive, each)]
    ways: list[tuple[EcoKind, Drive]] = []
    if drive.idle_s >= _LEAST_IDLE_S:
        ways.append(("idle", drive._replace(idle_s=0.0, known_s=drive.known_s - drive.idle_s)))
    if len(alike) >= LEAST_SIMILAR:
        ways += [("speed", evenly(drive, alike)), ("acceleration", gently(drive, alike))]
    found = []
    for kind, instead in ways:
        saves, error = model.saved(drive, instead)
        if saves >= max(LEAST_SHARE * used, SURE_ERRORS * error) and saves > 0:
            found.append(Saving(kind, saves, len(alike)))
    return sorted(found, key=lambda saving: -saving.saves)


def hints(drive: Drive, found: Sequence[Saving], unit: Unit, used: float) -> list[EcoHint]:
    """The savings in words, together no more than may be claimed; `used` is more than 0."""
    left, said = MOST_SHARE, []
    for saving in found:
        share = min(saving.saves / used, left)
        if share >= LEAST_SHARE:
            left -= share
            said.append(EcoHint(
                kind=saving.kind, saves=round(share * used, 1), share=round(share, 3),
                words=_words(drive, saving, unit, used, share),
            ))  # fmt: skip
    return said


def evenly(drive: Drive, alike: Sequence[Drive]) -> Drive:
    """The same trip at the same mean speed, with the peaks of the evenest quarter of others."""
    peaks = np.array([each.speed3 / (each.speed_m * each.moving_mps**2) for each in alike])
    spread = np.array([each.speed2 / (each.speed_m * each.moving_mps) for each in alike])
    of_best = peaks <= np.quantile(peaks, _QUARTER)
    mean = drive.moving_mps
    speed3 = float(peaks[of_best].mean()) * mean**2 * drive.speed_m
    speed2 = float(spread[of_best].mean()) * mean * drive.speed_m
    return drive._replace(speed2=min(drive.speed2, speed2), speed3=min(drive.speed3, speed3))


def gently(drive: Drive, alike: Sequence[Drive]) -> Drive:
    """The same trip with as little speed gained and lost again as the gentlest quarter."""
    of_best = float(np.quantile([each.faster / each.speed_m for each in alike], _QUARTER))
    spare = min(max(0.0, drive.faster - of_best * drive.speed_m), drive.slower)
    return drive._replace(faster=drive.faster - spare, slower=drive.slower - spare)


def _is_similar(drive: Drive, other: Drive) -> bool:
    speed, way = other.moving_mps / drive.moving_mps, other.speed_m / drive.speed_m
    return 1 / _SIMILAR_SPEED <= speed <= _SIMILAR_SPEED and 1 / _SIMILAR_WAY <= way <= _SIMILAR_WAY


def _words(drive: Drive, saving: Saving, unit: Unit, used: float, share: float) -> str:
    if saving.kind == "idle":
        stood = "Idling" if unit == "ml" else "Standing while switched on"
        minutes = f"{drive.idle_s / 60:.0f} min"
        cost = f"{amount(saving.saves, unit)}, {100 * saving.saves / used:.0f} %"
        return f"{stood} for {minutes} cost {cost} of this trip."
    how = "Fewer peaks of speed" if saving.kind == "speed" else "A gentler foot"
    what = f"about {amount(share * used, unit)}, {100 * share:.0f} % of this trip"
    best = "evenest" if saving.kind == "speed" else "gentlest"
    of = f"as on the {best} quarter of your {saving.similar} similar trips"
    return f"{how}, {of}, would have saved {what}."


def amount(value: float, unit: Unit) -> str:
    """An amount in litres or kWh, a small one in ml or Wh."""
    small, large = (10, "l") if unit == "ml" else (100, "kWh")
    return f"{value:.0f} {unit}" if value < small else f"{value / 1_000:.2f} {large}"
